"""`ChatAIMLAPI`: GPT-5.2 served by AI/ML API, as a LangChain chat model.

Each hook builds one ChatRequest, converts the core's reply to LangChain's, and raises the core's
errors as LangChain's `ModelError`s.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.utils.utils import LC_ID_PREFIX
from typing_extensions import Unpack, override

from aimlapi_core import ChatRequest, Reply, Settings, StreamError, StreamEvent
from aimlapi_core._adapters.arguments import translate_validation_errors
from aimlapi_core._values.traceback_locals import clears_locals
from langchain_aimlapi._chat_model_base import ChatModelBase
from langchain_aimlapi._request import tools as request_tools
from langchain_aimlapi._request.argument_validation import (
    check_types,
)
from langchain_aimlapi._request.build import (
    call_arguments,
    check_model_kwargs,
    constructor_arguments,
    to_request,
    wrap_api_key,
)
from langchain_aimlapi._request.constructor_types import Arguments
from langchain_aimlapi._request.tool_functions import ToolLike
from langchain_aimlapi._response import content_blocks
from langchain_aimlapi._response import messages as response_messages
from langchain_aimlapi._response.empty_output import warn_at_stream_end, warn_if_reasoning_exhausted
from langchain_aimlapi._response.v3_events import V3EventEncoder
from langchain_aimlapi._structured_output.methods import Method
from langchain_aimlapi.errors import translate_errors

if TYPE_CHECKING:
    from langchain_protocol.protocol import MessagesData

ObjectT = TypeVar("ObjectT")

content_blocks.register()


class ChatAIMLAPI(ChatModelBase):
    """GPT-5.2 and every other chat model of AI/ML API as a LangChain chat model.

    The constructor opens nothing and takes under a millisecond. An argument that is None is not
    sent; an argument of a call overrides the constructor's. `close()`, `aclose()` and `with`
    release the connections; the object can be used again afterwards.

    Instantiate:
        ```python
        llm = ChatAIMLAPI(model="openai/gpt-5-2", temperature=0.2, max_tokens=500)
        ```

    Invoke:
        ```python
        llm.invoke([("system", "Answer in one word."), ("human", "The largest lake?")]).text
        ```

    Stream:
        ```python
        for chunk in llm.stream("Tell me a story."):
            print(chunk.text, end="")
        ```

    Tools:
        ```python
        llm.bind_tools([get_weather]).invoke("The weather in Paris?").tool_calls
        ```

    Structured output:
        ```python
        llm.with_structured_output(Joke).invoke("A joke about cats")  # an instance of Joke
        ```

    Usage and cost:
        ```python
        message = llm.invoke("Hi")
        message.usage_metadata["total_tokens"], message.response_metadata["cost"]  # tokens, USD
        ```

    Args:
        model (str): The id, as in the vendor's list. Default "openai/gpt-5-2".
        api_key (str | SecretStr | Callable | None): The key, or a function that gives one for each
            request (an async function in async calls). Default: AIMLAPI_API_KEY, then
            AIML_API_KEY; without one the first call raises MissingKeyError.
        base_url (str | None): Default: AIMLAPI_BASE_URL, else the service's own address.
        temperature (float | None): Randomness, 0 to 2. Default: the model's.
        max_tokens (int | None): Limit on the output in tokens, from 1, on responses from 16;
            reasoning is included, whatever the name on the wire. Default: the model's.
        reasoning_effort (str | None): How long the model thinks: "none", "minimal", "low",
            "medium", "high" or "xhigh", as the model takes them. Default: the model's.
        reasoning_summary (str | None): Returns a summary of the reasoning: "auto", "concise" or
            "detailed"; responses alone.
        reasoning (Mapping | None): `{"effort": …, "summary": …}`: reasoning_effort and
            reasoning_summary in one.
        top_p (float | None): Nucleus sampling, 0.01 to 1.
        stop (str | Sequence[str] | None): Stop sequences. For a model that takes none the answer is
            cut here, and the stream closed.
        n (int | None): Number of answers, from 1; the first is the message.
        seed (int | None): For repeatable sampling, from 1.
        logprobs (bool | None): Whether to return log probabilities of the output tokens.
        top_logprobs (int | None): How many of the likeliest tokens at each position, 0 to 20.
        streaming (bool): Stream inside `invoke` too, for callbacks. Default False.
        stream_usage (bool): Request token counts in streams. Default True.
        timeout (float | httpx.Timeout | None): Seconds of silence that end a call; None for no
            end. Default 600, and 10 to connect.
        max_retries (int): At most so many repetitions of a request that was surely not billed.
            Default 2.
        max_concurrency (int | None): At most so many requests of the account in flight in this
            process. Default: no limit.
        endpoint ("auto" | "chat" | "responses"): "auto" follows the model table; the others
            override it. Default "auto".
        unsupported_params ("warn" | "raise" | "send"): What to do with a parameter that the model
            does not take: leave it out with one warning, raise UnsupportedParameterError, or send
            it. Default "warn".
        unanswered_tool_calls ("repair" | "raise"): "repair" puts a result behind each tool call of
            a history that has none, and leaves out results without a call; "raise" makes both an
            error. Default "repair".
        instructions (str | None): A system text beside the messages; responses alone.
        previous_response_id (str | None): Continues a stored response; responses alone.
        store (bool | None): Whether the service keeps the response; responses alone.
        truncation (str | None): What happens to input that is too long: "auto" or "disabled";
            responses alone.
        include (Sequence[str] | None): More members of the response; responses alone.
        default_headers (Mapping[str, str]): Sent with each request; shown nowhere.
        http_client (httpx.Client | None): Your own client for sync calls, of httpx or httpx2,
            never configured or closed here.
        http_async_client (httpx.AsyncClient | None): The same for async calls.
        model_kwargs (Mapping): Arguments that only calls have; other names go into the body.
        extra_body (Mapping): Merged last into the request's body, unchanged.

    Raises:
        ConfigurationError: for an argument that does not exist or cannot work.
    """

    _arguments = Arguments

    # Not in the base class: type checkers would synthesize an __init__ of the fields, in which
    # api_key cannot be a plain string.
    @clears_locals
    def __init__(self, **kwargs: Unpack[Arguments]) -> None:
        with translate_errors():
            kwargs = wrap_api_key(kwargs)  # type: ignore[assignment]  # the same names
            named = constructor_arguments(kwargs, type(self).model_fields)
            with translate_validation_errors():
                super().__init__(**named)
            check_model_kwargs(self.model_kwargs)
            self._settings({})  # raises here for invalid settings, not at the first call

    @override
    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        with translate_errors():
            request, settings = self._prepare(messages, stop, kwargs, run_manager)
            reply = self._clients.sync_for(settings).complete(request)
        return self._result(reply, request)

    @override
    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        with translate_errors():
            request, settings = self._prepare(messages, stop, kwargs, run_manager)
            reply = await self._clients.async_for(settings).complete(request)
        return self._result(reply, request)

    @override
    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        with translate_errors():
            request, settings = self._prepare(messages, stop, kwargs, run_manager, streaming=True)
            with closing(self._clients.sync_for(settings).stream(request)) as events:
                try:
                    for event in events:
                        yield from self._chunks(event, request)
                except StreamError as error:
                    yield from response_messages.chunks_on_stream_error(error)
                    raise

    @override
    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        with translate_errors():
            request, settings = self._prepare(messages, stop, kwargs, run_manager, streaming=True)
            async with aclosing(self._clients.async_for(settings).stream(request)) as events:
                try:
                    async for event in events:
                        for chunk in self._chunks(event, request):
                            yield chunk
                except StreamError as error:
                    for chunk in response_messages.chunks_on_stream_error(error):
                        yield chunk
                    raise

    def _stream_chat_model_events(
        self,
        messages: list[BaseMessage],
        *,
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        message_id: str | None = None,
        **kwargs: Any,
    ) -> Iterator[MessagesData]:
        """Events of the v3 protocol without chunks in between; LangChain looks this method up."""
        with translate_errors():
            request, settings = self._prepare(messages, stop, kwargs, run_manager, streaming=True)
            encoder = _v3_encoder(request, run_manager, message_id)
            with closing(self._clients.sync_for(settings).stream(request)) as events:
                for event in events:
                    warn_at_stream_end(event)
                    yield from encoder.feed(event)

    async def _astream_chat_model_events(
        self,
        messages: list[BaseMessage],
        *,
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        message_id: str | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[MessagesData]:
        """Events of the v3 protocol without chunks in between; LangChain looks this method up."""
        with translate_errors():
            request, settings = self._prepare(messages, stop, kwargs, run_manager, streaming=True)
            encoder = _v3_encoder(request, run_manager, message_id)
            async with aclosing(self._clients.async_for(settings).stream(request)) as events:
                async for event in events:
                    warn_at_stream_end(event)
                    for encoded in encoder.feed(event):
                        yield encoded

    def _prepare(
        self,
        messages: Sequence[BaseMessage],
        stop: list[str] | None,
        given: Mapping[str, Any],
        run_manager: CallbackManagerForLLMRun | AsyncCallbackManagerForLLMRun | None,
        *,
        streaming: bool = False,
    ) -> tuple[ChatRequest, Settings]:
        call = call_arguments(given)
        if stop is not None:
            call["stop"] = stop
            check_types(call)
        defaults = self._request_defaults()
        # LangChain may call the hooks without a run manager.
        run_id = None if run_manager is None else str(run_manager.run_id)
        request = to_request(messages, defaults, call, run_id, streaming=streaming)
        return request, self._settings(call)

    def _result(self, reply: Reply, request: ChatRequest) -> ChatResult:
        warn_if_reasoning_exhausted(reply)
        return response_messages.to_chat_result(reply, request.model)

    def _chunks(self, event: StreamEvent, request: ChatRequest) -> list[ChatGenerationChunk]:
        warn_at_stream_end(event)
        return response_messages.to_chunks(event, request.model, usage=request.stream_usage)

    @override
    def bind_tools(
        self,
        tools: Sequence[ToolLike],
        *,
        tool_choice: request_tools.ToolChoiceLike = None,
        strict: bool | None = None,
        parallel_tool_calls: bool | None = None,
        response_format: Any = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The model with tools. Only the arguments that are given are bound.

        `tool_choice`: a bound tool's name, "any" or True (at least one call), "auto", "none" or
        False, or a wire dict. `strict=True` makes the arguments follow the schema where it can
        be strict, and warns where it cannot. `response_format`: in wire form, a class or a JSON
        Schema. Dicts of built-in tools (`{"type": "web_search_preview"}`) are sent unchanged.
        """
        with translate_errors():
            check_types({"tools": tools})
            wire = [request_tools.to_wire_tool(tool, strict) for tool in tools]
            choice = request_tools.to_wire_tool_choice(tool_choice, wire)
            wire_format = (
                request_tools.to_wire_response_format(response_format) if response_format else None
            )
            call_arguments(kwargs)
        bound = {
            "tools": wire or None,
            "tool_choice": choice if wire else None,
            "parallel_tool_calls": parallel_tool_calls if wire else None,
            "response_format": wire_format,
        }
        given = {name: value for name, value in bound.items() if value is not None}
        return self._binding({**given, **kwargs})

    @overload
    def with_structured_output(
        self,
        schema: type[ObjectT],
        *,
        method: Method | None = None,
        include_raw: Literal[False] = False,
        strict: bool | None = None,
        tools: Sequence[ToolLike] | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, ObjectT]: ...
    @overload
    def with_structured_output(
        self,
        schema: Mapping[str, Any] | type | None = None,
        *,
        method: Method | None = None,
        include_raw: bool = False,
        strict: bool | None = None,
        tools: Sequence[ToolLike] | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, Any]: ...
    @override
    def with_structured_output(
        self,
        schema: Mapping[str, Any] | type | None = None,
        *,
        method: Method | None = None,
        include_raw: bool = False,
        strict: bool | None = None,
        tools: Sequence[ToolLike] | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, Any]:
        """The model followed by a parser that returns an instance of `schema`.

        `schema`: a pydantic class, a dataclass, a TypedDict, or a JSON Schema or tool as a dict;
        the last two kinds give dicts. `method`: "json_schema" (the service enforces the schema),
        "function_calling" (one forced call) or "json_mode" (any JSON object; describe it in the
        prompt, with the word JSON; `schema` may be None); None is the first, or the second for a
        model that is not documented to take a schema. `strict`: None is strict where the schema can
        be. `tools` are bound beside the schema. With `include_raw` the output is
        `{"raw", "parsed", "parsing_error"}`.

        Raises OutputError (refused, truncated, empty, invalid) where there is no instance.
        """
        # Imported late: most programs' first call needs none of it.
        from langchain_aimlapi._structured_output.runnable import structured_output

        return structured_output(
            self,
            {},
            schema,
            method=method,
            include_raw=include_raw,
            strict=strict,
            tools=tools,
            **kwargs,
        )


# langchain-core reads their signatures at each call, and Python would make them anew each time.
_hooks: tuple[Any, ...] = (ChatAIMLAPI._generate, ChatAIMLAPI._agenerate)
for _hook in _hooks:
    _hook.__signature__ = inspect.signature(_hook)

# The class's name in the older distribution `langchain-aimlapi`.
ChatAimlapi = ChatAIMLAPI


def _v3_encoder(
    request: ChatRequest,
    run_manager: CallbackManagerForLLMRun | AsyncCallbackManagerForLLMRun | None,
    message_id: str | None,
) -> V3EventEncoder:
    # The same id as LangChain gives to the chunks of a stream.
    of_run = f"{LC_ID_PREFIX}-{run_manager.run_id}" if run_manager else None
    return V3EventEncoder(request.model, message_id or of_run, usage=request.stream_usage)
