"""Why a model stopped: every provider's word for it, in one table of three classes.

Sources: OpenAI, Mistral, DeepSeek, Z.ai, Cohere, Anthropic and Bedrock API references; google.genai's FinishReason;
vLLM, SGLang, llama.cpp and text-generation-inference as served.
"""

from enum import IntEnum

from llm.failures.kinds import Failure, Kind


class Finish(IntEnum):
    """What a finish reason means, from good to bad: of several in one stream the worst counts."""

    NONE = 0  # none was stated
    DONE = 1
    UNKNOWN = 2  # a word that is not in the table: done if there is a text, but never kept for others
    LENGTH = 3  # cut: half an answer
    BLOCKED = 4  # a filter stopped it
    SPOILED = 5  # the model's output was unusable: this call's bad luck
    BROKEN = 6  # the provider failed


_TABLE = {
    Finish.DONE: "stop stopped stop_sequence stop_token end end_turn end_of_turn eos eos_token eos_found complete "
    "completed done finish finished success tool_calls tool_call tool_use function_call functioncall pause_turn",
    Finish.LENGTH: "length max_tokens max_length model_length max_output_tokens max_completion_tokens max_new_tokens "
    "token_limit token_limit_reached context_length context_length_exceeded context_window_exceeded truncated "
    "model_context_window_exceeded incomplete limit output_limit",
    Finish.BLOCKED: "content_filter content_filtered content_policy content_policy_violation safety sensitive refusal "
    "refused recitation blocklist prohibited_content spii model_armor image_safety image_prohibited_content "
    "image_recitation language blocked filtered moderation moderated flagged risk guardrail guardrails "
    "guardrail_intervened policy_violation error_toxic toxic escalation",
    Finish.SPOILED: "malformed_function_call malformed_response malformed_model_output malformed_tool_use "
    "unexpected_tool_call too_many_tool_calls missing_thought_signature other no_image image_other "
    "repetition repetition_detected",
    Finish.BROKEN: "error errored error_limit insufficient_system_resource network_error abort aborted timeout "
    "timed_out time_limit cancel cancelled canceled interrupted disconnected failed failure fail server_error "
    "internal_error internal_server_error engine_error exception overloaded unavailable service_unavailable "
    "rate_limit rate_limited",
}  # fmt: skip
_CLASS = {word: finish for finish, words in _TABLE.items() for word in words.split()}
_UNSTATED = {"", "none", "null", "finish_reason_unspecified", "unspecified"}
_FAILURE = {
    Finish.BLOCKED: Kind.CONTENT_BLOCKED,
    Finish.SPOILED: Kind.EMPTY_OUTPUT,
    Finish.BROKEN: Kind.PROVIDER_DOWN,
}


class Ending:
    """The finish reasons of one answer, in whatever chunks they came."""

    def __init__(self) -> None:
        self.finish = Finish.NONE
        self.reason = ""

    def note(self, reason: object) -> None:
        """One stated reason. A later `stop` does not take back that an answer was cut."""
        if not reason:
            return
        word = str(reason).strip()
        plain = word.lower().replace("-", "_").replace(" ", "_").removeprefix("finish_reason_")
        finish = Finish.NONE if plain in _UNSTATED else _CLASS.get(plain, Finish.UNKNOWN)
        if finish > self.finish:
            self.finish, self.reason = finish, word[:60]

    def check(self) -> None:
        """Raises the Failure that the reason is, if it is one."""
        if kind := _FAILURE.get(self.finish):
            raise Failure(kind, f"finish reason {self.reason}", status=200)

    @property
    def doubt(self) -> str:
        """Why this ending is no proof of a whole answer; empty when it is one, or says itself that it is cut."""
        if self.finish is Finish.UNKNOWN:
            return f"unknown finish reason {self.reason}"
        return "no finish reason" if self.finish is Finish.NONE else ""

    def word(self, *, called: bool) -> str:
        """In OpenAI's words: length, tool_calls or stop."""
        if self.finish is Finish.LENGTH:
            return "length"
        return "tool_calls" if called else "stop"
