"""WSGI entry point, for servers that know no ASGI: every waiting call then holds one of their threads."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guardlabs.settings")
application = get_wsgi_application()
