"""Whether a place in a text of Markdown is code."""

import re

_ITEM = re.compile(r"(?:[-*+•]|\d{1,2}[.)])(?: |\Z)")


class Code:
    """Whether a text, as far as it was fed, stands within a code fence or within backticks of its line.

    The text is read once somebody asks: about most answers nobody does.
    """

    def __init__(self) -> None:
        self._unread: list[str] = []
        self._fenced = False
        self._ticks = 0
        self._head = ""  # of the line, without its indent

    @property
    def inside(self) -> bool:
        self._read()
        return self._fenced or self._ticks % 2 == 1

    @property
    def is_list_item(self) -> bool:
        """Whether the line begins as an item of a list does."""
        self._read()
        return _ITEM.match(self._head) is not None

    def feed(self, text: str) -> None:
        if text:
            self._unread.append(text)

    def _read(self) -> None:
        if not self._unread:
            return
        text, self._unread = "".join(self._unread), []
        for number, part in enumerate(text.split("\n")):
            if number:
                if self._head.startswith(("```", "~~~")):
                    self._fenced = not self._fenced
                self._ticks, self._head = 0, ""
            self._ticks += part.count("`")
            if len(self._head) < 3:
                self._head = (self._head + part).lstrip()[:3]
