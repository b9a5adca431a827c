"""What a call needs of the model that answers it, and what it may cost."""

from dataclasses import dataclass, replace
from decimal import Decimal

from llm.calls.terms import DataPolicy


@dataclass(frozen=True, slots=True)
class Home:
    """The deployment that holds a conversation's beginning in its provider's prompt cache."""

    provider: str
    account: str
    model: str
    location: str


@dataclass(frozen=True, slots=True)
class CallSpec:
    """What a call needs, in tokens.

    `estimated_in` by the alphabet, `tokens_in` corrected by experience: quotas are kept by it. `most_in` is the most
    that it can be: money is kept by it. `max_tokens` is a cap of visible text, see `fitted`; `named` says whether the
    caller has named it.
    """

    tokens_in: int
    max_tokens: int
    estimated_in: int = 0
    most_in: int = 0
    named: bool = True
    providers: frozenset[str] | None = None
    tiers: frozenset[Decimal] | None = None
    max_usd: Decimal | None = None
    models: frozenset[str] | None = None
    needs: frozenset[str] = frozenset()  # what a model must take: see llm.calls.terms
    use: DataPolicy | None = None
    client: str = ""
    client_budget_usd: Decimal | None = None
    home: Home | None = None  # is tried first, where that costs nothing more
    vectors: tuple[str, int] | None = (
        None  # embeddings of this family and so many numbers, instead of an answer
    )

    def at_most(self, max_tokens: int) -> "CallSpec":
        """The same with this cap."""
        return self if max_tokens == self.max_tokens else replace(self, max_tokens=max_tokens)
