"""Capabilities of each GPT-5.2 model id of AI/ML API: one row per exact id, never a prefix match.

`openai/gpt-5-2-pro` (Responses only) and `openai/gpt-5.2-pro` (chat only) are different rows.
An id without a row works: everything is sent, and the API validates it.

Sources: [D] the vendor's documentation repository `aimlapi/api-docs`, state 2026-08-21, page
or OpenAPI file named in the row; [L] the service's own live OpenAPI as captured on 2026-08-29;
[C] a public client's copy of the live catalogue; [V] a third party's report of a live call;
[U] the documents and refusals of OpenAI, whose models these are.
Where [D] and [L] differ, the less strict one is used, with its tag beside it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from aimlapi_core.request_params import REQUEST_PARAMS, in_every_schema, in_group
from aimlapi_core.types import Endpoint

CHECKED = "2026-08-29"


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One row. `params` maps an endpoint to the request parameters it takes there, by our names.

    `endpoint="auto"` selects `endpoints[0]`. `context_window` (input and output together),
    `max_input_tokens` (None: as many as the window holds) and `max_output_tokens` are in tokens.
    `chat_limit` is the wire name of the output limit on
    chat; on responses it is always `max_output_tokens`, at least 16.
    """

    id: str
    aliases: tuple[str, ...]
    params: Mapping[Endpoint, frozenset[str]]
    context_window: int | None
    max_output_tokens: int | None
    max_input_tokens: int | None = None
    reasoning_efforts: tuple[str, ...] = ()
    images: frozenset[Endpoint] = frozenset()
    builtin_tools: tuple[str, ...] = ()
    replays_reasoning: bool = False
    chat_takes_any_tool: bool = False
    pdfs: bool = True
    tools: bool = True
    structured_output: bool = True
    chat_limit: str = "max_tokens"
    source: str = ""
    checked: str = CHECKED
    notes: Mapping[str, str] = field(default_factory=dict)

    def bounds(self, name: str, endpoint: Endpoint) -> tuple[float, float | None] | None:
        """(minimum, maximum), inclusive; maximum None: no upper bound. None without a minimum."""
        return REQUEST_PARAMS[name].bounds(endpoint)

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """The endpoints that serve this id, the preferred one first."""
        return tuple(self.params)

    @property
    def temperature(self) -> bool:
        """Whether the preferred endpoint takes `temperature`."""
        return "temperature" in self.params[self.endpoints[0]]

    @property
    def input_limit(self) -> int | None:
        """The most tokens of input: `max_input_tokens`, else the whole context window."""
        return self.max_input_tokens or self.context_window

    def usable_window(self, output_tokens: int | None) -> int | None:
        """The tokens of input and output together, of which the output is to be `output_tokens`.

        Where the input has a limit of its own it is smaller than the context window, unless the
        output takes up the rest.
        """
        if self.max_input_tokens is None or self.context_window is None:
            return self.context_window
        return min(self.context_window, self.max_input_tokens + (output_tokens or 0))


_CHAT = in_every_schema("chat")  # [D gpt-5-2-chat-latest.json]
_RESPONSES = in_every_schema("responses")  # [D gpt-5-2-pro-RESPONSES.json]
_REASONING = in_group("reasoning")
_SAMPLING = in_group("sampling")
_LOGPROBS = in_group("logprobs")
_BOTH: frozenset[Endpoint] = frozenset({"chat", "responses"})
_BUILTIN = ("web_search_preview", "web_search_preview_2025_03_11", "mcp")

# Of a window of 400,000. OpenAI refuses more: "Input tokens exceed the configured limit of 272000
# tokens" (cline#5474; coder/xum#1223 names 5.2 and 5.2-pro; measured in langchain#34419, 2026-09).
_MAX_INPUT_TOKENS = 272_000

_OPENROUTER_BASE = ModelInfo(  # shared by the two dotted ids, which are backed by OpenRouter
    id="openai/gpt-5.2-chat",
    aliases=(),
    params={"chat": _CHAT | _SAMPLING | _LOGPROBS | {"reasoning_effort", "stop"}},
    context_window=128_000,
    max_output_tokens=16_384,
    reasoning_efforts=("low", "medium", "high"),
    images=frozenset({"chat"}),
    chat_takes_any_tool=True,
    source="[D] gpt-5.2-chat.json; sizes [C]",
    notes={"n": "not in the schema [D]"},
)

_ROWS = (
    ModelInfo(
        id="openai/gpt-5-2",
        aliases=("gpt-5.2-2025-12-11", "openai/gpt-5.2-2025-12-11"),
        params={
            "chat": _CHAT | _SAMPLING | _LOGPROBS | {"n", "reasoning_effort"},
            "responses": _RESPONSES | _SAMPLING | _REASONING,  # [L]; [D] names chat alone
        },
        context_window=400_000,
        max_output_tokens=128_000,
        max_input_tokens=_MAX_INPUT_TOKENS,
        reasoning_efforts=("none", "low", "medium", "high"),  # "none" [L]
        images=frozenset({"chat"}),
        builtin_tools=(*_BUILTIN, "code_interpreter"),
        replays_reasoning=True,
        source="[D] gpt-5-2.json, gpt-5.2.md; responses [L]; largest output [C], largest input [U]",
        notes={"temperature": "whether a value other than 1 is refused upstream is open"},
    ),
    ModelInfo(
        id="openai/gpt-5-2-chat-latest",
        aliases=("gpt-5.2-chat-latest", "openai/gpt-5.2-chat-latest"),
        params={
            "chat": _CHAT | {"n"},
            "responses": _RESPONSES,  # [L]; [D] names chat alone
        },
        context_window=128_000,
        max_output_tokens=16_000,
        images=_BOTH,  # responses [L]
        builtin_tools=(*_BUILTIN, "code_interpreter"),
        source="[D] gpt-5-2-chat-latest.json; responses [L]; sizes [C]",
        notes={
            "temperature": "[L] lists it but says that only the default is supported",
            "context_window": "[D] model-database.md says 400k, [C] 128k: the smaller one here",
        },
    ),
    ModelInfo(
        id="openai/gpt-5-2-pro",
        aliases=("gpt-5.2-pro-2025-12-11", "openai/gpt-5.2-pro-2025-12-11"),
        params={"responses": _RESPONSES},
        context_window=400_000,
        max_output_tokens=128_000,
        max_input_tokens=_MAX_INPUT_TOKENS,
        builtin_tools=_BUILTIN,
        source="[D] gpt-5-2-pro-RESPONSES.json; 404 on chat [V 2026-09-03]; largest output [C], "
        "largest input [U]",
    ),
    ModelInfo(
        id="openai/gpt-5-2-codex",
        aliases=("gpt-5.2-codex", "openai/gpt-5.2-codex"),
        params={"responses": _RESPONSES | _REASONING},
        context_window=400_000,
        max_output_tokens=128_000,
        max_input_tokens=_MAX_INPUT_TOKENS,
        reasoning_efforts=("low", "medium", "high"),
        builtin_tools=(*_BUILTIN, "local_shell"),
        replays_reasoning=True,
        source="[D] gpt-5-2-codex-RESPONSES.json; largest output [C], largest input [U]",
    ),
    _OPENROUTER_BASE,
    replace(
        _OPENROUTER_BASE,
        id="openai/gpt-5.2-pro",
        context_window=400_000,
        max_output_tokens=128_000,
        max_input_tokens=_MAX_INPUT_TOKENS,
        reasoning_efforts=("low", "medium", "high"),
        source="[D] gpt-5.2-pro.json; sizes [C], largest input [U]",
        notes={"reasoning_effort": "medium and high are honoured, xhigh is a 400 [V]"},
    ),
)


MODELS: Mapping[str, ModelInfo] = MappingProxyType({row.id: row for row in _ROWS})
_BY_NAME = {name: row for row in _ROWS for name in (row.id, *row.aliases)}


def model_info(model_id: str) -> ModelInfo | None:
    """The row of this exact id or alias; None for any other id."""
    return _BY_NAME.get(model_id)


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that `name` is most likely a misspelling of; None if there is none."""
    found = difflib.get_close_matches(name, list(candidates), n=1, cutoff=0.7)
    return found[0] if found else None


def nearest_model(model_id: str) -> str | None:
    """The listed id that `model_id` is a misspelling of (`gpt-5-2`, `openai/gpt-5.2`), or None.

    Ids may differ only in the vendor's prefix, dots or dashes, and case, as another model's id is
    not a misspelling.
    """
    if model_id in _BY_NAME:
        return None
    plain = {_comparable_id(row.id): row.id for row in reversed(_ROWS)}
    return plain.get(_comparable_id(model_id))


def _comparable_id(model_id: str) -> str:
    return model_id.lower().removeprefix("openai/").replace(".", "-").replace("_", "-")
