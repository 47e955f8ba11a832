"""The constructor of `AIMLAPI`, its settings and its metadata."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, Never

from llama_index.core.base.llms.types import ChatMessage, LLMMetadata
from llama_index.core.callbacks import CallbackManager
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.prompts import BasePromptTemplate
from llama_index.core.types import BaseOutputParser, PydanticProgramMode
from pydantic import Field, SecretStr

from aimlapi_core import DEFAULT_TIMEOUT_S, model_info, nearest_model
from aimlapi_core._adapters.arguments import translate_validation_errors, with_plain_mappings
from aimlapi_core._error_reading.messages import MAX_NAME_CHARS
from aimlapi_core._values.readable import quoted
from aimlapi_core._values.traceback_locals import clears_locals
from llama_index_aimlapi._base import AIMLAPIBase
from llama_index_aimlapi._request.argument_validation import (
    SETTINGS,
    check_additional_kwargs,
    check_context_window,
    check_model,
    constructor_fields,
    drop_unset,
    one_of,
)
from llama_index_aimlapi._request.templates import (
    messages_with_whole_characters,
    with_whole_characters,
)

if TYPE_CHECKING:
    import httpx

    from aimlapi_core.types.request import ReasoningEffort, ReasoningSummary, Truncation

DEFAULT_MODEL = "openai/gpt-5-2"
# For an id without a row in the table: the smallest window of the GPT-5.2 family.
DEFAULT_CONTEXT_WINDOW = 128_000

logger = logging.getLogger("aimlapi")


class LLMBase(AIMLAPIBase, FunctionCallingLLM):
    """Settings. One that is None is not sent; an argument of a call overrides it."""

    model: str = Field(default=DEFAULT_MODEL, description="The model's id at AI/ML API.")
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = Field(default=None, description="Limit on the answer in tokens.")
    n: int | None = None
    seed: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    stop: str | list[str] | None = None
    stream_usage: bool = Field(default=True, description="Request token counts in streams.")
    reasoning_effort: str | None = None
    reasoning_summary: str | None = None
    instructions: str | None = None
    previous_response_id: str | None = None
    store: bool | None = None
    truncation: str | None = None
    include: list[str] | None = None
    endpoint: Literal["auto", "chat", "responses"] = "auto"
    unsupported_params: Literal["warn", "raise", "send"] = "warn"
    unanswered_tool_calls: Literal["repair", "raise"] = "repair"
    extra_body: dict[str, Any] = Field(
        default_factory=dict, description="Merged into the request's body as given."
    )
    additional_kwargs: dict[str, Any] = Field(
        default_factory=dict, description="More request members, by name."
    )
    context_window: int | None = Field(
        default=None, description="Overrides the model table; input and output, in tokens."
    )

    @clears_locals
    def __init__(
        self,
        model: str = DEFAULT_MODEL,
        *,
        api_key: str | SecretStr | Callable[[], str | Awaitable[str]] | None = None,
        base_url: str | None = None,
        api_base: str | None = None,
        timeout: float | httpx.Timeout | Mapping[str, float | None] | None = DEFAULT_TIMEOUT_S,
        max_retries: int = 2,
        max_concurrency: int | None = None,
        default_headers: Mapping[str, str] | None = None,
        http_client: httpx.Client | None = None,
        http_async_client: httpx.AsyncClient | None = None,
        temperature: float | None = None,
        top_p: float | None = None,
        max_tokens: int | None = None,
        n: int | None = None,
        seed: int | None = None,
        logprobs: bool | None = None,
        top_logprobs: int | None = None,
        stop: str | Sequence[str] | None = None,
        stream_usage: bool = True,
        reasoning_effort: ReasoningEffort | None = None,
        reasoning_summary: ReasoningSummary | None = None,
        instructions: str | None = None,
        previous_response_id: str | None = None,
        store: bool | None = None,
        truncation: Truncation | None = None,
        include: Sequence[str] | None = None,
        endpoint: Literal["auto", "chat", "responses"] = "auto",
        unsupported_params: Literal["warn", "raise", "send"] = "warn",
        unanswered_tool_calls: Literal["repair", "raise"] = "repair",
        extra_body: Mapping[str, Any] | None = None,
        additional_kwargs: Mapping[str, Any] | None = None,
        model_kwargs: Mapping[str, Any] | None = None,
        context_window: int | None = None,
        callback_manager: CallbackManager | None = None,
        rate_limiter: Any = None,
        system_prompt: str | None = None,
        messages_to_prompt: Callable[[Sequence[ChatMessage]], str] | None = None,
        completion_to_prompt: Callable[[str], str] | None = None,
        output_parser: BaseOutputParser | None = None,
        pydantic_program_mode: PydanticProgramMode = PydanticProgramMode.DEFAULT,
        query_wrapper_prompt: BasePromptTemplate | None = None,
        **unknown: Never,  # a type checker then refuses a misspelt name as well
    ) -> None:
        arguments = locals()  # the one list of the forty names above
        given = constructor_fields(type(self), arguments)
        check_model(DEFAULT_MODEL if model is None else model)
        check_context_window(context_window)
        given["additional_kwargs"] = one_of(arguments, "additional_kwargs", "model_kwargs")
        with translate_validation_errors():
            super().__init__(**drop_unset(with_plain_mappings(given)))
        self._settings()  # raises here for invalid settings, not at the first call
        check_additional_kwargs(self.additional_kwargs, self._explicit_settings(), arguments)

    @property
    def api_base(self) -> str | None:
        """`base_url` by LlamaIndex's name."""
        return self.base_url

    @property
    def model_kwargs(self) -> dict[str, Any]:
        """`additional_kwargs` by its other name."""
        return self.additional_kwargs

    @property
    def metadata(self) -> LLMMetadata:
        """The model's metadata from the model table; never raises, never connects."""
        info = model_info(self.model)
        window = self.context_window or (info and info.usable_window(self.max_tokens))
        if not window:
            _warn_unknown_window(self.model)
        return LLMMetadata(
            context_window=window or DEFAULT_CONTEXT_WINDOW,
            num_output=self.max_tokens or -1,  # -1: LlamaIndex reserves its own default
            is_chat_model=True,
            # Agents refuse a model without; the documents leave out tools that the service takes.
            is_function_calling_model=info is None or info.tools or not info.gates_params,
            model_name=self.model,
        )

    def _get_messages(self, prompt: BasePromptTemplate, **prompt_args: Any) -> list[ChatMessage]:
        return messages_with_whole_characters(super()._get_messages(prompt, **prompt_args))

    def _get_prompt(self, prompt: BasePromptTemplate, **prompt_args: Any) -> str:
        return with_whole_characters(super()._get_prompt(prompt, **prompt_args))

    def to_payload(self) -> dict[str, Any]:
        """The model in events: metadata and explicit settings, without key and headers."""
        shown = {
            name: value for name, value in self._explicit_settings().items() if name != "extra_body"
        }
        return {**super().to_payload(), **shown}

    def _explicit_settings(self) -> dict[str, Any]:
        """The model, and the settings that differ from their defaults.

        Not `model_fields_set`: after unpickling it holds every field.
        """
        return {
            name: value
            for name, default in _defaults(type(self))
            if (value := getattr(self, name)) != default or name == "model"
        }


@cache
def _defaults(of: type[LLMBase]) -> tuple[tuple[str, Any], ...]:
    """The settings of a class, each with its default, to compare with."""
    fields = of.model_fields
    return tuple((name, fields[name].get_default(call_default_factory=True)) for name in SETTINGS)


@cache
def _warn_unknown_window(model: str) -> None:
    """Log it once for each id: a warning would make metadata raise under `-W error`."""
    near = nearest_model(model)
    logger.warning(
        "The context window of model %s is not known: %d tokens are assumed. %s",
        quoted(model, MAX_NAME_CHARS),
        DEFAULT_CONTEXT_WINDOW,
        f"Did you mean {near!r}?" if near else "Set context_window to say otherwise.",
    )
