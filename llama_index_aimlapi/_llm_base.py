"""The settings of a model object: its constructor, and what LlamaIndex asks it about itself."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, Never

from llama_index.core.base.llms.types import ChatMessage, LLMMetadata
from llama_index.core.callbacks import CallbackManager
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.prompts import BasePromptTemplate
from llama_index.core.types import BaseOutputParser, PydanticProgramMode
from pydantic import Field, SecretStr

from aimlapi_core import DEFAULT_TIMEOUT_S, model_info
from llama_index_aimlapi._base import AIMLAPIBase, parse_timeout, reveal_key
from llama_index_aimlapi._request.argument_validation import check_context_window, check_model
from llama_index_aimlapi._request.build import SETTINGS, check_arguments, check_extra_kwargs, one_of

if TYPE_CHECKING:
    import httpx

DEFAULT_MODEL = "openai/gpt-5-2"
# For an id that the table does not know: the smallest window of the GPT-5.2 family.
DEFAULT_CONTEXT_WINDOW = 128_000

logger = logging.getLogger("aimlapi")


class LLMBase(AIMLAPIBase, FunctionCallingLLM):
    """What can be set. A setting that is None is not sent; a call's argument beats a setting."""

    model: str = Field(default=DEFAULT_MODEL, description="The model's id at AI/ML API.")
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = Field(default=None, description="Limit on the answer in tokens.")
    n: int | None = None
    seed: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    stop: str | list[str] | None = None
    stream_usage: bool = Field(default=True, description="Ask for token counts in streams.")
    reasoning_effort: str | None = None
    reasoning_summary: str | None = None
    instructions: str | None = None
    previous_response_id: str | None = None
    store: bool | None = None
    truncation: str | None = None
    include: list[str] | None = None
    endpoint: Literal["auto", "chat", "responses"] = "auto"
    unsupported_params: Literal["warn", "raise", "send"] = "warn"
    extra_body: dict[str, Any] = Field(
        default_factory=dict, description="Merged into the request's body as given."
    )
    additional_kwargs: dict[str, Any] = Field(
        default_factory=dict, description="More request members, by name."
    )
    context_window: int | None = Field(
        default=None, description="Overrides the model table; input and output, in tokens."
    )

    def __init__(
        self,
        model: str = DEFAULT_MODEL,
        *,
        api_key: str | SecretStr | Callable[[], str] | None = None,
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
        reasoning_effort: str | None = None,
        reasoning_summary: str | None = None,
        instructions: str | None = None,
        previous_response_id: str | None = None,
        store: bool | None = None,
        truncation: str | None = None,
        include: Sequence[str] | None = None,
        endpoint: Literal["auto", "chat", "responses"] = "auto",
        unsupported_params: Literal["warn", "raise", "send"] = "warn",
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
        fields = type(self).model_fields
        names = {name for name in arguments if name not in ("self", "unknown", "__class__")}
        check_arguments((n for n in unknown if n not in fields), {*fields, *names})
        given = {name: arguments[name] for name in names if name in fields} | unknown
        check_model(DEFAULT_MODEL if model is None else model)
        check_context_window(context_window)
        given["api_key"] = reveal_key(api_key)
        given["base_url"] = one_of("base_url", base_url, "api_base", api_base)
        given["timeout"] = parse_timeout(timeout)
        given["additional_kwargs"] = one_of(
            "additional_kwargs", additional_kwargs, "model_kwargs", model_kwargs
        )
        # None stands for the default, but in timeout: there it means none.
        super().__init__(
            **{n: value for n, value in given.items() if value is not None or n == "timeout"}
        )
        self._settings()  # says now what cannot work
        check_extra_kwargs(self.additional_kwargs, self._explicit_settings(), names)

    @property
    def api_base(self) -> str | None:
        """`base_url` by the name that LlamaIndex users know."""
        return self.base_url

    @property
    def model_kwargs(self) -> dict[str, Any]:
        """`additional_kwargs` by its other name."""
        return self.additional_kwargs

    @property
    def metadata(self) -> LLMMetadata:
        """What LlamaIndex asks about a model, from the table; never raises, never connects."""
        info = model_info(self.model)
        window = self.context_window or (info and info.context_window)
        if not window:
            _warn_unknown_window(self.model)
        return LLMMetadata(
            context_window=window or DEFAULT_CONTEXT_WINDOW,
            num_output=self.max_tokens or -1,  # -1: LlamaIndex reserves its own default
            is_chat_model=True,
            is_function_calling_model=info is None or info.tools,
            model_name=self.model,
        )

    def to_payload(self) -> dict[str, Any]:
        """What events tell about the model: metadata and what was set, without key and headers."""
        told = {
            name: value for name, value in self._explicit_settings().items() if name != "extra_body"
        }
        return {**super().to_payload(), **told}

    def _explicit_settings(self) -> dict[str, Any]:
        """The settings that say something: the model, and what is not at its default.

        Not `model_fields_set`: after unpickling every field counts as set there.
        """
        fields = type(self).model_fields
        values = {name: getattr(self, name) for name in SETTINGS}
        return {
            name: value
            for name, value in values.items()
            if name == "model" or value != fields[name].get_default(call_default_factory=True)
        }


@cache
def _warn_unknown_window(model: str) -> None:
    """Once for each id; a log line, since metadata must not raise under `-W error`."""
    logger.warning(
        "The context window of model %r is not known: %d tokens are assumed. Set context_window "
        "to say otherwise.",
        model,
        DEFAULT_CONTEXT_WINDOW,
    )
