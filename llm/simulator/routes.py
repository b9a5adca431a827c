"""From a received request to the answer: whose it is, whether it may, and what its script says."""

import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from llm.simulator import control, wire_openai, wire_vertex
from llm.simulator.behaviours import Behaviour, payload, payloads
from llm.simulator.connection import Connection, HttpRequest
from llm.simulator.exchange import JSON, Exchange
from llm.simulator.limits import Denial
from llm.simulator.oauth import Refused, label_of_token
from llm.simulator.play import play
from llm.simulator.records import Record
from llm.simulator.strict import Rejected
from llm.simulator.wire import DEFAULT_MAX_TOKENS, Ask, Reply, Wire, dump

if TYPE_CHECKING:
    from llm.simulator.simulator import Simulator

OPENAI, VERTEX = wire_openai.OpenAIWire(), wire_vertex.VertexWire()
GENERATE = re.compile(
    r"\A/(?P<provider>[^/]+)(?:/[^/]+)?/v1(?:beta1)?/projects/[^/]+/locations/(?P<location>[^/]+)"
    r"/publishers/google/models/(?P<model>.+):(?P<method>generateContent|streamGenerateContent)"
)
EMBEDDINGS = re.compile(r"\A/(?P<provider>[^/]+)/.*embeddings/?")
VERTEX_MODELS = re.compile(r"\A/(?P<provider>[^/]+)(?:/[^/]+)?/v1(?:beta1)?/publishers/google/models/?")
CHAT = re.compile(r"\A/(?P<provider>[^/]+)/.*chat/completions/?")
MODELS = re.compile(r"\A/(?P<provider>[^/]+)/.*models/?")


def handle(sim: "Simulator", connection: Connection, request: HttpRequest) -> None:
    """Answers one request. Raises Gone when the connection is over."""
    path = request.path
    if path.startswith("/_control/"):
        _send(connection, control.answer(sim, request))
    elif path == "/token" and request.method == "POST":
        _token(sim, connection, request)
    elif match := GENERATE.fullmatch(path):
        _generate(sim, connection, request, match)
    elif match := EMBEDDINGS.fullmatch(path):
        _embed(sim, connection, request, match["provider"])
    elif match := CHAT.fullmatch(path):
        _complete(sim, connection, request, match["provider"])
    elif match := VERTEX_MODELS.fullmatch(path):
        _models(sim, connection, request, match["provider"], VERTEX)
    elif match := MODELS.fullmatch(path):
        _models(sim, connection, request, match["provider"], OPENAI)
    else:
        body = OPENAI.error(404, f"Unknown request URL: {request.method} {path}.")
        _send(connection, Reply(status=404, headers=JSON, body=dump(body)))


# -- chat ------------------------------------------------------------------------------------------------


def _complete(sim: "Simulator", connection: Connection, request: HttpRequest, provider: str) -> None:
    body = _body(request)
    record = _record(sim, request, "chat", provider, body)
    record.model = body["model"] if isinstance(body.get("model"), str) else None
    record.stream = bool(body.get("stream"))
    _chat(sim, connection, record, OPENAI, lambda: wire_openai.read(provider, record.credential, body))


def _generate(sim: "Simulator", connection: Connection, request: HttpRequest, match: re.Match[str]) -> None:
    body = _body(request)
    record = _record(sim, request, "chat", match["provider"], body)
    record.model, record.location = match["model"], match["location"]
    record.stream = match["method"] == "streamGenerateContent"

    def read() -> Ask:
        return wire_vertex.read(
            match["provider"], record.credential, body,
            model=match["model"], location=match["location"], stream=record.stream,
        )  # fmt: skip

    _chat(sim, connection, record, VERTEX, read)


def _chat(
    sim: "Simulator", connection: Connection, record: Record, wire: Wire, read: Callable[[], Ask]
) -> None:
    sim.log.add(record)
    if _refused(sim, connection, record, wire):
        return
    try:
        ask = read()
    except Rejected as refusal:
        _end(
            connection, record, "invalid", Reply(status=refusal.status, headers=JSON, body=dump(refusal.body))
        )
        return
    except ValueError as error:
        _end(connection, record, "invalid", Reply(
            status=400, headers=JSON, body=dump(wire.error(400, str(error))),
        ))  # fmt: skip
        return
    now = sim.clock()
    limit = DEFAULT_MAX_TOKENS if ask.max_tokens is None else ask.max_tokens
    hold = sim.limits.admit(
        record.account, ask.model, ask.prompt_tokens + limit, now,
        provider=record.provider, tokens_in=ask.prompt_tokens,
    )  # fmt: skip
    if isinstance(hold, Denial):
        reply = wire.denied(ask, hold, now)
        standing = sim.limits.standing(record.account, ask.model, now)
        reply.headers = {**reply.headers, **wire.rate_headers(ask, standing)}
        _end(connection, record, "denied", reply)
        return
    behaviour = sim.scripts.next(record.credential, ask.model, ask.location, "chat")
    assert behaviour is not None  # chat always has one
    _play(sim, connection, record, ask, wire, behaviour, hold)


def _embed(sim: "Simulator", connection: Connection, request: HttpRequest, provider: str) -> None:
    """Vectors, or whatever the credential's script for chats says instead."""
    body = _body(request)
    record = _record(sim, request, "embeddings", provider, body)
    record.model = body["model"] if isinstance(body.get("model"), str) else None
    sim.log.add(record)
    if _refused(sim, connection, record, OPENAI):
        return
    try:
        whole, tokens = wire_openai.vectors(body)
    except ValueError as error:
        reply = Reply(status=400, headers=JSON, body=dump(OPENAI.error(400, str(error))))
        _end(connection, record, "invalid", reply)
        return
    behaviour = sim.scripts.next(record.credential, record.model, None, "chat")
    if behaviour and behaviour.name != "ok":
        _play(sim, connection, record, _nothing_asked(record), OPENAI, behaviour)
        return
    record.prompt_tokens = tokens
    _end(connection, record, "ok", Reply(status=200, headers=JSON, body=dump(whole)))


# -- everything else -------------------------------------------------------------------------------------


def _models(
    sim: "Simulator", connection: Connection, request: HttpRequest, provider: str, wire: Wire
) -> None:
    record = _record(sim, request, "models", provider, {})
    sim.log.add(record)
    if _refused(sim, connection, record, wire):
        return
    behaviour = sim.scripts.next(record.credential, None, None, "models")
    if behaviour and behaviour.name != "ok":
        _play(sim, connection, record, _nothing_asked(record), wire, behaviour)
    else:
        _end(connection, record, "ok", wire.models(sim.models_of(provider, record.credential)))


def _token(sim: "Simulator", connection: Connection, request: HttpRequest) -> None:
    record = _record(sim, request, "token", "vertex", {})
    try:
        record.credential = sim.accounts.label_of_grant(request.body)
    except Refused as refusal:
        sim.log.add(record)
        _end(connection, record, "unauthorised",
             Reply(status=400, headers=JSON, body=dump(refusal.body)))  # fmt: skip
        return
    sim.log.add(record)
    behaviour = sim.scripts.next(record.credential, None, None, "token")
    if behaviour and behaviour.name != "ok":
        _play(sim, connection, record, _nothing_asked(record), VERTEX, behaviour)
    else:
        body = dump(sim.accounts.token(record.credential))
        _end(connection, record, "ok", Reply(status=200, headers=JSON, body=body))


def _refused(sim: "Simulator", connection: Connection, record: Record, wire: Wire) -> bool:
    """Whether the edge or the lack of a valid credential has already answered."""
    if payload_id := sim.edges.get(record.provider):
        recorded = payloads()[payload_id]
        _end(connection, record, "blocked", Reply(
            status=recorded["status"], headers=recorded["headers"], body=recorded["body"].encode(),
        ))  # fmt: skip
        return True
    missing = not record.credential and record.provider not in sim.keyless
    if missing or not sim.accepts(record.credential):
        _end(connection, record, "unauthorised", wire.unauthorised(record.provider, missing=missing))
        return True
    return False


def _play(
    sim: "Simulator", connection: Connection, record: Record, ask: Ask, wire: Wire,
    behaviour: Behaviour, hold: Any = None,
) -> None:  # fmt: skip
    name = behaviour.name
    record.behaviour = f"payload:{behaviour.options['payload_id']}" if name == payload.__name__ else name
    cached = sim.prompts.held(record.account, ask) if sim.prompts is not None else 0
    exchange = Exchange(connection, ask, wire, record, sim.limits, hold, sim.clock, next(sim.serial), cached)
    play(exchange, behaviour)


def _record(
    sim: "Simulator", request: HttpRequest, endpoint: str, provider: str, body: Mapping[str, Any]
) -> Record:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    credential = label_of_token(value.strip()) if scheme.lower() == "bearer" else ""
    return Record(
        time=sim.clock(), endpoint=endpoint, provider=provider, credential=credential,
        headers=request.headers, body=body, account=sim.account_of(credential),
    )  # fmt: skip


def _body(request: HttpRequest) -> dict[str, Any]:
    """The JSON object of a request; an empty one for anything else, which no wire format accepts."""
    try:
        body = json.loads(request.body)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _nothing_asked(record: Record) -> Ask:
    return Ask(
        provider=record.provider, credential=record.credential, model="", location=None, stream=False,
        prompt="", user="", prompt_tokens=0, max_tokens=None, wants_json=False, schema=None, body={},
    )  # fmt: skip


def _end(connection: Connection, record: Record, behaviour: str, reply: Reply) -> None:
    record.behaviour, record.status = behaviour, reply.status
    _send(connection, reply)


def _send(connection: Connection, reply: Reply) -> None:
    connection.send(reply.status, reply.headers, reply.body)
