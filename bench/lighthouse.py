"""Lighthouse on a running server: the median of five runs for each page.

    make run &
    python -m bench.lighthouse http://127.0.0.1:8000            # every page
    python -m bench.lighthouse http://127.0.0.1:8000 landing result

Needs Node.js, npm and Chromium (Debian: apt-get install nodejs npm chromium). Lighthouse itself goes into a temporary
directory; it is no dependency of the project. The result page is a scan without AI, made for this and deleted after.
Exits 1 if a page is below the mark.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

RUNS = 5
MARK = 98
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
CHROMIUM_FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


def main(origin: str, wanted: list[str]) -> int:
    result = _result_page(origin)
    pages = {
        "landing": (f"{origin}/en/", CATEGORIES),
        "landing-ru": (f"{origin}/ru/", CATEGORIES),
        "scan": (f"{origin}/en/scan/", CATEGORIES),
        "incidents": (f"{origin}/en/incidents/", CATEGORIES),
        "method": (f"{origin}/en/method/", CATEGORIES),
        "hacked": (f"{origin}/en/hacked/", CATEGORIES),
        "result": (result, CATEGORIES[:3]),  # it is noindex on purpose, which Lighthouse counts against SEO
    }
    worst = 100.0
    with tempfile.TemporaryDirectory() as folder:
        _run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", folder, "lighthouse"])
        program = str(Path(folder) / "node_modules" / ".bin" / "lighthouse")
        print(f"{'page':12} {'bytes':>8}  " + "  ".join(f"{name:>14}" for name in CATEGORIES))
        for name in wanted or pages:
            url, categories = pages[name]
            reports = [_lighthouse(program, url, categories) for _ in range(RUNS)]
            scores = {
                each: 100 * statistics.median(report["categories"][each]["score"] for report in reports)
                for each in categories
            }
            size = max(report["audits"]["total-byte-weight"]["numericValue"] for report in reports)
            worst = min(worst, *scores.values())
            cells = (f"{scores[each]:14.0f}" if each in scores else f"{'-':>14}" for each in CATEGORIES)
            print(f"{name:12} {size:8.0f}  " + "  ".join(cells), flush=True)
            _tell_faults(reports[-1])
    urllib.request.urlopen(urllib.request.Request(f"{result}delete", method="POST"))
    return 0 if worst >= MARK else 1


def _result_page(origin: str) -> str:
    """The address of a new result, made through the API with the third answer to everything."""
    with urllib.request.urlopen(f"{origin}/api/v1/questionnaire?lang=en") as response:
        questions = json.load(response)["questions"]
    answers = {question["id"]: question["options"][2]["value"] for question in questions}
    request = urllib.request.Request(
        f"{origin}/api/v1/scans",
        data=json.dumps({"lang": "en", "answers": answers, "ai": False}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as response:
        path = json.load(response)["url"].split("/", 3)[3]
    return f"{origin}/{path}"


def _lighthouse(program: str, url: str, categories: tuple[str, ...]) -> dict[str, Any]:
    command = [
        program, url, "--quiet", "--output=json", f"--only-categories={','.join(categories)}",
        f"--chrome-flags={CHROMIUM_FLAGS}",
    ]  # fmt: skip
    try:
        output = _run(command)
    except (
        subprocess.CalledProcessError
    ):  # Chromium did not start in time: a busy machine, not a fault of the page
        output = _run(command)
    report: dict[str, Any] = json.loads(output)
    return report


def _tell_faults(report: dict[str, Any]) -> None:
    """Audits that cost points, one line each."""
    for category in report["categories"].values():
        for ref in category["auditRefs"]:
            audit = report["audits"][ref["id"]]
            if ref["weight"] and audit["score"] is not None and audit["score"] < 0.9:
                print(f"    {category['id']}: {audit['id']} {audit.get('displayValue', '')}")


def _run(command: list[str]) -> str:
    environment = {"CHROME_PATH": shutil.which("chromium") or "chromium"} | os.environ
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout


if __name__ == "__main__":
    sys.exit(main((sys.argv[1:2] or ["http://127.0.0.1:8000"])[0].rstrip("/"), sys.argv[2:]))
