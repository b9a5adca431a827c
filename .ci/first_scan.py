"""One scan through the API and one through the HTML form of a running site; exits 1 with the reason."""

import json
import sys
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

site = urlsplit(sys.argv[1])


def ask(method: str, path: str, body: str | None = None, kind: str = "") -> tuple[int, dict[str, str], str]:
    connection = HTTPConnection(site.hostname or "", site.port, timeout=90)
    connection.request(method, path, body, {"Content-Type": kind} if kind else {})
    answer = connection.getresponse()
    return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read().decode()


def expect(truth: object, complaint: str) -> None:
    if not truth:
        sys.exit(f"first scan: {complaint}")


_, _, text = ask("GET", "/api/v1/questionnaire?lang=en")
questions = json.loads(text)["questions"]
answers = {question["id"]: question["options"][-1]["value"] for question in questions}
expect(len(answers) == 12, f"{len(answers)} questions instead of 12")

for lang in ("en", "ru", "es"):
    status, _, text = ask(
        "POST",
        "/api/v1/scans",
        json.dumps({"lang": lang, "answers": answers, "ai": True}),
        "application/json",
    )
    expect(status == 201, f"API answered {status}: {text[:500]}")
    scan = json.loads(text)
    expect(scan["report_status"] == "ready", f"report is {scan['report_status']}")
    expect(scan["provider"] == "fallback-template", f"written by {scan['provider']} without any key")
    expect(len(scan["report_markdown"]) >= 400, "the report is shorter than 400 characters")

    status, headers, text = ask(
        "POST", f"/{lang}/scan/", urlencode({**answers, "ai": "on"}), "application/x-www-form-urlencoded"
    )
    expect(status == 302, f"the form answered {status}: {text[:500]}")
    result = urlsplit(headers["location"]).path
    status, headers, text = ask("GET", result)
    expect(status == 200, f"the result page answered {status}")
    expect("set-cookie" not in headers, "a public page set a cookie")
    status, headers, _ = ask("POST", f"{result}report")
    expect(status in {202, 302, 303}, f"starting the report answered {status}")
print("First scans passed: three languages, by API and by form.")
