"""The sample on the landing page: one made-up person, scored and reported on by the same code as everybody."""

from audit.bank import catalogue
from audit.bank.findings import details
from audit.models import Scan
from audit.presentation import method
from audit.report.text import template as template_report
from audit.report.text.render import to_html
from audit.scoring import formula
from audit.scoring import json as scoring_json

PERSON = method.PEOPLE["cloud_seed"]


def assessment() -> formula.Assessment:
    return formula.assess(catalogue.scoring_bank(), PERSON)


def score_after_first_fix() -> int:
    first = assessment().findings[0]
    return formula.score_if_fixed(catalogue.scoring_bank(), PERSON, [first.question])


def report() -> str:
    """The report as HTML, in the active language, put together without a language model. Four queries."""
    scan = Scan(answers=PERSON, result=scoring_json.dump(assessment()))
    return to_html(template_report.write(details(scan)), below=2)
