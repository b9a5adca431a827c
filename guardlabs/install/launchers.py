"""Puts `ask`, `ask_pro` and `ask_hf` beside this Python: `python -m guardlabs.install.launchers [DIRECTORY]`.

They are not entry points of an installed package, because the site is run from its folder and not installed.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAMS = ("ask", "ask_pro", "ask_hf")
SCRIPT = """\
#!{python}
import os
import sys

sys.path.insert(0, {root!r})
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guardlabs.settings")

from llm.cli import {program}

{program}()
"""


def write(directory: Path) -> list[Path]:
    """Writes the programs and returns where they are."""
    scripts = []
    for program in PROGRAMS:
        script = directory / program
        script.write_text(SCRIPT.format(python=sys.executable, root=str(ROOT), program=program))
        script.chmod(0o755)
        scripts.append(script)
    return scripts


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(sys.executable).parent)
