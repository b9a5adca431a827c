"""README and docs: every link leads somewhere, every command that they show is there."""

import importlib.util
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from guardlabs.install.launchers import PROGRAMS

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
INSTALLED = {"python", "pip", "pytest", "ruff", "mypy", "gunicorn", "uv", *PROGRAMS}
MADE_BY_HAND = {"deploy/.env", "deploy/secrets/"}
EVERY = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def slug(heading):
    """A heading's anchor, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower().replace("`", "")).replace(" ", "-")


def shown(page):
    """Pieces of a page that are code."""
    text = page.read_text()
    return re.findall(r"`([^`\n]+)`", text) + re.findall(r"^(?: {4}|\$ )(.+)$", text, re.MULTILINE)


@EVERY
def test_links_resolve(page):
    dead = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if re.match(r"[a-z]+:", target):
            continue  # elsewhere: no test asks the internet
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists():
            dead.append(target)
        elif anchor and file.suffix == ".md":
            heads = re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE)
            dead += [target] if anchor not in {slug(head) for head in heads} else []
    assert dead == []


@EVERY
def test_commands_of_manage_py_and_their_options_exist(page):
    known, wrong = get_commands(), []
    for code in shown(page):
        for command in re.findall(r"(?:python3? manage\.py|deploy/manage) ([^#|;&>]+)", code):
            try:
                words = shlex.split(command)
            except ValueError:  # a quotation that goes on in the next line
                words = command.split()
            if words[0] not in known:
                wrong.append(command)
                continue
            parser = load_command_class(known[words[0]], words[0]).create_parser("manage.py", words[0])
            options = help_of(parser)
            wrong += [f"{command}: {word}" for word in words[1:]
                      if word.startswith("--") and word.partition("=")[0] not in options]  # fmt: skip
    assert wrong == []


def help_of(parser):
    """All options of a command, of its own commands too."""
    found = set(re.findall(r"--[a-z][a-z-]*", parser.format_help()))
    for action in parser._actions:
        if isinstance(action.choices, dict):
            for each in action.choices.values():
                found |= help_of(each)
    return found


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=lambda page: page.name
)
def test_files_and_names_in_them_exist(page):
    """`audit/report/prompts.py` (`TONE`), `RULES` in `llm/failures/rules.py`, `llm/simulator/wire_*.py`."""
    text, wrong = page.read_text(), []
    for path in re.findall(
        r"`((?:llm|audit|guardlabs|tests|bench|deploy|docs|locale|templates)/[\w./*-]+)`", text
    ):
        if "VERSION" not in path and path not in MADE_BY_HAND and not any(ROOT.glob(path.rstrip("/"))):
            wrong.append(path)
    named = re.findall(r"`([\w/.-]+\.py)`\s\(`([A-Z]\w+)`", text)
    named += [(path, name) for name, path in re.findall(r"`([A-Z]\w+)`\sin\s`([\w/.-]+\.py)`", text)]
    for path, name in named:
        if not re.search(rf"\b{name}\b", (ROOT / path).read_text()):
            wrong.append(f"{name} in {path}")
    assert wrong == []


@EVERY
def test_targets_of_make_exist(page):
    targets = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        target
        for code in shown(page)
        for target in re.findall(r"^(?:\w+=\S+ )*make ([a-z][\w-]*)", code.strip())
    }
    assert named - targets == set()


@EVERY
def test_programs_and_modules_exist(page):
    codes = shown(page)
    programs = {program for code in codes for program in re.findall(r"\.venv/bin/([\w-]+)", code)}
    modules = {
        name
        for code in codes
        for name in re.findall(r"python3? -m ((?:guardlabs|llm|audit|bench)[\w.]*)", code)
    }
    assert programs - INSTALLED == set()
    assert [name for name in modules if importlib.util.find_spec(name) is None] == []


def test_the_site_is_built_from_all_pages_and_asks_no_other_host(tmp_path):
    built = subprocess.run(
        [sys.executable, ".ci/docs.py", str(tmp_path)], cwd=ROOT, capture_output=True, text=True
    )
    assert built.returncode == 0, built.stderr
    pages = {page.relative_to(tmp_path).with_suffix(".md").as_posix() for page in tmp_path.rglob("*.html")}
    ours = {page.relative_to(ROOT).as_posix() for page in PAGES} - {"README.md"}
    assert ours | {"index.md"} <= pages
    loaded = re.compile(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=\"?(https?://[^\" >]+)")
    for page in tmp_path.rglob("*.html"):
        asked = [url for url in loaded.findall(page.read_text()) if "rel=canonical" not in url]
        assert asked == [], page
        assert 'class="mermaid"' not in page.read_text(), page  # whose script comes from elsewhere


def test_a_link_that_leads_nowhere_stops_the_site(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("docs_site", ROOT / ".ci" / "docs.py")
    site = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(site)
    copy = tmp_path / "project"
    (copy / "docs").mkdir(parents=True)
    (copy / "README.md").write_text("See [this](docs/nowhere.md).")
    (copy / "mkdocs.yml").write_text((ROOT / "mkdocs.yml").read_text())
    monkeypatch.setattr(site, "ROOT", copy)
    monkeypatch.setattr(site.sys, "argv", ["docs.py", str(tmp_path / "site")])
    assert site.main() != 0
