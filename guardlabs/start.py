"""Whether the settings allow a start: `python -m guardlabs.start`; exit 1, with every mistake and a hint, when not.

The server runs it before its workers; `manage.py` commands run the same checks themselves. The database is not
asked: a site whose database is away for a moment may start, and answers 503 until it is back.
"""

import os
import sys


def main() -> int:
    """Prints what is wrong to stderr. Warnings are printed and stop nothing."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guardlabs.settings")
    import django
    from django.conf import settings
    from django.core import checks
    from django.core.exceptions import ImproperlyConfigured

    try:
        settings.DEBUG  # noqa: B018 - which reads them all
    except ImproperlyConfigured as error:
        print(f"GuardLabs is not configured: {error}", file=sys.stderr)  # noqa: T201
        return 1
    django.setup()
    found = [message for message in checks.run_checks() if not message.is_silenced()]
    for message in found:
        print(message, file=sys.stderr)  # noqa: T201
    return int(any(message.is_serious() for message in found))


if __name__ == "__main__":
    sys.exit(main())
