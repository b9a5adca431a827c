from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AuditConfig(AppConfig):
    name = "audit"
    verbose_name = _("Security audit")

    def ready(self) -> None:
        from audit import checks  # noqa: F401 - registers the system checks
        from audit.report import generate, rehearsal
        from llm import chain
        from llm.admin_base import translate_columns

        chain.purposes.register(generate.PURPOSE, gate=rehearsal.gate)
        translate_columns(self.get_models())
