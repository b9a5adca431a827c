"""Joins a text whose stream broke with what another model writes next, and drops what that model repeats of it."""

SHORT = 40  # characters: as much may repeat the beginning by chance


class Continuation:
    """Tells apart, piece by piece, what is new in an answer to a request that held the text so far.

    A model that was given half an answer goes on from there, or tells all of it once more; then what was told
    before is left out.
    """

    def __init__(self, so_far: str) -> None:
        self._so_far, self._held, self._is_new = so_far, "", not so_far

    def feed(self, piece: str) -> str:
        """What of a piece of text is to be told."""
        if self._is_new:
            return piece
        self._held += piece
        if len(self._held) < len(self._so_far) and self._so_far.startswith(self._held):
            return ""  # may be the beginning once more
        self._is_new = True
        return self._held.removeprefix(self._so_far)

    def end(self) -> str:
        """What was held back and is too short to be the beginning once more."""
        return "" if self._is_new or len(self._held) >= min(SHORT, len(self._so_far)) else self._held
