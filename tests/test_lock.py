"""What is installed is what was tested: the locks hold every library asked for, at one version, by its hashes."""

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent


def asked_for(name):
    for line in (ROOT / name).read_text().splitlines():
        words = line.partition("#")[0].strip()
        if words.startswith("-r "):
            yield from asked_for(words.removeprefix("-r "))
        elif words:
            yield Requirement(words)


def locked(name):
    """{library: (versions, how many hashes each has)} of a lock."""
    found = {}
    for entry in re.split(r"\n(?=[a-z0-9])", (ROOT / name).read_text()):
        head = re.match(r"([\w.-]+)(?:\[[\w,-]+\])?==([^\s;\\]+)", entry)
        assert head, f"{name} holds a line that pins nothing: {entry[:80]}"
        found.setdefault(canonicalize_name(head[1]), []).append((head[2], entry.count("--hash=sha256:")))
    return found


@pytest.mark.parametrize(
    ("asked", "lock"),
    [("requirements.txt", "requirements.lock"), ("requirements-dev.txt", "requirements-dev.lock")],
)
def test_the_lock_holds_all_that_is_asked_for_by_its_hashes(asked, lock):
    pins = locked(lock)
    unhashed = [library for library, entries in pins.items() for _, hashes in entries if not hashes]
    outdated = [
        str(wanted)
        for wanted in asked_for(asked)
        if not any(
            wanted.specifier.contains(version) for version, _ in pins.get(canonicalize_name(wanted.name), [])
        )
    ]
    assert (unhashed, outdated) == ([], []), "run `make lock`"


def test_development_runs_on_the_versions_of_the_site():
    site, development = locked("requirements.lock"), locked("requirements-dev.lock")
    assert {name: entries for name, entries in site.items() if development.get(name) != entries} == {}


def test_everything_installs_from_the_locks():
    for name in ("Makefile", "deploy/Dockerfile", "docs/production.md"):
        text = (ROOT / name).read_text()
        assert "install" in text
        assert re.findall(r"pip install[^\n]*-r requirements(?:-dev)?\.txt", text) == []
