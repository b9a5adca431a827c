"""The one estimate of tokens, against what OpenAI's o200k_base makes of the same texts (npm's gpt-tokenizer, 4.0.0).

An estimate that is too small costs a rejected request, one that is too large wastes a free quota.
"""

import base64
import hashlib
import json
import time

import pytest

from llm.calls import tokens

NOISE = b"".join(hashlib.sha256(str(number).encode()).digest() for number in range(100))
PYTHON = '''
def fitted(deployment, want, *, tokens_left=None):
    """The same call with `max_tokens` lowered to what this deployment can give."""
    model, price = deployment.model, deployment.model.price
    if model.max_output is not None:
        want = replace(want, max_tokens=min(want.max_tokens, max(model.max_output - 500, 1)))
    rooms = [room for limit in limits.every if (room := limit.most_out(want.tokens_in)) is not None]
    return int(min(rooms)) - model.reasoning_reserve if rooms else None
'''
ROWS = [{"id": number, "name": f"n{number}", "ok": True, "share": number * 1.5} for number in range(100)]
TEXTS = {
    "English": "A conversation stays with the account that holds its beginning, so that the prompt cache is hit. "
    * 9,
    "Spanish": "Tu frase de recuperación no debe estar en ningún dispositivo conectado, ni siquiera en una foto. "
    * 9,
    "Russian": "Твоя фраза восстановления не должна лежать ни на одном устройстве, даже на фотографии. " * 9,
    "Chinese": "供应商按照每分钟的标记数限制请求,因此网关必须在发送之前知道请求的大小。" * 9,
    "code": PYTHON * 4,
    "JSON": json.dumps(ROWS, indent=2),
    "packed JSON": json.dumps(ROWS, separators=(",", ":")),
    "base64": base64.b64encode(NOISE).decode(),
    "base64 for addresses": base64.urlsafe_b64encode(NOISE).decode(),
    "hexadecimal": NOISE.hex(),
    "emoji": "🦊🔥💡🚀 " * 100,
    "a data address": "The picture: data:image/png;base64,"
    + base64.b64encode(NOISE[:900]).decode()
    + " shows it.",
}
COUNTED = {
    "English": 172,
    "Spanish": 163,
    "Russian": 190,
    "Chinese": 216,
    "code": 489,
    "JSON": 3402,
    "packed JSON": 1902,
    "base64": 2892,
    "base64 for addresses": 2871,
    "hexadecimal": 3623,
    "emoji": 801,
    "a data address": 827,
}


@pytest.mark.parametrize("kind", TEXTS)
def test_an_estimate_is_near_what_a_tokenizer_counts(kind):
    assert 0.9 <= tokens.estimate_text(TEXTS[kind]) / COUNTED[kind] <= 1.65


def test_nothing_is_more_than_the_most_that_there_can_be():
    for text in (*TEXTS.values(), "", "x", " " * 1_000, "\ud800", "٣" * 50, "a" * 31, "a1" * 20):
        assert 0 <= tokens.estimate_text(text) <= tokens.most([{"role": "user", "content": text}])


def test_long_names_are_words_and_no_noise():
    names = "test_what_is_too_large_everywhere_is_said_at_once_in_each_protocols_words " * 20
    assert tokens.estimate_text(names) < len(names) / 3


@pytest.mark.parametrize(
    "text", ["some words of code " * 8_000, "немного слов о коде " * 8_000, "ab1" * 50_000]
)
def test_a_long_text_takes_no_time(text):
    began = time.process_time()
    tokens.estimate_text(text)
    assert time.process_time() - began < 2
