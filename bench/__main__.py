"""`python -m bench [SECTION]`: all sections, or one of them, as a table. All of them also write results.json.

Each section runs in a process of its own, on a fresh database. The exit status is 1 when a target is missed.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from bench.environment import prepare
from bench.figures import machine

SECTIONS = (
    "overhead",
    "cache",
    "failover",
    "crash_test",
    "capacity",
    "ledger",
    "meter",
    "gateway",
    "protocols",
    "peers",
    "desk",
)
RESULTS = Path(__file__).with_name("results.json")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("section", nargs="?", choices=SECTIONS)
    parser.add_argument("--json", type=Path, help="where to write the section's figures as JSON")
    options = parser.parse_args()
    if options.section is None:
        return run_all()
    section = run_here(options.section)
    if options.json:
        options.json.write_text(json.dumps(section))
    else:
        print_section(options.section, section)
    return int(missed(section))


def run_here(name: str) -> dict[str, Any]:
    """Runs one section in this process."""
    with tempfile.TemporaryDirectory(prefix="guardlabs-bench-") as directory:
        prepare(Path(directory))
        began = time.monotonic()
        section: dict[str, Any] = import_module(f"bench.{name}").run().as_json()
        return {**section, "seconds": round(time.monotonic() - began, 1)}


def run_all() -> int:
    """Runs every section in turn and writes their results, whatever they are."""
    results: dict[str, Any] = {
        "machine": machine(),
        "passed": False,
        "missed": {},
        "targets": [],
        "sections": {},
    }
    with tempfile.TemporaryDirectory() as directory:
        for name in SECTIONS:
            print(f"{name} …", file=sys.stderr, flush=True)
            path = Path(directory) / f"{name}.json"
            subprocess.run([sys.executable, "-m", "bench", name, "--json", path], check=False)
            if path.exists():
                section = json.loads(path.read_text())
            else:
                section = {"about": "", "figures": [], "failed": "it ended without results"}
            results["sections"][name] = section
            print_section(name, section)
    results["targets"] = [
        {"section": name, **{key: value for key, value in figure.items() if key not in ("note", "why")}}
        for name, section in results["sections"].items()
        for figure in section["figures"]
        if "passed" in figure
    ]
    results["missed"] = {
        f"{name}, {figure['name']}": figure.get("why", "nobody knows why yet")
        for name, section in results["sections"].items()
        for figure in section["figures"]
        if figure.get("passed") is False
    }
    results["passed"] = not any(missed(section) for section in results["sections"].values())
    results["seconds"] = round(sum(s.get("seconds", 0) for s in results["sections"].values()), 1)
    RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    met = sum(target["passed"] for target in results["targets"])
    for name, why in results["missed"].items():
        print(f"\nMISSED {name}: {why}")
    print(f"\n{met} of {len(results['targets'])} targets met in {results['seconds']:.0f} s; {RESULTS}")
    return int(not results["passed"])


def missed(section: dict[str, Any]) -> bool:
    return "failed" in section or any(figure.get("passed") is False for figure in section["figures"])


def print_section(name: str, section: dict[str, Any]) -> None:
    print(f"\n{name} ({section.get('seconds', 0):.0f} s)\n{section['about']}\n")
    for why in ("skipped", "failed"):
        if why in section:
            print(f"  {why}: {section[why]}")
    for figure in section["figures"]:
        value = "" if figure["value"] is None else f"{figure['value']:,.6g}"
        verdict = {True: "ok", False: "MISSED", None: ""}[figure.get("passed")]
        line = f"  {figure['name']:<64} {value:>12} {figure.get('unit', ''):<9} {target_of(figure):<9} {verdict:<7}"
        print(f"{line} {figure.get('note', '')}".rstrip())


def target_of(figure: dict[str, Any]) -> str:
    low, high = figure.get("at_least"), figure.get("at_most")
    if low is not None and low == high:
        return f"= {low:g}"
    return f"<= {high:g}" if high is not None else "" if low is None else f">= {low:g}"


if __name__ == "__main__":
    sys.exit(main())
