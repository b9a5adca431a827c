"""The JSON API. It does what the pages do, through the same functions; POST waits for the report."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from ninja import NinjaAPI, Status
from ninja.errors import ValidationError

from audit import throttle
from audit.api import body as api_body
from audit.api import errors as api_errors
from audit.api.docs import PlainDocs
from audit.api.errors import Problem
from audit.api.schemas import ErrorOut, QuestionnaireOut, ScanOut, scan_body
from audit.bank import catalogue, findings, questions
from audit.models import Report, Scan
from audit.report import jobs
from audit.report.text import render
from audit.scans import service as scans

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]
FIELDS = {"lang", "answers", "ai"}

api = NinjaAPI(
    title="GuardLabs API",
    version="1",
    description="A crypto security self-audit: 12 questions, a score with every term, and a written report. "
    "No account, no key. Answers are codes; there is no field for free text.",
    urls_namespace="api",
    docs=PlainDocs(),
)


@api.exception_handler(Problem)
def _problem(request: HttpRequest, problem: Problem) -> HttpResponse:
    return api_errors.respond(request, problem)


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, invalid: ValidationError) -> HttpResponse:
    return api_errors.respond(request, Problem(400, _("The request is not valid.")))


@api.get(
    "/v1/questionnaire",
    response={200: QuestionnaireOut, 400: ErrorOut},
    operation_id="questionnaire",
    summary="The questions",
)
def questionnaire(request: HttpRequest, lang: str = "en") -> Any:
    """The 12 questions with their answer options, in the language asked for."""
    with translation.override(_language(lang)):
        return {
            "version": questions.BANK_VERSION,
            "questions": [
                {
                    "id": question.id,
                    "category": question.category,
                    "weight": question.weight,
                    "text": question.text,
                    "options": [{"value": o.value, "label": o.label} for o in question.options],
                }
                for question in catalogue.questionnaire()
            ],
        }


@api.post(
    "/v1/scans",
    response={201: ScanOut, 400: ErrorOut, 413: ErrorOut, 429: ErrorOut},
    operation_id="create_scan",
    summary="Make a scan",
    openapi_extra=scan_body(scans.languages()),
)
def create_scan(request: HttpRequest, response: HttpResponse) -> Any:
    """Scores one answer for each of the 12 questions and waits for the report (up to a minute)."""
    data = api_body.read_object(request)
    lang = data.get("lang")
    with translation.override(lang if lang in scans.languages() else translation.get_language()):
        answers, ai = _clean(data)
        if wait_s := throttle.scan_wait_s(request):
            raise api_errors.too_many(wait_s)
        scan = scans.create_scan(answers=answers, lang=lang, ai=ai)
        report = jobs.write_report_now(scan)
        body = _scan(request, scan, report)
    response["Location"] = reverse("api:get_scan", kwargs={"token": body["id"]})
    response["Cache-Control"] = "no-store"
    return Status(201, body)


@api.get(
    "/v1/scans/{token}",
    response={200: ScanOut, 404: ErrorOut},
    operation_id="get_scan",
    url_name="get_scan",
    summary="Read a scan",
)
def get_scan(request: HttpRequest, response: HttpResponse, token: str) -> Any:
    """The scan of a token, with its report as far as it is. Never starts a report."""
    scan = scans.get_scan(token)
    if scan is None:
        raise api_errors.not_found()
    response["Cache-Control"] = "private, no-store"
    response["X-Robots-Tag"] = "noindex"
    with translation.override(scan.lang):
        return Status(200, _scan(request, scan, jobs.current(scan)))


def _language(lang: str) -> str:
    if lang not in scans.languages():
        unknown = _("Unknown language. Choose one of: %(codes)s.") % {"codes": ", ".join(scans.languages())}
        raise Problem(400, unknown, errors={"lang": unknown})
    return lang


def _clean(data: dict[str, Any]) -> tuple[dict[str, str], bool]:
    """Answers and consent of a body. Raises Problem with every error in it."""
    errors: dict[str, str] = {}
    unknown = [name for name in data if name not in FIELDS]
    errors |= {
        name[: scans.NAME_CHARS]: _("There is no such field.") for name in unknown[: scans.NAMED_UNKNOWN]
    }
    if not isinstance(ai := data.get("ai", True), bool):
        errors["ai"] = _("Must be true or false.")
    answers: dict[str, str] = {}
    try:
        answers = scans.validate(answers=data.get("answers"), lang=data.get("lang"))
    except scans.InvalidScan as invalid:
        errors |= invalid.errors
    if errors:
        raise Problem(400, _("The scan is not valid."), errors=errors)
    return answers, ai


def _scan(request: HttpRequest, scan: Scan, report: Report) -> dict[str, Any]:
    """A scan as the API shows it, in the active language."""
    facts = findings.details(scan)
    result = facts.assessment
    token = scans.scan_token(scan)
    page = reverse("audit:result", kwargs={"token": token})
    ready = report.status == Report.Status.READY
    cost = report.cost_usd if ready else None
    return {
        "id": token,
        "url": f"{settings.SITE_URL}{page}" if settings.SITE_URL else request.build_absolute_uri(page),
        "lang": scan.lang,
        "score": scan.score,
        "raw_score": scan.raw_score,
        "cap": {"limit": result.cap.limit, "because": list(result.cap.because)} if result.cap else None,
        "assessed": result.assessed,
        "band": result.band,
        "breakdown": [
            {"category": row.category, "lost": float(row.lost), "max": float(row.max)}
            for row in result.breakdown
        ],
        "vulnerabilities": [
            {
                "question": weakness.finding.question,
                "severity": weakness.finding.severity,
                "lost": float(weakness.finding.lost),
                "title": weakness.title,
                "fix_steps": list(weakness.option.fix_steps),
                "incidents": [case.slug for case in weakness.cases],
            }
            for weakness in facts.weaknesses
        ],
        "report_status": "ready" if ready else "pending",
        "report_markdown": report.markdown,
        "report_html": str(render.to_html(report.markdown)) if ready else "",
        "provider": report.provider if ready else None,
        "cost_usd": None if cost is None else f"{cost:.6f}",
        "receipt": report.receipt if ready else None,
    }


# -- what is not there says so in JSON ---------------------------------------------------------------
def _refuse_other_methods(path: str, *allowed: str) -> None:
    others = [method for method in METHODS if method not in allowed]

    @api.api_operation(others, path, include_in_schema=False)
    def refuse(request: HttpRequest, **kwargs: Any) -> None:
        raise api_errors.not_allowed(", ".join(allowed))


_refuse_other_methods("/v1/questionnaire", "GET")
_refuse_other_methods("/v1/scans", "POST")


@api.api_operation(
    [method for method in METHODS if method != "GET"], "/v1/scans/{token}", include_in_schema=False
)
def _refuse_on_scan(request: HttpRequest, token: str) -> None:
    raise api_errors.not_allowed("GET")


@api.api_operation(METHODS, "/{path:rest}", include_in_schema=False)
def _nothing_here(request: HttpRequest, rest: str) -> None:
    raise api_errors.not_found()
