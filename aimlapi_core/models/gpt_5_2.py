"""The rows of GPT-5.2, each checked by hand.

`openai/gpt-5-2-pro` (Responses only) and `openai/gpt-5.2-pro` (chat only) are different rows.

Sources: [D] the vendor's documentation repository `aimlapi/api-docs`, state 2026-08-21, page
or OpenAPI file named in the row; [L] the service's own live OpenAPI as captured on 2026-08-29;
[C] a public client's copy of the live catalogue; [V] a third party's report of a live call;
[U] the documents and refusals of OpenAI, whose models these are.
Where [D] and [L] differ, the less strict one is used, with its tag beside it.
"""

from __future__ import annotations

from dataclasses import replace

from aimlapi_core.models.model_info import ModelInfo
from aimlapi_core.request_params import in_every_schema, in_group
from aimlapi_core.types import Endpoint

CHAT = in_every_schema("chat")  # [D gpt-5-2-chat-latest.json]
RESPONSES = in_every_schema("responses")  # [D gpt-5-2-pro-RESPONSES.json]
REASONING = in_group("reasoning")
SAMPLING = in_group("sampling")
LOGPROBS = in_group("logprobs")
BOTH: frozenset[Endpoint] = frozenset({"chat", "responses"})
BUILTIN = ("web_search_preview", "web_search_preview_2025_03_11", "mcp")

# Of a window of 400,000. OpenAI refuses more: "Input tokens exceed the configured limit of 272000
# tokens" (cline#5474; coder/xum#1223 names 5.2 and 5.2-pro; measured in langchain#34419, 2026-09).
MAX_INPUT_TOKENS = 272_000

OPENROUTER_BASE = ModelInfo(  # shared by the two dotted ids, which are backed by OpenRouter
    id="openai/gpt-5.2-chat",
    aliases=(),
    params={"chat": CHAT | SAMPLING | LOGPROBS | {"reasoning_effort", "stop"}},
    context_window=128_000,
    max_output_tokens=16_384,
    reasoning_efforts=("low", "medium", "high"),
    images=frozenset({"chat"}),
    chat_takes_any_tool=True,
    source="[D] gpt-5.2-chat.json; sizes [C]",
    notes={"n": "not in the schema [D]"},
)

GPT_5_2 = (
    ModelInfo(
        id="openai/gpt-5-2",
        aliases=("gpt-5.2-2025-12-11", "openai/gpt-5.2-2025-12-11"),
        params={
            "chat": CHAT | SAMPLING | LOGPROBS | {"n", "reasoning_effort"},
            "responses": RESPONSES | SAMPLING | REASONING,  # [L]; [D] names chat alone
        },
        context_window=400_000,
        max_output_tokens=128_000,
        max_input_tokens=MAX_INPUT_TOKENS,
        reasoning_efforts=("none", "low", "medium", "high"),  # "none" [L]
        images=frozenset({"chat"}),
        builtin_tools=(*BUILTIN, "code_interpreter"),
        replays_reasoning=True,
        source="[D] gpt-5-2.json, gpt-5.2.md; responses [L]; largest output [C], largest input [U]",
        notes={"temperature": "whether a value other than 1 is refused upstream is open"},
    ),
    ModelInfo(
        id="openai/gpt-5-2-chat-latest",
        aliases=("gpt-5.2-chat-latest", "openai/gpt-5.2-chat-latest"),
        params={
            "chat": CHAT | {"n"},
            "responses": RESPONSES,  # [L]; [D] names chat alone
        },
        context_window=128_000,
        max_output_tokens=16_000,
        images=BOTH,  # responses [L]
        builtin_tools=(*BUILTIN, "code_interpreter"),
        source="[D] gpt-5-2-chat-latest.json; responses [L]; sizes [C]",
        notes={
            "temperature": "[L] lists it but says that only the default is supported",
            "context_window": "[D] model-database.md says 400k, [C] 128k: the smaller one here",
        },
    ),
    ModelInfo(
        id="openai/gpt-5-2-pro",
        aliases=("gpt-5.2-pro-2025-12-11", "openai/gpt-5.2-pro-2025-12-11"),
        params={"responses": RESPONSES},
        context_window=400_000,
        max_output_tokens=128_000,
        max_input_tokens=MAX_INPUT_TOKENS,
        builtin_tools=BUILTIN,
        source="[D] gpt-5-2-pro-RESPONSES.json; 404 on chat [V 2026-09-03]; largest output [C], "
        "largest input [U]",
    ),
    ModelInfo(
        id="openai/gpt-5-2-codex",
        aliases=("gpt-5.2-codex", "openai/gpt-5.2-codex"),
        params={"responses": RESPONSES | REASONING},
        context_window=400_000,
        max_output_tokens=128_000,
        max_input_tokens=MAX_INPUT_TOKENS,
        reasoning_efforts=("low", "medium", "high"),
        builtin_tools=(*BUILTIN, "local_shell"),
        replays_reasoning=True,
        source="[D] gpt-5-2-codex-RESPONSES.json; largest output [C], largest input [U]",
    ),
    OPENROUTER_BASE,
    replace(
        OPENROUTER_BASE,
        id="openai/gpt-5.2-pro",
        context_window=400_000,
        max_output_tokens=128_000,
        max_input_tokens=MAX_INPUT_TOKENS,
        reasoning_efforts=("low", "medium", "high"),
        source="[D] gpt-5.2-pro.json; sizes [C], largest input [U]",
        notes={"reasoning_effort": "medium and high are honoured, xhigh is a 400 [V]"},
    ),
)
