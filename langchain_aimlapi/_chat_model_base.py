"""Fields of `ChatAIMLAPI`, and LangChain's hooks for profiles, traces, caches and token counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from functools import lru_cache
from operator import itemgetter
from typing import Any, Self

from langchain_core.caches import BaseCache
from langchain_core.globals import get_llm_cache
from langchain_core.language_models import BaseChatModel, LangSmithParams, LanguageModelInput
from langchain_core.language_models.model_profile import ModelProfile
from langchain_core.load import dumpd
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, Generation, LLMResult
from langchain_core.prompt_values import PromptValue
from langchain_core.runnables import RunnableConfig
from pydantic import PrivateAttr, model_validator
from typing_extensions import override

from aimlapi_core import __version__
from aimlapi_core._io.sockets.event_loop import require_event_loop
from aimlapi_core._values.traceback_locals import clears_locals
from langchain_aimlapi._base import MODEL_CONFIG, PROVIDER, AIMLAPIBase
from langchain_aimlapi._bindable import BindableModel
from langchain_aimlapi._model_profile import cached_model_profile, model_profile
from langchain_aimlapi._request import token_estimate
from langchain_aimlapi._request.argument_validation import (
    CONFIG_NAMES,
    headers_apart,
    reject_config_names,
)
from langchain_aimlapi._request.build import REQUEST_FIELDS, without_secrets
from langchain_aimlapi._request.constructor_types import RequestFields
from langchain_aimlapi._request.prompt_values import with_whole_characters
from langchain_aimlapi._response import metadata as response_metadata
from langchain_aimlapi.errors import InvalidRequestError, translate_errors

DEFAULT_MODEL = "openai/gpt-5-2"
_IDENTIFYING_FIELDS = sorted([*REQUEST_FIELDS, "base_url"])


@lru_cache(maxsize=64)
def _serialized_values(of: type[BaseChatModel]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    """A function that gives the values of the fields that are part of a dump of this class."""
    return itemgetter(*(name for name, field in of.model_fields.items() if not field.exclude))


def _is_equal(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    """Whether two states are equal; False for values that cannot be compared, such as arrays."""
    try:
        return one == other
    except (ValueError, RecursionError):
        return False


class ChatModelBase(AIMLAPIBase, RequestFields, BindableModel):
    """Everything of `ChatAIMLAPI` but its calls."""

    model: str = DEFAULT_MODEL

    _serialized_cache: tuple[tuple[Any, ...], dict[str, Any]] | None = PrivateAttr(default=None)

    model_config = MODEL_CONFIG

    @model_validator(mode="after")
    def _init_profile(self) -> Self:
        self._refresh_profile()
        return self

    @model_validator(mode="after")
    def _check_profile_keys(self) -> Self:
        """Skip LangChain's check for our own profile: it takes a third of the constructor."""
        if self.profile != cached_model_profile(self.model):
            super()._check_profile_keys()  # type: ignore[operator]  # pydantic's proxy binds itself
        return self

    def _refresh_profile(self) -> None:
        """Update a profile from the model table to the current model id; keep a caller's own.

        Compared by value: configurable_fields passes the old model's profile to the constructor.
        """
        held = self.profile
        wanted = cached_model_profile(self.model)
        if held != wanted and (held is None or held == cached_model_profile(str(held.get("name")))):
            self.profile = model_profile(self.model)

    @clears_locals
    def __setattr__(self, name: str, value: Any) -> None:
        if name == "model_kwargs":
            apart = headers_apart({name: value, "default_headers": self.default_headers})
            value, self.default_headers = apart[name], apart["default_headers"]
        super().__setattr__(name, value)
        if name == "model":
            self._refresh_profile()

    @override
    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        if "model_kwargs" in (update or {}):
            update = headers_apart({"default_headers": self.default_headers, **(update or {})})
        copied = super().model_copy(update=update, deep=deep)
        if "model" in (update or {}) and "profile" not in (update or {}):
            copied._refresh_profile()
        return copied

    @model_validator(mode="after")
    def _record_aimlapi_version(self) -> Self:
        self._add_version("langchain-aimlapi", __version__)
        return self

    def __repr_args__(self) -> Any:
        """The model first; without its profile and empty dicts."""
        if "model" not in self.__dict__:  # not initialized yet, as in a debugger
            return
        yield "model", self.model
        for name, value in super().__repr_args__():
            if name not in ("model", "profile", "metadata") and value != {}:
                yield name, value

    @property
    def model_name(self) -> str:
        """The model id, by the name that many packages use."""
        return self.model

    @property
    @override
    def _llm_type(self) -> str:
        return "aimlapi-chat"

    @property
    @override
    def _identifying_params(self) -> dict[str, Any]:
        return {
            name: value
            for name in _IDENTIFYING_FIELDS
            if (value := getattr(self, name)) is not None and value != {}
        }

    def _request_defaults(self) -> dict[str, Any]:
        # `__dict__` is faster than attributes, and must be no local variable: Ctrl-C may come here.
        return {name: x for name in REQUEST_FIELDS if (x := self.__dict__[name]) is not None}

    @override
    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        params["ls_provider"] = PROVIDER
        if not stop and self.stop:
            params["ls_stop"] = [self.stop] if isinstance(self.stop, str) else list(self.stop)
        return params

    @override
    def _combine_llm_outputs(self, llm_outputs: list[dict[str, Any] | None], /) -> dict[str, Any]:
        return response_metadata.combine_llm_outputs(llm_outputs)

    # langchain-core makes the cache's key of the messages inside these two, and leaves an answer
    # that was streamed for `generate` without `llm_output`.
    @override
    def _generate_with_cache(self, messages: list[BaseMessage], *args: Any, **more: Any) -> Any:
        result = super()._generate_with_cache(self._cacheable(messages), *args, **more)
        result.llm_output = result.llm_output or response_metadata.llm_output(result.generations)
        return result

    @override
    async def _agenerate_with_cache(
        self, messages: list[BaseMessage], *args: Any, **more: Any
    ) -> Any:
        result = await super()._agenerate_with_cache(self._cacheable(messages), *args, **more)
        result.llm_output = result.llm_output or response_metadata.llm_output(result.generations)
        return result

    def _cacheable(self, messages: list[BaseMessage]) -> list[BaseMessage]:
        cache = self.cache if isinstance(self.cache, BaseCache) else get_llm_cache()
        if self.cache is False or cache is None:
            return messages
        return [response_metadata.without_cost(message) for message in messages]

    @override
    def _convert_cached_generations(self, cache_val: list[Generation]) -> list[ChatGeneration]:
        generations = super()._convert_cached_generations(cache_val)
        from aimlapi_core import note_cache_hit

        for generation in generations[:1]:  # the generations of one call share its cost
            note_cache_hit(generation.message.response_metadata.get("model_name") or self.model)
        return [response_metadata.zero_cost(g) for g in generations]

    @override
    def _resolve_model_profile(self) -> ModelProfile | None:
        return model_profile(self.model)

    @override
    def _get_invocation_params(
        self, stop: list[str] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        """The arguments of a call as traces show them, without secrets."""
        shown = without_secrets(kwargs) if kwargs else kwargs
        return super()._get_invocation_params(stop=stop, **shown)

    @override
    def _get_llm_string(self, stop: list[str] | None = None, **kwargs: Any) -> str:
        """The cache key of a call, without keys and headers, which do not change answers."""
        return super()._get_llm_string(stop=stop, **without_secrets(kwargs))

    @property
    def _serialized(self) -> dict[str, Any]:
        # langchain-core caches this for the object's life and builds cache keys from it, so that a
        # changed attribute or a model_copy got another model's answers (langchain issue 39598).
        # Here the cache is renewed when an attribute has changed.
        state = _serialized_values(type(self))(self.__dict__)
        cached = self._serialized_cache
        if cached is None or not _is_equal(cached[0], state):
            shared = {id(self.api_key): self.api_key}  # a function may belong to what has no copy
            try:
                snapshot = deepcopy(state, shared)
            except Exception:  # an attribute was set to what has no copy: compared with nothing
                snapshot = ()
            try:
                cached = snapshot, dict(dumpd(self))
            except RecursionError:
                raise InvalidRequestError(
                    "A mapping of the model (extra_body, model_kwargs) holds itself, which JSON "
                    "cannot: take it out."
                ) from None
            self._serialized_cache = cached
        return dict(cached[1])

    # langchain-core hands the config's members on by these names: a second one is a TypeError.
    @override
    def invoke(
        self, input: LanguageModelInput, config: RunnableConfig | None = None, **kwargs: Any
    ) -> AIMessage:
        if not CONFIG_NAMES.isdisjoint(kwargs):
            with translate_errors():
                reject_config_names(kwargs)
        return super().invoke(input, config, **kwargs)

    @override
    async def ainvoke(
        self, input: LanguageModelInput, config: RunnableConfig | None = None, **kwargs: Any
    ) -> AIMessage:
        if not CONFIG_NAMES.isdisjoint(kwargs):
            with translate_errors():
                reject_config_names(kwargs)
        return await super().ainvoke(input, config, **kwargs)

    # langchain-core's asynchronous methods use asyncio before ours are called.
    @override
    async def agenerate(self, *args: Any, **kwargs: Any) -> LLMResult:
        with translate_errors():
            require_event_loop()
        return await super().agenerate(*args, **kwargs)

    @override
    def _should_stream(self, *, async_api: bool, **kwargs: Any) -> bool:
        if async_api:
            with translate_errors():
                require_event_loop()
        return super()._should_stream(async_api=async_api, **kwargs)

    @override
    def _convert_input(self, model_input: LanguageModelInput) -> PromptValue:
        prompt = super()._convert_input(model_input)
        # What a template was filled with was retrieved; other texts are the caller's own words.
        return with_whole_characters(prompt) if prompt is model_input else prompt

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
        return token_estimate.estimate_text(text)

    @override
    def get_num_tokens_from_messages(
        self, messages: list[BaseMessage], tools: Sequence[Any] | None = None
    ) -> int:
        return token_estimate.estimate_messages(messages, tools or (), self.get_num_tokens)
