"""The fallback loop of many an article: every key in turn, errors ignored, the SDK's own retries left on."""

from collections.abc import Sequence

import groq
import openai

from bench.workload import MAX_TOKENS, PROMPT


def ask(url: str, keys: Sequence[str], *, timeout_s: float) -> str:
    """The text of the first call that raises nothing: Groq with each key, then a paid provider."""
    messages = [{"role": "user", "content": PROMPT}]
    for key in keys:
        try:
            client = groq.Groq(base_url=f"{url}/groq", api_key=key, timeout=timeout_s)  # max_retries is 2
            answer = client.chat.completions.create(
                model="openai/gpt-oss-120b", messages=messages, max_tokens=MAX_TOKENS
            )
            return answer.choices[0].message.content or ""
        except Exception:  # as the articles do
            continue
    paid = openai.OpenAI(base_url=f"{url}/deepseek/v1", api_key="naive-paid", timeout=timeout_s)
    answer = paid.chat.completions.create(model="deepseek-flash", messages=messages, max_tokens=MAX_TOKENS)
    return answer.choices[0].message.content or ""
