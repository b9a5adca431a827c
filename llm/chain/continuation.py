"""A text that another model goes on with."""

from collections.abc import Generator
from contextlib import closing
from dataclasses import replace

from llm.adapters import Answer
from llm.calls.events import Delta, ReasoningDelta

SHORT = 40  # characters: as much may repeat the beginning by chance


Pieces = Generator[Delta | ReasoningDelta, None, Answer]


def going_on(pieces: Pieces, so_far: str) -> Pieces:
    """The pieces that are new, and the Answer with these alone.

    A model that was given half an answer goes on from there, or tells all of it once more; then what was told
    before is left out.
    """
    held, text, is_new = "", "", False
    with closing(pieces):
        while True:
            try:
                piece = next(pieces)
            except StopIteration as stop:
                if not is_new and len(held) < min(SHORT, len(so_far)):
                    text = held
                    if held:
                        yield Delta(held)
                answer: Answer = stop.value
                return replace(answer, text=text)
            if isinstance(piece, ReasoningDelta):
                yield piece
                continue
            if is_new:
                text += piece.text
                yield piece
                continue
            held += piece.text
            if len(held) < len(so_far) and so_far.startswith(held):
                continue  # may be the beginning once more
            is_new = True
            if rest := held.removeprefix(so_far):
                text += rest
                yield Delta(rest)
