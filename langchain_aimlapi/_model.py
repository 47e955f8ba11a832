"""The fields of `ChatAIMLAPI` and what LangChain asks of a model object besides its calls."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Self

import httpx
from langchain_core.language_models import BaseChatModel, LangSmithParams
from langchain_core.language_models.model_profile import ModelProfile
from langchain_core.load import dumpd
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGeneration, Generation
from pydantic import ConfigDict, Field, PrivateAttr, SecretStr, model_validator
from typing_extensions import override

from aimlapi_core import Settings
from langchain_aimlapi import _answers, _tokens
from langchain_aimlapi._clients import Clients, KeySource, plain
from langchain_aimlapi._convert import PROVIDER
from langchain_aimlapi._profile import profile_of
from langchain_aimlapi._request import SHAPING, TRANSPORT
from langchain_aimlapi._version import __version__

DEFAULT_MODEL = "openai/gpt-5-2"


def _key_in_environment() -> SecretStr | None:
    found = os.environ.get("AIMLAPI_API_KEY") or os.environ.get("AIML_API_KEY")
    return SecretStr(found) if found else None


def _base_url_in_environment() -> str | None:
    return os.environ.get("AIMLAPI_BASE_URL") or None


class ModelObject(BaseChatModel):
    """Arguments, bookkeeping and life cycle; the calls are `ChatAIMLAPI`'s.

    Holds nothing open: connections belong to the core's shared pools, claimed at the first call.
    """

    model: str = DEFAULT_MODEL
    api_key: SecretStr | Callable[[], str | SecretStr] | None = Field(
        default_factory=_key_in_environment
    )
    base_url: str | None = Field(default_factory=_base_url_in_environment)
    timeout: float | httpx.Timeout | None = None
    max_retries: int = 2
    default_headers: Mapping[str, str] = Field(default_factory=dict, exclude=True, repr=False)
    http_client: Any = Field(default=None, exclude=True, repr=False)
    http_async_client: Any = Field(default=None, exclude=True, repr=False)

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
    instructions: str | None = None
    previous_response_id: str | None = None
    store: bool | None = None
    truncation: str | None = None
    include: Sequence[str] | None = None
    model_kwargs: Mapping[str, Any] = Field(default_factory=dict)
    extra_body: Mapping[str, Any] = Field(default_factory=dict)

    _clients: Clients = PrivateAttr(default_factory=Clients)

    # Inputs are hidden in pydantic's messages: they would show the key.
    model_config = ConfigDict(
        extra="forbid", hide_input_in_errors=True, protected_namespaces=(), strict=False
    )

    @model_validator(mode="after")
    def _record_aimlapi_version(self) -> Self:
        self._add_version("langchain-aimlapi", __version__)
        return self

    def _settings(self, call: Mapping[str, Any]) -> Settings:
        """How to reach the service now: the object's attributes, and the call's over them."""
        held = {name: call[name] if name in call else getattr(self, name) for name in TRANSPORT}
        key = plain(held.pop("api_key"))
        return Settings(api_key=KeySource(key) if callable(key) else key, **held)

    @property
    def model_name(self) -> str:
        """The model id, under the name that many packages use."""
        return self.model

    @property
    @override
    def _llm_type(self) -> str:
        return "aimlapi-chat"

    @property
    @override
    def _identifying_params(self) -> dict[str, Any]:
        held = {name: getattr(self, name) for name in sorted([*SHAPING, "base_url"])}
        return {name: value for name, value in held.items() if value not in (None, {})}

    @override
    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        params["ls_provider"] = PROVIDER
        if not stop and self.stop:
            params["ls_stop"] = [self.stop] if isinstance(self.stop, str) else list(self.stop)
        return params

    @override
    def _combine_llm_outputs(self, llm_outputs: list[dict[str, Any] | None], /) -> dict[str, Any]:
        return _answers.total_of(llm_outputs)

    @override
    def _convert_cached_generations(self, cache_val: list[Generation]) -> list[ChatGeneration]:
        return [_answers.free(g) for g in super()._convert_cached_generations(cache_val)]

    @override
    def _resolve_model_profile(self) -> ModelProfile | None:
        return profile_of(self.model)

    @classmethod
    @override
    def is_lc_serializable(cls) -> bool:
        return True

    @property
    @override
    def lc_secrets(self) -> dict[str, str]:
        return {"api_key": "AIMLAPI_API_KEY"}

    @property
    def _serialized(self) -> dict[str, Any]:
        # langchain-core caches this on the object and makes cache keys of it, so that a changed
        # attribute or a model_copy got another model's cached answers (langchain issue 39598).
        return dict(dumpd(self))

    @override
    def get_token_ids(self, text: str) -> list[int]:
        if self.custom_get_token_ids is None:
            raise NotImplementedError(
                "No tokenizer is at hand: pass custom_get_token_ids, or use get_num_tokens, which "
                "estimates."
            )
        return self.custom_get_token_ids(text)

    @override
    def get_num_tokens(self, text: str) -> int:
        if self.custom_get_token_ids is not None:
            return len(self.custom_get_token_ids(text))
        return _tokens.of_text(text)

    @override
    def get_num_tokens_from_messages(
        self, messages: list[BaseMessage], tools: Sequence[Any] | None = None
    ) -> int:
        return _tokens.of_messages(messages, tools or (), self.get_num_tokens)

    def close(self) -> None:
        """Give up the claim on connections of sync calls; the last claim closes them."""
        self._clients.close()

    async def aclose(self) -> None:
        """Give up the claim on all connections."""
        await self._clients.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __copy__(self) -> Self:
        copied = super().__copy__()
        copied._clients = Clients()
        return copied

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        # Clients that were handed in hold sockets: they are shared, not copied.
        shared = {id(c): c for c in (self.http_client, self.http_async_client) if c is not None}
        return super().__deepcopy__({**shared, **(memo or {})})
