"""What every protocol's request becomes: a call of the chain, in the words of chat completions."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple

from llm.calls import tokens
from llm.conf import conf
from llm.gates import Gate
from llm.gateway import values
from llm.gateway.gate import gate_for
from llm.models import Client

MOST_DEADLINE_S = 86_400.0  # agents stream for hours
SESSION_HEADERS = (
    "HTTP_X_SESSION_ID",
    "HTTP_SESSION_ID",
    "HTTP_X_SESSION_AFFINITY",
    "HTTP_X_CLAUDE_CODE_SESSION_ID",
)
ON_OR_OFF = ("true", "false")
ON_BREAK, ON_CONTENT_BLOCK = tuple(Client.OnBreak.values), tuple(Client.OnContentBlock.values)
HOLD = {"true": True, "false": False, None: None}
OWN = {"deadline_s", "max_usd", "on_content_block"}  # fields of ours, which a body of any protocol may have


class Ask(NamedTuple):
    """A request as the chain takes it.

    messages, params: OpenAI's, as a provider gets them; n: how many answers are wanted, each a call of its own
    deadline_s: None: the client named none. hold, on_break, on_content_block: None: as the client's settings say
    session: what the client calls the conversation; ignored: names of what the request holds and nobody reads
    own: what the protocol's answer repeats of the request, known to its module alone
    """

    model: str
    messages: Sequence[Mapping[str, Any]]
    params: Mapping[str, Any]
    max_tokens: int | None
    temperature: float | None
    stream: bool
    gate: Gate | None
    hold: bool | None
    on_break: str | None
    deadline_s: float | None = None
    max_usd: Decimal | None = None
    on_content_block: str | None = None
    session: str = ""
    n: int = 1
    ignored: tuple[str, ...] = ()
    own: Mapping[str, Any] = MappingProxyType({})


def made(
    body: Mapping[str, Any],
    meta: Mapping[str, Any],
    *,
    messages: Sequence[Mapping[str, Any]],
    params: Mapping[str, Any],
    max_tokens: int | None,
    temperature: float | None,
    session: object = None,
    place: str = "messages",
    **more: Any,
) -> Ask:
    """The request with what all protocols read alike: the model, the stream, and what is ours. Raises ApiError.

    place: the field of the body that holds the text
    """
    model = body.get("model")
    if model is not None and (not isinstance(model, str) or not model):
        raise values.wrong("'model' must be a string.", "model")
    for message in messages:
        if message.get("content"):
            break
    else:
        raise values.wrong("There is no text in the request.", place)
    if not OWN.isdisjoint(body):
        more |= _own(body)
    return Ask(
        model=model or "auto",
        messages=messages,
        params=params,
        max_tokens=max_tokens or conf.LLM_GATEWAY_MAX_TOKENS,
        temperature=temperature,
        stream=values.boolean(body, "stream") or False,
        gate=gate_for(params["response_format"]) if "response_format" in params else None,
        hold=HOLD[_header(meta, "HTTP_X_GUARDLABS_HOLD", ON_OR_OFF)],
        on_break=_header(meta, "HTTP_X_GUARDLABS_ON_BREAK", ON_BREAK),
        session=_session(session, meta),
        **more,
    )


def counted_in(ask: Ask) -> int:
    """Tokens of the request, estimated: nobody has counted them yet."""
    return round(tokens.estimate(ask.messages, ask.params) * tokens.correction(""))


def _own(body: Mapping[str, Any]) -> dict[str, Any]:
    max_usd = values.number(body, "max_usd", least=0, most=1000)
    return {
        "max_usd": None if max_usd is None else Decimal(str(max_usd)),
        "deadline_s": values.number(body, "deadline_s", least=0.1, most=MOST_DEADLINE_S),
        "on_content_block": values.choice(body, "on_content_block", *ON_CONTENT_BLOCK),
    }


def _session(told: object, meta: Mapping[str, Any]) -> str:
    """The conversation's name, from the body or a header; empty where it has none."""
    for name in (told, *map(meta.get, SESSION_HEADERS)):
        if isinstance(name, str) and name:
            return name[:500]
    return ""


def _header(meta: Mapping[str, Any], key: str, allowed: Sequence[str]) -> str | None:
    """One of these values of a header of ours; None without it. key: as Django's META names the header."""
    told = meta.get(key)
    value = told.strip().lower() if told else None
    if value and value not in allowed:
        name = key.removeprefix("HTTP_").replace("_", "-").lower()
        raise values.wrong(f"The header '{name}' must be {' or '.join(allowed)}.", name)
    return value or None
