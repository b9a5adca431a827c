"""How tests ask the gateway: a client with its key, and bodies as the SDKs send them."""

import json

from django.core.signals import request_finished
from django.db import close_old_connections
from django.test import Client as Browser

from llm.clients import access as clients

URL = "/v1/chat/completions"
HELLO = [{"role": "user", "content": "Say hello."}]


def make_client(name="shop", **fields):
    """A client and its key."""
    return clients.add(name=name, **fields)


class Gateway:
    """Asks as one client."""

    def __init__(self, key, browser=None):
        self.key = key
        self.browser = browser or Browser()

    def post(self, body, **headers):
        return self.post_to(URL, body, **headers)

    def post_to(self, path, body, **headers):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.browser.post(
            path, content, "application/json", headers={"authorization": f"Bearer {self.key}", **headers}
        )

    def ask(self, messages=HELLO, **body):
        return self.post({"messages": messages, **body})

    def get(self, path):
        return self.browser.get(path, headers={"authorization": f"Bearer {self.key}"})

    def stream(self, messages=HELLO, **body):
        """The chunks of a streamed answer, as JSON; the closing mark as it is."""
        return chunks_of(self.ask(messages, stream=True, **body))


def chunks_of(response):
    assert response.status_code == 200, response.content
    text = b"".join(response.streaming_content).decode()  # the test client closes it then
    lines = [line.removeprefix("data: ") for line in text.split("\n\n") if line]
    return [line if line == "[DONE]" else json.loads(line) for line in lines]


def leave(response):
    """Closes a stream as a server does whose reader has gone, but keeps the test's database connection."""
    request_finished.disconnect(close_old_connections)
    try:
        response.close()
    finally:
        request_finished.connect(close_old_connections)


def text_of(chunks):
    choices = [choice for chunk in chunks if chunk != "[DONE]" for choice in chunk.get("choices", ())]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


def error_of(response):
    error = response.json()["error"]
    assert set(error) >= {"message", "type", "param", "code"}
    return error
