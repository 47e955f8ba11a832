"""`AIMLAPIEmbeddings`: the service's embedding models, for LangChain's vector stores.

Batches, retries, concurrency and the order of the vectors are the core's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Literal

from langchain_core.embeddings import Embeddings
from pydantic import Field
from typing_extensions import Unpack, override

from aimlapi_core import ConfigurationError, EmbeddingReply, EmbeddingRequest, InvalidRequestError
from aimlapi_core._adapters.arguments import CONSTRUCTOR_ALIASES, translate_validation_errors
from aimlapi_core._values.traceback_locals import clears_locals
from aimlapi_core._values.warn_once import warn_user
from langchain_aimlapi._base import MODEL_CONFIG, AIMLAPIBase
from langchain_aimlapi._request.build import constructor_arguments, wrap_api_key
from langchain_aimlapi._request.constructor_types import EmbeddingArguments
from langchain_aimlapi._request.legacy_arguments import IGNORED_ARGUMENTS
from langchain_aimlapi.errors import translate_errors

DEFAULT_MODEL = "text-embedding-3-small"

ALIASES: Mapping[str, str] = {
    **CONSTRUCTOR_ALIASES,
    "chunk_size": "batch_size",
    "model_kwargs": "extra_body",
}

# Called with the number of texts of each finished request; None without a progress bar.
Progress = Callable[[int], None] | None


class AIMLAPIEmbeddings(AIMLAPIBase, Embeddings):
    """An embedding model of AI/ML API, for LangChain's vector stores.

    The constructor opens nothing and takes under a millisecond. An argument that is None is not
    sent. `close()`, `aclose()` and `with` release the connections; the object can be used again.

    Texts are sent unchanged, newlines too. An empty text is an InvalidRequestError with its
    position, raised before anything is sent, unless `skip_empty`.

    Instantiate:
        ```python
        embeddings = AIMLAPIEmbeddings(model="text-embedding-3-large", dimensions=256)
        ```

    Embed:
        ```python
        vectors = embeddings.embed_documents(["a lake", "a river"])  # two lists of 256 floats
        vector = embeddings.embed_query("water")
        ```

    Args:
        model (str): The id, as in the vendor's list. Default "text-embedding-3-small".
        dimensions (int | None): Length of the vectors, for models that can shorten theirs.
        api_key (str | SecretStr | Callable | None): The key, or a function that gives one for each
            request (an async function in async calls). Default: AIMLAPI_API_KEY, then
            AIML_API_KEY; without one the first call raises MissingKeyError.
        base_url (str | None): Default: AIMLAPI_BASE_URL, else the service's own address.
        batch_size (int | None): The most texts in one request, also `chunk_size`. Default, and
            upper bound: the model's limit.
        concurrent_batches (int): How many requests of one call may be in flight. Default 4.
        input_type (str | None): Voyage's "document". Not sent with a query: the service has no
            type for it.
        skip_empty (bool): Leave empty and blank texts out of `embed_documents`, which then
            returns fewer vectors than texts; not for vector stores, which pair them up.
            Default False.
        show_progress_bar (bool): A bar over the texts of `embed_documents`; needs tqdm.
            Default False.
        on_usage (Callable[[EmbeddingReply], object] | None): Called after each call, in the
            caller's thread or event loop: tokens in `usage`, credits and dollars in `cost`, both
            for all requests of the call.
        timeout (float | httpx.Timeout | None): Seconds of silence that end a request; None for no
            end. Default 600, and 10 to connect.
        max_retries (int): At most so many repetitions of a request that was surely not billed; the
            other requests of the same call are not sent again. Default 2.
        max_concurrency (int | None): At most so many requests of the account in flight in this
            process. Default: no limit.
        unsupported_params ("warn" | "raise" | "send"): What to do with a parameter that the model
            does not take. Default "warn".
        default_headers (Mapping[str, str]): Sent with each request; shown nowhere.
        http_client (httpx.Client | None): Your own client for sync calls, of httpx or httpx2,
            never configured or closed here.
        http_async_client (httpx.AsyncClient | None): The same for async calls.
        extra_body (Mapping): Merged last into each request's body, unchanged.

    Raises:
        ConfigurationError: for an argument that does not exist or cannot work.
    """

    _arguments = EmbeddingArguments

    model: str = DEFAULT_MODEL
    dimensions: int | None = None
    batch_size: int | None = Field(default=None, ge=1)
    concurrent_batches: int = Field(default=4, ge=1)
    input_type: str | None = None
    show_progress_bar: bool = False
    skip_empty: bool = False
    unsupported_params: Literal["warn", "raise", "send"] = "warn"
    extra_body: Mapping[str, Any] = Field(default_factory=dict)
    on_usage: Callable[[EmbeddingReply], object] | None = Field(
        default=None, exclude=True, repr=False
    )

    model_config = MODEL_CONFIG

    # For type checkers, as in ChatAIMLAPI.
    @clears_locals
    def __init__(self, **kwargs: Unpack[EmbeddingArguments]) -> None:
        with translate_errors():
            kwargs = wrap_api_key(kwargs)  # type: ignore[assignment]  # the same names
            named = constructor_arguments(_drop_ignored(kwargs), type(self).model_fields, ALIASES)
            with translate_validation_errors():
                super().__init__(**named)
            self._settings({})  # raises here for invalid settings, not at the first call

    @property
    def model_name(self) -> str:
        """The model id, under the name that many packages use."""
        return self.model

    @override
    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector per text, in the order of the texts, in few requests.

        An empty list needs no request.
        """
        with translate_errors():
            request = self._documents(texts)
            with self._progress(request) as progress:
                return self._vectors(self._embed(request, progress))

    @override
    def embed_query(self, text: str) -> list[float]:
        """The vector of one text."""
        with translate_errors():
            return self._vectors(self._embed(self._request([text]), None))[0]

    @override
    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """`embed_documents`, asynchronously and without a thread."""
        with translate_errors():
            request = self._documents(texts)
            with self._progress(request) as progress:
                return self._vectors(await self._aembed(request, progress))

    @override
    async def aembed_query(self, text: str) -> list[float]:
        """`embed_query`, asynchronously and without a thread."""
        with translate_errors():
            return self._vectors(await self._aembed(self._request([text]), None))[0]

    def _documents(self, texts: Sequence[str]) -> EmbeddingRequest:
        request = self._request(texts, self.input_type)
        return replace(request, skip_empty=True) if self.skip_empty else request

    def _request(self, texts: Sequence[str], input_type: str | None = None) -> EmbeddingRequest:
        if isinstance(texts, str) or not isinstance(texts, Iterable):
            what = "one text" if isinstance(texts, str) else f"a {type(texts).__name__}"
            raise InvalidRequestError(
                f"embed_documents takes a list of texts, not {what}: put it into a list, or use "
                "embed_query."
            )
        return EmbeddingRequest(
            model=self.model,
            texts=tuple(texts),
            dimensions=self.dimensions,
            input_type=input_type,
            batch_size=self.batch_size,
            unsupported_params=self.unsupported_params,
            extra_body=self.extra_body,
        )

    def _embed(self, request: EmbeddingRequest, progress: Progress) -> EmbeddingReply:
        client = self._clients.sync_for(self._settings({}))
        return client.embed(request, concurrent_batches=self.concurrent_batches, progress=progress)

    async def _aembed(self, request: EmbeddingRequest, progress: Progress) -> EmbeddingReply:
        client = self._clients.async_for(self._settings({}))
        return await client.embed(
            request, concurrent_batches=self.concurrent_batches, progress=progress
        )

    def _vectors(self, reply: EmbeddingReply) -> list[list[float]]:
        if self.on_usage is not None and reply.vectors:
            self.on_usage(reply)
        return list(reply.vectors)

    @contextmanager
    def _progress(self, request: EmbeddingRequest) -> Iterator[Progress]:
        """The update function of a progress bar, None where none is wanted."""
        if not self.show_progress_bar:
            yield None
            return
        try:
            from tqdm.auto import tqdm  # type: ignore[import-untyped]  # it ships no types
        except ModuleNotFoundError as exc:
            raise ConfigurationError("show_progress_bar needs tqdm: pip install tqdm") from exc
        texts = request.texts
        if request.skip_empty:
            texts = tuple(text for text in texts if not isinstance(text, str) or text.strip())
        with tqdm(total=len(texts), desc=f"{self.model} embeddings", unit="text") as bar:
            yield bar.update


# The class's name in the older distribution `langchain-aimlapi`.
AimlapiEmbeddings = AIMLAPIEmbeddings


def _drop_ignored(given: Mapping[str, Any]) -> dict[str, Any]:
    """`given` without the arguments that the older distribution ignored too; warns of them."""
    ignored = sorted(IGNORED_ARGUMENTS & given.keys())
    if ignored:
        warn_user(
            f"{', '.join(ignored)} had no effect in the older langchain-aimlapi and has none here: "
            "leave it out.",
            UserWarning,
        )
    return {name: value for name, value in given.items() if name not in ignored}
