"""A project that uses the chain alone: settings, urls and commands in one file."""

import sys

import django
from django.conf import settings

DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "chain.sqlite3"}}
OTHERS = {"SECRET_KEY": "x" * 50, "INSTALLED_APPS": ["llm"], "ROOT_URLCONF": __name__}
settings.configure(DATABASES=DATABASES, **OTHERS)
django.setup()

from django.core.management import execute_from_command_line  # noqa: E402
from django.urls import include, path  # noqa: E402

urlpatterns = [path("v1/", include("llm.gateway.urls"))]

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
