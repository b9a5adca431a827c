"""The lines that connect a program: the command prints them, and docs/clients says the same."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from llm.clients import access, programs

DOCS = Path(__file__).resolve().parent.parent / "docs" / "clients"


@pytest.mark.django_db
@pytest.mark.parametrize("program", programs.PROGRAMS)
def test_the_command_prints_the_lines_with_a_key_that_works(program, settings):
    settings.SITE_URL = "https://llm.guardlabs.test"
    out = StringIO()
    call_command("clients", "add", "me", "--for", program, stdout=out)
    text = out.getvalue()
    assert "https://llm.guardlabs.test" in text
    start = text.index(access.PREFIX + "-")
    key = text[start:].split()[0].strip("\"',);")
    assert access.authenticate(key).name == "me"


@pytest.mark.django_db
def test_an_unknown_program_is_refused_and_makes_no_client():
    with pytest.raises(CommandError, match="codex"):
        call_command("clients", "add", "me", "--for", "nothing")


@pytest.mark.parametrize("program", programs.PROGRAMS)
def test_its_page_says_the_same(program):
    page = (DOCS / f"{program}.md").read_text()
    for line in programs.lines(program, url="https://llm.example.org", key="KEY").splitlines():
        assert f"    {line}" in page
    assert f"({program}.md)" in (DOCS / "README.md").read_text()
