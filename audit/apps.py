from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AuditConfig(AppConfig):
    name = "audit"
    verbose_name = _("Security audit")

    def ready(self) -> None:
        from audit import checks, rehearsal, report  # noqa: F401 - checks registers the system checks
        from llm import chain

        chain.purposes.register(report.PURPOSE, gate=rehearsal.gate)
