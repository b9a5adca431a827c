"""What is installed is what was tested: the locks hold every library asked for, at one version, by its hashes."""

import re
from importlib.metadata import requires
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


def needed(name, extras=frozenset()):
    """Names of what an installed library requires of this interpreter, with some of its extras."""
    for text in requires(name) or []:
        wanted = Requirement(text)
        if not wanted.marker or any(wanted.marker.evaluate({"extra": extra}) for extra in {"", *extras}):
            yield canonicalize_name(wanted.name), frozenset(wanted.extras)


@pytest.mark.parametrize(
    ("asked", "lock"),
    [("requirements.txt", "requirements.lock"), ("requirements-dev.txt", "requirements-dev.lock")],
)
def test_a_lock_is_whole(asked, lock):
    """It is installed without asking any library what else it needs."""
    pins, seen = locked(lock), set()
    waiting = [(canonicalize_name(each.name), frozenset(each.extras)) for each in asked_for(asked)]
    while waiting:
        each = waiting.pop()
        if each not in seen:
            seen.add(each)
            waiting += needed(*each)
    assert {name for name, _ in seen} - set(pins) == set(), "run `make lock`"


@pytest.mark.parametrize("file", ["Makefile", "deploy/Dockerfile", "docs/production.md"])
def test_everything_installs_from_the_locks_and_nothing_besides(file):
    installs = re.findall(r"pip install ([^\n]*-r requirements[^\n ]*)", (ROOT / file).read_text())
    assert installs
    for arguments in installs:
        assert "--require-hashes --no-deps -r requirements" in arguments
        assert arguments.endswith(".lock")
