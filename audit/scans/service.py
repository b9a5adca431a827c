"""Making, finding and deleting scans. Forms and API both come here; nothing else writes a Scan."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.bank import catalogue, questions
from audit.models import Report, Scan
from audit.report import jobs
from audit.scans import tested, tokens
from audit.scoring import formula
from audit.scoring import json as scoring_json

NAMED_UNKNOWN = 20  # how many unknown questions an error names, and how much of each name
NAME_CHARS = 60


class InvalidScan(ValueError):
    """The input cannot be scored. `errors`: field (a question id, `lang`, `answers`) to a translated reason."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(f"invalid: {', '.join(errors)}")
        self.errors = errors


def languages() -> list[str]:
    """The codes a scan may have, in the order of settings.LANGUAGES."""
    return [code for code, _name in settings.LANGUAGES]


def validate(*, answers: Any, lang: Any) -> dict[str, str]:
    """The answers in the bank's order: exactly one known value for each question.

    Raises InvalidScan with all errors at once, worded in the active language.
    """
    errors: dict[str, str] = {}
    if not isinstance(lang, str) or lang not in languages():
        errors["lang"] = _("Unknown language. Choose one of: %(codes)s.") % {"codes": ", ".join(languages())}
    if not isinstance(answers, Mapping):
        raise InvalidScan({**errors, "answers": _("Must be an object of question: value.")})
    for item in catalogue.scoring_bank():
        value = answers.get(item.id)
        if value is None or value == "":
            errors[item.id] = _("Choose an answer.")
        elif not isinstance(value, str) or value not in {choice.value for choice in item.choices}:
            errors[item.id] = _("This is not one of the answers.")
    known = {item.id for item in catalogue.scoring_bank()}
    unknown = [str(name) for name in answers if name not in known]
    errors |= {name[:NAME_CHARS]: _("There is no such question.") for name in unknown[:NAMED_UNKNOWN]}
    if errors:
        raise InvalidScan(errors)
    return {item.id: answers[item.id] for item in catalogue.scoring_bank()}


def create_scan(
    *,
    answers: Any,
    lang: Any,
    ai: bool,
    previous: Scan | None = None,
    tried: Mapping[str, str] | None = None,
) -> Scan:
    """Scores and stores the answers, with a report waiting to be written; without `ai` it is written at once.

    `previous`: the scan that this one repeats, to be compared with; `tried`: question to the month in which its answer
    was tested, see tested.py. Calls no provider. Raises InvalidScan.
    """
    clean = validate(answers=answers, lang=lang)
    assessment = formula.assess(catalogue.scoring_bank(), clean)
    public_id = tokens.new_id()
    with transaction.atomic():
        scan = Scan.objects.create(
            public_id=public_id,
            reference=tokens.reference(public_id),
            lang=lang,
            answers=clean,
            tested=tested.clean(tried or {}, answers=clean, today=timezone.localdate()),
            score=assessment.score,
            raw_score=assessment.raw_score,
            result=scoring_json.dump(assessment),
            scoring_version=formula.SCORING_VERSION,
            bank_version=questions.BANK_VERSION,
            ai=ai,
            previous=previous,
        )
        Report.objects.create(scan=scan)
    if not ai:
        jobs.start_report(scan)
    return scan


def scan_token(scan: Scan) -> str:
    """The signed, URL-safe token of the scan's private pages."""
    return tokens.sign(scan.public_id)


def get_scan(token: str) -> Scan | None:
    """The scan of a token; None when the token is forged, mistyped, or its scan was deleted or hidden by staff."""
    public_id = tokens.unsign(token)
    return Scan.objects.filter(public_id=public_id, hidden_at=None).first() if public_id else None


def kept_until(scan: Scan) -> datetime:
    """When the scan is deleted by itself, at the latest."""
    return scan.created_at + timedelta(days=settings.RETENTION_DAYS)


def delete_scan(scan: Scan) -> None:
    """Removes the scan, its reports, and the wording of the calls they made; the ledger keeps its numbers."""
    with transaction.atomic():
        jobs.forget_calls(reports__scan=scan)
        scan.delete()


def delete_older_than(before: datetime) -> int:
    """Removes scans that were made before that moment, as `delete_scan` does; returns how many."""
    count = 0
    while old := list(Scan.objects.filter(created_at__lt=before).order_by("pk")[:100]):
        for scan in old:
            delete_scan(scan)
        count += len(old)
    return count
