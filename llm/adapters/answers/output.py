"""What a provider has written so far: it bills that, whatever becomes of the answer."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Output:
    """Filled by an adapter as it reads, and read by `llm.billing` when there is no answer in the end.

    `pieces` hold all that the model wrote, visible or not: text, reasoning, refusals, arguments of tools. The tokens
    are the last that the provider stated, None while it has stated none. `unread`: there was more, which could not be
    read.
    """

    pieces: list[str] = field(default_factory=list)
    tokens_in: int | None = None
    tokens_out: int | None = None
    unread: bool = False

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    def wrote(self, *pieces: object) -> None:
        for piece in pieces:
            if piece and isinstance(piece, str):
                self.pieces.append(piece)

    def counted(self, *, tokens_in: int | None, tokens_out: int | None) -> None:
        """Notes usage; what is not stated leaves what was."""
        self.tokens_in = self.tokens_in if tokens_in is None else tokens_in
        self.tokens_out = self.tokens_out if tokens_out is None else tokens_out
