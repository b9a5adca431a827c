"""What a caller may ask of an answer. Plain functions: gate(text) -> None, or why the text is not good enough.

A caller composes the gates that it needs and hands the result to the chain as `accept`; the chain knows none of
them. A reason goes into the ledger, so it names the fault and never quotes the text.
"""

from llm.gates.apart import Unjudgeable
from llm.gates.basic import Gate, all_of, at_least, between
from llm.gates.languages import language
from llm.gates.refusal import no_refusal
from llm.gates.structure import json_schema, read_json

__all__ = [
    "Gate", "Unjudgeable", "all_of", "at_least", "between", "json_schema", "language", "no_refusal", "read_json",
]  # fmt: skip
