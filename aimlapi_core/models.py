"""What each GPT-5.2 id of AI/ML API accepts: one row per exact id, never a prefix match.

`openai/gpt-5-2-pro` (Responses only) and `openai/gpt-5.2-pro` (chat only) are different rows.
An id without a row works: everything is forwarded and the API judges.

Sources: [D] the vendor's documentation repository `aimlapi/api-docs`, state 2026-08-21, page
or OpenAPI file named in the row; [L] the service's own live OpenAPI as captured on 2026-08-29;
[C] a public client's copy of the live catalogue; [V] a third party's report of a live call.
Where [D] and [L] differ the looser one stands here, with its tag beside it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from aimlapi_core.types import Endpoint

CHECKED = "2026-08-29"


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One row. `params` maps an endpoint to the request parameters it takes there, by our names.

    `endpoints[0]` is what `endpoint="auto"` picks. `context_window` (input and output together)
    and `max_output_tokens` are in tokens. `chat_limit` is the wire name of the output limit on
    chat; on responses it is always `max_output_tokens`, at least 16.
    """

    id: str
    aliases: tuple[str, ...]
    params: Mapping[Endpoint, frozenset[str]]
    context_window: int | None
    max_output_tokens: int | None
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
        """(least, most) of a number, both allowed, None for no most; None where it has none."""
        if name == "max_output_tokens" and endpoint == "responses":
            return LEAST_RESPONSES_TOKENS, None
        if name == "max_output_tokens":
            return 1, None
        return RANGES.get(name)

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """The endpoints that serve this id, the preferred one first."""
        return tuple(self.params)

    @property
    def temperature(self) -> bool:
        """Whether the preferred endpoint takes `temperature`."""
        return "temperature" in self.params[self.endpoints[0]]


# What the documented and the live specification both refuse outside of, for every row that takes
# the parameter: (least, most), both allowed [D gpt-5-2.json, gpt-5-2-pro-RESPONSES.json] [L].
RANGES: Mapping[str, tuple[float, float | None]] = MappingProxyType(
    {
        "temperature": (0, 2),
        "top_p": (0.01, 1),
        "n": (1, None),
        "seed": (1, None),
        "top_logprobs": (0, 20),
    }
)
LEAST_RESPONSES_TOKENS = 16

# Every chat schema of GPT-5.2 has these [D gpt-5-2-chat-latest.json].
_CHAT = frozenset(
    "tools tool_choice parallel_tool_calls response_format max_output_tokens seed".split()
)
# Every Responses schema of GPT-5.2 has these [D gpt-5-2-pro-RESPONSES.json].
_RESPONSES = frozenset(
    "tools tool_choice parallel_tool_calls response_format max_output_tokens "
    "instructions previous_response_id store truncation include".split()
)
_REASONING = frozenset({"reasoning_effort", "reasoning_summary"})
_SAMPLING = frozenset({"temperature", "top_p"})
_LOGPROBS = frozenset({"logprobs", "top_logprobs"})
_BOTH: frozenset[Endpoint] = frozenset({"chat", "responses"})
_BUILTIN = ("web_search_preview", "web_search_preview_2025_03_11", "mcp")

_ROUTED = ModelInfo(  # what the two dotted, OpenRouter-backed ids share
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
        reasoning_efforts=("none", "low", "medium", "high"),  # "none" [L]
        images=frozenset({"chat"}),
        builtin_tools=(*_BUILTIN, "code_interpreter"),
        replays_reasoning=True,
        source="[D] gpt-5-2.json, gpt-5.2.md; responses [L]; largest output [C]",
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
        builtin_tools=_BUILTIN,
        source="[D] gpt-5-2-pro-RESPONSES.json; 404 on chat [V 2026-09-03]; largest output [C]",
    ),
    ModelInfo(
        id="openai/gpt-5-2-codex",
        aliases=("gpt-5.2-codex", "openai/gpt-5.2-codex"),
        params={"responses": _RESPONSES | _REASONING},
        context_window=400_000,
        max_output_tokens=128_000,
        reasoning_efforts=("low", "medium", "high"),
        builtin_tools=(*_BUILTIN, "local_shell"),
        replays_reasoning=True,
        source="[D] gpt-5-2-codex-RESPONSES.json; largest output [C]",
    ),
    _ROUTED,
    replace(
        _ROUTED,
        id="openai/gpt-5.2-pro",
        context_window=400_000,
        max_output_tokens=128_000,
        reasoning_efforts=("low", "medium", "high"),
        source="[D] gpt-5.2-pro.json; sizes [C]",
        notes={"reasoning_effort": "medium and high are honoured, xhigh is a 400 [V]"},
    ),
)


@dataclass(frozen=True, slots=True)
class EmbeddingInfo:
    """One embedding model. `dimensions` is the length of its vectors when none is asked for.

    `dimension_range`: the lengths that can be asked for, None where none can. `max_texts` and
    `max_tokens` bound one request. The service documents neither, so they are those of the
    provider behind it, from its own documents [U]; whether the service has lower ones is open.
    `max_item_chars` and `max_text_chars`: the longest text in an array, and alone.
    """

    id: str
    aliases: tuple[str, ...]
    dimensions: int
    context_window: int
    dimension_range: tuple[int, int] | None = None
    max_texts: int = 2_048
    max_tokens: int = 300_000
    max_item_chars: int | None = None
    max_text_chars: int | None = None
    base64: bool = False
    input_types: tuple[str, ...] = ()
    source: str = ""
    checked: str = CHECKED


# Limits of a request [U], seen 2026-11-23:
# OpenAI, 2,048 texts and 300,000 tokens (its OpenAPI file, in github.com/openai/openai-ruby
# embedding_create_params.rb);
# Alibaba, 10 texts of 8,192 tokens (alibabacloud.com/help/en/model-studio,
# text-embedding-synchronous-api);
# Voyage, 1,000 texts and 120,000 tokens, 320,000 for voyage-2 (docs.voyageai.com/reference/
# embeddings-api; models it does not name get the smaller number);
# Google, 250 texts and 20,000 tokens (docs.langchain4j.dev VertexAiEmbeddingModel).
# The vendor's samples were made with OpenAI's SDK, which asks for base64, so OpenAI's ids answer
# it [D].
_SMALL = EmbeddingInfo(
    id="text-embedding-3-small",
    aliases=("openai/text-embedding-3-small",),
    dimensions=1536,
    context_window=8_000,
    dimension_range=(1, 1536),
    base64=True,
    source="[D] text-embedding-3-small.json; limits of a request [U] OpenAI",
)
_QWEN = EmbeddingInfo(
    id="alibaba/qwen-text-embedding-v3",
    aliases=("qwen-text-embedding-v3", "alibaba/text-embedding-v3"),
    dimensions=1024,
    context_window=32_000,
    dimension_range=(64, 2560),  # "up to 2560" in the documents, 2048 elsewhere: the looser one
    max_texts=10,
    max_tokens=81_920,
    source="[D] qwen-text-embedding-v3.md; limits of a request [U] Alibaba",
)


def _voyage(
    name: str, dimensions: int, context_window: int, max_tokens: int = 120_000
) -> EmbeddingInfo:
    return EmbeddingInfo(
        id=name,
        aliases=(f"voyage/{name}",),
        dimensions=dimensions,
        context_window=context_window,
        max_texts=1_000,
        max_tokens=max_tokens,
        max_item_chars=800,
        max_text_chars=8_000,
        input_types=("document",),
        source=f"[D] {name}.md; limits of a request [U] Voyage",
    )


_EMBEDDINGS = (
    _SMALL,
    replace(
        _SMALL,
        id="text-embedding-3-large",
        aliases=("openai/text-embedding-3-large",),
        dimensions=3072,
        dimension_range=(1, 3072),
        source="[D] text-embedding-3-large.json; limits of a request [U] OpenAI",
    ),
    replace(
        _SMALL,
        id="text-embedding-ada-002",
        aliases=("openai/text-embedding-ada-002",),
        dimension_range=None,
        source="[D] text-embedding-ada-002.json; limits of a request [U] OpenAI",
    ),
    _QWEN,
    replace(
        _QWEN,
        id="alibaba/qwen-text-embedding-v4",
        aliases=("qwen-text-embedding-v4", "alibaba/text-embedding-v4"),
        source="[D] qwen-text-embedding-v4.md; limits of a request [U] Alibaba",
    ),
    _voyage("voyage-2", 1024, 4_000, max_tokens=320_000),
    _voyage("voyage-code-2", 1536, 16_000),
    _voyage("voyage-finance-2", 1024, 32_000),
    _voyage("voyage-large-2", 1536, 16_000),
    _voyage("voyage-large-2-instruct", 1024, 16_000),
    _voyage("voyage-law-2", 1024, 16_000),
    _voyage("voyage-multilingual-2", 1024, 32_000),
    EmbeddingInfo(
        id="text-multilingual-embedding-002",
        aliases=("google/text-multilingual-embedding-002",),
        dimensions=768,
        context_window=2_000,
        dimension_range=(1, 768),
        max_texts=250,
        max_tokens=20_000,
        source="[D] text-multilingual-embedding-002.md; limits of a request [U] Google",
    ),
)

EMBEDDINGS: Mapping[str, EmbeddingInfo] = MappingProxyType({row.id: row for row in _EMBEDDINGS})
_EMBEDDING_BY_NAME = {name: row for row in _EMBEDDINGS for name in (row.id, *row.aliases)}


def embedding_info(model_id: str) -> EmbeddingInfo | None:
    """The row of this exact embedding id or listed alias; None for every other id."""
    return _EMBEDDING_BY_NAME.get(model_id)


MODELS: Mapping[str, ModelInfo] = MappingProxyType({row.id: row for row in _ROWS})
_BY_NAME = {name: row for row in _ROWS for name in (row.id, *row.aliases)}


def model_info(model_id: str) -> ModelInfo | None:
    """The row of this exact id or listed alias; None for every other id."""
    return _BY_NAME.get(model_id)


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that `name` is most likely a misspelling of; None when nothing is near."""
    found = difflib.get_close_matches(name, list(candidates), n=1, cutoff=0.7)
    return found[0] if found else None


def nearest_model(model_id: str) -> str | None:
    """The listed id that an unlisted one almost is (`gpt-5-2`, `openai/gpt-5.2`), else None.

    Only ids that differ from a listed one by the vendor's prefix, dots for dashes or case are
    near: another model's id must not be taken for a misspelling.
    """
    if model_id in _BY_NAME:
        return None
    plain = {_plain(row.id): row.id for row in reversed(_ROWS)}
    return plain.get(_plain(model_id))


def _plain(model_id: str) -> str:
    return model_id.lower().removeprefix("openai/").replace(".", "-").replace("_", "-")
