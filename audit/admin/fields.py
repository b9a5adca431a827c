"""Lists of the bank as staff type them: one entry a line."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from audit.bank import catalogue


class LinesField(forms.JSONField):
    """A JSON list of texts, edited one a line."""

    widget = forms.Textarea

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", _("One a line."))
        super().__init__(
            **{name: value for name, value in kwargs.items() if name not in {"encoder", "decoder"}}
        )

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        lines = value if isinstance(value, list) else str(value or "").splitlines()
        return [line.strip() for line in lines if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(initial) != self.to_python(data))


class LinksField(LinesField):
    """LinesField of https addresses that a report may link to."""

    def validate(self, value: Any) -> None:
        super().validate(value)
        wrong = [line for line in value if not catalogue.is_link(line)]
        if wrong:
            raise ValidationError(_("Not an https address: %(line)s"), params={"line": wrong[0]})


class AnswersField(LinesField):
    """LinesField of answers that the bank knows, as question.option."""

    def validate(self, value: Any) -> None:
        super().validate(value)
        known = {f"{item.id}.{choice.value}" for item in catalogue.scoring_bank() for choice in item.choices}
        wrong = [line for line in value if line not in known]
        if wrong:
            raise ValidationError(_("No such answer: %(line)s"), params={"line": wrong[0]})
