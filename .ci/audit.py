"""Asks the advisory database about every installed package. Exit 1 when one has a known weakness.

pip-audit lives in an environment of its own: it is a tool of the build, not of the site. Where neither it nor the
database can be reached (a build without internet), that is said, and nothing fails: what was not looked at is not
known to be bad.

    python3 .ci/audit.py PATH_OF_SITE_PACKAGES
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

SECONDS = 300


def audited(packages: str, work: Path) -> list[dict] | str:
    """The packages with their weaknesses, or why nobody could be asked."""
    python = work / "bin" / "python"
    commands = (
        [sys.executable, "-m", "venv", str(work)],
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "pip-audit~=2.10"],
        [str(python), "-m", "pip_audit", "--path", packages, "--format", "json", "--progress-spinner", "off"],
    )
    done = None
    for command in commands:
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)  # noqa: S603
        except subprocess.TimeoutExpired:
            return "it took too long"
        if done.returncode and "pip_audit" not in command:
            break
    try:
        return json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        return (done.stderr.strip().splitlines() or ["no answer"])[-1][:300]


def main(packages: str) -> int:
    with tempfile.TemporaryDirectory() as work:
        found = audited(packages, Path(work))
    if isinstance(found, str):
        print(f"NOT CHECKED for known weaknesses: {found}")
        return 0
    bad = [(each["name"], each["version"], weak["id"]) for each in found for weak in each.get("vulns", ())]
    for line in bad:
        print("KNOWN WEAKNESS:", *line)
    unknown = [each["name"] for each in found if "skip_reason" in each]
    if len(unknown) == len(found):
        print(
            f"NOT CHECKED for known weaknesses: {found[0]['skip_reason'] if found else 'nothing is installed'}"
        )
        return 0
    print(f"{len(found) - len(unknown)} packages looked up, {len(bad)} known weaknesses")
    if unknown:
        print("NOT CHECKED:", ", ".join(unknown))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
