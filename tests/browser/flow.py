"""Steps that several browser tests take."""

from playwright.sync_api import Page

from audit.bank.questions import QUESTIONS
from tests.factories import answers

SAFEST, MIXED = answers("best"), answers("middle")
CAPPED = answers("best", seed_storage="cloud_notes")


def number_of(question_id: str, value: str) -> int:
    """The place of an answer in its question, from 1: the key that chooses it."""
    question = next(q for q in QUESTIONS if q.id == question_id)
    return question.shown.index(value) + 1


def tick_all(page: Page, answers: dict[str, str]) -> None:
    """Fills the one-page form."""
    for question, value in answers.items():
        page.check(f"input[name={question}][value={value}]")


def step_through(page: Page, answers: dict[str, str]) -> None:
    """Answers one question after another with the mouse, up to the last step."""
    for question, value in answers.items():
        page.locator(f"#{question} label", has=page.locator(f"input[value={value}]")).click()
        page.click("#next")


def wait_for_report(page: Page) -> str:
    """Waits until the report is there; its whole text."""
    page.wait_for_selector("#report-body [data-state=ready]", timeout=90_000)
    return page.inner_text("#report-body")
