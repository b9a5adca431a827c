from django.apps import AppConfig


class GuardLabsConfig(AppConfig):
    name = "guardlabs"
    verbose_name = "GuardLabs"

    def ready(self) -> None:
        from guardlabs import checks  # noqa: F401  # registers them
