"""Who comes to the site in a drill: by the form or by the API, and again when the line breaks, as people do."""

import json
import threading
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from random import Random
from typing import Any
from urllib.parse import urlencode

LANGUAGES = ("en", "ru", "es")
RULE_SHARE, FORM_SHARE = 0.05, 0.4
PATIENCE_S = 60.0
ASK_AGAIN_S, LOOK_EVERY_S = 2.0, 0.15
SOCKET_S = 30.0


@dataclass
class Visit:
    """One visitor: what was asked and answered. `waited_s`: from asking for the report to its end."""

    number: int
    by_form: bool
    lang: str
    ai: bool
    answers: dict[str, str]
    statuses: list[int] = field(default_factory=list)
    broken_lines: int = 0
    token: str = ""
    provider: str = ""
    report: str = ""
    waited_s: float = 0.0
    gave_up: bool = False


def plan(number: int, dice: Random, questions: list[dict[str, Any]]) -> Visit:
    """A visitor with answers of their own."""
    return Visit(
        number=number,
        by_form=dice.random() < FORM_SHARE,
        lang=dice.choice(LANGUAGES),
        ai=dice.random() > RULE_SHARE,
        answers={question["id"]: dice.choice(question["options"])["value"] for question in questions},
    )


class Site:
    """The address of the site, and one open connection for each thread."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._mine = threading.local()

    def send(self, visit: Visit | None, method: str, path: str, body: Any = None) -> tuple[int, Any, str]:
        """Status, JSON (or text) and Location. Tries again while the line breaks; a 5xx is an answer, too."""
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                status, data, location = self.once(method, path, body)
            except (OSError, HTTPException):
                if visit is not None:
                    visit.broken_lines += 1
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)
                continue
            if visit is not None:
                visit.statuses.append(status)
            return status, data, location

    def once(self, method: str, path: str, body: Any = None) -> tuple[int, Any, str]:
        """The same without a second try. Raises OSError or HTTPException when the line breaks."""
        connection = getattr(self._mine, "connection", None)
        self._mine.connection = None
        if connection is None:
            connection = HTTPConnection("127.0.0.1", self.port, timeout=SOCKET_S)
        headers, data = {}, None
        if isinstance(body, dict):
            data, headers["Content-Type"] = json.dumps(body), "application/json"
        elif body is not None:
            data, headers["Content-Type"] = body, "application/x-www-form-urlencoded"
        connection.request(method, path, data, headers)
        answer = connection.getresponse()
        text = answer.read()
        self._mine.connection = connection  # closed by the site: http.client opens it again
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        return answer.status, json.loads(text) if is_json else text, answer.headers.get("Location", "")


def come(site: Site, visit: Visit) -> None:
    """One whole visit: a scan, its report, the result. Fills in the visit."""
    try:
        if visit.by_form:
            _by_form(site, visit)
        else:
            _by_api(site, visit)
    except (OSError, HTTPException):  # for as long as PATIENCE_S
        visit.gave_up = True


def _by_api(site: Site, visit: Visit) -> None:
    began = time.monotonic()
    body = {"lang": visit.lang, "answers": visit.answers, "ai": visit.ai}
    broken = visit.broken_lines
    status, made, _ = site.send(visit, "POST", "/api/v1/scans", body)
    if status != 201:
        return
    visit.token = made["id"]
    if visit.broken_lines > broken:
        began = time.monotonic()  # the time of the line is not the site's
    _take(visit, made)
    if not visit.report:
        wait_for_report(site, visit)
    visit.waited_s = time.monotonic() - began


def _by_form(site: Site, visit: Visit) -> None:
    fields = {**visit.answers, "ai": "on" if visit.ai else "off"}
    status, _, location = site.send(visit, "POST", f"/{visit.lang}/scan/", urlencode(fields))
    if status != 302:
        return
    visit.token = location.rstrip("/").rsplit("/", 1)[-1]
    began = time.monotonic()
    site.send(visit, "GET", location)
    wait_for_report(site, visit)
    visit.waited_s = time.monotonic() - began


def wait_for_report(site: Site, visit: Visit) -> None:
    """Asks for the report, looks whether it is there, and asks again, as the page does."""
    until, asked = time.monotonic() + PATIENCE_S, 0.0
    while time.monotonic() < until:
        if time.monotonic() - asked > ASK_AGAIN_S:
            site.send(visit, "POST", f"/{visit.lang}/r/{visit.token}/report", "")
            asked = time.monotonic()
        status, seen, _ = site.send(visit, "GET", f"/api/v1/scans/{visit.token}")
        if status == 200:
            _take(visit, seen)
        if visit.report or status != 200:
            return
        time.sleep(LOOK_EVERY_S)


def _take(visit: Visit, seen: dict[str, Any]) -> None:
    if seen["report_status"] == "ready":
        visit.provider, visit.report = seen["provider"], seen["report_markdown"]
