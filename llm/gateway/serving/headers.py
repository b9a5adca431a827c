"""What an answer's headers say: who answered, after how many attempts, what it cost, and what was not read."""

from collections.abc import Sequence

from llm.chain import Reply
from llm.gateway.ask import Ask
from llm.gateway.protocols.base import Writer, cost


def of_answer(replies: Sequence[Reply], ask: Ask, id: str) -> dict[str, str]:
    """`x-guardlabs-cost-usd` is `unknown` when a price is."""
    first = replies[0]
    found = {
        "x-guardlabs-provider": first.provider,
        "x-guardlabs-attempts": str(sum([len(reply.attempts) for reply in replies])),
        "x-guardlabs-cost-usd": cost(replies),
        "x-guardlabs-call": ", ".join([str(reply.call_id) for reply in replies]),
        **_common(ask, id, first.max_tokens),
    }
    if first.cached:
        found["x-guardlabs-cached"] = "true"
    return found


def of_stream(writer: Writer) -> dict[str, str]:
    """What is known when the first text is there; the cost comes with the usage, at the end."""
    if writer.replies:
        return of_answer(writer.replies, writer.ask, writer.id)
    attempt = writer.attempt
    if attempt is None:
        return _common(writer.ask, writer.id, None)
    where = f":{attempt.location}" if attempt.location else ""
    return {
        "x-guardlabs-provider": attempt.credential + where,
        "x-guardlabs-attempts": str(writer.attempts),
        **_common(writer.ask, writer.id, attempt.max_tokens),
    }


def _common(ask: Ask, id: str, max_tokens: int | None) -> dict[str, str]:
    """max_tokens: the cap that was sent, where it is lower than the one that was asked for."""
    found = {"X-Request-ID": id, "request-id": id}  # OpenAI's name for it, and Anthropic's
    if max_tokens is not None:
        found["x-guardlabs-max-tokens"] = str(max_tokens)
    if ask.ignored:
        found["x-guardlabs-ignored"] = ", ".join(ask.ignored)
    return found
