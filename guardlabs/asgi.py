"""ASGI entry point: `gunicorn -c python:guardlabs.gunicorn guardlabs.asgi`."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guardlabs.settings")
django.setup(set_prefix=False)

from guardlabs.serving.site import Site  # noqa: E402  # which reads the settings

application = Site()
