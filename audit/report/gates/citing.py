"""Which cases a report may name, and how many it must."""

from collections.abc import Collection

from audit.report import citations
from llm.chain import gates

LEAST = 2


def only(given: Collection[str]) -> gates.Gate:
    """Rejects ids that were not given, numbers in place of ids, and fewer than two of those given (or all)."""
    least = min(LEAST, len(given))

    def gate(text: str) -> str | None:
        if citations.NUMBER.search(text):
            return "a number in place of an id"  # it would look like one of our footnotes
        named, unknown = citations.cited(text, given)
        if unknown:
            return "an id that was not given"
        return f"{len(named)} of {least} cases named" if len(named) < least else None

    return gate
