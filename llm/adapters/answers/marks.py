"""How models mark reasoning that is not for the reader, when it comes within the text.

One table. A provider that serves a model well takes the marks out itself (into `reasoning_content` or a thought part);
these are for those who do not. Sources: the models' chat templates on Hugging Face, vLLM's and SGLang's reasoning
parsers, OpenAI's harmony format (https://github.com/openai/harmony).
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Mark:
    """What opens and what closes hidden reasoning, in lower case.

    families: words in the ids of the models that write it
    word: callers have it in formats of their own, too: where the request names it, it is theirs
    alone: so usual a word that an answer of nothing else is no reasoning
    """

    open: str
    closes: tuple[str, ...]
    families: tuple[str, ...] = ()
    word: bool = False
    alone: bool = False


_THINK = ("</think>", "</thinking>")
MARKS = (
    Mark("<think>", _THINK, (
        "deepseek", "qwen", "qwq", "glm", "nemotron", "minimax", "kimi", "hunyuan", "ernie", "olmo", "phi-4", "smollm",
        "step", "magistral", "r1", "thinking", "reason", "lfm", "intern", "skywork", "exaone", "granite", "dots",
    )),
    Mark("<thinking>", _THINK, ("claude", "reflection")),
    Mark("<antthinking>", ("</antthinking>",), ("claude",)),
    Mark("<thought>", ("</thought>",), ("gemini", "gemma", "exaone", "marco")),
    Mark("<thoughts>", ("</thoughts>",), word=True),
    Mark("<reasoning>", ("</reasoning>",), ("reka",), word=True),
    Mark("<reflection>", ("</reflection>",), ("reflection",), word=True),
    Mark("<scratchpad>", ("</scratchpad>",), word=True),
    Mark("<analysis>", ("</analysis>",), word=True, alone=True),
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
    Mark("<ctrl94>thought", ("<ctrl95>",), ("gemini",)),
)  # fmt: skip

# Written around the part that is for the reader: the marks go, what is between them stays.
SILENT = (
    "<|start_response|>", "<|end_response|>", "<|start_text|>", "<|end_text|>", "<|begin_of_box|>", "<|end_of_box|>",
    "<|begin_of_solution|>", "<|end_of_solution|>", "[begin final response]", "[end final response]",
    "<|start_of_turn_token|>", "<|chatbot_token|>",
)  # fmt: skip
# The same as words that others may ask for: they go after reasoning, and where the model is known to write them.
WRAPS = (
    Mark("<answer>", ("</answer>",), ("hunyuan", "k2-think", "glm-4.1v", "glm-4.5v"), word=True),
    Mark("<response>", ("</response>",), ("ernie", "granite"), word=True),
    Mark("<output>", ("</output>",), ("marco", "reflection"), word=True),
)
# What ends a turn, where a server does not take it from the end of the text.
TURN_ENDS = (
    "<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|eot|>", "<|endoftext|>", "<|end_of_text|>", "<|end_of_turn|>",
    "<|end_of_turn_token|>", "<end_of_turn>", "<｜end▁of▁sentence｜>",
)  # fmt: skip

# OpenAI's harmony, as gpt-oss writes it: <|start|>assistant<|channel|>analysis<|message|>…<|end|>. The channel says
# whom a message is for; only `final` is for the reader.
HEADERS = ("<|start|>", "<|channel|>")
MESSAGE = "<|message|>"
ENDS = ("<|end|>", "<|return|>", "<|call|>")
FINAL = "final"
HARMONY = Mark("", (*ENDS, *HEADERS))


@dataclass(frozen=True)
class Spoken:
    """Reasoning that begins an answer in words. `hint`: what all that the pattern matches begins with."""

    mark: Mark
    hint: str
    pattern: re.Pattern[str]


# Harmony without its special tokens, as some servers decode it ("analysisWe need …assistantfinalHello"); Granite 3.2.
_ANALYSIS = Mark("", ("assistantfinal",), ("gpt-oss",))
_PROCESS = Mark("", ("here is my response:", "here's my response:"), ("granite",), alone=True)
_FIRST_WORD = r"analysis(?=<\|message\|>|[a-z][\w'’]{0,30}[\s,.])"
SPOKEN = (
    Spoken(_ANALYSIS, "analysis", re.compile(_FIRST_WORD, re.I)),
    Spoken(_ANALYSIS, "assistant", re.compile(f"assistant{_FIRST_WORD}", re.I)),
    Spoken(_PROCESS, "here", re.compile(r"here(?: is|['’]s) my thought process:", re.I)),
)

# Their templates open the reasoning in the prompt, so the answer holds the closing mark alone.
OPENED_IN_PROMPT = (
    "deepseek-r1", "r1-distill", "qwq", "thinking", "nemotron", "glm-4.5", "glm-4.6", "glm-4.7", "glm-5", "minimax-m",
    "olmo-3", "reasoning", "step-3", "qwen3", "seed-oss",
)  # fmt: skip


def is_of(mark: Mark, model: str) -> bool:
    """Whether a model of this id is known to write the mark."""
    name = model.lower()
    return any(family in name for family in mark.families)
