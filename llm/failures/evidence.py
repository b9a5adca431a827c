"""Tells a provider's own words in an error text from what it repeats of the request.

A refusal often quotes what it refuses: a property's name, a value, a piece of the prompt, another service's answer.
None of that is evidence of what is wrong with a key, an account or a model. So what stands in quotation marks does
not count, and neither does what the request itself contains: its names (of tools, properties, values, parameters)
as single words, its prose wherever three words in a row are the same.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

GAP = " … "  # what was taken out leaves this, so that the words around it do not become neighbours
RUN = 3  # words in a row that are the request's own prose

_QUOTED = re.compile(
    r"`[^`\n]{1,400}`|“[^”\n]{1,400}”|„[^“”\n]{1,400}[“”]|«[^»\n]{1,400}»|‘[^’\n]{1,400}’|「[^」\n]{1,400}」"
    r"|『[^』\n]{1,400}』|\"[^\"\n]{1,400}\"|(?<![\w)])'[^'\n]{1,400}'(?!\w)"
)
_CJK = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_WORD = re.compile(rf"[{_CJK}]|(?:(?![{_CJK}])[^\W_])+")
_IDENTIFIER = re.compile(r"[^\W\d]\w{2,80}(?:-\w{1,80}){0,5}")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
LONGEST_NAME = 6  # words

# Where a request holds names of the caller's own making.
_NAMED_BY_KEY = {"properties", "$defs", "definitions", "patternproperties", "metadata", "logit_bias"}
_NAMED_BY_VALUE = {
    "enum", "const", "name", "required", "stop", "title", "default", "examples", "user", "format", "tool_call_id", "id",
}  # fmt: skip


def unquoted(text: str) -> str:
    """The text without what stands in quotation marks of any kind, escaped ones too."""
    return _QUOTED.sub(GAP, text.replace('\\"', '"').replace("\\'", "'"))


def words(text: str) -> list[str]:
    """The words of a text in lower case; `access_token`, `accessToken` and `access-token` are two."""
    return _WORD.findall(_CAMEL.sub(" ", text).lower())


class Asked:
    """What one request contains. Reading it takes time, so it is only done when a refusal's prose has to be read."""

    def __init__(
        self,
        *,
        model: str,
        messages: Sequence[Mapping[str, Any]],
        params: Mapping[str, Any],
        needs: frozenset[str],
    ) -> None:
        self.model = model
        self.needs = needs  # see llm.calls.terms
        self._messages, self._params = messages, params

    @cached_property
    def names(self) -> frozenset[str]:
        found = {" ".join(words(name)) for name in _names([self._params, *self._messages])}
        found |= {" ".join(words(str(name))) for name in self._params}
        return frozenset(found - {""})

    @cached_property
    def _made(self) -> frozenset[str]:
        """The names that only a caller makes up: of several words, as `billing_cycle` is."""
        found = (words(name) for name in _names([self._params, *self._messages]))
        return frozenset(" ".join(name) for name in found if 1 < len(name) <= LONGEST_NAME)

    def is_named(self, name: str) -> bool:
        """Whether this is a name in the request, in whatever way it is written."""
        return " ".join(words(name)) in self.names

    def is_cited(self, text: str) -> bool:
        """Whether a text repeats, in one piece, a name that the caller made up."""
        pieces = (words(piece) for piece in _IDENTIFIER.findall(text))
        return any(" ".join(piece) in self._made for piece in pieces)

    @cached_property
    def _words(self) -> list[list[str]]:
        return [words(text) for text in _strings([self._params, *self._messages])]

    @cached_property
    def _runs(self) -> frozenset[tuple[str, ...]]:
        return frozenset(
            run for text in self._words for run in zip(*(text[n:] for n in range(RUN)), strict=False)
        )

    @cached_property
    def _text(self) -> str:
        return "".join(f" {' '.join(text)} |" for text in self._words)

    def contains(self, phrase: str) -> bool:
        """Whether the request says just this somewhere, whatever the case and the punctuation."""
        wanted = words(phrase)
        return bool(wanted) and f" {' '.join(wanted)} " in self._text

    def without(self, text: str) -> str:
        """A provider's text without the words that are the request's own."""
        found = [match for piece in [_CAMEL.sub(" ", text)] for match in _WORD.finditer(piece)]
        text = _CAMEL.sub(" ", text)
        said = [match[0].lower() for match in found]
        taken = [False] * len(said)
        for start in range(len(said)):
            if tuple(said[start : start + RUN]) in self._runs:
                taken[start : start + RUN] = [True] * RUN
            for length in range(1, LONGEST_NAME + 1):
                piece = said[start : start + length]
                if len(piece) == length and " ".join(piece) in self.names:
                    taken[start : start + length] = [True] * length
        kept, end = [], 0
        for match, gone in zip(found, taken, strict=True):
            if gone:
                kept += [text[end : match.start()], GAP.strip()]
                end = match.end()
        return "".join([*kept, text[end:]])


def _strings(node: object) -> Iterator[str]:
    """Every string of a JSON value, keys included."""
    stack = [node]
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            yield node
        elif isinstance(node, Mapping):
            yield from (str(name) for name in node)
            stack += node.values()
        elif isinstance(node, list | tuple):
            stack += node
        elif isinstance(node, int | float) and not isinstance(node, bool):
            yield str(node)


def _names(node: object) -> Iterator[str]:
    """The names in a request: of tools, their properties and values, of parameters."""
    stack: list[tuple[object, str]] = [(node, "")]
    while stack:
        node, key = stack.pop()
        if isinstance(node, Mapping):
            if key in _NAMED_BY_KEY:
                yield from (str(name) for name in node)
            stack += [(child, str(name).lower()) for name, child in node.items()]
        elif isinstance(node, list | tuple):
            stack += [(child, key) for child in node]
        elif isinstance(node, str) and key in _NAMED_BY_VALUE:
            yield node
