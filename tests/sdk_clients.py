"""The official SDKs against the site in this process: no port, the test's own database."""

import anthropic
import httpx2
import openai
from django.test import Client as Browser

from tests.gateway_client import make_client

BASE = "http://testserver"


class _Site(httpx2.BaseTransport):
    """Hands a request of an SDK's to Django's test client."""

    def __init__(self):
        self.browser = Browser()

    def handle_request(self, request):
        headers = {
            name: value for name, value in request.headers.items() if name not in ("content-type", "host")
        }
        path = request.url.raw_path.decode()
        kind = request.headers.get("content-type", "application/json")
        answer = self.browser.generic(request.method, path, request.read(), kind, headers=headers)
        content = answer.streaming_content if answer.streaming else answer.content
        return httpx2.Response(answer.status_code, headers=list(answer.items()), content=content)


def openai_sdk(key=None, **client):
    key = key or make_client(**client)[1]
    http = httpx2.Client(transport=_Site())
    return openai.OpenAI(base_url=f"{BASE}/v1", api_key=key, http_client=http, max_retries=0)


def anthropic_sdk(key=None, **client):
    key = key or make_client(**client)[1]
    http = httpx2.Client(transport=_Site())
    return anthropic.Anthropic(base_url=BASE, api_key=key, http_client=http, max_retries=0)
