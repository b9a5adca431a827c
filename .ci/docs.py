"""Builds the documentation as a static site: `python .ci/docs.py [FOLDER]`, by default dist/site.

The pages lie in the repository as they are read there: README.md and its kin at the root, the others in docs/. Here
they get the same places in one folder, with the files that they link to, and the builder (Zensical) refuses a link
that leads nowhere.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"\]\((?![a-z]+:|#)([^)\s#]+)")


def lay_out(folder: Path) -> None:
    """Copies every page, README.md as index.md, and the files that pages link to."""
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        text = page.read_text()
        place = folder / page.relative_to(ROOT)
        if page == ROOT / "README.md":
            place = folder / "index.md"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(re.sub(r"(\]\((?:\.\./)*)README\.md", r"\1index.md", text))
        for link in LINK.findall(text):
            target = (page.parent / link).resolve()
            if target.suffix != ".md" and target.is_file() and target.is_relative_to(ROOT):
                copy = folder / target.relative_to(ROOT)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(target, copy)


def main() -> int:
    site = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "dist" / "site").resolve()
    with tempfile.TemporaryDirectory() as scratch:
        lay_out(Path(scratch, "docs"))
        shutil.copy(ROOT / "mkdocs.yml", scratch)
        command = [sys.executable, "-m", "zensical", "build", "--strict", "-f", "mkdocs.yml"]
        built = subprocess.run(  # noqa: S603 - our own command
            command, cwd=scratch, check=False, capture_output=True, text=True
        )
        if built.returncode:
            print(built.stdout, built.stderr, sep="\n", file=sys.stderr)
            return built.returncode
        shutil.rmtree(site, ignore_errors=True)
        shutil.copytree(Path(scratch, "site"), site)
    return 0


if __name__ == "__main__":
    sys.exit(main())
