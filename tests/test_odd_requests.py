"""Requests that are odd and legal, as real clients send them: answered or refused in words, and never silently other.

Each row: what is sent, and either the names that `x-guardlabs-ignored` has to list, or the parameter that a 400 names.
"""

import json

import pytest

from tests.chain_setup import OSS, make_groq

pytestmark = pytest.mark.django_db
HELLO = [{"role": "user", "content": "Hello."}]
TOOL = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}},
}
PNG = "data:image/png;base64,iVBORw0KGgo="
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}


def said(*messages):
    return {"messages": [*messages]}


CHAT = {
    "developer role": (said({"role": "developer", "content": "Be brief."}, *HELLO), set()),
    "system in parts": (said({"role": "system", "content": [{"type": "text", "text": "Be brief."}]}, *HELLO), set()),
    "names": (said({"role": "user", "name": "ada", "content": "Hello."}), set()),
    "parallel calls off": ({"tools": [TOOL], "parallel_tool_calls": False}, set()),
    "parallel calls without tools": ({"parallel_tool_calls": True}, set()),
    "empty tools": ({"tools": [], "tool_choice": "auto"}, set()),
    "strict tool": ({"tools": [{**TOOL, "function": {**TOOL["function"], "strict": True}}]}, set()),
    "store and metadata": ({"store": True, "metadata": {"a": "b"}}, {"store", "metadata"}),
    "store false": ({"store": False}, set()),
    "service tier": ({"service_tier": "auto"}, {"service_tier"}),
    "prediction": ({"prediction": {"type": "content", "content": "Hi"}}, {"prediction"}),
    "logit bias": ({"logit_bias": {"50256": -100}}, {"logit_bias"}),
    "empty logit bias": ({"logit_bias": {}}, set()),
    "web search": ({"web_search_options": {}}, set()),
    "web search of a size": ({"web_search_options": {"search_context_size": "low"}}, {"web_search_options"}),
    "verbosity": ({"verbosity": "low"}, {"verbosity"}),
    "safety identifier": ({"safety_identifier": "x"}, {"safety_identifier"}),
    "top k": ({"top_k": 40, "min_p": 0.1, "repetition_penalty": 1.1}, {"top_k", "min_p", "repetition_penalty"}),
    "text alone as modality": ({"modalities": ["text"]}, set()),
    "audio answer": ({"modalities": ["text", "audio"], "audio": {"voice": "x", "format": "wav"}}, "modalities"),
    "audio input": (
        said({"role": "user", "content": [{"type": "text", "text": "Hear."},
                                          {"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}]}),
        "messages[0].content[1]"),
    "file": (said({"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}), "messages[0].content[0]"),
    "audio of an earlier answer": (
        said(*HELLO, {"role": "assistant", "content": None, "audio": {"id": "a"}}, *HELLO), "messages[1].content"),
    "refusal of an earlier answer": (
        said(*HELLO, {"role": "assistant", "content": None, "refusal": "No."}, *HELLO), set()),
    "annotations of an earlier answer": (
        said(*HELLO, {"role": "assistant", "content": "Hi.", "annotations": [], "refusal": None}, *HELLO), set()),
    "call with empty text": (
        said(*HELLO, {"role": "assistant", "content": "", "tool_calls": [CALL]},
             {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "rain"}]}), set()),
    "tool's empty result": (
        said(*HELLO, {"role": "assistant", "tool_calls": [CALL]},
             {"role": "tool", "tool_call_id": "call_1", "content": ""}), set()),
    "picture with detail": (
        said({"role": "user", "content": [{"type": "text", "text": "See."},
                                          {"type": "image_url", "image_url": {"url": PNG, "detail": "low"}}]}), set()),
    "picture of original detail": (
        said({"role": "user", "content": [{"type": "text", "text": "See."},
                                          {"type": "image_url", "image_url": {"url": PNG, "detail": "original"}}]}),
        set()),
    "custom tool": ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, "tools[0].type"),
    "cache marks of OpenRouter": (
        said({"role": "user", "content": [{"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}]}),
        set()),
    "log probabilities": ({"logprobs": True, "top_logprobs": 2}, "logprobs"),
    "no log probabilities": ({"logprobs": False, "top_logprobs": 0}, set()),
    "obfuscation": ({"stream_options": {"include_obfuscation": False}}, set()),
    "unknown stream option": ({"stream_options": {"x": True}}, {"stream_options.x"}),
    "stops": ({"stop": ["a", "b", "c", "d"]}, set()),
    "no stops": ({"stop": None, "seed": None, "user": None, "n": None}, set()),
    "verbose reasoning": ({"reasoning": {"effort": "low", "max_tokens": 100}}, {"reasoning.max_tokens"}),
    "prompt cache": ({"prompt_cache_key": "a", "prompt_cache_retention": "24h"}, {"prompt_cache_retention"}),
    "text as format": ({"response_format": {"type": "text"}}, set()),
    "other models": ({"models": ["a", "b"], "route": "fallback", "provider": {"order": ["x"]}},
                     {"models", "route", "provider"}),
}  # fmt: skip

USER = {"role": "user", "content": "Hello."}


def items(*more):
    return {"input": [*more, USER]}


RESPONSES = {
    "text": ({"input": "Hello."}, set()),
    "easy message": (items(), set()),
    "item reference": (items({"type": "item_reference", "id": "msg_1"}), {"input.item_reference"}),
    "reasoning": (items({"type": "reasoning", "id": "rs", "summary": []}), set()),
    **{kind: (items({"type": kind, "id": "x", "status": "completed"}), {f"input.{kind}"}) for kind in (
        "file_search_call", "computer_call", "computer_call_output", "web_search_call", "image_generation_call",
        "code_interpreter_call", "local_shell_call", "local_shell_call_output", "shell_call", "shell_call_output",
        "apply_patch_call", "apply_patch_call_output", "mcp_list_tools", "mcp_approval_request",
        "mcp_approval_response", "mcp_call", "compaction", "tool_search_call", "tool_search_output",
    )},
    "output with annotations": (items(
        {"type": "message", "id": "m", "role": "assistant", "status": "completed", "phase": "final_answer",
         "content": [{"type": "output_text", "text": "Hi.", "annotations": [], "logprobs": []}]}), set()),
    "refusal": (items({"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}),
                set()),
    "picture": ({"input": [{"role": "user", "content": [
        {"type": "input_text", "text": "See."}, {"type": "input_image", "image_url": PNG, "detail": "auto"}]}]}, set()),
    "picture by id": ({"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]},
                      "input[0].content[0].image_url"),
    "file": ({"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}]}, "input[0].content[0]"),
    "output of a function in parts": (items(
        {"type": "function_call", "call_id": "c", "name": "w", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": [
            {"type": "input_text", "text": "rain"}, {"type": "input_image", "image_url": PNG}]}), set()),
    "hosted tools": ({"input": "x", "tools": [{"type": "web_search"}, {"type": "file_search", "vector_store_ids": []},
                      {"type": "code_interpreter", "container": {"type": "auto"}}, {"type": "mcp"}]},
                     {"tools.web_search", "tools.file_search", "tools.code_interpreter", "tools.mcp"}),
    "choice of a hosted tool": ({"input": "x", "tools": [{"type": "web_search"}],
                                 "tool_choice": {"type": "web_search"}},
                                {"tools.web_search", "tool_choice"}),
    "metadata and tier": ({"input": "x", "metadata": {"a": "b"}, "service_tier": "flex", "truncation": "auto"},
                          {"service_tier", "truncation"}),
    "no truncation": ({"input": "x", "truncation": "disabled", "service_tier": "default"},
                      {"truncation", "service_tier"}),
    "verbosity": ({"input": "x", "text": {"verbosity": "high"}}, {"text.verbosity"}),
    "most calls": ({"input": "x", "max_tool_calls": 3}, {"max_tool_calls"}),
    "in the background": ({"input": "x", "background": True}, "background"),
    "not in the background": ({"input": "x", "background": False}, set()),
    "kept prompt": ({"input": "x", "prompt": {"id": "p"}}, "prompt"),
    "conversation": ({"input": "x", "conversation": "c"}, "conversation"),
    "include": ({"input": "x", "include": ["file_search_call.results"]}, {"include.file_search_call.results"}),
    "instructions in a list": ({"input": "x", "instructions": [USER]}, "instructions"),
    "reasoning context": ({"input": "x", "reasoning": {"effort": "low", "context": "all"}}, {"reasoning.context"}),
    "client metadata": ({"input": "x", "client_metadata": {"a": "b"}}, {"client_metadata"}),
}  # fmt: skip


def talk(*content, role="user", **more):
    return {"max_tokens": 100, "messages": [{"role": role, "content": [*content]}], **more}


TEXT = {"type": "text", "text": "Hello."}
SERVER_RESULT = {"type": "web_search_tool_result", "tool_use_id": "s", "content": []}
MESSAGES = {
    "cache marks": (talk({**TEXT, "cache_control": {"type": "ephemeral", "ttl": "1h"}}), set()),
    "cache of the whole": (talk(TEXT, cache_control={"type": "ephemeral"}), {"cache_control"}),
    "thinking": (talk(TEXT, thinking={"type": "enabled", "budget_tokens": 2_000}), set()),
    "adaptive thinking": (talk(TEXT, thinking={"type": "adaptive", "display": "summarized"}), {"thinking.display"}),
    "an earlier thought": (
        {"max_tokens": 9, "messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "Hm.", "signature": "s"}, TEXT]}, *HELLO]}, set()),
    "a thought in secret": (
        {"max_tokens": 9, "messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": [
            {"type": "redacted_thinking", "data": "x"}, TEXT]}, {"role": "user", "content": "y"}]}, set()),
    "document of text": (talk(
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Words."}}, TEXT), set()),
    "document with a title": (talk(
        {"type": "document", "title": "T", "context": "C", "citations": {"enabled": True},
         "source": {"type": "text", "media_type": "text/plain", "data": "Words."}}, TEXT), {"messages.citations"}),
    "document of blocks": (talk(
        {"type": "document", "source": {"type": "content", "content": [TEXT]}}, TEXT), set()),
    "document as PDF": (talk(
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}}, TEXT),
        "messages[0].content[0]"),
    "search result": (talk(
        {"type": "search_result", "source": "https://x.example", "title": "T", "content": [TEXT]}, TEXT), set()),
    "server tools": (talk(TEXT, tools=[{"type": "web_search_20250305", "name": "web_search", "max_uses": 5},
                                       {"type": "bash_20250124", "name": "bash"}]),
                     {"tools.web_search_20250305", "tools.bash_20250124"}),
    "server tool's use": (
        {"max_tokens": 9, "messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": [
            {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}, SERVER_RESULT, TEXT]},
            {"role": "user", "content": "y"}]}, {"messages.server_tool_use", "messages.web_search_tool_result"}),
    "choice of a server tool": (talk(
        TEXT, tools=[{"type": "bash_20250124", "name": "bash"}], tool_choice={"type": "tool", "name": "bash"}),
        "tool_choice"),
    "MCP servers": (talk(TEXT, mcp_servers=[{"type": "url", "url": "https://x.example"}]), {"mcp_servers"}),
    "container": (talk(TEXT, container={"skills": []}), {"container"}),
    "context management": (talk(TEXT, context_management={"edits": [{"type": "clear_tool_uses_20250919"}]}),
                           {"context_management"}),
    "service tier": (talk(TEXT, service_tier="auto", inference_geo="us"), {"service_tier", "inference_geo"}),
    "top k": (talk(TEXT, top_k=40), {"top_k"}),
    "metadata": (talk(TEXT, metadata={"user_id": "u"}), set()),
    "output config": (talk(TEXT, output_config={"effort": "low", "task_budget": {"total": 9}}),
                      {"output_config.task_budget"}),
    "empty system": (talk(TEXT, system=""), set()),
    "system with marks": (talk(TEXT, system=[{**TEXT, "cache_control": {"type": "ephemeral"}}]),
                          set()),
    "system among the messages": (
        {"max_tokens": 9, "messages": [{"role": "user", "content": "x"}, {"role": "system", "content": "y"}]}, set()),
    "an assistant's last word": (
        {"max_tokens": 9, "messages": [*HELLO, {"role": "assistant", "content": "{"}]}, set()),
    "strange tool": (talk(TEXT, tools=[{"name": "t", "input_schema": {"type": "object"}, "defer_loading": True,
                                        "input_examples": [{}], "eager_input_streaming": True}]), set()),
    "failed tool": (
        {"max_tokens": 9, "messages": [
            {"role": "user", "content": "x"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": id, "name": "w", "input": {}} for id in "tu"]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "is_error": True},
                                         {"type": "tool_result", "tool_use_id": "u", "content": [
                                             {"type": "image", "source": {"type": "url", "url": "https://x.example/a"}}]}]}]},
        set()),
    "picture by file": (talk({"type": "image", "source": {"type": "file", "file_id": "f"}}, TEXT),
                        "messages[0].content[0].source"),
    "no most": ({"messages": HELLO}, set()),
    "count of what is large": (talk(TEXT, max_tokens=1_000_000), set()),
}  # fmt: skip

ROWS = [
    pytest.param(path, {"model": "auto", **base, **body}, expected, id=f"{path[4:]} {name}")
    for path, base, rows in (
        ("/v1/chat/completions", {"messages": HELLO}, CHAT),
        ("/v1/responses", {}, RESPONSES),
        ("/v1/messages", {}, MESSAGES),
    )
    for name, (body, expected) in rows.items()
]


@pytest.mark.parametrize(("path", "body", "expected"), ROWS)
def test_it_is_answered_with_what_was_ignored_or_refused_with_its_place(sim, gateway, path, body, expected):
    make_groq(sim, keys=1, models=[{"name": OSS, "images": True}])
    response = gateway.post_to(path, body)
    if isinstance(expected, str):
        error = response.json()["error"]
        assert (response.status_code, error["param"]) == (400, expected), error
        return
    assert response.status_code == 200, response.content
    ignored = response.headers.get("x-guardlabs-ignored", "")
    assert {name for name in ignored.split(", ") if name} == expected
    streamed = gateway.post_to(path, {**body, "stream": True})
    assert streamed.status_code == 200
    assert streamed.headers.get("x-guardlabs-ignored", "") == ignored
    told = b"".join(streamed.streaming_content).decode()
    assert '"error": {' not in told
    for line in told.splitlines():
        if line.startswith("data: {"):
            json.loads(line[6:])
