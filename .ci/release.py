"""What `make release` does once the tests have passed: looks whether all is ready, writes dist/, tags the commit.

dist/ then holds the wheel of the app `llm`, a bill of materials of what the site runs on (CycloneDX 1.6, from
requirements.lock), the licences of all of it and, where docker or podman is, the image as a file for `docker load`.
Nothing is pushed.

    .venv/bin/python .ci/release.py [--dry-run]
"""

import json
import re
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, PackagePath, files, metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def version(root: Path = ROOT) -> str:
    """The version, from the one place where it is written."""
    found = re.search(r'^__version__ = "([^"]+)"$', (root / "llm" / "__init__.py").read_text(), re.MULTILINE)
    if found is None:
        raise SystemExit("llm/__init__.py names no version")
    return found[1]


def locked(lock: str) -> list[tuple[str, str, list[str]]]:
    """(name, version, SHA-256 of its files) of every library in a lock's text."""
    return [
        (head[1], head[2], re.findall(r"--hash=sha256:([0-9a-f]{64})", entry))
        for entry in re.split(r"\n(?=[a-z0-9])", lock)
        if (head := re.match(r"([\w.-]+)(?:\[[\w,-]+\])?==([^\s;\\]+)", entry))
    ]


MIT = "Permission is hereby granted, free of charge, to any person obtaining a copy"


def licence(name: str) -> str:
    """What a library says of itself, the newest way of saying it first, or its licence's text where that is MIT's;
    `unknown` where it is not installed here."""
    try:
        about = metadata(name)
    except PackageNotFoundError:
        return "unknown"
    classified = [
        each.rpartition(" :: ")[2]
        for each in about.get_all("Classifier", [])
        if each.startswith("License ::")
    ]
    text = about.get("License", "").strip().partition("\n")[0]
    told = about.get("License-Expression") or ", ".join(classified) or text
    if not told and any(MIT in " ".join((file.read_text() or "").split()) for file in _licence_files(name)):
        return "MIT"
    return told or "unknown"


def _licence_files(name: str) -> list[PackagePath]:
    return [file for file in files(name) or [] if file.name.upper().startswith("LICEN")]


def bill_of_materials(lock: str, number: str) -> dict[str, object]:
    """CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/)."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "guardlabs", "version": number}},
        "components": [
            {
                "type": "library",
                "bom-ref": f"pkg:pypi/{name}@{pinned}",
                "name": name,
                "version": pinned,
                "purl": f"pkg:pypi/{name}@{pinned}",
                "licenses": [{"license": {"name": licence(name)}}],
                "properties": [{"name": "guardlabs:file:sha256", "value": each} for each in hashes],
            }
            for name, pinned, hashes in locked(lock)
        ],
    }


def complaints(root: Path = ROOT) -> list[str]:
    """Why this checkout cannot be released as it is."""
    number = version(root)
    found = []
    if git(root, "status", "--porcelain"):
        found.append("the tree is not clean: commit or drop what git status shows")
    if git(root, "tag", "--list", f"v{number}"):
        found.append(f"v{number} is released already: raise __version__ in llm/__init__.py")
    changes = (root / "CHANGELOG.md").read_text()
    if not re.search(rf"^## {re.escape(number)} \(\d{{4}}-\d\d-\d\d\)$", changes, re.M):
        found.append(f"CHANGELOG.md has no heading `## {number} (YYYY-MM-DD)`")
    elif (newest := re.search(r"^## (\S+)", changes, re.M)) and newest[1] != number:
        found.append(f"CHANGELOG.md begins with `{newest[1]}`: what it holds belongs to a version, too")
    return found


def image(root: Path, number: str, made: Path) -> str:
    """Builds deploy/Dockerfile and writes guardlabs-NUMBER.image.tar; returns what came of it, in words."""
    here = filter(None, map(shutil.which, ("docker", "podman")))
    engine = next((each for each in here if not _run(each, "info").returncode), None)
    if engine is None:
        return "no image: neither docker nor podman answers here"
    name, file = f"guardlabs:{number}", made / f"guardlabs-{number}.image.tar"
    build = ("build", "--tag", name, "--file", str(root / "deploy" / "Dockerfile"), str(root))
    for command in (build, ("save", "--output", str(file), name)):
        done = _run(engine, *command)
        if done.returncode:
            raise SystemExit(f"the image was not made: {done.stderr.strip()[-2000:]}")
    return f"image {name}"


def _run(*command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True)  # noqa: S603


def git(root: Path, *arguments: str) -> str:
    command = ["git", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603


def main(arguments: list[str]) -> int:
    if found := complaints():
        print("\n".join(found), file=sys.stderr)
        if "--dry-run" not in arguments:
            return 1
    number, made = version(), ROOT / "dist"
    made.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(made), str(ROOT)]
    subprocess.run(command, check=True)  # noqa: S603
    lock = (ROOT / "requirements.lock").read_text()
    bill = json.dumps(bill_of_materials(lock, number), indent=1) + "\n"
    (made / f"guardlabs-{number}.cdx.json").write_text(bill)
    licences = "".join(f"{name} {pinned}: {licence(name)}\n" for name, pinned, _ in locked(lock))
    (made / f"guardlabs-{number}.licences.txt").write_text(licences)
    if "--dry-run" not in arguments:
        print(image(ROOT, number, made))
        git(ROOT, "tag", "--annotate", f"v{number}", "--message", f"GuardLabs {number}")
    print("\n".join(str(path.relative_to(ROOT)) for path in sorted(made.iterdir())))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
