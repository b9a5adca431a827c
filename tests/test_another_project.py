"""The app in a project of ten lines, with what its documentation says and nothing more: all of it works there."""

import os
import shutil
import subprocess
import sys

import pytest

from tests.test_two_servers import ROOT

OWN = """
[[provider]]
slug = "own"
kind = "openai"
name = "Own"
base_url = "{url}/own/v1"
free = true
[[provider.model]]
id = "m"
[[provider.key]]
label = "own"
secret = "env:OWN_KEY"
"""
PROVIDERS = f"""{OWN}
[[provider]]
slug = "vertex"
kind = "vertex"
name = "Vertex"
project = "p"
locations = ["global"]
[[provider.model]]
id = "gemini"
price_in = "1"
price_out = "1"
[[provider.key]]
label = "vertex"
secret = "env:OWN_KEY"
"""
# What `pip install guardlabs-llm` without [vertex] leaves out.
WITHOUT_GOOGLE = """
import sys
class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name == "google" or name.startswith("google."):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Nothing())
"""
ADMIN = """
import sys
sys.argv = ["manage.py", "check"]
import manage
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import NoReverseMatch, reverse
User.objects.filter(username="a").exists() or User.objects.create_superuser("a", "a@example.org", "a")
browser = Client()
browser.force_login(User.objects.get(username="a"))
for model in admin.site._registry:
    if model._meta.app_label == "llm":
        for page in ("changelist", "add"):
            try:
                address = reverse(f"admin:llm_{model._meta.model_name}_{page}")
            except NoReverseMatch:  # a page of its own, to which nothing is added
                continue
            print(browser.get(address, headers={"host": "localhost"}).status_code, address)
        row = model.objects.first()
        if row is not None:
            try:
                address = reverse(f"admin:llm_{model._meta.model_name}_change", args=[row.pk])
            except NoReverseMatch:
                continue
            print(browser.get(address, headers={"host": "localhost"}).status_code, address)
print(browser.get("/admin/", headers={"host": "localhost"}).status_code, "/admin/")
"""
WITH_ADMIN = """
OTHERS = {"SECRET_KEY": "x" * 50, "ROOT_URLCONF": __name__, "STATIC_URL": "static/", "USE_TZ": True,
    "INSTALLED_APPS": ["llm", "django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes",
                       "django.contrib.messages", "django.contrib.sessions", "django.contrib.staticfiles"],
    "MIDDLEWARE": ["django.contrib.sessions.middleware.SessionMiddleware",
                   "django.contrib.auth.middleware.AuthenticationMiddleware",
                   "django.contrib.messages.middleware.MessageMiddleware"],
    "TEMPLATES": [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True,
                   "OPTIONS": {"context_processors": ["django.template.context_processors.request",
                               "django.contrib.auth.context_processors.auth",
                               "django.contrib.messages.context_processors.messages"]}}]}
"""


COMMANDS = """
import sys
sys.argv = ["manage.py"]
import manage
from django.core.management import execute_from_command_line
for words in ("providers", "providers export", "llm_cache", "llm_cache purge", "retirements", "clients",
              "clients add shop", "forecast --scans-per-day 20", "migrate -v0", "rotate_encryption"):
    execute_from_command_line(["manage.py", *words.split()])
"""


@pytest.fixture
def project(tmp_path, sim):
    """Runs Python in the example project, on this checkout's `llm`, without Google's library."""
    shutil.copy(ROOT / "tests/example_project/manage.py", tmp_path)
    (tmp_path / "sitecustomize.py").write_text(WITHOUT_GOOGLE)
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "llm").symlink_to(ROOT / "llm")
    (tmp_path / "providers.toml").write_text(PROVIDERS.format(url=sim.url))
    environment = {
        "PATH": os.environ["PATH"], "OWN_KEY": "key-of-own", "PYTHONPATH": f"{tmp_path}:{tmp_path / 'lib'}",
    }  # fmt: skip

    def python(*arguments, status=0, stdin=""):
        done = subprocess.run(
            [sys.executable, *arguments], cwd=tmp_path, env=environment, input=stdin, capture_output=True, text=True,
            timeout=400,
        )  # fmt: skip
        assert done.returncode == status, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    python("manage.py", "migrate", "-v0")
    return python


def test_every_command_works_and_a_missing_extra_is_a_provider_that_is_skipped(project):
    project("manage.py", "providers", "load", "providers.toml")
    assert "own" in project("manage.py", "ask", "hi")
    assert "pip install" in project("manage.py", "ask", "hi", "--provider", "vertex", "--json", status=3)
    project("-c", COMMANDS)
    told = project("manage.py", "check", "--database", "default")
    assert "llm.W006" in told
    assert "guardlabs-llm[vertex]" in told
    project("manage.py", "providers", "check", "own")
    assert "not installed" in project("manage.py", "providers", "check")


@pytest.mark.exhaustive
def test_every_page_of_the_admin_works(project, tmp_path):
    text = (tmp_path / "manage.py").read_text()
    lines = [line for line in text.splitlines(True) if not line.startswith("OTHERS = ")]
    place = next(number for number, line in enumerate(lines) if line.startswith("settings.configure"))
    lines.insert(place, WITH_ADMIN)
    text = "".join(lines).replace(
        "urlpatterns = [",
        "from django.contrib import admin\nurlpatterns = [path('admin/', admin.site.urls), ",
    )
    (tmp_path / "manage.py").write_text(text)
    project("manage.py", "migrate", "-v0")
    project("manage.py", "providers", "load", "providers.toml")
    project("manage.py", "ask", "hi")
    project("manage.py", "clients", "add", "shop")
    told = project("-c", ADMIN)
    wrong = [line for line in told.splitlines() if line[:3] not in ("200", "403", "302")]
    assert not wrong, told
    assert "/admin/llm/attempt/" in told
