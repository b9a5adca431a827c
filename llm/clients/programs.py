"""The lines that connect a client program with the gateway, for `clients add NAME --for PROGRAM` and docs/clients.

`{url}` is the site's address without a path, `{key}` a client's key.
"""

PROGRAMS: dict[str, str] = {
    "agents-sdk": """\
export OPENAI_BASE_URL={url}/v1 OPENAI_API_KEY={key} OPENAI_AGENTS_DISABLE_TRACING=1
# python
agent = Agent(name="assistant", model="auto")
""",
    "ai-sdk": """\
import {{ createOpenAI }} from "@ai-sdk/openai";
const gateway = createOpenAI({{ baseURL: "{url}/v1", apiKey: "{key}" }});
const {{ text }} = await generateText({{ model: gateway("auto"), prompt: "Say hello." }});
""",
    "aider": """\
export OPENAI_API_BASE={url}/v1
export OPENAI_API_KEY={key}
aider --model openai/auto
""",
    "anthropic-sdk": """\
export ANTHROPIC_BASE_URL={url}
export ANTHROPIC_API_KEY={key}
# then model="auto" in messages.create
""",
    "claude-code": """\
export ANTHROPIC_BASE_URL={url} ANTHROPIC_AUTH_TOKEN={key}
export ANTHROPIC_MODEL=auto ANTHROPIC_DEFAULT_HAIKU_MODEL=auto
claude
""",
    "cline": """\
API Provider: OpenAI Compatible     Model ID: auto
Base URL: {url}/v1
API Key: {key}
""",
    "codex": """\
export GUARDLABS_API_KEY={key}
# ~/.codex/config.toml
model = "auto"
model_provider = "guardlabs"
[model_providers.guardlabs]
name = "GuardLabs"
base_url = "{url}/v1"
env_key = "GUARDLABS_API_KEY"
wire_api = "responses"
""",
    "continue": """\
# ~/.continue/config.yaml, below models:
- {{ name: GuardLabs, provider: openai, model: auto, apiBase: "{url}/v1", apiKey: "{key}" }}
""",
    "curl": """\
curl {url}/v1/chat/completions -H "Authorization: Bearer {key}" -H "Content-Type: application/json" \\
  -d '{{"model": "auto", "messages": [{{"role": "user", "content": "Say hello."}}]}}'
""",
    "langchain": """\
from langchain_openai import ChatOpenAI
model = ChatOpenAI(model="auto", base_url="{url}/v1", api_key="{key}")
print(model.invoke("Say hello.").content)
""",
    "llamaindex": """\
from llama_index.llms.openai_like import OpenAILike
model = OpenAILike(model="auto", api_base="{url}/v1", api_key="{key}", is_chat_model=True)
print(model.complete("Say hello."))
""",
    "llm": """\
# extra-openai-models.yaml, in the folder that `llm logs path` names
- {{ model_id: guardlabs, model_name: auto, api_base: "{url}/v1", api_key_name: guardlabs }}
# then: llm keys set guardlabs --value {key} && llm -m guardlabs "Say hello."
""",
    "n8n": """\
Credentials > OpenAI
API Key: {key}
Base URL: {url}/v1     (and in the node, model by ID: auto)
""",
    "open-webui": """\
export OPENAI_API_BASE_URL={url}/v1
export OPENAI_API_KEY={key}
open-webui serve
""",
    "openai-sdk": """\
export OPENAI_BASE_URL={url}/v1
export OPENAI_API_KEY={key}
# then model="auto", in chat.completions, responses and embeddings
""",
    "opencode": """\
// opencode.json
{{ "provider": {{ "guardlabs": {{ "npm": "@ai-sdk/openai-compatible", "models": {{ "auto": {{}} }},
  "options": {{ "baseURL": "{url}/v1", "apiKey": "{key}" }} }} }}, "model": "guardlabs/auto" }}
""",
    "pydantic-ai": """\
export OPENAI_BASE_URL={url}/v1 OPENAI_API_KEY={key}
# python
agent = Agent("openai:auto")
""",
}


def lines(program: str, *, url: str, key: str) -> str:
    """What to type or to paste for a program. Raises KeyError."""
    return PROGRAMS[program].format(url=url.rstrip("/"), key=key)
