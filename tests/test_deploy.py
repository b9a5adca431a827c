"""deploy/ says what README says, and every program that can judge its files does."""

import getpass
import importlib.util
import os
import re
import shutil
import ssl
import subprocess
import time
from functools import partial
from http.client import HTTPConnection, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import yaml
from django.core.management import get_commands, load_command_class

from tests.machine import find
from tests.test_postgres import free_port

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
PROVIDERS = {"GROQ_API_KEY", "OPENROUTER_API_KEY", "HF_TOKEN", "DEEPSEEK_API_KEY"}
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()


def documented():
    table = (ROOT / "README.md").read_text().split("\n## Settings\n")[1].split("\n## ")[0]
    first = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return {name for cell in first for name in re.findall(r"`([A-Z][A-Z_]+)`", cell)}


def example():
    return set(re.findall(r"^#?([A-Z][A-Z_]+)=", (DEPLOY / ".env.example").read_text(), re.MULTILINE))


def test_the_example_and_the_readme_list_the_same_settings():
    assert example() - PROVIDERS == documented()


def test_what_the_code_reads_is_documented():
    read = {
        name
        for path in (ROOT / "guardlabs").rglob("*.py")
        for name in re.findall(
            r'env\.(?:text|words|boolean|integer|choice)\(\s*"([A-Z_]+)"', path.read_text()
        )
    }
    assert len(read) > 20
    assert read <= documented()


def test_the_example_can_be_started_with():
    from guardlabs import env

    values = dict(re.findall(r"^#?([A-Z_]+)=(.+)$", (DEPLOY / ".env.example").read_text(), re.MULTILINE))
    assert env.database(values["DATABASE_URL"])["NAME"] == "guardlabs"
    assert env.email(values["EMAIL_URL"])["EMAIL_USE_TLS"]


def test_the_image_runs_as_nobody_in_particular_and_is_watched():
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert DOCKERFILE.count("\nFROM ") == 2
    assert re.search(r"^USER \d+:\d+$", last, re.MULTILINE)
    assert "HEALTHCHECK" in last
    assert re.findall(r"apt-get install .*", DOCKERFILE) == [  # nothing else of Debian's beyond the base
        "apt-get install --yes --no-install-recommends postgresql-client-17 \\"
    ]
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert ignored[0] == "*"  # only what is named gets in: no var/, no .env, no .git
    for source in re.findall(r"^COPY (?!--from)(\S+)", DOCKERFILE, re.MULTILINE):
        assert f"!{source}" in ignored
        assert (ROOT / source).exists()


def test_everything_of_ours_in_the_compose_file_has_a_read_only_root_and_no_rights():
    for name in ("migrate", "web", "worker", "redis", "proxy"):
        service = COMPOSE["services"][name]
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
    assert [name for name, service in COMPOSE["services"].items() if "ports" in service] == ["proxy"]


def test_every_service_is_watched_and_waits_for_what_it_needs():
    services = COMPOSE["services"]
    for name, service in services.items():
        own = "HEALTHCHECK" in DOCKERFILE if "build" in service else False
        assert own or service.get("healthcheck"), name
        needs = service.get("depends_on", {})
        assert {each["condition"] for each in dict(needs).values()} <= {
            "service_healthy", "service_completed_successfully",
        }, name  # fmt: skip
        assert set(needs) <= set(services), name
    assert services["migrate"]["healthcheck"] == {"disable": True}


def test_every_path_volume_network_and_command_of_the_compose_file_exists():
    for name, service in COMPOSE["services"].items():
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert (DEPLOY / source).exists() if source.startswith(".") else source in COMPOSE["volumes"], (
                name
            )
        assert set(service["networks"]) <= set(COMPOSE["networks"]), name
        if "build" in service:
            assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
        for command in (service.get("command", []), service.get("healthcheck", {}).get("test", ["CMD"])[1:]):
            if command[:2] == ["python", "manage.py"]:
                exists(command[2:])
            elif command[:2] == ["python", "-m"]:
                assert importlib.util.find_spec(command[2]), command


def exists(words):
    """A command of manage.py, with options that it knows."""
    command = load_command_class(get_commands()[words[0]], words[0])
    command.create_parser("manage.py", words[0]).parse_args(words[1:])


def test_every_path_and_command_of_the_units_exists():
    for unit in sorted(DEPLOY.glob("guardlabs*.service")):
        text = unit.read_text()
        for line in re.findall(r"^Exec\w+=(.+)$", text, re.MULTILINE):
            program, *words = line.split()
            if words[:1] == ["manage.py"]:
                assert program == "/srv/guardlabs/.venv/bin/python"
                exists(words[1:])
            elif program.endswith("/gunicorn"):
                assert words == ["-c", "python:guardlabs.gunicorn", "guardlabs.asgi"]
                assert all(
                    importlib.util.find_spec(name) for name in ("guardlabs.gunicorn", "guardlabs.asgi")
                )
            else:
                assert shutil.which(program), program
        paths = re.findall(r"/srv/guardlabs/([\w./-]+)", text)
        made_at_start = {"var", "static_root"}
        assert [
            path for path in paths
            if not path.startswith(".venv") and path not in made_at_start and not (ROOT / path).exists()
        ] == []  # fmt: skip
    assert (DEPLOY / "guardlabs-worker.service").exists()


@pytest.fixture
def by_hand(tmp_path):
    """deploy/manage in a checkout whose python says what it was given; `run(lines, *words)`."""
    (tmp_path / "deploy").mkdir()
    shutil.copy(DEPLOY / "manage", tmp_path / "deploy")
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\npwd; umask; printf '<%s>\\n' \"$@\"; exec env\n")
    python.chmod(0o755)
    file = tmp_path / "env"

    def call(lines, *words, **more):
        file.write_text(lines)
        environment = {
            "PATH": os.environ["PATH"], "GUARDLABS_ENV": str(file), "GUARDLABS_USER": getpass.getuser(), **more,
        }  # fmt: skip
        return run(tmp_path / "deploy/manage", *words, cwd="/", env=environment)

    return call


def test_commands_by_hand_get_what_the_units_get(by_hand, tmp_path):
    lines = (
        "# A=comment\n\n  #B=comment\nSITE_URL=https://a.example\nSELLER_NAME=Example & Sons $HOME `id`; #1\n"
        "QUOTED=\"two words\"\nSINGLE='it is'\nEMPTY=\nEQUAL=a=b==\nLAST=without a line's end"
    )
    code, said = by_hand(lines, "providers", "load", "a file.toml", "$HOME")
    assert code == 0
    assert said.startswith(f"{tmp_path}\n0077\n<manage.py>\n<providers>\n<load>\n<a file.toml>\n<$HOME>\n")
    found = set(said.splitlines())
    assert {
        "SITE_URL=https://a.example", "SELLER_NAME=Example & Sons $HOME `id`; #1", "QUOTED=two words", "SINGLE=it is",
        "EMPTY=", "EQUAL=a=b==", "LAST=without a line's end",
    } <= found  # fmt: skip
    assert not [line for line in found if "comment" in line]


def test_commands_by_hand_without_their_settings_do_nothing(by_hand):
    code, said = by_hand("A=b\n", "prune", GUARDLABS_ENV="/no/such/file")
    assert code != 0
    assert "/no/such/file" in said
    assert "<prune>" not in said


def test_the_compose_file_holds_no_secret_and_names_no_unknown_setting():
    for service in COMPOSE["services"].values():
        assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])
        assert not any(
            "PASSWORD" in name and not name.endswith("_FILE") for name in service.get("environment", {})
        )
    ours = COMPOSE["services"]["web"]["environment"]
    assert {name.removesuffix("_FILE") for name in ours} <= documented()


def test_a_worker_has_time_to_finish_before_it_is_killed():
    from guardlabs import gunicorn

    seconds = int(COMPOSE["services"]["web"]["stop_grace_period"].removesuffix("s"))
    unit = (DEPLOY / "guardlabs.service").read_text()
    assert (
        min(seconds, int(re.search(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)[1]))
        > gunicorn.graceful_timeout
    )


# -- what others say of the files ------------------------------------------------------------------------
def run(*command, **kwargs):
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, **kwargs)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not on this machine")
def test_systemd_accepts_the_units(tmp_path):
    for source in DEPLOY.glob("guardlabs*.*"):
        if source.suffix not in {".service", ".timer"}:
            continue
        text = source.read_text().replace("/srv/guardlabs/.venv/bin/", "/bin/")
        text = re.sub(r"^(Exec\w+=)/bin/\S+", r"\1/bin/true", text, flags=re.MULTILINE)  # not installed here
        (tmp_path / source.name).write_text(text)
    units = [str(path) for path in sorted(tmp_path.iterdir())]
    code, said = run("systemd-analyze", "verify", "--man=no", *units)
    ours = [line for line in said.splitlines() if "guardlabs" in line]
    assert (code, ours) == (0, []), said


needs_caddy = pytest.mark.skipif(find("caddy") is None, reason="Caddy is not on this machine")
needs_nginx = pytest.mark.skipif(
    shutil.which("nginx", path="/usr/sbin:/usr/bin") is None, reason="nginx is not on this machine"
)


@needs_caddy
def test_caddy_accepts_its_file(tmp_path):
    environment = {"HOME": str(tmp_path), "SITE_HOST": "audit.example.org", "UPSTREAM": "web:8000 other:8000"}
    code, said = run(
        "caddy", "validate", "--adapter", "caddyfile", "--config", str(DEPLOY / "Caddyfile"),
        env=environment | {"PATH": "/usr/bin:/usr/local/bin"},
    )  # fmt: skip
    assert code == 0, said
    assert "Valid configuration" in said


def nginx_file(folder, *changes):
    """The command for nginx.conf with a certificate, both in the folder; `changes`: (text, what takes its place)."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    made = [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-subj",
        "/CN=x",
        "-keyout",
        key,
        "-out",
        certificate,
    ]
    run("openssl", "req", "-x509", *made)
    site = (DEPLOY / "nginx.conf").read_text()
    site = re.sub(r"/etc/letsencrypt\S+fullchain.pem", str(certificate), site)
    site = re.sub(r"/etc/letsencrypt\S+privkey.pem", str(key), site)
    for old, new in [("/var/log/nginx/", f"{folder}/"), *changes]:
        assert old in site
        site = site.replace(old, new)
    kept = "".join(
        f"{each}_temp_path {folder};\n" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole = (
        f"pid {folder}/pid; error_log {folder}/log; events {{}}\nhttp {{ access_log off;\n{kept}{site}\n}}\n"
    )
    (folder / "nginx.conf").write_text(whole)
    return "/usr/sbin/nginx", "-c", str(folder / "nginx.conf"), "-p", str(folder)


@needs_nginx
def test_nginx_accepts_its_file(tmp_path):
    code, said = run(*nginx_file(tmp_path), "-t")
    assert code == 0, said
    assert "[warn]" not in said


class Counting(BaseHTTPRequestHandler):
    """The site: says how many bytes came."""

    def do_GET(self):
        body = str(len(self.rfile.read(int(self.headers.get("Content-Length", 0))))).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *args):
        pass


@pytest.fixture
def upstream():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Counting)
    server.handle_error = lambda *args: None  # a body that is not sent to its end
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def post(port, path, size, *, tls):
    """(status, body) of the answer; 413 where the proxy hung up on a body instead of reading it."""
    kind = partial(HTTPSConnection, context=ssl._create_unverified_context()) if tls else HTTPConnection
    for _ in range(200):  # until it listens
        connection = kind("127.0.0.1", port, timeout=10)
        try:
            connection.connect()
        except ConnectionRefusedError:
            time.sleep(0.02)
            continue
        break
    try:
        connection.request("POST", path, b"x" * size, {"Host": "localhost"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (ConnectionResetError, BrokenPipeError):
        return 413, b""
    finally:
        connection.close()


@pytest.fixture(params=["nginx", "caddy"])
def proxy(request, tmp_path, upstream):
    """`send(path, size)` through the proxy as it is shipped."""
    port, plain = free_port(), free_port()
    if request.param == "nginx":
        if not shutil.which("nginx", path="/usr/sbin:/usr/bin"):
            pytest.skip("nginx is not on this machine")
        command = nginx_file(
            tmp_path, ("127.0.0.1:8000", f"127.0.0.1:{upstream}"), ("listen 80;", f"listen 127.0.0.1:{plain};"),
            ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"), ("listen [::]:80;", ""),
            ("listen [::]:443 ssl http2;", ""),
        )  # fmt: skip
        command = [*command, "-g", "daemon off; user root;" if os.getuid() == 0 else "daemon off;"]
    else:
        if find("caddy") is None:
            pytest.skip("Caddy is not on this machine")
        file = tmp_path / "Caddyfile"
        file.write_text((DEPLOY / "Caddyfile").read_text().replace("{\n", "{\n\tadmin off\n", 1))
        command = [find("caddy"), "run", "--adapter", "caddyfile", "--config", str(file)]
    more = {
        "HOME": str(tmp_path),
        "SITE_HOST": f"http://localhost:{port}",
        "UPSTREAM": f"127.0.0.1:{upstream}",
    }
    process = subprocess.Popen(
        command, env=os.environ | more, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    yield partial(post, port, tls=request.param == "nginx")
    process.terminate()
    process.wait(10)


def test_a_proxy_lets_the_gateway_have_what_it_takes_and_pages_no_more_than_they_do(proxy):
    image = 1_000_000
    for path in ("/v1/chat/completions", "/chat/completions", "/v1/messages", "/responses"):
        assert proxy(path, size=image) == (200, str(image).encode()), path
    for path in ("/en/scan/", "/admin/login/", "/v1x", "/en/v1/", "/modelsx"):
        assert proxy(path, size=image)[0] in {413, 502}, path  # Caddy has begun to send it on by then
        assert proxy(path, size=70_000) == (200, b"70000"), path
    assert proxy("/metrics", size=0)[0] == 404


@pytest.mark.skipif(shutil.which("hadolint") is None, reason="hadolint is not on this machine")
def test_hadolint_accepts_the_dockerfile():
    code, said = run("hadolint", str(DEPLOY / "Dockerfile"))
    assert code == 0, said
