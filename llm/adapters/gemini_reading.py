"""Reads an answer of Gemini: the chunks of a stream one by one, or a whole response as the only one."""

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any

from llm.adapters.answers.finish import Ending, Finish
from llm.adapters.answers.reading import MAX_CHARACTERS, leaked
from llm.adapters.answers.toolcalls import tool_call
from llm.adapters.answers.usage import MAX_IN, MAX_OUT, Usage, count
from llm.adapters.answers.visible import Leaked, Piece, Visible
from llm.adapters.base import Answer, Request
from llm.failures.kinds import Failure, Kind


class GeminiReading:
    """One answer as it is read. `said`: whether the latest chunk brought some of it."""

    def __init__(self, request: Request, *, whole: bool = False) -> None:
        self.ending = Ending()
        self.usage = Usage()
        self.visible = Visible(request.model, whole=whole, thinks=request.thinks, named=request.says)
        self.output = request.output
        self.said = False
        self._calls: list[dict[str, Any]] = []
        self._signature = ""
        self._index: int | None = None  # of the candidate that is read
        self._size = 0

    def feed(self, response: Any) -> Iterator[Piece]:
        """The pieces that a GenerateContentResponse brings. Raises Failure."""
        self.said = False
        if (feedback := response.prompt_feedback) and feedback.block_reason:
            reason = getattr(feedback.block_reason, "value", feedback.block_reason)
            if not reason.endswith("_UNSPECIFIED"):
                raise Failure(Kind.CONTENT_BLOCKED, f"prompt blocked: {reason}", status=200)
        if usage := response.usage_metadata:
            self._count(usage)
        if not response.candidates:
            return
        candidate = next((each for each in response.candidates if self._is_first(each.index)), None)
        if candidate is None:
            return
        self.ending.note(getattr(candidate.finish_reason, "value", candidate.finish_reason))
        for part in (candidate.content.parts if candidate.content else None) or ():
            yield from self._part(part)

    def _is_first(self, index: int | None) -> bool:
        """One answer was asked for; what comes beside it is not read."""
        self._index = index if self._index is None else self._index
        return index in (None, self._index)

    def _count(self, usage: Any) -> None:
        own, tools = usage.prompt_token_count, usage.tool_use_prompt_token_count
        thoughts = usage.thoughts_token_count or 0
        self.usage.note(
            prompt=count(own + tools if own and tools else own),
            spoken=count(
                (usage.candidates_token_count or 0) + thoughts, MAX_OUT
            ),  # thoughts are billed as output
            total=count(usage.total_token_count, MAX_IN + MAX_OUT),
        )
        self.usage.note_cached(count(usage.cached_content_token_count))
        self.output.counted(tokens_in=self.usage.tokens_in, tokens_out=self.usage.tokens_out)

    def _part(self, part: Any) -> Iterator[Piece]:
        signature = base64.b64encode(part.thought_signature).decode() if part.thought_signature else ""
        if part.function_call:
            self._call(part.function_call, signature)
        elif signature:
            self._signature = signature
        if not part.text:
            return
        self.said = True
        self.output.wrote(part.text)
        self._size += len(part.text)
        if self._size > MAX_CHARACTERS:
            raise Failure(
                Kind.PROVIDER_DOWN, f"the answer is longer than {MAX_CHARACTERS} characters", status=200
            )
        try:
            yield from self.visible.think(part.text) if part.thought else self.visible.feed(part.text)
        except Leaked:
            raise leaked() from None

    def _call(self, call: Any, signature: str) -> None:
        self.said = True
        arguments = json.dumps(call.args or {}, ensure_ascii=False)
        self.output.wrote(call.name, arguments)
        extra = {"google": {"thought_signature": signature}} if signature else None
        made = tool_call(id=call.id or "", name=call.name or "", arguments=arguments, extra=extra)
        if call.name and not (call.id and any(each["id"] == call.id for each in self._calls)):
            self._calls.append(made)
            self._size += len(arguments)

    def end(self) -> list[Piece]:
        """What was held back, once no more will come. Raises Failure."""
        try:
            return self.visible.finish(cut=self.ending.finish is Finish.LENGTH)
        except Leaked:
            raise leaked() from None

    def answer(self, headers: Mapping[str, str], doubt: str = "") -> Answer:
        """The whole answer. Raises Failure when its ending says that it is none."""
        self.ending.check()
        if not self.ending.finish:
            raise Failure(Kind.PROVIDER_DOWN, "the answer ended before it was complete", status=200)
        text, reasoning = self.visible.text, self.visible.reasoning
        written = text + reasoning + "".join(call["function"]["arguments"] for call in self._calls)
        return Answer(
            text=text,
            reasoning=reasoning,
            tool_calls=tuple(self._calls),
            state={"extra_content": {"google": {"thought_signature": self._signature}}}
            if self._signature
            else {},
            finish_reason=self.ending.word(called=bool(self._calls)),
            doubt=doubt or self.ending.doubt,
            tokens_in=self.usage.tokens_in,
            tokens_out=self.usage.plausible_out(written),
            tokens_cached=self.usage.tokens_cached,
            headers=headers,
        )
