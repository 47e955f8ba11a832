"""Request parameters as pydantic fields, and constructor arguments as TypedDicts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, Field
from typing_extensions import TypedDict

if TYPE_CHECKING:
    import httpx
    from langchain_core.caches import BaseCache
    from langchain_core.callbacks import Callbacks
    from langchain_core.language_models.model_profile import ModelProfile
    from langchain_core.rate_limiters import BaseRateLimiter
    from pydantic import SecretStr

    from aimlapi_core import EmbeddingReply
    from aimlapi_core.types.request import ReasoningEffort, ReasoningSummary, Truncation


class SharedArguments(TypedDict, total=False):
    """Arguments of all model classes: the model, the connection, `extra_body`."""

    model: str
    api_key: str | SecretStr | Callable[[], str | SecretStr | Awaitable[str | SecretStr]] | None
    base_url: str | None
    timeout: float | httpx.Timeout | None
    max_retries: int
    max_concurrency: int | None
    default_headers: Mapping[str, str]
    http_client: httpx.Client | None
    http_async_client: httpx.AsyncClient | None
    unsupported_params: Literal["warn", "raise", "send"]
    extra_body: Mapping[str, Any]
    # Aliases of other packages.
    model_name: str
    openai_api_key: str | SecretStr | None
    openai_api_base: str | None
    aimlapi_api_key: str | SecretStr | None
    aimlapi_api_base: str | None
    request_timeout: float | httpx.Timeout | None


class EmbeddingArguments(SharedArguments, total=False):
    """Every argument of `AIMLAPIEmbeddings`; a test holds it and the fields together."""

    dimensions: int | None
    batch_size: int | None
    chunk_size: int | None
    concurrent_batches: int
    input_type: str | None
    show_progress_bar: bool
    skip_empty: bool
    on_usage: Callable[[EmbeddingReply], object] | None
    model_kwargs: Mapping[str, Any]
    # Ignored with a warning, as the older package ignored them.
    embedding_ctx_length: int
    allowed_special: Any
    disallowed_special: Any


class RequestFields(BaseModel):
    """The request parameters of `ChatAIMLAPI`; a new one is added here and to `Arguments`.

    `Arguments` is for editors and type checkers: `ChatAIMLAPI.__init__`, which takes other
    packages' names as well, hides pydantic's own signature.
    """

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    n: int | None = None
    seed: int | None = None
    stop: str | Sequence[str] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    reasoning_effort: str | None = None
    reasoning_summary: str | None = None
    reasoning: Mapping[str, Any] | None = None
    streaming: bool = False
    stream_usage: bool = True
    endpoint: Literal["auto", "chat", "responses"] = "auto"
    unsupported_params: Literal["warn", "raise", "send"] = "warn"
    unanswered_tool_calls: Literal["repair", "raise"] = "repair"
    instructions: str | None = None
    previous_response_id: str | None = None
    store: bool | None = None
    truncation: str | None = None
    include: Sequence[str] | None = None
    model_kwargs: Mapping[str, Any] = Field(default_factory=dict)
    extra_body: Mapping[str, Any] = Field(default_factory=dict)


class Arguments(SharedArguments, total=False):
    """Every argument of `ChatAIMLAPI`; a test holds it and the fields together."""

    temperature: float | None
    top_p: float | None
    max_tokens: int | None
    n: int | None
    seed: int | None
    stop: str | Sequence[str] | None
    logprobs: bool | None
    top_logprobs: int | None
    reasoning_effort: ReasoningEffort | None
    reasoning_summary: ReasoningSummary | None
    reasoning: Mapping[str, Any] | None
    streaming: bool
    stream_usage: bool
    endpoint: Literal["auto", "chat", "responses"]
    unanswered_tool_calls: Literal["repair", "raise"]
    instructions: str | None
    previous_response_id: str | None
    store: bool | None
    truncation: Truncation | None
    include: Sequence[str] | None
    model_kwargs: Mapping[str, Any]
    # Aliases of other packages.
    max_completion_tokens: int | None
    use_responses_api: bool | None
    stream_options: Mapping[str, Any] | None
    # LangChain's own.
    name: str | None
    cache: BaseCache | bool | None
    verbose: bool
    callbacks: Callbacks
    tags: list[str] | None
    metadata: dict[str, Any] | None
    custom_get_token_ids: Callable[[str], list[int]] | None
    rate_limiter: BaseRateLimiter | None
    disable_streaming: bool | Literal["tool_calling"]
    output_version: str | None
    profile: ModelProfile | None
