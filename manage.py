#!/usr/bin/env python
"""Django's command line: `python manage.py help` lists what it can do."""

import os
import secrets
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guardlabs.settings")
    if sys.argv[1:2] == ["makemigrations"]:  # which reads the models alone: any key will do
        os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(50))
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"GuardLabs is not configured: {error}")


if __name__ == "__main__":
    main()
