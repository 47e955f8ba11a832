"""`AIMLAPI`: the chat models of AI/ML API as a LlamaIndex LLM."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import closing
from typing import Any

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseAsyncGen,
    CompletionResponseGen,
    MessageRole,
)
from llama_index.core.chat_engine.types import AgentChatResponse
from llama_index.core.llms.llm import ToolSelection
from llama_index.core.tools import BaseTool
from pydantic import ConfigDict

from llama_index_aimlapi._callbacks import chat_callback, completion_callback
from llama_index_aimlapi._llm_base import LLMBase
from llama_index_aimlapi._request.argument_validation import check_prompt
from llama_index_aimlapi._request.build import build
from llama_index_aimlapi._request.prepared import PreparedRequest
from llama_index_aimlapi._request.tools import tool_call_arguments
from llama_index_aimlapi._response.async_stream import AsyncStream, Item
from llama_index_aimlapi._response.messages import StreamAccumulator, to_completion, to_response
from llama_index_aimlapi._response.tool_calls import keep_first_call, tool_selections
from llama_index_aimlapi._structured_output.methods import StructuredPredictionMixin


class AIMLAPI(LLMBase, StructuredPredictionMixin):
    """GPT-5.2 and every other chat model of AI/ML API as a LlamaIndex LLM.

    Nothing is opened or read before the first call. An argument that is None is not sent; an
    argument of a call overrides the constructor's. `close()`, `aclose()` or `with` release the
    connections. With `n` above 1 the first choice is the message, and `raw` holds all.

    Instantiate:
        ```python
        llm = AIMLAPI(model="openai/gpt-5-2", temperature=0.2, max_tokens=500)
        ```

    Complete and chat:
        ```python
        llm.complete("Name a lake.").text
        llm.chat([ChatMessage("Name a lake.")]).message.content
        ```

    Stream:
        ```python
        for item in llm.stream_complete("Tell me a story."):
            print(item.delta, end="")
        ```

    Tools:
        ```python
        FunctionAgent(tools=[get_weather], llm=llm)
        ```

    Structured output:
        ```python
        llm.as_structured_llm(Joke).complete("A joke about cats").raw  # an instance of Joke
        ```

    Usage and cost:
        ```python
        answer = llm.complete("Hi").additional_kwargs
        answer["total_tokens"], answer["cost"]  # tokens, USD
        ```

    Args:
        model (str): The id, as in the vendor's list. Default "openai/gpt-5-2".
        api_key (str | SecretStr | Callable | None): The key, or a function that gives one for each
            request (an async function in async calls). Default: AIMLAPI_API_KEY, then
            AIML_API_KEY; without one the first call raises MissingKeyError.
        base_url (str | None): Also `api_base`. Default: AIMLAPI_BASE_URL, else the service's own.
        temperature (float | None): Randomness, 0 to 2. Default: the model's.
        max_tokens (int | None): Limit on the output in tokens, from 1, on responses from 16;
            reasoning is included, whatever the name on the wire. Default: the model's.
        reasoning_effort (str | None): How long the model thinks: "none", "minimal", "low",
            "medium", "high" or "xhigh", as the model takes them. Default: the model's.
        reasoning_summary (str | None): Returns a summary of the reasoning: "auto", "concise" or
            "detailed"; responses alone.
        top_p (float | None): Nucleus sampling, 0.01 to 1.
        stop (str | Sequence[str] | None): Stop sequences. For a model that takes none the answer is
            cut here, and the stream closed.
        n (int | None): Number of answers, from 1; the first is the message.
        seed (int | None): For repeatable sampling, from 1.
        logprobs (bool | None): Whether to return log probabilities of the output tokens.
        top_logprobs (int | None): How many of the likeliest tokens at each position, 0 to 20.
        stream_usage (bool): Request token counts in streams. Default True.
        context_window (int | None): Input and output together, in tokens; overrides the model
            table in `metadata`.
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
        default_headers (Mapping[str, str] | None): Sent with each request; shown nowhere.
        http_client (httpx.Client | None): Your own client for sync calls, of httpx or httpx2,
            never configured or closed here.
        http_async_client (httpx.AsyncClient | None): The same for async calls.
        additional_kwargs (Mapping | None): Also `model_kwargs`: more request parameters, by the
            names of arguments, or by wire names for others.
        extra_body (Mapping | None): Merged last into the request's body, unchanged.
        callback_manager (CallbackManager | None): LlamaIndex's own, as are the next seven.
        system_prompt (str | None): Put before each conversation.
        messages_to_prompt (Callable | None): Makes a prompt of messages.
        completion_to_prompt (Callable | None): Makes a prompt of a text.
        output_parser (BaseOutputParser | None): Reads the answer.
        pydantic_program_mode (PydanticProgramMode): How LlamaIndex's programs get objects.
        query_wrapper_prompt (BasePromptTemplate | None): Put around a query.
        rate_limiter (Any): LlamaIndex's limiter.

    Raises:
        ConfigurationError: for an argument that does not exist or cannot work.
    """

    model_config = ConfigDict(defer_build=False)  # else its signature is that of a base

    @classmethod
    def class_name(cls) -> str:
        """The class's name in dicts and JSON."""
        return "AIMLAPI"

    def _prepare(
        self, messages: Sequence[ChatMessage], arguments: Mapping[str, Any]
    ) -> PreparedRequest:
        return build(messages, self._explicit_settings(), self.additional_kwargs, arguments)

    def _prepare_prompt(
        self, prompt: str, formatted: bool, arguments: Mapping[str, Any]
    ) -> PreparedRequest:
        check_prompt(prompt)
        if not formatted and self.completion_to_prompt is not None:
            prompt = self.completion_to_prompt(prompt)
        return self._prepare([ChatMessage(role=MessageRole.USER, content=prompt)], arguments)

    def _complete(self, prepared: PreparedRequest) -> ChatResponse:
        return to_response(
            self._sync_client(prepared.settings).complete(prepared.request), prepared
        )

    async def _acomplete(self, prepared: PreparedRequest) -> ChatResponse:
        return to_response(
            await self._async_client(prepared.settings).complete(prepared.request), prepared
        )

    def _stream(
        self, prepared: PreparedRequest, shape: Callable[[ChatResponse], Item]
    ) -> Generator[Item, None, None]:
        accumulator = StreamAccumulator(prepared)
        with closing(self._sync_client(prepared.settings).stream(prepared.request)) as events:
            for event in events:
                if (item := accumulator.feed(event)) is not None:
                    yield shape(item)

    def _astream(
        self, prepared: PreparedRequest, shape: Callable[[ChatResponse], Item]
    ) -> AsyncGenerator[Item, None]:
        return AsyncStream(
            self._async_client(prepared.settings).stream(prepared.request),
            StreamAccumulator(prepared),
            shape,
        )

    @chat_callback
    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """The answer to a conversation. `kwargs`: settings, tools, response_format, …"""
        return self._complete(self._prepare(messages, kwargs))

    @chat_callback
    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """The answer as a stream. Closing the generator ends the call."""
        return self._stream(self._prepare(messages, kwargs), _identity)

    @chat_callback
    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """`chat`, asynchronously."""
        return await self._acomplete(self._prepare(messages, kwargs))

    @chat_callback
    async def astream_chat(
        self, messages: Sequence[ChatMessage], **kwargs: Any
    ) -> ChatResponseAsyncGen:
        """`stream_chat`, asynchronously."""
        return self._astream(self._prepare(messages, kwargs), _identity)

    # These do not call the chat methods, whose callbacks would fire too.
    @completion_callback
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """The answer to one user message."""
        return to_completion(self._complete(self._prepare_prompt(prompt, formatted, kwargs)))

    @completion_callback
    def stream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseGen:
        """The answer to one user message as a stream."""
        return self._stream(self._prepare_prompt(prompt, formatted, kwargs), to_completion)

    @completion_callback
    async def acomplete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponse:
        """`complete`, asynchronously."""
        return to_completion(await self._acomplete(self._prepare_prompt(prompt, formatted, kwargs)))

    @completion_callback
    async def astream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseAsyncGen:
        """`stream_complete`, asynchronously."""
        return self._astream(self._prepare_prompt(prompt, formatted, kwargs), to_completion)

    def _prepare_chat_with_tools(
        self,
        tools: Sequence[BaseTool],
        user_msg: str | ChatMessage | None = None,
        chat_history: list[ChatMessage] | None = None,
        verbose: bool = False,
        allow_parallel_tool_calls: bool = False,
        tool_required: bool = False,
        tool_choice: str | dict[str, Any] | None = None,
        strict: bool | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """The arguments of `chat`. `tool_choice` overrides `tool_required`."""
        if isinstance(user_msg, str):
            user_msg = ChatMessage(role=MessageRole.USER, content=user_msg)
        messages = [*(chat_history or ()), *([user_msg] if user_msg else ())]
        choice = tool_choice or ("required" if tool_required else None)
        offer = tool_call_arguments(tools, choice, allow_parallel_tool_calls, strict)
        return {"messages": messages, **offer, **kwargs}

    def _validate_chat_with_tools_response(
        self,
        response: ChatResponse,
        tools: Sequence[BaseTool],
        allow_parallel_tool_calls: bool = False,
        **kwargs: Any,
    ) -> ChatResponse:
        return response if allow_parallel_tool_calls else keep_first_call(response)

    def get_tool_calls_from_response(
        self, response: ChatResponse, error_on_no_tool_call: bool = True, **kwargs: Any
    ) -> list[ToolSelection]:
        """The tool calls of a response, partial ones as far as their arguments are certain.

        Raises NoToolCallError when there is none and `error_on_no_tool_call`, and
        InvalidToolCallError for a finished call whose arguments are not a JSON object. With
        `error_on_no_tool_call=False`, as agents ask, only for one that was cut: another is one of
        a tool that does not exist, so that nothing is run, and the model then reads the reason.
        """
        report_invalid = error_on_no_tool_call is False  # None: of `predict_and_call`
        return tool_selections(
            response, need_one=error_on_no_tool_call, report_invalid=report_invalid
        )

    def predict_and_call(
        self, *args: Any, error_on_no_tool_call: bool = True, **kwargs: Any
    ) -> AgentChatResponse:
        """One call of the model, and of the tools that it calls; see the base class.

        Raises InvalidToolCallError, also without `error_on_no_tool_call`: no model reads a result.
        """
        kwargs["error_on_no_tool_call"] = error_on_no_tool_call or None
        return super().predict_and_call(*args, **kwargs)

    async def apredict_and_call(
        self, *args: Any, error_on_no_tool_call: bool = True, **kwargs: Any
    ) -> AgentChatResponse:
        """`predict_and_call`, asynchronously."""
        kwargs["error_on_no_tool_call"] = error_on_no_tool_call or None
        return await super().apredict_and_call(*args, **kwargs)


def _identity(response: ChatResponse) -> ChatResponse:
    return response
