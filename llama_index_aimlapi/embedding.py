"""`AIMLAPIEmbedding`: the embedding models of AI/ML API, for LlamaIndex's indexes."""

from __future__ import annotations

import os
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Never

from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.callbacks import CallbackManager
from llama_index.core.schema import BaseNode
from pydantic import ConfigDict, Field, PrivateAttr, SecretStr

from aimlapi_core import (
    DEFAULT_TIMEOUT_S,
    EmbeddingReply,
    EmbeddingRequest,
    embedding_info,
)
from aimlapi_core._adapters.arguments import translate_validation_errors
from aimlapi_core._values.traceback_locals import clears_locals
from llama_index_aimlapi._base import AIMLAPIBase
from llama_index_aimlapi._embedding_batches import (
    Embedding,
    in_tasks,
    in_threads,
    requests_per_batch,
    split,
)
from llama_index_aimlapi._embedding_usage import TotalUsage
from llama_index_aimlapi._request.argument_validation import (
    check_model,
    constructor_fields,
    drop_unset,
    one_of,
)
from llama_index_aimlapi._request.texts import check_nodes, check_text, checked_texts

if TYPE_CHECKING:
    import httpx

DEFAULT_MODEL = "text-embedding-3-small"
# LlamaIndex's own bound on embed_batch_size.
_MAX_TEXTS = 2_048
_total_lock = threading.Lock()


def _after_fork() -> None:
    """The lock may have been held by another thread of the parent."""
    global _total_lock
    _total_lock = threading.Lock()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_after_fork)


class AIMLAPIEmbedding(AIMLAPIBase, BaseEmbedding):
    """The embedding models of AI/ML API for LlamaIndex.

    Nothing is opened or read before the first call. Texts are sent unchanged, newlines included.
    `close()`, `aclose()` or `with` release the connections. `total_usage` sums up tokens and cost.

    Instantiate:
        ```python
        embed_model = AIMLAPIEmbedding("text-embedding-3-large", dimensions=256)
        ```

    Index:
        ```python
        index = VectorStoreIndex.from_documents(documents, embed_model=embed_model)
        ```

    Embed:
        ```python
        vectors = embed_model.get_text_embedding_batch(["a lake", "a river"])
        embed_model.total_usage.credits
        ```

    Args:
        model (str | None): The id, as in the vendor's list; also `model_name`. Default
            "text-embedding-3-small".
        dimensions (int | None): Length of the vectors, for models that can shorten theirs.
        embed_batch_size (int | None): The most texts in one request. Default, and upper bound: the
            model's limit.
        concurrent_batches (int | None): How many requests of one call may be in flight, from
            threads in synchronous calls. Default 4.
        num_workers (int | None): Replaces it in asynchronous calls.
        api_key (str | SecretStr | Callable | None): The key, or a function that gives one for each
            request (an async function in async calls). Default: AIMLAPI_API_KEY, then
            AIML_API_KEY; without one the first call raises MissingKeyError.
        base_url (str | None): Also `api_base`. Default: AIMLAPI_BASE_URL, else the service's own.
        input_type (str | None): Voyage's "document", sent with texts and not with queries.
        timeout (float | httpx.Timeout | None): Seconds of silence that end a request; None for no
            end. Default 600, and 10 to connect.
        max_retries (int | None): At most so many repetitions of a request that was surely not
            billed. Default 2.
        max_concurrency (int | None): At most so many requests of the account in flight in this
            process. Default: no limit.
        unsupported_params ("warn" | "raise" | "send"): What to do with a parameter that the model
            does not take. Default "warn".
        default_headers (Mapping[str, str] | None): Sent with each request; shown nowhere.
        http_client (httpx.Client | None): Your own client for sync calls, of httpx or httpx2,
            never configured or closed here.
        http_async_client (httpx.AsyncClient | None): The same for async calls.
        extra_body (Mapping | None): Merged last into each request's body, unchanged.
        callback_manager (CallbackManager | None): LlamaIndex's own, as are the next two.
        embeddings_cache (Any): A key-value store of vectors.
        rate_limiter (Any): LlamaIndex's limiter.

    Raises:
        ConfigurationError: for an argument that does not exist or cannot work.
    """

    model_config = ConfigDict(defer_build=False)  # else its signature is that of a base

    model_name: str = Field(default=DEFAULT_MODEL, description="The model's id at AI/ML API.")
    dimensions: int | None = Field(
        default=None, description="Length of the vectors; None is the model's own."
    )
    concurrent_batches: int = Field(default=4, ge=1, description="Requests of one call at once.")
    input_type: str | None = Field(default=None, description="Voyage's, for texts: 'document'.")
    unsupported_params: Literal["warn", "raise", "send"] = "warn"
    extra_body: dict[str, Any] = Field(
        default_factory=dict, description="Merged into the requests' bodies as given."
    )

    # Excluded: in dicts it would be neither JSON nor part of a stable cache key.
    embeddings_cache: Any = Field(default=None, exclude=True, repr=False)

    _total: TotalUsage = PrivateAttr(default=TotalUsage())

    @clears_locals
    def __init__(
        self,
        model: str | None = None,
        *,
        model_name: str | None = None,
        dimensions: int | None = None,
        embed_batch_size: int | None = None,
        concurrent_batches: int | None = None,
        num_workers: int | None = None,
        api_key: str | SecretStr | Callable[[], str | Awaitable[str]] | None = None,
        base_url: str | None = None,
        api_base: str | None = None,
        timeout: float | httpx.Timeout | Mapping[str, float | None] | None = DEFAULT_TIMEOUT_S,
        max_retries: int | None = None,
        max_concurrency: int | None = None,
        default_headers: Mapping[str, str] | None = None,
        http_client: httpx.Client | None = None,
        http_async_client: httpx.AsyncClient | None = None,
        input_type: str | None = None,
        unsupported_params: Literal["warn", "raise", "send"] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        callback_manager: CallbackManager | None = None,
        embeddings_cache: Any = None,
        rate_limiter: Any = None,
        **unknown: Never,  # a type checker then refuses a misspelt name as well
    ) -> None:
        arguments = locals()  # the one list of the names above
        given = constructor_fields(type(self), arguments)
        name = one_of(arguments, "model", "model_name")
        given["model_name"] = DEFAULT_MODEL if name is None else name
        check_model(given["model_name"])
        if embed_batch_size is None:
            given["embed_batch_size"] = _max_texts(given["model_name"])
        with translate_validation_errors():
            super().__init__(**drop_unset(given))
        self._settings()  # raises here for invalid settings, not at the first call

    @classmethod
    def class_name(cls) -> str:
        """The class's name in dicts and JSON."""
        return "AIMLAPIEmbedding"

    @property
    def model(self) -> str:
        """An alias of `model_name`."""
        return self.model_name

    @property
    def api_base(self) -> str | None:
        """`base_url` by LlamaIndex's name."""
        return self.base_url

    @property
    def total_usage(self) -> TotalUsage:
        """Tokens and cost of all requests answered so far, those of failed calls included.

        Safe under threads and tasks. Copies begin at zero, also those that LlamaIndex sends to
        worker processes. For the usage of one piece of work use an object of its own.
        """
        return self._total

    def to_payload(self) -> dict[str, Any]:
        """The model in events, without key and headers."""
        settings = {"dimensions": self.dimensions, "input_type": self.input_type}
        return {**super().to_payload(), **{k: v for k, v in settings.items() if v is not None}}

    def _request(self, texts: Sequence[str], input_type: str | None) -> EmbeddingRequest:
        return EmbeddingRequest(
            model=self.model_name,
            texts=tuple(texts),
            dimensions=self.dimensions,
            input_type=input_type,
            batch_size=self.embed_batch_size,
            unsupported_params=self.unsupported_params,
            extra_body=self.extra_body,
        )

    def _add_usage(self, reply: EmbeddingReply) -> None:
        with _total_lock:
            self._total = self._total.add(reply)

    def _embed(self, request: EmbeddingRequest) -> list[Embedding]:
        at_once = requests_per_batch.get() or self.concurrent_batches
        client = self._sync_client()
        reply = client.embed(request, concurrent_batches=at_once, answered=self._add_usage)
        return list(reply.vectors)

    async def _aembed(self, request: EmbeddingRequest) -> list[Embedding]:
        at_once = requests_per_batch.get() or self._async_concurrency
        client = self._async_client()
        reply = await client.embed(request, concurrent_batches=at_once, answered=self._add_usage)
        return list(reply.vectors)

    @property
    def _async_concurrency(self) -> int:
        return self.num_workers or self.concurrent_batches

    def _get_query_embedding(self, query: str) -> Embedding:
        check_text(query)
        return self._embed(self._request([query], None))[0]

    async def _aget_query_embedding(self, query: str) -> Embedding:
        check_text(query)
        return (await self._aembed(self._request([query], None)))[0]

    def _get_text_embedding(self, text: str) -> Embedding:
        check_text(text)
        return self._get_text_embeddings([text])[0]

    async def _aget_text_embedding(self, text: str) -> Embedding:
        check_text(text)
        return (await self._aget_text_embeddings([text]))[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[Embedding]:
        return self._embed(self._request(texts, self.input_type))

    async def _aget_text_embeddings(self, texts: list[str]) -> list[Embedding]:
        return await self._aembed(self._request(texts, self.input_type))

    # The base class's methods embed one batch each, with its events, cache and rate limiter.
    def get_text_embedding_batch(
        self, texts: list[str], show_progress: bool = False, **kwargs: Any
    ) -> list[Embedding]:
        """One vector per text, in order. With several batches, callbacks run in threads."""
        texts = checked_texts(texts)
        embed = super().get_text_embedding_batch
        batches = split(texts, self.embed_batch_size)
        if len(batches) < 2 or self.concurrent_batches < 2:
            return embed(texts, show_progress, **kwargs)
        # A thread that waits for a slot cannot be cancelled when another batch has failed.
        bound = min(self.concurrent_batches, self.max_concurrency or self.concurrent_batches)
        return in_threads(embed, batches, bound, show_progress)

    async def aget_text_embedding_batch(
        self, texts: list[str], show_progress: bool = False, **kwargs: Any
    ) -> list[Embedding]:
        """`get_text_embedding_batch`, asynchronously, in tasks instead of threads."""
        texts = checked_texts(texts)
        embed = super().aget_text_embedding_batch
        batches = split(texts, self.embed_batch_size)
        return await in_tasks(embed, batches, self._async_concurrency, show_progress)

    def __call__(self, nodes: Sequence[BaseNode], **kwargs: Any) -> Sequence[BaseNode]:
        """The nodes with their vectors. Raises InvalidRequestError that names an empty node."""
        check_nodes(nodes)
        return super().__call__(nodes, **kwargs)

    async def acall(self, nodes: Sequence[BaseNode], **kwargs: Any) -> Sequence[BaseNode]:
        """`__call__`, asynchronously."""
        check_nodes(nodes)
        return await super().acall(nodes, **kwargs)

    def _reset_copy(self) -> None:
        super()._reset_copy()
        self._total = TotalUsage()


def _max_texts(model: str) -> int:
    """The most texts in a request, as far as known; the core splits further where needed."""
    info = embedding_info(model)
    return min(info.max_texts, _MAX_TEXTS) if info else _MAX_TEXTS
