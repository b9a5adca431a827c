"""The provider simulator: what tests, benchmarks and people at a keyboard hold in their hands."""

import time
from collections.abc import Callable, Collection
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, get_args

from llm.simulator import providers_file
from llm.simulator.behaviours import Behaviour, payloads
from llm.simulator.connection import Connection, HttpRequest
from llm.simulator.limits import Limit, Limits
from llm.simulator.oauth import ServiceAccounts
from llm.simulator.prompt_cache import PromptCache
from llm.simulator.records import Log, Record
from llm.simulator.routes import handle
from llm.simulator.scripts import Scripts
from llm.simulator.server import Server
from llm.simulator.shared import SharedLimit

Endpoint = Literal["chat", "models", "token"]


class Simulator:
    """A loopback stand-in for LLM providers.

        with Simulator() as sim:
            sim.script("my-key", payload("groq-429-tpm-1"), ok())
            groq.Groq(base_url=f"{sim.url}/groq", api_key="my-key", max_retries=0)

    Base URLs: `{url}/groq`, `{url}/<any name>/v1` for OpenAI-compatible services, `{url}/vertex` or
    `{url}/vertex/<location>`. A credential is the API key, or the label of a service account. Without a
    script every request gets `ok()`.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        host: str = "127.0.0.1",
        clock: Callable[[], float] = time.time,
        strict: bool = False,
        keyless: Collection[str] = ("ollama",),
    ) -> None:
        """Binds at once; serves from `start()` or `with` on.

        port: 0 takes any free one. clock: epoch seconds, for limits and records (waits are always real).
        strict: credentials that were never mentioned get 401. keyless: providers that need no credential.
        Raises OSError when the port is taken.
        """
        self.clock = clock
        self.strict = strict
        self.keyless = frozenset(keyless)
        self.scripts = Scripts()
        self.limits = Limits()
        self.log = Log()
        self.accounts = ServiceAccounts()
        self.edges: dict[str, str] = {}  # provider: id of the payload that its edge answers
        self.serial = count(1)
        self.prompts: PromptCache | None = None
        self._account_of: dict[str, str] = {}
        self._offered: dict[str, tuple[str, ...]] = {}
        self._server = Server(host, port, self._handle)
        self.url = f"http://{host}:{self._server.port}"

    # -- running -------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Serves in the background until `close()`."""
        self._server.start()
        return self

    def close(self) -> None:
        """Ends every connection, hanging ones too."""
        self._server.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- what requests get ---------------------------------------------------------------------------

    def script(
        self,
        credential: str,
        *behaviours: Behaviour,
        model: str | None = None,
        location: str | None = None,
        endpoint: Endpoint | None = None,
    ) -> None:
        """What this credential's next requests get, one behaviour each; the last one repeats.

        model, location: only requests for these; the most particular script wins. No behaviours: the script
        is removed. endpoint: chat; "models" scripts `GET …/models`, "token" Google's token endpoint, where
        a recorded invalid_grant goes by itself.
        """
        refusal = bool(behaviours) and _is_grant_refusal(behaviours[0])
        place = endpoint or ("token" if refusal else "chat")
        if place not in get_args(Endpoint):
            raise ValueError(f"no endpoint {place!r}")
        self.scripts.set(behaviours, credential=credential, model=model, location=location, endpoint=place)

    def default(self, behaviour: Behaviour) -> None:
        """What every chat request gets that no script is for."""
        self.scripts.set_default(behaviour)

    def block_edge(self, provider: str, payload_id: str = "cf-1010-json") -> None:
        """Every request to this provider gets that payload, with or without a key, /models too.

        Raises KeyError for an unknown payload, ValueError for one that is no HTTP answer.
        """
        if payloads()[payload_id]["status"] is None:
            raise ValueError(f"{payload_id} is no HTTP answer")
        self.edges[provider] = payload_id

    def unblock_edge(self, provider: str) -> None:
        self.edges.pop(provider, None)

    def offer(self, provider: str, *models: str) -> None:
        """What `GET …/models` lists for this provider."""
        self._offered[provider] = models

    def cache_prompts(self) -> None:
        """From now on each account keeps prompts, and states how much of a prompt it had: see `prompt_cache.py`."""
        self.prompts = PromptCache()

    # -- quotas --------------------------------------------------------------------------------------

    def account(self, credential: str, account: str) -> None:
        """Whose quota this credential spends; without this, it is an account of its own."""
        self._account_of[credential] = account

    def limit(
        self,
        account: str,
        model: str | None = None,
        *,
        rpm: int | None = None,
        tpm: int | None = None,
        rpd: int | None = None,
        tpd: int | None = None,
    ) -> None:
        """An account's quota for one model, or (None) for all its models together; see `limits.py`."""
        self.limits.set(account, model, Limit(rpm=rpm, tpm=tpm, rpd=rpd, tpd=tpd))

    def share(self, **limit: Any) -> None:
        """A limit that models or accounts share, of another window or unit; see `shared.SharedLimit`."""
        self.limits.share(SharedLimit(**limit))

    # -- Google --------------------------------------------------------------------------------------

    def service_account(self, project: str = "simulated", label: str = "vertex") -> dict[str, str]:
        """A service account's JSON with a fresh key, whose token_uri is this simulator's."""
        return self.accounts.create(project=project, label=label, token_uri=f"{self.url}/token")

    # -- what was received ---------------------------------------------------------------------------

    @property
    def requests(self) -> list[Record]:
        """The latest requests, oldest first (at most 10,000; the counts are of all)."""
        return self.log.all()

    def count(
        self,
        credential: str | None = None,
        provider: str | None = None,
        model: str | None = None,
        endpoint: Endpoint | None = "chat",
    ) -> int:
        """How many requests were received. endpoint None: of any kind."""
        return self.log.count(credential=credential, provider=provider, model=model, endpoint=endpoint)

    def reset(self) -> None:
        """As new: no scripts, limits, accounts, blocks and records. Service accounts stay valid."""
        self.scripts.clear()
        self.limits.clear()
        self.log.clear()
        self.edges.clear()
        self.prompts = None
        self._account_of.clear()
        self._offered.clear()

    # -- configuration that points here --------------------------------------------------------------

    def providers_toml(self, directory: Path | str) -> str:
        """A complete providers file for this simulator, which learns the accounts of its keys.

        directory: where the service account's JSON is written (mode 600), or reused if it is there.
        """
        self._account_of.update(providers_file.accounts())
        return providers_file.providers_toml(self.url, self.accounts, Path(directory))

    def enforce_free_tiers(self) -> None:
        """Limits the accounts of that file as the real providers limit their free plans."""
        self._account_of.update(providers_file.accounts())
        providers_file.enforce(self)

    # -- for the routes ------------------------------------------------------------------------------

    def account_of(self, credential: str) -> str:
        return self._account_of.get(credential, credential)

    def accepts(self, credential: str) -> bool:
        return (
            not self.strict
            or not credential  # a keyless provider
            or credential in self._account_of
            or self.scripts.knows(credential)
            or self.accounts.knows(credential)
        )

    def models_of(self, provider: str, credential: str) -> list[str]:
        """What `GET …/models` lists: what was offered, else today's models and those mentioned."""
        if provider in self._offered:
            return list(self._offered[provider])
        known = providers_file.models_of(provider)
        mentioned = self.scripts.models(credential) + self.limits.models(self.account_of(credential))
        return list(dict.fromkeys([*known, *mentioned]))

    def _handle(self, connection: Connection, request: HttpRequest) -> None:
        handle(self, connection, request)


def _is_grant_refusal(behaviour: Behaviour) -> bool:
    if behaviour.name != "payload":
        return False
    return "RefreshError" in payloads()[behaviour.options["payload_id"]].get("exception", "")
