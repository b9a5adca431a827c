"""Columns are called by their names; here these names become texts that are translated.

A name of its own (`verbose_name`) is for a column whose name says too little.
"""

from collections.abc import Iterable

from django.db.models import Model
from django.utils.translation import gettext_lazy, gettext_noop

# So that they are found when texts are collected: a column that is not here stays in English.
LABELS = (
    gettext_noop("action"), gettext_noop("alias"), gettext_noop("amount"), gettext_noop("at"),
    gettext_noop("attempt count"), gettext_noop("becomes"), gettext_noop("cache"), gettext_noop("cached"),
    gettext_noop("category"), gettext_noop("charge"), gettext_noop("claimed at"), gettext_noop("closed at"),
    gettext_noop("closed by"), gettext_noop("commercial"), gettext_noop("commercial use"),
    gettext_noop("confirmed"), gettext_noop("cost usd"), gettext_noop("created at"), gettext_noop("data class"),
    gettext_noop("date"), gettext_noop("deadline s"), gettext_noop("decided at"), gettext_noop("decided by"),
    gettext_noop("detail"), gettext_noop("dimensions"), gettext_noop("enabled"), gettext_noop("expires at"),
    gettext_noop("family"), gettext_noop("fingerprint"), gettext_noop("finished at"),
    gettext_noop("first token ms"), gettext_noop("fix steps"), gettext_noop("flags"),
    gettext_noop("foreign tokens"), gettext_noop("found with"), gettext_noop("harm"), gettext_noop("intent"),
    gettext_noop("itpm"), gettext_noop("keyless"), gettext_noop("label"), gettext_noop("lang"),
    gettext_noop("last error"), gettext_noop("last used at"), gettext_noop("latency ms"), gettext_noop("lesson"),
    gettext_noop("location"), gettext_noop("loss usd"), gettext_noop("mailed at"), gettext_noop("minutes"),
    gettext_noop("name"), gettext_noop("needs"), gettext_noop("next look at"), gettext_noop("next try at"),
    gettext_noop("node"), gettext_noop("not applicable"), gettext_noop("organisation"), gettext_noop("otpm"),
    gettext_noop("params"), gettext_noop("patch"), gettext_noop("payment intent"), gettext_noop("per"),
    gettext_noop("position"), gettext_noop("price in"), gettext_noop("price out"), gettext_noop("price source"),
    gettext_noop("probe until"), gettext_noop("project"), gettext_noop("prompt version"), gettext_noop("purpose"),
    gettext_noop("reasoning reserve"), gettext_noop("received at"), gettext_noop("refund id"),
    gettext_noop("replacement"), gettext_noop("reserved tokens"), gettext_noop("reserved usd"),
    gettext_noop("retry after s"), gettext_noop("risk"), gettext_noop("rpd"), gettext_noop("rph"),
    gettext_noop("rpm"), gettext_noop("score"), gettext_noop("seen"), gettext_noop("sent at"),
    gettext_noop("session"), gettext_noop("silent"), gettext_noop("since"), gettext_noop("slug"),
    gettext_noop("sources"), gettext_noop("standards"), gettext_noop("started at"), gettext_noop("streak"),
    gettext_noop("stripe id"), gettext_noop("subject"), gettext_noop("title"), gettext_noop("tools"),
    gettext_noop("tpd"), gettext_noop("tpm"), gettext_noop("type"), gettext_noop("unit"), gettext_noop("units in"),
    gettext_noop("units out"), gettext_noop("updated at"), gettext_noop("value"), gettext_noop("vector"),
    gettext_noop("victims"), gettext_noop("was"), gettext_noop("weaknesses"), gettext_noop("weight"),
    gettext_noop("what happened"), gettext_noop("why"),
)  # fmt: skip


def translate_columns(models: Iterable[type[Model]]) -> None:
    """Lets the columns' names be translated when they are shown. Once, when the apps are ready."""
    for model in models:
        for field in model._meta.get_fields():
            name = getattr(field, "verbose_name", None)
            if isinstance(name, str):
                field.verbose_name = gettext_lazy(name)  # type: ignore[union-attr]
