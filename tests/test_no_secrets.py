"""No key, password or private key is in what git tracks. What looks like one and is none says so here."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHAPES = {
    "private key": r"-----BEGIN (?:RSA |EC |DSA |OPENSSH |ENCRYPTED )?PRIVATE KEY-----\n[A-Za-z0-9+/=\n]{64}",
    "service account": r'"private_key"\s*:\s*"-----BEGIN[^"]{64}',
    "groq": r"\bgsk_[A-Za-z0-9]{40,}",
    "openai, openrouter, deepseek": r"\bsk-(?:or-v1-|proj-|ant-)?[A-Za-z0-9_-]{32,}",
    "hugging face": r"\bhf_[A-Za-z0-9]{30,}",
    "google": r"\bAIza[0-9A-Za-z_-]{35}",
    "stripe": r"\b(?:sk|rk)_(?:live|test)_[0-9A-Za-z]{20,}|\bwhsec_[0-9A-Za-z+/=]{28,}",
    "aws": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "github": r"\bgh[pousr]_[A-Za-z0-9]{36}|\bgithub_pat_[A-Za-z0-9_]{40,}",
    "slack": r"\bxox[abprs]-[0-9A-Za-z-]{20,}",
    "json web token": r"\beyJ[A-Za-z0-9_-]{15,}\.eyJ[A-Za-z0-9_-]{15,}\.[A-Za-z0-9_-]{20,}",
    "url with password": r"\b(?:postgres(?:ql)?|redis|smtps?|https?)://[^\s/:@\"'{}<>]+:(?!password@)[^\s/@\"'{}<>$*]{3,}@[\w.-]+",
    "assignment": r"(?im)^\s*(?:export )?\w*(?:SECRET_KEY|ENCRYPTION_KEYS|API_KEY|PASSWORD|TOKEN)"
    r"=[\"']?[A-Za-z0-9+/_=-]{20,}",
}
# What is found and is no secret: (file, part of the line).
HARMLESS = {("tests/test_env.py", "me:p%40ss@db.local"), ("tests/test_env.py", "me:s3cret")}


def tracked():
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in done.stdout.decode().split("\0") if name]


def found_in(text):
    return [
        (name, text[text.rfind("\n", 0, match.start()) + 1 :].split("\n")[0])
        for name, shape in SHAPES.items()
        for match in re.finditer(shape, text)
    ]


def test_git_tracks_no_secret():
    found = []
    for path in tracked():
        if not path.is_file() or path.suffix in {".png", ".mo"}:
            continue
        name = str(path.relative_to(ROOT))
        for kind, line in found_in(path.read_text(errors="replace")):
            if not any(name == file and part in line for file, part in HARMLESS):
                found.append((name, kind, line.strip()))
    assert found == []


def test_git_tracks_no_file_that_holds_secrets():
    for path in tracked():
        assert path.name not in {".env", "secret_key", "encryption_keys", "id_rsa", "credentials.json"}, path
        assert path.suffix not in {".pem", ".key", ".p12", ".sqlite3"}, path


MADE_UP = {  # in two halves, so that this file holds none
    "private key": ("-----BEGIN PRIVATE KEY-----\n", "MIIE" * 20),
    "service account": ('"private_key": "-----BEGIN PRIVATE', " KEY-----" + "A" * 80),
    "groq": ("gsk_", "a1B2" * 13),
    "openai, openrouter, deepseek": ("sk-or-v1-", "0f" * 32),
    "hugging face": ("hf_", "aB3" * 11),
    "google": ("AIza", "S" * 35),
    "stripe": ("sk_live_", "aB3" * 9),
    "aws": ("AKIA", "ABCDEFGHIJKLMNOP"),
    "github": ("ghp_", "a" * 36),
    "slack": ("xoxb-", "1234567890-abcdefghij"),
    "json web token": ("eyJhbGciOiJIUzI1NiIs", ".eyJzdWIiOiIxMjM0NTY3.c2lnbmF0dXJlLXNpZ25hdHVyZQ"),
    "url with password": ("postgresql://guardlabs:", "hunter22@db.internal/guardlabs"),
    "assignment": ("SECRET_KEY=", "d8f7a6s5d4f3a2s1d0f9"),
}


@pytest.mark.parametrize("kind", SHAPES)
def test_every_shape_finds_its_like(kind):
    assert kind in {name for name, _line in found_in("".join(MADE_UP[kind]))}
