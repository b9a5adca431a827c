"""ASGI entry point: `gunicorn -c python:guardlabs.gunicorn guardlabs.asgi`."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guardlabs.settings")
django.setup(set_prefix=False)

from audit.pages import live  # noqa: E402  # the settings are there only now
from audit.report import tasks  # noqa: E402
from guardlabs.serving.site import Site  # noqa: E402

application = Site()
application.started.append(tasks.serve)
application.on_stopping.append(live.end)
application.stopped.append(tasks.leave)
