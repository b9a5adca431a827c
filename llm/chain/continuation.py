"""Joins a text whose stream broke with what another model writes next, and drops what that model repeats of it."""

from llm.calls.events import Delta, ReasoningDelta

SHORT = 40  # characters: as much may repeat the beginning by chance


class Continuation:
    """Tells apart, piece by piece, what is new in an answer to a request that held the text so far.

    A model that was given half an answer goes on from there, or tells all of it once more; then what was told
    before is left out.
    """

    def __init__(self, so_far: str) -> None:
        self.so_far, self.text = so_far, ""  # text: what is new
        self._held, self._is_new = "", not so_far

    def feed(self, piece: Delta | ReasoningDelta) -> Delta | ReasoningDelta | None:
        """What of a piece is to be told."""
        if isinstance(piece, ReasoningDelta):
            return piece
        if self._is_new:
            self.text += piece.text
            return piece
        self._held += piece.text
        if len(self._held) < len(self.so_far) and self.so_far.startswith(self._held):
            return None  # may be the beginning once more
        self._is_new = True
        return self._tell(self._held.removeprefix(self.so_far))

    def end(self) -> Delta | None:
        """What was held back and is too short to be the beginning once more."""
        if self._is_new or len(self._held) >= min(SHORT, len(self.so_far)):
            return None
        return self._tell(self._held)

    def _tell(self, text: str) -> Delta | None:
        self.text += text
        return Delta(text) if text else None
