from django.apps import AppConfig
from django.conf import settings


class GuardLabsConfig(AppConfig):
    name = "guardlabs"
    verbose_name = "GuardLabs"

    def ready(self) -> None:
        from guardlabs import checks  # noqa: F401  # registers them

        if settings.SENTRY_DSN:
            from guardlabs.operations import sentry

            sentry.start(settings.SENTRY_DSN, environment=settings.SENTRY_ENVIRONMENT)
