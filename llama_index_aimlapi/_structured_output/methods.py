"""The four ways to a structured prediction, as methods that a model class inherits."""

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
from llama_index_aimlapi._request.build import SETTINGS
from llama_index_aimlapi._structured_output.parser import Partials, read
from llama_index_aimlapi._structured_output.plan import Prediction, by_schema, by_tool, check_class

dispatcher = get_dispatcher(__name__)
logger = logging.getLogger("aimlapi")


class Predicting(FunctionCallingLLM):
    """Structured prediction by JSON schema where the model has it, by a forced tool elsewhere.

    `pydantic_program_mode` FUNCTION asks for the tool; the other modes are LlamaIndex's own. The
    system prompt is kept in all of them.
    """

    model: str

    def _prediction(
        self, output_cls: type[Model], llm_kwargs: Mapping[str, Any] | None = None
    ) -> Prediction[Model] | None:
        """How to ask for the class; None for the modes that LlamaIndex serves itself.

        Raises InvalidRequestError for what is no pydantic class.
        """
        check_class(output_cls)
        info = model_info((llm_kwargs or {}).get("model") or self.model)
        if self.pydantic_program_mode == PydanticProgramMode.FUNCTION:
            return by_tool(output_cls)
        if self.pydantic_program_mode != PydanticProgramMode.DEFAULT:
            return None
        if info is not None and info.structured_output:
            return by_schema(output_cls)
        return by_tool(output_cls) if info is None or info.tools else None

    def _prompted(self, prompt: BasePromptTemplate, arguments: dict[str, Any]) -> list[ChatMessage]:
        for name in (n for n in arguments if n in SETTINGS and n not in prompt.template_vars):
            logger.warning(
                "%r is no variable of the prompt and is not used: give llm_kwargs={%r: ...}.",
                name,
                name,
            )
        return self._extend_messages(prompt.format_messages(llm=self, **arguments))

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
        prediction = self._prediction(output_cls, llm_kwargs)
        if prediction is None:
            found = super().structured_predict(output_cls, prompt, llm_kwargs, **prompt_args)
            return cast("Model", found)  # the base method's decorator hides its type
        _started(output_cls, prompt, prompt_args)
        messages = self._prompted(prompt, prompt_args)
        return _ended(read(self.chat(messages, **prediction.arguments(llm_kwargs)), prediction))

    async def astructured_predict(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Model:
        """`structured_predict`, asynchronously."""
        prediction = self._prediction(output_cls, llm_kwargs)
        if prediction is None:
            found = super().astructured_predict(output_cls, prompt, llm_kwargs, **prompt_args)
            return cast("Model", await found)
        _started(output_cls, prompt, prompt_args)
        messages = self._prompted(prompt, prompt_args)
        response = await self.achat(messages, **prediction.arguments(llm_kwargs))
        return _ended(read(response, prediction))

    def _structured_stream_call(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Generator[Model | list[Model] | FlexibleModel | list[FlexibleModel], None, None]:
        prediction = self._prediction(output_cls, llm_kwargs)
        if prediction is None:
            yield from super()._structured_stream_call(
                output_cls, prompt, llm_kwargs, **prompt_args
            )
            return
        partials = Partials(prediction)
        messages = self._prompted(prompt, prompt_args)
        with closing(self.stream_chat(messages, **prediction.arguments(llm_kwargs))) as stream:
            for response in stream:
                yield from partials.feed(response)

    async def _structured_astream_call(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> AsyncGenerator[Model | list[Model] | FlexibleModel | list[FlexibleModel], None]:
        prediction = self._prediction(output_cls, llm_kwargs)
        if prediction is None:
            return await super()._structured_astream_call(
                output_cls, prompt, llm_kwargs, **prompt_args
            )
        messages = self._prompted(prompt, prompt_args)
        stream = await self.astream_chat(messages, **prediction.arguments(llm_kwargs))
        partials = Partials(prediction)

        async def objects() -> AsyncGenerator[
            Model | list[Model] | FlexibleModel | list[FlexibleModel], None
        ]:
            async with aclosing(stream):
                async for response in stream:
                    for found in partials.feed(response):
                        yield found

        return objects()


def _started(output_cls: type[Any], prompt: PromptTemplate, arguments: dict[str, Any]) -> None:
    dispatcher.event(
        LLMStructuredPredictStartEvent(
            output_cls=output_cls, template=prompt, template_args=arguments
        )
    )


def _ended(found: Model) -> Model:
    dispatcher.event(LLMStructuredPredictEndEvent(output=found))
    return found
