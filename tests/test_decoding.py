"""JSON of providers is read as the standard library reads it, however quickly."""

import json
import math

import pytest

from llm.adapters.answers.decoding import decoded
from llm.adapters.answers.sse import EventParser

LARGE = 2**64 + 1


@pytest.mark.parametrize(
    "text",
    [
        '{"a": [1, 2.5, "ж", null, true, {}]}', '"a\\ud83d"', '"a\\u0000"', "1e999", "-Infinity", "  7 ",
        '{"a": 1, "a": 2}',
        f'{{"tool_calls": [{{"function": {{"name": "f", "arguments": {{"id": {LARGE}}}}}}}]}}',
        f'{{"extra_content": {{"google": {{"id": {LARGE}}}}}}}', "0.1", "-0.0", "123456789012345678",
    ],
)  # fmt: skip
def test_a_value_is_read_as_the_standard_library_reads_it(text):
    assert decoded(text) == json.loads(text)
    assert EventParser().feed(f'data: {{"v": {text}}}\n\n'.encode()) == [{"v": json.loads(text)}]


def test_what_is_no_number_is_read_all_the_same():
    assert math.isnan(decoded("NaN"))


@pytest.mark.parametrize("text", ["", "{", "no", '{"a": }', "[" * 100_000, "\ufeff{}", "{} {}"])
def test_what_is_no_json_is_refused(text):
    with pytest.raises((ValueError, RecursionError)):
        decoded(text)
