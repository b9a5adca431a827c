"""Settings that every call reads, each looked up once: Django's own look-up is a call of Python, each time.

A project need not have them: `conf.LLM_BOOKS` is what its settings say, or else what is said here. Whoever overrides a
setting while the process runs, as tests do with Django's `override_settings`, is heard.
"""

from typing import Any

from django.conf import settings
from django.core.signals import setting_changed

DEFAULTS: dict[str, Any] = {
    "LLM_GATEWAY_PREFIX": "/v1/",
    "LLM_GATEWAY_DEADLINE_S": 60,
    "LLM_GATEWAY_MAX_TOKENS": None,
    "LLM_CORS_ORIGINS": (),
    "LLM_BOOKS": "",
    "LLM_CACHE": "auto",
    "LLM_ALLOW_PRIVATE_HOSTS": (),
    "LLM_MAINTAIN_AFTER_CALLS": True,
}


class Conf:
    def __getattr__(self, name: str) -> Any:
        """Asked only for what was not asked for before. Raises AttributeError for a setting that is not there."""
        found = getattr(settings, name, DEFAULTS[name]) if name in DEFAULTS else getattr(settings, name)
        setattr(self, name, found)
        return found


conf = Conf()


def _forget(*, setting: str, **more: Any) -> None:
    vars(conf).pop(setting, None)


setting_changed.connect(_forget)
