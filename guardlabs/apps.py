import contextlib

from django.apps import AppConfig
from django.conf import settings


class GuardLabsConfig(AppConfig):
    name = "guardlabs"
    verbose_name = "GuardLabs"

    def ready(self) -> None:
        from audit.orders import outbox
        from guardlabs import checks  # noqa: F401  # registers them

        outbox.register(_nudge_mails)
        if settings.SENTRY_DSN:
            from guardlabs.operations import sentry

            with contextlib.suppress(ValueError):  # an address that is none: guardlabs.E006 says so
                sentry.start(settings.SENTRY_DSN, environment=settings.SENTRY_ENVIRONMENT)
        if settings.OTEL_ENDPOINT:
            from guardlabs import tracing

            tracing.start(content=settings.OTEL_CONTENT)


def _nudge_mails() -> None:
    from guardlabs.operations import background  # opens the queue, which few commands need

    background.nudge_mails()
