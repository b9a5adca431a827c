from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StaffConfig(AppConfig):
    name = "guardlabs.staff"
    label = "staff"
    verbose_name = _("Staff")

    def ready(self) -> None:
        from guardlabs.staff import checks  # noqa: F401  # registers them
