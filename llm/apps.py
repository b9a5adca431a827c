from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LlmConfig(AppConfig):
    name = "llm"
    default_auto_field = "django.db.models.BigAutoField"  # whatever the project around it prefers
    verbose_name = _("LLM chain")

    def ready(self) -> None:
        from llm.admin_base import translate_columns
        from llm.operations import upkeep
        from llm.status import checks  # noqa: F401 - registers the system checks

        upkeep.register(_maintain)
        translate_columns(self.get_models())


def _maintain() -> None:
    from llm import maintenance  # brings the providers' libraries, which few commands need

    maintenance.run()
