"""What an attempt is booked at: never less than what its provider will bill for it.

A provider bills what it was sent and what it wrote, whatever becomes of it here: a text that a gate rejects, reasoning
that nobody sees, half a tool call, an answer that came too late. Usage as it states it counts; else what was sent and
what came out, by our estimate; no more can be billed than it was allowed to write. Where nobody can know what it wrote
(it ran out of time, its connection broke, or not all could be read), the attempt keeps what was reserved for it, the
most it can cost, until somebody knows better.
"""

from dataclasses import dataclass

from llm.adapters import Answer
from llm.adapters.answers.output import Output
from llm.calls import tokens
from llm.failures.kinds import Failure, Kind, Owner

# Answers before a model has run: nothing is billed for them.
AT_THE_DOOR = frozenset({
    Kind.RATE_LIMITED_KEY, Kind.RATE_LIMITED_PROVIDER, Kind.BLOCKED_PROVIDER, Kind.KEY_INVALID,
    Kind.CREDITS_DEPLETED, Kind.MODEL_GONE, Kind.REQUEST_TOO_LARGE, Kind.REQUEST_REJECTED,
})  # fmt: skip
UNSENT = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol"})
# A proxy's "it took too long": whether the model behind it ran, and what it wrote, nobody says.
TOOK_TOO_LONG = frozenset({408, 504, 524})


@dataclass(frozen=True, slots=True)
class Bill:
    """Tokens as far as they are known. `open_ended`: more may have been written than anybody saw.

    `tokens_cached` of `tokens_in` were in the provider's prompt cache, and cost less.
    """

    tokens_in: int = 0
    tokens_out: int = 0
    open_ended: bool = False
    tokens_cached: int = 0


NOTHING = Bill()


def bill(
    *,
    sent: bool,
    estimated_in: int,
    most_out: int,
    output: Output,
    answer: Answer | None = None,
    text: str = "",
    failure: Failure | None = None,
) -> Bill:
    """What to book for an attempt.

    sent: whether a request may have left us; estimated_in: its tokens as we estimate them; most_out: the limit of
    tokens that was sent; output: what came out so far and what the provider counted; answer: the whole answer, if
    there is one; text: the visible text so far; failure: how it failed, None if it did not or its caller has left.
    """
    counted: Output | Answer = output if answer is None else answer
    counted_in, counted_out = counted.tokens_in, counted.tokens_out
    written = 0 if counted_out else _estimated(output, answer, text)
    known = answer is not None or bool(counted_out) or written > 0
    if not known and (not sent or _unbilled(failure)):
        return NOTHING
    # Nothing in, or nothing out beside a text, is what some say who have not counted.
    tokens_out = counted_out or min(written, most_out)
    cached = answer.tokens_cached if answer is not None and counted_in else 0
    return Bill(
        counted_in or estimated_in, tokens_out, open_ended=not known or (output.unread and not counted_out),
        tokens_cached=min(cached, counted_in or 0),
    )  # fmt: skip


def _estimated(output: Output, answer: Answer | None, text: str) -> int:
    """Tokens of what came out that nobody has counted, by the longest account that there is of it."""
    told = max(map(tokens.estimate_text, {output.text, text}))
    return told if answer is None else max(told, tokens.estimate_answer(answer))


def _unbilled(failure: Failure | None) -> bool:
    """Whether a failure without any output says that no model ran: refused at the door, broken, or never reached."""
    if failure is None or failure.owner is Owner.OURS:  # a bug of ours says nothing of what a model did
        return False
    refused = failure.kind in AT_THE_DOOR or failure.status not in {None, 200, *TOOK_TOO_LONG}
    return refused or _never_sent(failure)


def _never_sent(failure: Failure) -> bool:
    """Whether the connection failed before a request could go over it, as HTTP libraries name that."""
    error: BaseException | None = failure
    for _ in range(8):  # a cause of a cause
        if error is None or type(error).__name__ in UNSENT:
            break
        error = error.__cause__
    return type(error).__name__ in UNSENT
