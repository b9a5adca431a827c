"""The sample on the landing page: one made-up person, scored and reported on by the same code as everybody."""

from audit import catalogue, method, scoring, scoring_json, template_report
from audit.details import details
from audit.models import Scan
from audit.render import to_html

PERSON = method.PEOPLE["cloud_seed"]


def assessment() -> scoring.Assessment:
    return scoring.assess(catalogue.scoring_bank(), PERSON)


def score_after_first_fix() -> int:
    first = assessment().findings[0]
    return scoring.score_if_fixed(catalogue.scoring_bank(), PERSON, [first.question])


def report() -> str:
    """The report as HTML, in the active language, put together without a language model. Four queries."""
    scan = Scan(answers=PERSON, result=scoring_json.dump(assessment()))
    return to_html(template_report.write(details(scan)))
