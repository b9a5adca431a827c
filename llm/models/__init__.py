"""What the chain stores. Three kinds of rows, never mixed:

configuration, written by staff and by the providers file; what is known at the moment (pauses, learned limits,
notices), written by the chain; the ledger, written once and finished once.
"""

from llm.models.clients import Client
from llm.models.columns import EnteredFor, utc_today
from llm.models.configuration import Alias, Credential, Model, Provider
from llm.models.conversations import StoredResponse
from llm.models.foresight import CatalogueChange, Parity, Rehearsal, Retirement
from llm.models.ledger import Attempt, CachedReply, Call, PastSpending, Rollup
from llm.models.limits import Limit, Meter
from llm.models.pauses import Notice, Pause, Quota

__all__ = [
    "Alias",
    "Attempt",
    "CachedReply",
    "Call",
    "CatalogueChange",
    "Client",
    "Credential",
    "EnteredFor",
    "Limit",
    "Meter",
    "Model",
    "Notice",
    "Parity",
    "PastSpending",
    "Pause",
    "Provider",
    "Quota",
    "Rehearsal",
    "Retirement",
    "Rollup",
    "StoredResponse",
    "utc_today",
]
