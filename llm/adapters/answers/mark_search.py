"""Finds the marks of `marks` in a text that may come in pieces."""

import re
from functools import cache, lru_cache
from itertools import chain

from llm.adapters.answers.marks import (
    ENDS,
    HEADERS,
    MARKS,
    MESSAGE,
    OPENED_IN_PROMPT,
    SILENT,
    SPOKEN,
    TURN_ENDS,
    WRAPS,
    Spoken,
    is_of,
)

OPEN = {mark.open: mark for mark in MARKS}
CLOSE = frozenset(chain.from_iterable(mark.closes for mark in MARKS))
WRAP = {mark.open: mark for mark in WRAPS}
WRAP_CLOSES = frozenset(chain.from_iterable(mark.closes for mark in WRAPS))


class Tokens:
    """Some marks: how to find them, in any case, and what may be the beginning of one."""

    def __init__(self, tokens: tuple[str, ...]) -> None:
        by_length = sorted(tokens, key=len, reverse=True)
        self.pattern = re.compile("|".join(map(re.escape, by_length)), re.I)
        self.longest = max(map(len, tokens))
        self._firsts = {token[0] for token in tokens}
        # Looked for one by one, they are found missing fifty times quicker than by the expression, which takes letters
        # in any case, so there "" stands for all.
        self._signs = ("",) if any(map(str.isalpha, self._firsts)) else tuple(self._firsts)
        self._beginnings = {token[:length] for token in tokens for length in range(1, len(token))}

    def search(self, text: str, place: int) -> re.Match[str] | None:
        """The first mark of a text from this place on."""
        for sign in self._signs:
            if sign in text:
                return self.pattern.search(text, place)
        return None

    def sure(self, text: str) -> int:
        """The length of the text without what may be the beginning of a mark."""
        tail = text[-self.longest :].lower()
        if self._firsts.isdisjoint(tail):
            return len(text)
        for place in range(len(tail)):
            if tail[place] in self._beginnings and tail[place:] in self._beginnings:
                return len(text) - len(tail) + place
        return len(text)


@cache
def tokens_for(marks: tuple[str, ...]) -> Tokens:
    return Tokens(marks)


@lru_cache(256)
def tokens_of(model: str) -> Tokens:
    """What may be a mark in the visible text of this model."""
    wraps = chain.from_iterable((mark.open, *mark.closes) for mark in WRAPS if is_of(mark, model))
    return tokens_for((*OPEN, *CLOSE, *SILENT, *HEADERS, MESSAGE, *ENDS, *TURN_ENDS, *wraps))


@lru_cache(256)
def spoken_of(model: str) -> tuple[Spoken, ...]:
    """The words that may begin this model's reasoning."""
    return tuple(spoken for spoken in SPOKEN if is_of(spoken.mark, model))


@lru_cache(256)
def prompt_opens(model: str) -> bool:
    """Whether a model of this id is known to have its reasoning opened by the prompt."""
    return any(word in model.lower() for word in OPENED_IN_PROMPT)
