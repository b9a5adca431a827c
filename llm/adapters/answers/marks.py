"""How models mark reasoning that is not for the reader, when it comes within the text.

One table. A provider that serves a model well takes the marks out itself (into `reasoning_content` or a thought part);
these are for those who do not. Sources: the models' chat templates on Hugging Face, vLLM's and SGLang's reasoning
parsers, OpenAI's harmony format (https://github.com/openai/harmony).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mark:
    """What opens and what closes hidden reasoning. `families`: words in the ids of the models that write it."""

    open: str
    closes: tuple[str, ...]
    families: tuple[str, ...] = ()


_THINK = ("</think>", "</thinking>")
MARKS = (
    Mark("<think>", _THINK, (
        "deepseek", "qwen", "qwq", "glm", "nemotron", "minimax", "kimi", "hunyuan", "ernie", "olmo", "phi-4", "smollm",
        "step", "magistral", "r1", "thinking", "reason", "lfm", "intern", "skywork", "exaone", "granite", "dots",
    )),
    Mark("<thinking>", _THINK, ("claude",)),
    Mark("<thought>", ("</thought>",), ("gemini", "gemma", "exaone")),
    Mark("<thoughts>", ("</thoughts>",)),
    Mark("<reasoning>", ("</reasoning>",), ("reka",)),
    Mark("<reflection>", ("</reflection>",), ("reflection",)),
    Mark("<scratchpad>", ("</scratchpad>",)),
    Mark("<seed:think>", ("</seed:think>",), ("seed", "doubao")),
    Mark("<mm:think>", ("</mm:think>",), ("minimax",)),
    Mark("[think]", ("[/think]",), ("mistral", "magistral", "ministral", "devstral")),
    Mark("<|begin_of_thought|>", ("<|end_of_thought|>",), ("sky-t1", "openthinker", "bespoke")),
    Mark("<|start_thinking|>", ("<|end_thinking|>",), ("command", "cohere", "aya")),
    Mark("<|think_start|>", ("<|think_end|>",)),
    Mark("<|thinking|>", ("<|/thinking|>", "<|end_thinking|>")),
    Mark("<｜begin▁of▁thinking｜>", ("<｜end▁of▁thinking｜>",), ("deepseek",)),
    Mark("<｜begin▁of▁think｜>", ("<｜end▁of▁think｜>",), ("deepseek",)),
    Mark("<|inner_prefix|>", ("<|inner_suffix|>",), ("apertus",)),
    Mark("<|think|>", ("<|/think|>", "<|end_think|>")),
    Mark("[reasoning]", ("[/reasoning]",)),
    Mark("<think_fast>", ("</think_fast>",), ("step", "hunyuan")),
    Mark("<think_faster>", ("</think_faster>",)),
    Mark("◁think▷", ("◁/think▷",), ("kimi",)),
    Mark("<|channel>thought", ("<channel|>",), ("gemma",)),
    Mark("<unused94>thought", ("<unused95>",), ("medgemma", "gemma")),
)  # fmt: skip

# Written around the part that is for the reader: the marks go, what is between them stays.
SILENT = (
    "<|start_response|>", "<|end_response|>", "<|begin_of_box|>", "<|end_of_box|>", "<|begin_of_solution|>",
    "<|end_of_solution|>", "[begin final response]", "[end final response]",
)  # fmt: skip

# OpenAI's harmony, as gpt-oss writes it: <|start|>assistant<|channel|>analysis<|message|>…<|end|>. The channel says
# whom a message is for; only `final` is for the reader.
HEADERS = ("<|start|>", "<|channel|>")
MESSAGE = "<|message|>"
ENDS = ("<|end|>", "<|return|>", "<|call|>")
FINAL = "final"
# The same without its special tokens, as some servers decode it: "analysisWe need …assistantfinalHello".
BARE = Mark("analysis", ("assistantfinal",), ("gpt-oss",))

# Their templates open the reasoning in the prompt, so the answer holds the closing mark alone.
OPENED_IN_PROMPT = (
    "deepseek-r1", "r1-distill", "qwq", "thinking", "nemotron", "glm-4.5", "glm-4.6", "glm-4.7", "glm-5", "minimax-m",
    "olmo-3", "reasoning", "step-3", "qwen3", "seed-oss",
)  # fmt: skip


def is_of(mark: Mark, model: str) -> bool:
    """Whether a model of this id is known to write the mark."""
    name = model.lower()
    return any(family in name for family in mark.families)
