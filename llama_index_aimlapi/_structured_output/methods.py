"""Structured prediction methods (sync, async, streamed) that the model class inherits."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import aclosing, closing
from typing import Any, cast

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.instrumentation.events.llm import (
    LLMStructuredPredictEndEvent,
    LLMStructuredPredictStartEvent,
)
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.program.utils import FlexibleModel
from llama_index.core.prompts import BasePromptTemplate, PromptTemplate
from llama_index.core.types import Model, PydanticProgramMode
from llama_index_instrumentation import get_dispatcher

from aimlapi_core import model_info
from llama_index_aimlapi._base import MODEL_CONFIG
from llama_index_aimlapi._request.argument_validation import SETTINGS
from llama_index_aimlapi._request.templates import (
    arguments_with_whole_characters,
    messages_with_whole_characters,
)
from llama_index_aimlapi._structured_output.parser import PartialObjectParser, parse_response
from llama_index_aimlapi._structured_output.plan import (
    StructuredOutputPlan,
    check_output_class,
    function_calling_plan,
    json_schema_plan,
)

dispatcher = get_dispatcher(__name__)
logger = logging.getLogger("aimlapi")


class StructuredPredictionMixin(FunctionCallingLLM):
    """Structured prediction by JSON schema where the model has it, else by a forced tool call.

    `pydantic_program_mode` FUNCTION forces the tool call; the other modes are LlamaIndex's own.
    All of them keep the system prompt.
    """

    model: str

    model_config = MODEL_CONFIG

    def _structured_output_plan(
        self, output_cls: type[Model], llm_kwargs: Mapping[str, Any] | None = None
    ) -> StructuredOutputPlan[Model] | None:
        """The plan for the class; None for the modes that LlamaIndex implements itself.

        Raises InvalidRequestError when it is not a pydantic class.
        """
        check_output_class(output_cls)
        info = model_info((llm_kwargs or {}).get("model") or self.model)
        if self.pydantic_program_mode == PydanticProgramMode.FUNCTION:
            return function_calling_plan(output_cls)
        if self.pydantic_program_mode != PydanticProgramMode.DEFAULT:
            return None
        if info is not None and info.structured_output:
            return json_schema_plan(output_cls)
        return function_calling_plan(output_cls) if info is None or info.tools else None

    def _format_prompt(self, prompt: BasePromptTemplate, args: dict[str, Any]) -> list[ChatMessage]:
        for name in (n for n in args if n in SETTINGS and n not in prompt.template_vars):
            logger.warning(
                "%r is no variable of the prompt and is not used: give llm_kwargs={%r: ...}.",
                name,
                name,
            )
        messages = self._extend_messages(prompt.format_messages(llm=self, **args))
        return messages_with_whole_characters(messages)

    def structured_predict(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Model:
        """An instance of `output_cls`; see the base class for the arguments.

        Raises OutputError, or pydantic's ValidationError.
        """
        plan = self._structured_output_plan(output_cls, llm_kwargs)
        if plan is None:
            args = arguments_with_whole_characters(prompt_args)
            instance = super().structured_predict(output_cls, prompt, llm_kwargs, **args)
            return cast("Model", instance)  # the base method's decorator hides its type
        _dispatch_start(output_cls, prompt, prompt_args)
        messages = self._format_prompt(prompt, prompt_args)
        response = self.chat(messages, **plan.chat_kwargs(llm_kwargs))
        return _dispatch_end(parse_response(response, plan))

    async def astructured_predict(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Model:
        """`structured_predict`, asynchronously."""
        plan = self._structured_output_plan(output_cls, llm_kwargs)
        if plan is None:
            args = arguments_with_whole_characters(prompt_args)
            instance = super().astructured_predict(output_cls, prompt, llm_kwargs, **args)
            return cast("Model", await instance)
        _dispatch_start(output_cls, prompt, prompt_args)
        messages = self._format_prompt(prompt, prompt_args)
        response = await self.achat(messages, **plan.chat_kwargs(llm_kwargs))
        return _dispatch_end(parse_response(response, plan))

    def _structured_stream_call(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Generator[Model | list[Model] | FlexibleModel | list[FlexibleModel], None, None]:
        plan = self._structured_output_plan(output_cls, llm_kwargs)
        if plan is None:
            args = arguments_with_whole_characters(prompt_args)
            yield from super()._structured_stream_call(output_cls, prompt, llm_kwargs, **args)
            return
        partial_parser = PartialObjectParser(plan)
        messages = self._format_prompt(prompt, prompt_args)
        with closing(self.stream_chat(messages, **plan.chat_kwargs(llm_kwargs))) as stream:
            for response in stream:
                yield from partial_parser.feed(response)

    async def _structured_astream_call(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> AsyncGenerator[Model | list[Model] | FlexibleModel | list[FlexibleModel], None]:
        plan = self._structured_output_plan(output_cls, llm_kwargs)
        if plan is None:
            args = arguments_with_whole_characters(prompt_args)
            return await super()._structured_astream_call(output_cls, prompt, llm_kwargs, **args)
        messages = self._format_prompt(prompt, prompt_args)
        stream = await self.astream_chat(messages, **plan.chat_kwargs(llm_kwargs))
        partial_parser = PartialObjectParser(plan)

        async def objects() -> AsyncGenerator[
            Model | list[Model] | FlexibleModel | list[FlexibleModel], None
        ]:
            async with aclosing(stream):
                async for response in stream:
                    for instance in partial_parser.feed(response):
                        yield instance

        return objects()


def _dispatch_start(output_cls: type[Any], prompt: PromptTemplate, args: dict[str, Any]) -> None:
    dispatcher.event(
        LLMStructuredPredictStartEvent(output_cls=output_cls, template=prompt, template_args=args)
    )


def _dispatch_end(instance: Model) -> Model:
    dispatcher.event(LLMStructuredPredictEndEvent(output=instance))
    return instance
