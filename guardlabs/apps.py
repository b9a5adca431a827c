from django.apps import AppConfig


class GuardLabsConfig(AppConfig):
    name = "guardlabs"
    verbose_name = "GuardLabs"
