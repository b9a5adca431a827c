"""deploy/alerts.yml speaks of metrics, labels and values that /metrics really has."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from audit.models import Report
from audit.report import generate
from guardlabs.operations.metrics import Ledger
from llm.failures.kinds import Kind
from llm.models import Call
from llm.status.verdict import State

FILE = Path(__file__).resolve().parent.parent / "deploy" / "alerts.yml"
RULES = [rule for group in yaml.safe_load(FILE.read_text())["groups"] for rule in group["rules"]]
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_count"), "gauge": ("",)}
METRIC = re.compile(r"(guardlabs_\w+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)\s*=~?\s*"([^"]*)"')
REASONS = {
    reason
    for file in ("llm/status/verdict.py", "guardlabs/operations/troubles.py")
    for reason in re.findall(r"Trouble\(\s*\S+,\s*\"(\w+)\"", (FILE.parent.parent / file).read_text())
}
VALUES = {
    "kind": set(Kind),
    "outcome": set(Kind) | set(Call.Outcome),
    "status": set(Report.UNFINISHED),
    "of": {"requests", "tokens"},
    "purpose": {generate.PURPOSE},
    "state": set(State),
    "reason": REASONS,
}


@pytest.fixture
def known(db):
    """Metric name to its labels."""
    found = {}
    for family in Ledger().collect():
        for suffix in SUFFIXES[family.type]:
            found[family.name + suffix] = {*family._labelnames, *(("le",) if suffix == "_bucket" else ())}
    return found


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_asks_for_what_there_is(known, rule):
    asked = METRIC.findall(rule["expr"])
    assert asked or rule["alert"] == "GuardLabsDown"
    for name, matchers in asked:
        assert name in known
        for label, values in MATCHER.findall(matchers):
            assert label in known[name], (name, label)
            assert set(values.split("|")) <= VALUES[label], (name, values)
    grouped = {
        label.strip() for each in re.findall(r"by \(([^)]*)\)", rule["expr"]) for label in each.split(",")
    }
    told = set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"])))
    everything = set().union(*(known[name] for name, _ in asked)) if asked else set()
    assert grouped | told <= everything
    if grouped:
        assert told <= grouped


def test_every_metric_is_watched(known):
    watched = {name for rule in RULES for name, _ in METRIC.findall(rule["expr"])}
    assert {name for name in known if not name.endswith("_count")} == watched


def test_every_alert_says_what_to_do():
    for rule in RULES:
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert set(rule["annotations"]) == {"summary", "do"}
    assert len({rule["alert"] for rule in RULES}) == len(RULES)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_prometheus_itself_reads_the_file():
    done = subprocess.run(["promtool", "check", "rules", str(FILE)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
