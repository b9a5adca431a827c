"""Compiles translations with Babel, so that no machine needs msgfmt."""

import os
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po


def compile_catalogues(root: Path) -> list[Path]:
    """Writes a .mo beside every .po under `root` that is newer than it; returns what was written."""
    written = []
    for source in sorted(root.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with source.open("rb") as file:
            catalogue = read_po(file)
        partial = target.with_suffix(f".{os.getpid()}.tmp")
        with partial.open("wb") as file:
            write_mo(file, catalogue)
        partial.replace(target)  # a reader never sees half a catalogue
        written.append(target)
    return written
