"""The rows of the other models of the GPT family, each checked by hand as those of GPT-5.2 are.

The sources' tags are those of `gpt_5_2`. Ids are those that the documents list: an id with a date
in it is not known without it. OpenAI's windows of 400,000 hold 272,000 tokens of input [U], those
of 1,050,000 hold 922,000 [C: tables of public clients, seen 2026-11-29].
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from aimlapi_core.models.gpt_5_2 import (
    BOTH,
    BUILTIN,
    CHAT,
    LOGPROBS,
    MAX_INPUT_TOKENS,
    OPENROUTER_BASE,
    REASONING,
    RESPONSES,
    SAMPLING,
)
from aimlapi_core.models.model_info import ModelInfo
from aimlapi_core.types import Endpoint

_EFFORTS = ("low", "medium", "high")
_WITH_INTERPRETER = (*BUILTIN, "code_interpreter")
_LARGE_INPUT_TOKENS = 922_000
_CHAT_ONLY: frozenset[Endpoint] = frozenset({"chat"})
_RESPONSES_ONLY: frozenset[Endpoint] = frozenset({"responses"})

# No temperature, top_p or logprobs on either endpoint.
_REASONING_ONLY: Mapping[Endpoint, frozenset[str]] = {
    "chat": CHAT | {"n", "reasoning_effort"},
    "responses": RESPONSES | REASONING,
}

_GPT_5 = ModelInfo(
    id="openai/gpt-5-2025-08-07",
    aliases=(),
    params=_REASONING_ONLY,
    context_window=400_000,
    max_output_tokens=128_000,
    max_input_tokens=MAX_INPUT_TOKENS,
    reasoning_efforts=_EFFORTS,
    images=BOTH,
    builtin_tools=_WITH_INTERPRETER,
    replays_reasoning=True,
    source="[D] gpt-5.json, gpt-5-RESPONSES.json; largest input and output [U]",
)

_PRO = ModelInfo(  # of 5.4 and 5.5, on Responses
    id="openai/gpt-5-4-pro",
    aliases=(),
    params={"responses": RESPONSES},
    context_window=1_000_000,
    max_output_tokens=128_000,
    max_input_tokens=_LARGE_INPUT_TOKENS,
    images=_RESPONSES_ONLY,
    builtin_tools=_WITH_INTERPRETER,
    source="[D] gpt-5-4-pro-RESPONSES.json; images [D] image-to-text-vision.md, [L]; sizes [C]",
)

_GPT_5_6 = ModelInfo(
    id="openai/gpt-5.6-luna",
    aliases=(),
    params={"chat": CHAT | {"n", "reasoning_effort"}},
    context_window=1_050_000,
    max_output_tokens=128_000,
    max_input_tokens=_LARGE_INPUT_TOKENS,
    reasoning_efforts=_EFFORTS,
    images=_CHAT_ONLY,
    chat_takes_any_tool=True,
    source="[D] gpt-5.6-luna.json",
)

GPT = (
    _GPT_5,
    replace(
        _GPT_5,
        id="openai/gpt-5-mini-2025-08-07",
        source="[D] gpt-5-mini.json, gpt-5-mini-RESPONSES.json; largest input and output [U]",
    ),
    replace(
        _GPT_5,
        id="openai/gpt-5-nano-2025-08-07",
        source="[D] gpt-5-nano.json, gpt-5-nano-RESPONSES.json; largest input and output [U]",
    ),
    ModelInfo(
        id="openai/gpt-5-1",
        aliases=(),
        params={
            "chat": CHAT | SAMPLING | LOGPROBS | {"n", "reasoning_effort"},
            "responses": RESPONSES | SAMPLING | REASONING,
        },
        context_window=128_000,
        max_output_tokens=None,
        reasoning_efforts=("none", *_EFFORTS),  # "none" [L]
        images=_CHAT_ONLY,
        builtin_tools=_WITH_INTERPRETER,
        replays_reasoning=True,
        source="[D] gpt-5-1.json, gpt-5-1-RESPONSES.json",
        notes={"context_window": "[D] model-database.md says 128k, [U] 400k: the smaller one here"},
    ),
    ModelInfo(
        id="openai/gpt-5-3-codex",
        aliases=(),
        params={"responses": RESPONSES | REASONING},
        context_window=400_000,
        max_output_tokens=128_000,
        max_input_tokens=MAX_INPUT_TOKENS,
        reasoning_efforts=_EFFORTS,
        builtin_tools=(*BUILTIN, "local_shell"),
        replays_reasoning=True,
        source="[D] gpt-5-3-codex-RESPONSES.json; largest input and output [U]",
    ),
    ModelInfo(
        id="openai/gpt-5-4",
        aliases=(),
        params={"responses": RESPONSES | SAMPLING | REASONING},
        context_window=1_000_000,
        max_output_tokens=128_000,
        max_input_tokens=_LARGE_INPUT_TOKENS,
        reasoning_efforts=("none", *_EFFORTS),  # "none" [L]
        images=_RESPONSES_ONLY,
        builtin_tools=_WITH_INTERPRETER,
        replays_reasoning=True,
        source="[D] gpt-5-4-RESPONSES.json; images [D] image-to-text-vision.md; sizes [C]",
    ),
    _PRO,
    replace(
        OPENROUTER_BASE,
        id="openai/gpt-5.4-mini",
        context_window=400_000,
        max_output_tokens=128_000,
        max_input_tokens=MAX_INPUT_TOKENS,
        source="[D] gpt-5.4-mini.json; sizes [C]",
    ),
    replace(
        OPENROUTER_BASE,
        id="openai/gpt-5.4-nano",
        context_window=400_000,
        max_output_tokens=128_000,
        max_input_tokens=MAX_INPUT_TOKENS,
        source="[D] gpt-5.4-nano.json; largest input and output [U]",
    ),
    replace(
        OPENROUTER_BASE,
        id="openai/gpt-5.4-pro",
        context_window=1_050_000,
        max_output_tokens=128_000,
        max_input_tokens=_LARGE_INPUT_TOKENS,
        source="[D] gpt-5.4-pro.json; sizes [C]",
    ),
    ModelInfo(
        id="openai/gpt-5-5",
        aliases=(),
        params=_REASONING_ONLY,
        context_window=1_000_000,
        max_output_tokens=128_000,
        max_input_tokens=_LARGE_INPUT_TOKENS,
        reasoning_efforts=_EFFORTS,
        images=BOTH,
        builtin_tools=_WITH_INTERPRETER,
        replays_reasoning=True,
        source="[D] gpt-5-5.json, gpt-5-5-RESPONSES.json; sizes [C]",
    ),
    replace(_PRO, id="openai/gpt-5-5-pro", source="[D] gpt-5-5-pro-RESPONSES.json; sizes [C]"),
    replace(
        OPENROUTER_BASE,
        id="openai/gpt-5.5-pro",
        context_window=None,
        max_output_tokens=None,
        source="[D] gpt-5.5-pro.json",
    ),
    *(
        replace(_GPT_5_6, id=f"openai/gpt-5.6-{name}", source=f"[D] gpt-5.6-{name}.json; sizes [C]")
        for name in ("luna", "luna-pro", "sol", "sol-pro", "terra", "terra-pro")
    ),
    replace(
        _GPT_5,
        id="openai/gpt-latest",
        params={"chat": CHAT | {"n", "reasoning_effort"}},
        images=_CHAT_ONLY,
        builtin_tools=(),
        replays_reasoning=False,
        source="[D] gpt-latest.json; largest input and output [U]",
    ),
)
