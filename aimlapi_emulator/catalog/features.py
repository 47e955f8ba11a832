"""What an endpoint takes of one model, as data: `validation` makes the request schema of it.

A word that is not listed here is an error when the row is made. A new word needs its validator, in
`validation.chat` (PARAMS), `validation.responses` (PARAMS, tools) or `validation.responses_items`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, get_args

Effort = Literal["none", "low", "medium", "high"]
Upstream = Literal["openai", "openrouter", "anthropic", "google", "deepseek"]
# Those of OpenRouter's published schema, on which the ids with a dot are answered.
OpenRouterParam = Literal[
    "temperature",
    "top_p",
    "seed",
    "logprobs",
    "top_logprobs",
    "stop",
    "max_completion_tokens",
    "frequency_penalty",
    "presence_penalty",
    "repetition_penalty",
    "logit_bias",
    "prediction",
    "web_search_options",
    "search_mode",
    "search_domain_filter",
    "search_recency_filter",
    "search_after_date_filter",
    "search_before_date_filter",
    "last_updated_after_filter",
    "last_updated_before_filter",
    "return_images",
    "return_related_questions",
    "echo",
    "min_p",
    "top_k",
    "top_a",
    "provider",
    "normalize_tool_schemas",
]
# Those of Anthropic's and of Alibaba's form.
DeveloperParam = Literal[
    "stop_sequences", "system", "metadata", "thinking", "enable_thinking", "thinking_budget"
]
ChatParam = Literal["n", DeveloperParam, OpenRouterParam]
ResponsesParam = Literal["temperature", "top_p"]
BuiltinTool = Literal[
    "web_search_preview",
    "web_search_preview_2025_03_11",
    "mcp",
    "local_shell",
    "code_interpreter",
]
# The vendor's own members, which its live specification lists for every model on chat.
LIVE_PARAMS: frozenset[ChatParam] = frozenset({"provider", "normalize_tool_schemas"})
BUILTIN_TOOLS: frozenset[BuiltinTool] = frozenset(
    {"web_search_preview", "web_search_preview_2025_03_11", "mcp"}
)


@dataclass(frozen=True, slots=True)
class ChatFeatures:
    """What chat completions take of one model, beside what they take of each.

    Of each: `messages`, `max_tokens`, `stream`, `stream_options`, function tools with their
    choice, and `response_format`.
    """

    paths: tuple[str, ...] = ()
    """Where it is served; () if it is not."""
    params: frozenset[ChatParam] = frozenset()
    efforts: tuple[Effort, ...] = ()
    """Values of `reasoning_effort`; () refuses the parameter."""
    images: bool = True
    pdfs: bool = True
    live_params: frozenset[ChatParam] = LIVE_PARAMS
    """Those that only the live specification lists."""
    newer_form: bool = False
    """Whether messages and tools have the newer, looser form, as all of them have in the live
    specification: an assistant's null content, text parts in tool results, custom tools."""
    tools: bool = True
    response_format: bool = True
    developer_role: bool = True
    upstream: Upstream = "openai"
    """Whose form requests and answers have. OpenRouter's schema has `reasoning`, custom tools,
    cached parts and an assistant's null content, and its answers have members of their own.
    Answers of Anthropic's end with `end_turn`, Google's calls carry `extra_content`, DeepSeek's
    messages `reasoning_content`, as the samples in the documents show."""

    def __post_init__(self) -> None:
        check_words("params", self.params, ChatParam)
        check_words("efforts", self.efforts, Effort)
        check_words("live_params", self.live_params, ChatParam)
        check_words("upstream", [self.upstream], Upstream)


@dataclass(frozen=True, slots=True)
class ResponsesFeatures:
    """What Responses take of one model, beside what they take of each.

    Of each: `input` of messages, function calls and MCP items, `max_output_tokens`, `stream`,
    `text`, function tools with their choice, `include`, `store` and the like.
    """

    paths: tuple[str, ...] = ()
    """Where it is served; () if it is not."""
    params: frozenset[ResponsesParam] = frozenset()
    efforts: tuple[Effort, ...] = ()
    """Values of `reasoning.effort`; () refuses `reasoning`."""
    reasoning_items: bool = False
    """Whether `input` may hold them."""
    images: bool = False
    pdfs: bool = True
    tools: frozenset[BuiltinTool] = BUILTIN_TOOLS
    """Beside functions. With `local_shell` its items may be in `input`."""

    def __post_init__(self) -> None:
        check_words("params", self.params, ResponsesParam)
        check_words("efforts", self.efforts, Effort)
        check_words("tools", self.tools, BuiltinTool)


def check_words(name: str, words: Iterable[str], listed: Any) -> None:
    """Raise ValueError for a word that the Literal `listed` does not have."""
    unknown = sorted(set(words) - set(get_args(listed)))
    if unknown:
        known = ", ".join(get_args(listed))
        raise ValueError(f"{name}: {', '.join(map(repr, unknown))} is none of: {known}")


def check_complete(name: str, table: Iterable[str], listed: Any) -> None:
    """Raise ValueError unless the table has exactly the words of the Literal `listed`."""
    check_words(name, table, listed)
    missing = sorted(set(get_args(listed)) - set(table))
    if missing:
        raise ValueError(f"{name} has no validator for {', '.join(map(repr, missing))}")


# OpenAI's of GPT-5.x, by its refusal (cline#5474) and reports on 5.2 and 5.2-pro (coder/xum#1223,
# langchain#34419), seen 2026-11-29. That the service passes it on is likely, not proven.
INPUT_MAX = 272_000

VERSIONED_PATH = ("/v1/chat/completions",)
BOTH_PATHS = ("/v1/chat/completions", "/chat/completions")
RESPONSES_PATH = ("/v1/responses",)
EFFORTS: tuple[Effort, ...] = ("low", "medium", "high")
SAMPLING: frozenset[ChatParam] = frozenset({"temperature", "top_p"})
LOGPROBS: frozenset[ChatParam] = frozenset({"logprobs", "top_logprobs"})
INTERPRETER: frozenset[BuiltinTool] = frozenset({"code_interpreter"})

OPENROUTER = ChatFeatures(
    paths=VERSIONED_PATH,
    params=frozenset(get_args(OpenRouterParam)),
    efforts=EFFORTS,
    upstream="openrouter",
)
RESPONSES_WITH_SAMPLING = ResponsesFeatures(
    paths=RESPONSES_PATH,
    params=frozenset({"temperature", "top_p"}),
    efforts=("none", *EFFORTS),
    reasoning_items=True,
    tools=BUILTIN_TOOLS | INTERPRETER,
)
CODEX_RESPONSES = ResponsesFeatures(
    paths=RESPONSES_PATH,
    efforts=EFFORTS,
    reasoning_items=True,
    tools=BUILTIN_TOOLS | {"local_shell"},
)
