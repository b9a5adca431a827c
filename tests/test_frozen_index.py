"""A bare clone installs the same files a month later, whatever the package index has come to offer since."""

import json
import os
import re
import subprocess
import sys
from urllib.error import URLError

import pytest
from packaging.markers import Marker
from packaging.utils import canonicalize_name

from tests.package_index import Index, page_text
from tests.test_two_servers import ROOT

pytestmark = pytest.mark.exhaustive


@pytest.fixture(scope="module", autouse=True)
def an_index_in_reach():
    try:
        page_text("babel")
    except URLError as error:
        pytest.skip(f"no package index can be reached: {error}")


def pinned(lock):
    """{library: version} of a lock, of those that this interpreter needs."""
    found = {}
    for name, version, marker in re.findall(
        r"^([\w.-]+)(?:\[[\w,-]+\])?==([^\s;\\]+)(?: ; ([^\\\n]+))?", (ROOT / lock).read_text(), re.M
    ):
        if not marker or Marker(marker.strip()).evaluate():
            found[canonicalize_name(name)] = version
    return found


@pytest.fixture
def index():
    """Opens indexes, all of which offer something later than both locks."""
    opened = []

    def open_index(**options):
        opened.append(Index(pinned("requirements-dev.lock") | pinned("requirements.lock"), **options))
        return opened[-1]

    yield open_index
    for each in opened:
        each.close()


def pip(index, *arguments):
    """Runs pip as somebody who has only this index: no cache of files that were installed before."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_"))}
    if "PIP_CERT" in os.environ:  # a machine's own authority, where files come through its proxy
        ours["PIP_CERT"] = os.environ["PIP_CERT"]
    return subprocess.run(
        [sys.executable, "-m", "pip", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=900,
        env={**ours, "PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": f"{index.url}/simple/",
             "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    )  # fmt: skip


def would_install(index, *arguments):
    """{library: (version, SHA-256)} of what `pip install` takes into an empty environment."""
    done = pip(index, "install", "--dry-run", "--ignore-installed", "--quiet", "--report", "-", *arguments)
    assert done.returncode == 0, done.stderr[-3000:]
    return {
        canonicalize_name(each["metadata"]["name"]): (
            each["metadata"]["version"],
            each["download_info"]["archive_info"]["hashes"]["sha256"],
        )
        for each in json.loads(done.stdout)["install"]
    }


def recipe(lock):
    (found,) = re.findall(rf"-m pip (install .*-r {re.escape(lock)})$", (ROOT / "Makefile").read_text(), re.M)
    return [word for word in found.split() if word not in ("install", "--quiet")]


def test_a_month_later_the_same_files_are_installed(index):
    """What `make run`, the image and the units install."""
    later, text = index(), (ROOT / "requirements.lock").read_text()
    taken = would_install(later, *recipe("requirements.lock"))
    assert {name: version for name, (version, _) in taken.items()} == pinned("requirements.lock")
    assert [name for name, (_, digest) in taken.items() if f"--hash=sha256:{digest}" not in text] == []
    assert later.asked >= set(taken)  # each of them had something newer


def test_a_month_later_the_same_versions_are_tested(index, tmp_path):
    """What `make test` installs; by uv, which looks at pages alone and needs no files for that."""
    options = [word for word in recipe("requirements-dev.lock") if not word.startswith("--disable")]
    done = subprocess.run(
        [sys.executable, "-m", "uv", "pip", "install", "--dry-run", "--target", tmp_path / "empty", *options],
        cwd=ROOT, capture_output=True, text=True, timeout=600,
        env={**os.environ, "UV_DEFAULT_INDEX": f"{index().url}/simple/", "UV_CACHE_DIR": str(tmp_path / "cache")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    taken = re.findall(r"^ \+ ([\w.-]+)==(\S+)$", done.stderr, re.M)
    assert {canonicalize_name(name): version for name, version in taken} == pinned("requirements-dev.lock")


def test_without_the_lock_the_newer_versions_would_come(index):
    """Or the index above would prove nothing."""
    taken = would_install(index(), "--no-deps", "babel~=2.18", "segno~=1.6", "cryptography>=46")
    assert all(version.endswith("9999") or version == "9999.0" for version, _ in taken.values())


def test_a_file_that_holds_something_else_is_refused(index, tmp_path):
    entry = next(
        part for part in re.split(r"\n(?=[a-z0-9])", (ROOT / "requirements.lock").read_text())
        if part.startswith("segno==")
    )  # fmt: skip
    (tmp_path / "one.lock").write_text(entry + "\n")
    done = pip(
        index(altered=("segno",)), "install", "--dry-run", "--ignore-installed", "--no-cache-dir",
        "--require-hashes", "--no-deps", "-r", str(tmp_path / "one.lock"),
    )  # fmt: skip
    assert done.returncode != 0
    assert "DO NOT MATCH THE HASHES" in done.stderr


def test_bringing_the_lock_in_line_moves_no_version(index, tmp_path):
    """`make lock`, a month later, with nothing changed in requirements.txt."""
    (recipe,) = re.findall(r"^LOCK = \$\(BIN\)/(.+)$", (ROOT / "Makefile").read_text(), re.M)
    lock = tmp_path / "requirements.lock"
    lock.write_text((ROOT / "requirements.lock").read_text())
    done = subprocess.run(
        [sys.executable, "-m", *recipe.split(), "-c", "requirements-dev.lock", "requirements.txt", "-o", lock],
        cwd=ROOT, capture_output=True, text=True, timeout=600,
        env={**os.environ, "UV_DEFAULT_INDEX": f"{index(rebuilt=False).url}/simple/",
             "UV_CACHE_DIR": str(tmp_path / "cache")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr

    def versions(text):
        return re.findall(r"^([\w.-]+(?:\[[\w,-]+\])?==[^\s\\]+)", text, re.M)

    assert versions(lock.read_text()) == versions((ROOT / "requirements.lock").read_text())
