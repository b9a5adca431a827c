"""What a provider has written so far: it bills that, whatever becomes of the answer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Output:
    """Filled by an adapter as it reads, and read by `llm.billing` when there is no answer in the end.

    `pieces` hold all that the model wrote, visible or not: text, reasoning, refusals, arguments of tools. The tokens
    are the last that the provider stated, None while it has stated none.
    """

    pieces: list[str] = field(default_factory=list)
    tokens_in: int | None = None
    tokens_out: int | None = None

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    def wrote(self, *pieces: object) -> None:
        self.pieces += [piece for piece in pieces if isinstance(piece, str) and piece]

    def counted(self, *, tokens_in: int | None, tokens_out: int | None) -> None:
        """Notes usage; what is not stated leaves what was."""
        self.tokens_in = self.tokens_in if tokens_in is None else tokens_in
        self.tokens_out = self.tokens_out if tokens_out is None else tokens_out

    def wrote_message(self, message: object) -> None:
        """Notes a message of OpenAI's shape, or the part of it that a stream brings."""
        if not isinstance(message, Mapping):
            return
        content = message.get("content")
        parts: Iterable[Any] = content if isinstance(content, list) else ()
        self.wrote(content, *(part.get("text") for part in parts if isinstance(part, Mapping)))
        reasoning = message.get("reasoning_content") or message.get(
            "reasoning"
        )  # some send it under both names
        self.wrote(reasoning, message.get("refusal"))
        calls = message.get("tool_calls")
        for call in calls if isinstance(calls, list) else ():
            function = call.get("function") if isinstance(call, Mapping) else None
            if isinstance(function, Mapping):
                self.wrote(function.get("name"), function.get("arguments"))
