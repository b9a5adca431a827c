"""A fresh database and the product's own settings, whatever the shell's environment says."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What a shell may have set and a benchmark must not depend on.
IGNORED = ("DEBUG", "REDIS_URL", "ADMINS", "EMAIL_URL", "LLM_DAILY_BUDGET_USD", "LLM_CACHE", "SITE_URL",
           "SECRET_KEY_FALLBACKS", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")  # fmt: skip


def set_variables(database_url: str) -> None:
    """The environment of this process and of those that it starts."""
    for name in IGNORED:
        os.environ.pop(name, None)
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "guardlabs.settings",
        "SECRET_KEY": "only-for-benchmarks-" + "k" * 50,
        "ENCRYPTION_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
        "DATABASE_URL": database_url,
        "LLM_ALLOW_PRIVATE_HOSTS": "127.0.0.0/8",  # where the simulated providers are
        "LOG_LEVEL": "ERROR",  # paused providers are warnings, and here they are the rule
    }


def prepare(directory: Path) -> None:
    """Sets Django up on a new SQLite file in the directory."""
    set_variables(f"sqlite:///{directory / 'bench.sqlite3'}")
    setup()
    migrate()


def setup() -> None:
    """Sets Django up as the environment says."""
    import django

    django.setup()


def migrate() -> None:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def forget_everything() -> None:
    """Empties the database and what the chain keeps in this process."""
    from llm import models
    from llm.calls import tokens
    from llm.configuration import snapshot

    for model in (
        models.Attempt, models.Call, models.CachedReply, models.Pause, models.Quota, models.Meter, models.Notice,
        models.Provider,
    ):  # fmt: skip
        model.objects.all().delete()
    snapshot.forget()
    tokens.forget()
