"""A release: one version in one place, an entry for it, and a list of all that it is made of."""

import importlib.util
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

import guardlabs
import llm

ROOT = Path(__file__).resolve().parent.parent
spec = importlib.util.spec_from_file_location("release", ROOT / ".ci" / "release.py")
release = importlib.util.module_from_spec(spec)
spec.loader.exec_module(release)


def test_the_version_is_written_in_one_place():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "llm.__version__"}
    assert release.version() == llm.__version__ == guardlabs.__version__
    assert re.fullmatch(r"\d+\.\d+\.\d+", llm.__version__)


def test_the_changelog_has_an_entry_for_every_version_and_the_newest_first():
    heads = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    versions = [
        re.fullmatch(r"(\d+)\.(\d+)\.(\d+) \(\d{4}-\d\d-\d\d\)", head)
        for head in heads
        if head != "Unreleased"
    ]
    assert versions
    assert all(versions)
    numbers = [tuple(map(int, each.groups())) for each in versions]
    assert numbers == sorted(numbers, reverse=True)
    assert {path.stem for path in (ROOT / "tests/releases").glob("*.sql")} <= {
        ".".join(map(str, each)) for each in numbers
    }


def test_the_bill_of_materials_names_every_locked_library_with_its_licence():
    lock = (ROOT / "requirements.lock").read_text()
    bill = release.bill_of_materials(lock, "1.2.3")
    parts = bill["components"]
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert len(parts) == len(re.findall(r"^[\w.-]+(?:\[[\w,-]+\])?==", lock, re.MULTILINE)) > 50
    assert all(
        part["purl"] == f"pkg:pypi/{part['name']}@{part['version']}" and part["properties"] for part in parts
    )
    unknown = [part["name"] for part in parts if part["licenses"] == [{"license": {"name": "unknown"}}]]
    markers = re.findall(
        r"^([\w.-]+)==\S+ ;", lock, re.MULTILINE
    )  # those of other systems are not installed here
    assert set(unknown) <= set(markers)


@pytest.fixture
def checkout(tmp_path):
    (tmp_path / "llm").mkdir()
    (tmp_path / "llm" / "__init__.py").write_text('__version__ = "1.2.3"\n')
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## 1.2.3 (2026-11-28)\n\n- First.\n")
    for arguments in (["init", "-q"], ["add", "."], ["-c", "user.name=x", "-c", "user.email=x@example.org",
                                                     "commit", "-qm", "First"]):  # fmt: skip
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True)
    return tmp_path


def test_a_clean_tree_with_an_entry_may_be_released_once(checkout):
    assert release.complaints(checkout) == []
    subprocess.run(["git", "tag", "v1.2.3"], cwd=checkout, check=True)
    (complaint,) = release.complaints(checkout)
    assert "released already" in complaint


def test_a_dirty_tree_or_a_version_without_an_entry_is_not_released(checkout):
    (checkout / "CHANGELOG.md").write_text("## Unreleased\n")
    assert [each.split()[0] for each in release.complaints(checkout)] == ["the", "CHANGELOG.md"]


def test_entries_above_the_versions_are_not_forgotten(checkout):
    text = (checkout / "CHANGELOG.md").read_text()
    (checkout / "CHANGELOG.md").write_text(text.replace("## 1.2.3", "## Unreleased\n\n- More.\n\n## 1.2.3"))
    subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "-qam", "More"],
                   cwd=checkout, check=True)  # fmt: skip
    (complaint,) = release.complaints(checkout)
    assert "Unreleased" in complaint


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_the_image_is_a_file_of_the_release(tmp_path, monkeypatch, engine):
    program = tmp_path / engine
    program.write_text('#!/bin/sh\necho "$@" >> "$0.log"\n[ "$1" = save ] && echo layers > "$3"\nexit 0\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert release.image(ROOT, "1.2.3", tmp_path) == "image guardlabs:1.2.3"
    assert (tmp_path / "guardlabs-1.2.3.image.tar").read_text() == "layers\n"
    _, build, save = (tmp_path / f"{engine}.log").read_text().splitlines()
    assert build == f"build --tag guardlabs:1.2.3 --file {ROOT}/deploy/Dockerfile {ROOT}"
    assert save.startswith("save --output ")


def test_a_release_whose_image_cannot_be_built_is_none(tmp_path, monkeypatch):
    program = tmp_path / "docker"
    program.write_text("#!/bin/sh\n[ $1 = info ] && exit 0\necho no space >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match="no space"):
        release.image(ROOT, "1.2.3", tmp_path)


def test_a_machine_without_docker_makes_a_release_without_an_image_and_says_so(tmp_path, monkeypatch):
    client = tmp_path / "docker"
    client.write_text("#!/bin/sh\necho no daemon >&2\nexit 1\n")  # as on a machine with the client alone
    client.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "no image" in release.image(ROOT, "1.2.3", tmp_path)
