"""The shapes of the JSON API, as its OpenAPI description shows them."""

from typing import Any, Literal

from ninja import Schema
from pydantic import Field

from audit.bank import questions as bank


class OptionOut(Schema):
    value: str = Field(description="Language-independent code to send back.")
    label: str


class QuestionOut(Schema):
    id: str
    category: str
    weight: int = Field(description="Points lost with the riskiest answer. All weights add up to 100.")
    text: str
    options: list[OptionOut]


class QuestionnaireOut(Schema):
    version: str = Field(description="Version of the question bank.")
    questions: list[QuestionOut]


class CapOut(Schema):
    limit: int
    because: list[str] = Field(description="The questions whose answers cause the limit.")


class CategoryOut(Schema):
    category: str
    lost: float = Field(description="Points, one decimal.")
    max: float = Field(description="Points that apply to these answers, one decimal.")


class VulnerabilityOut(Schema):
    question: str
    severity: Literal["critical", "high", "medium", "low"]
    lost: float = Field(description="Points, one decimal.")
    title: str
    fix_steps: list[str]
    incidents: list[str] = Field(description="Slugs of real cases that began with this answer.")


class ScanOut(Schema):
    id: str = Field(description="Signed token: the key to this result. Keep it private.")
    url: str = Field(description="The result page.")
    lang: str
    score: int = Field(description="0 to 100: the raw score, limited by the cap.")
    raw_score: int
    cap: CapOut | None
    assessed: int = Field(description="Weight of the questions that apply, of 100.")
    band: Literal["exposed", "fragile", "fair", "solid"]
    breakdown: list[CategoryOut]
    vulnerabilities: list[VulnerabilityOut] = Field(description="By points lost, the most first.")
    report_status: Literal["ready", "pending"]
    report_markdown: str
    report_html: str
    provider: str | None = Field(description="The credential that wrote the report, or fallback-template.")
    cost_usd: str | None = Field(description="Six decimals; null while pending or when a price is unknown.")
    receipt: str | None = Field(
        description="Signed: who wrote it, what was tried, what it cost. Verified at /en/receipt/?receipt=…"
    )


class ErrorOut(Schema):
    detail: str
    errors: dict[str, str] = Field(description="Field to reason; may be empty.")


def scan_body(languages: list[str]) -> dict[str, Any]:
    """The request body of POST /v1/scans for OpenAPI. (Read by hand, so that every refusal has our shape.)"""
    answers = {
        question.id: {"type": "string", "enum": [option.value for option in question.options]}
        for question in bank.QUESTIONS
    }
    example = {
        "lang": languages[0],
        "answers": {question.id: question.options[0].value for question in bank.QUESTIONS},
        "ai": True,
    }
    schema = {
        "type": "object",
        "required": ["lang", "answers"],
        "additionalProperties": False,
        "properties": {
            "lang": {"type": "string", "enum": languages},
            "answers": {
                "type": "object",
                "required": list(answers),
                "additionalProperties": False,
                "properties": answers,
            },
            "ai": {
                "type": "boolean",
                "default": True,
                "description": "false: the report is put together by rule; nothing is sent to any provider.",
            },
        },
    }
    content = {"application/json": {"schema": schema, "example": example}}
    return {"requestBody": {"required": True, "content": content}}
