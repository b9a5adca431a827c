"""Judges one JSON text by one JSON schema, for `llm.gates.apart`: a program of its own, which may be killed.

Standard input: {"schema": …, "text": JSON text or null}. Standard output: {"invalid": why the schema is none},
{"fault": where the text does not fit}, or {}. It imports nothing of ours, so that it starts quickly.
The library is imported when the first schema is judged: it is 3 MB of a process, and most never judge one.
"""

import json
import resource
import sys
from typing import Any

MOST_CPU_S = 2
MOST_BYTES = 1 << 30


def compiled(schema: Any) -> Any:
    """The schema, ready to judge by. References to other documents are not fetched. Raises ValueError."""
    import jsonschema_rs

    try:
        return jsonschema_rs.validator_for(schema, offline=True)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        raise ValueError(f"not a JSON schema: {getattr(error, 'message', '') or error}"[:300]) from None


def fault(validator: Any, value: Any) -> str | None:
    """Where the value does not fit, by the schema's own names; of the value nothing is told. None when it fits."""
    import jsonschema_rs

    try:
        validator.validate(value)
    except jsonschema_rs.ValidationError as error:
        return f"does not fit the schema at {'/'.join(map(str, error.schema_path))}"[:200]
    return None


def main() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU_S, MOST_CPU_S + 1))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    asked = json.load(sys.stdin)
    found: dict[str, str | None] = {}
    try:
        validator = compiled(asked["schema"])
        if asked["text"] is not None:
            found = {"fault": fault(validator, json.loads(asked["text"]))}
    except ValueError as error:
        found = {"invalid": str(error)}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
