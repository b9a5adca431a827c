"""Groq through its own SDK, which is of the same family as openai's and appends `/openai/v1` itself."""

from typing import Any

import groq
import httpx

from llm.adapters import transport
from llm.adapters.openai import OpenAICompatible
from llm.hosts import BASE_URLS


class Groq(OpenAICompatible):
    sdk = groq
    library = httpx
    http = transport.client(httpx)
    default_base_url = BASE_URLS["groq"]
    chat_path = "/openai/v1/chat/completions"
    embeddings_path = "/openai/v1/embeddings"

    def _client(self, **options: Any) -> Any:
        return groq.AsyncGroq(**options)
