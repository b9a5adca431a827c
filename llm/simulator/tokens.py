"""How the simulator counts tokens: simple, and the same every time. 4 characters a token, Cyrillic 2.5."""

import re
from functools import lru_cache
from math import ceil

_CYRILLIC = re.compile("[\u0400-\u04ff]+")


@lru_cache(maxsize=4096)
def count_tokens(text: str) -> int:
    """Tokens of a text: characters ÷ 4 and Cyrillic letters ÷ 2.5, each rounded up."""
    if text.isascii():
        return ceil(len(text) / 4)
    other = len(_CYRILLIC.sub("", text))
    return ceil(other / 4) + ceil((len(text) - other) / 2.5)


@lru_cache(maxsize=4096)
def cut_to_tokens(text: str, limit: int) -> str:
    """The longest beginning of a text that has at most `limit` tokens."""
    if count_tokens(text) <= limit:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if count_tokens.__wrapped__(text[:middle]) <= limit:
            low = middle
        else:
            high = middle - 1
    return text[:low]
