"""A report's text while it is being written: its unfinished end shows no raw Markdown and breaks nothing.

What a model has begun and not ended yet is ended for it (`**bold` becomes `**bold**`), and what cannot be read yet
(half a link, a lone `##`, a list's bare number) is left out until more of it has come.
"""

import re

from audit.report.text import slots

# A line that is all syntax so far: "#", "1. **", "-", "> ", "```"; also the underline of a heading.
BARE = re.compile(r"[>\s]*+(?:#{1,6}|\d{1,3}[.)]?)?[-+=*_`\\\s]*")
# A bracket at the end that may yet become a link or a reference.
OPEN_BRACKET = re.compile(r"!?\[[^\[\]\n]{0,300}(?:\](?:\([^()\s]{0,500})?)?\Z")
BLOCK = re.compile(r"\n[>\s]*\n|\n(?=[>\s]*(?:#{1,6}\s|[-+*]\s|\d{1,3}[.)]\s))|(?<=\n)(?=\Z)")
ENDED = re.compile(r"[.!?…](?=\s)|\n")
MARK = re.compile(r"\\.|`+|\*{1,3}|_{1,3}", re.S)


def settled(draft: str) -> str:
    """The text so far, ready for its slots to be filled and for `render.to_html`."""
    text = OPEN_BRACKET.sub("", slots.OPEN.sub("", draft.rstrip()))
    head, _, last = text.rpartition("\n")
    if BARE.fullmatch(last):
        text = head.rstrip()
    start = max((found.end() for found in BLOCK.finditer(text)), default=0)
    return text[:start] + _closed(text[start:].rstrip("*_`\\ \t\n"))


def in_sentences(text: str) -> str:
    """The text up to the end of its last whole sentence or line."""
    ends = [found.end() for found in ENDED.finditer(text)]
    return text[: ends[-1]].rstrip() if ends else ""


def _closed(block: str) -> str:
    """The last block with every code span and emphasis ended that is still open."""
    opened: list[str] = []
    for found in MARK.finditer(block):
        mark, after = found[0], block[found.end() : found.end() + 1]
        before = block[max(0, found.start() - 1) : found.start()]
        if mark.startswith("\\"):
            continue
        if opened and opened[-1] == mark and (mark[0] == "`" or not before.isspace()):
            opened.pop()
        elif opened and opened[-1][0] == "`":
            continue  # nothing else means anything inside code
        elif mark[0] == "`" or (after.strip() and not (mark[0] == "_" and before.isalnum())):
            opened.append(mark)
    return block + "".join(reversed(opened))
