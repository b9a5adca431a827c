"""The image's file system, made from the Dockerfile's own lines by a user without rights, and started read-only."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests import image
from tests.ports import free_port

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = {
    "SECRET_KEY": "k" * 50, "ENCRYPTION_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "SITE_URL": "http://127.0.0.1", "ALLOWED_HOSTS": "127.0.0.1", "WEB_CONCURRENCY": "1",
}  # fmt: skip


@pytest.fixture(scope="module")
def built():
    try:
        image._python()
    except FileNotFoundError as error:
        pytest.skip(str(error))
    scratch = Path(tempfile.mkdtemp(prefix="guardlabs-image-"))
    scratch.chmod(0o755)
    try:
        made = image.Image(ROOT / "deploy" / "Dockerfile", ROOT, scratch)
        made.freeze()
        yield made
    finally:
        for folder, _, _ in os.walk(scratch):
            Path(folder).chmod(0o755)
        shutil.rmtree(scratch)


def files(built):
    """Everything in the image outside /app/var and /tmp."""
    inside = {path.relative_to(built.root).parts for path in built.root.rglob("*")}
    return {parts for parts in inside if parts[:1] != ("tmp",) and parts[:2] != ("app", "var")}


def is_ready(port):
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


@pytest.mark.exhaustive
def test_the_image_serves_a_scan_from_a_read_only_root(built):
    port = free_port()
    settings = {**SETTINGS, "PORT": str(port), "HOST": "127.0.0.1"}
    before = files(built)
    code, said = built.run(["python", "manage.py", "prepare", "--database"], **settings)
    assert code == 0, said
    server = built.popen(built.command, **settings)
    try:
        for _ in range(1200):
            if is_ready(port) or server.poll() is not None:
                break
            time.sleep(0.1)
        assert server.poll() is None, server.stdout.read()
        assert built.run(built.health, **settings) == (0, "")
        done = subprocess.run(
            [sys.executable, ROOT / ".ci" / "first_scan.py", f"http://127.0.0.1:{port}"],
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        server.terminate()
        said, _ = server.communicate(timeout=120)
    assert "Traceback" not in said
    assert files(built) == before
    assert built.run(built.health, **settings)[0] == 1  # a server that is gone is not well


@pytest.mark.exhaustive
def test_nobody_can_write_into_the_image(built):
    code, said = built.run(
        ["sh", "-c", "touch manage.py.new || touch guardlabs/new || touch static_root/new"]
    )
    assert code != 0, said


@pytest.mark.exhaustive
def test_only_what_is_named_gets_into_the_image(built):
    inside = {path.name for path in (built.root / "app").iterdir()}
    assert inside == {
        ".venv", "var", "requirements.lock", "manage.py", "guardlabs", "audit", "llm", "templates", "locale",
        "static_root",
    }  # fmt: skip
    assert {path.name for path in built.context.iterdir()} == inside - {".venv", "var", "static_root"}
    assert not list(built.context.rglob("*.pyc"))


def test_every_root_package_of_the_site_is_in_the_image():
    ours = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "bench"}
    copied = re.findall(r"(?m)^COPY (\S+) ", (ROOT / "deploy" / "Dockerfile").read_text())
    assert ours <= set(copied)


@pytest.mark.exhaustive
def test_a_copy_of_what_the_context_does_not_hold_fails(tmp_path, built):
    (tmp_path / "Dockerfile").write_text("FROM x\nCOPY tests tests\n")
    with pytest.raises(AssertionError, match="not in the build context"):
        image.Image(tmp_path / "Dockerfile", ROOT, tmp_path)


@pytest.mark.parametrize(
    ("path", "out"),
    [
        ("var/secret_key", True), (".env", True), ("deploy/.env", True), ("tests/settings.py", True),
        ("guardlabs/settings.py", False), ("llm/__pycache__/a.pyc", True), ("audit/x/y.pyc", True),
        ("manage.py", False), ("manage.py.bak", True),
    ],
)  # fmt: skip
def test_docker_ignores_what_is_not_the_site(path, out):
    patterns = (ROOT / ".dockerignore").read_text().split()
    assert image.ignored(path, patterns) is out


@pytest.mark.exhaustive
def test_the_image_has_the_client_of_composes_postgresql(built):
    server = re.search(r"image: postgres:(\d+)", (ROOT / "deploy" / "compose.yaml").read_text())[1]
    asked = " ".join(built.skipped)
    assert f"postgresql-client-{server}" in asked
    assert built.base.endswith("trixie")  # Debian 13, whose PostgreSQL is 17
    assert server == "17"
