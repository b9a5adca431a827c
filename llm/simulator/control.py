"""The control API: another process drives the simulator over HTTP. All bodies are JSON.

POST /_control/script   {"credential", "behaviours": [name | {"name", option…}, …],
                         "model"?, "location"?, "endpoint"?}
POST /_control/default  {"behaviour": name | {…}}
POST /_control/limit    {"account", "model"?, "rpm"?, "tpm"?, "rpd"?, "tpd"?}
POST /_control/share    {"provider", "unit", "amount", "per"?, "scope"?, "models"?, "units_in"?, "units_out"?}
POST /_control/account  {"credential", "account"}
POST /_control/block    {"provider", "payload_id"?}
POST /_control/unblock  {"provider"}
POST /_control/models   {"provider", "models": [id, …]}
POST /_control/reset    {}
POST /_control/service-account  {"project"?, "label"?}  -> the service account's JSON
GET  /_control/requests -> [record, …]        GET /_control/counts -> [{endpoint, provider, …, count}, …]
"""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from llm.simulator.behaviours import from_json
from llm.simulator.connection import HttpRequest
from llm.simulator.exchange import JSON
from llm.simulator.wire import Reply, dump

if TYPE_CHECKING:
    from llm.simulator.simulator import Simulator


def answer(sim: "Simulator", request: HttpRequest) -> Reply:
    """The result of a command, {"ok": true} when it has none; 400 with a detail for a bad one."""
    command = f"{request.method} {request.path.removeprefix('/_control/')}"
    if command not in COMMANDS:
        return _reply(404, {"detail": f"no command {command!r}", "commands": sorted(COMMANDS)})
    try:
        arguments = json.loads(request.body or b"{}")
        result = COMMANDS[command](sim, **arguments)
    except (TypeError, ValueError, KeyError) as error:
        return _reply(400, {"detail": f"{type(error).__name__}: {error}"})
    return _reply(200, {"ok": True} if result is None else result)


def _script(sim: "Simulator", *, credential: str, behaviours: list[Any], **where: Any) -> None:
    sim.script(credential, *map(from_json, behaviours), **where)


def _default(sim: "Simulator", *, behaviour: Any) -> None:
    sim.default(from_json(behaviour))


def _models(sim: "Simulator", *, provider: str, models: list[str]) -> None:
    sim.offer(provider, *models)


def _requests(sim: "Simulator") -> list[dict[str, Any]]:
    return [record.as_json() for record in sim.requests]


def _counts(sim: "Simulator") -> list[dict[str, Any]]:
    return sim.log.rows()


COMMANDS: dict[str, Callable[..., Any]] = {
    "POST script": _script,
    "POST default": _default,
    "POST limit": lambda sim, **arguments: sim.limit(**arguments),
    "POST share": lambda sim, **arguments: sim.share(**arguments),
    "POST account": lambda sim, **arguments: sim.account(**arguments),
    "POST block": lambda sim, **arguments: sim.block_edge(**arguments),
    "POST unblock": lambda sim, **arguments: sim.unblock_edge(**arguments),
    "POST models": _models,
    "POST reset": lambda sim: sim.reset(),
    "POST service-account": lambda sim, **arguments: sim.service_account(**arguments),
    "GET requests": _requests,
    "GET counts": _counts,
}


def _reply(status: int, value: object) -> Reply:
    return Reply(status=status, headers=JSON, body=dump(value))
