"""Models beside GPT-5.2: what the vendor documents of them, kept against the emulator."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.llms.types import ChatMessage, ImageBlock, TextBlock
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel

from aimlapi_core import listed_models, model_info
from aimlapi_emulator import Emulator
from llama_index_aimlapi import AIMLAPI
from llama_index_aimlapi._llm_base import DEFAULT_CONTEXT_WINDOW
from tests.langchain.test_other_models import GEMINI, GPT, OTHERS, RED

Make = Callable[..., AIMLAPI]
every = pytest.mark.parametrize("model", [*GPT, *OTHERS])


class City(BaseModel):
    """A city."""

    name: str
    people: int


def weather(city: str) -> str:
    """The weather in a city."""
    return f"Rain in {city}."


WEATHER = FunctionTool.from_defaults(weather)


@every
def test_tools_go_round(model: str, make: Make, emu: Emulator) -> None:
    """One call, its result, an answer that uses it; at the endpoint that serves the model."""
    made = make(model=model)
    question = ChatMessage(role="user", content="What is the weather in Paris?")
    first = made.chat_with_tools([WEATHER], chat_history=[question])
    (call,) = made.get_tool_calls_from_response(first)
    assert call.tool_name == "weather"
    output = weather(**call.tool_kwargs)
    result = ChatMessage(
        role="tool", content=output, additional_kwargs={"tool_call_id": call.tool_id}
    )
    last = made.chat_with_tools([WEATHER], chat_history=[question, first.message, result])
    assert "Rain in" in str(last.message.content)
    info = model_info(model)
    assert info is not None
    path = "/v1/responses" if info.endpoints[0] == "responses" else "/v1/chat/completions"
    assert [request.path for request in emu.requests] == [path] * 2
    if model == GEMINI:
        (sent,) = emu.requests[1].body["messages"][1]["tool_calls"]
        assert sent["extra_content"]["google"]["thought_signature"]


@every
def test_a_stream_is_the_answer(model: str, make: Make) -> None:
    made = make(model=model, max_tokens=200)
    assert list(made.stream_complete("Say hello to Łódź"))[-1].text == str(
        made.complete("Say hello to Łódź")
    )


@every
def test_structured_output_is_what_the_model_is_documented_to_take(
    model: str, make: Make, emu: Emulator
) -> None:
    """A schema where it takes one, else the arguments of a forced call."""
    city = make(model=model).structured_predict(City, PromptTemplate("name: Paris, people: 7"))
    assert city == City(name="Paris", people=7)
    info, (request,) = model_info(model), emu.requests
    assert info is not None
    by_schema = "response_format" in request.body or "text" in request.body
    assert by_schema is info.structured_output
    assert ("tools" in request.body) is not by_schema


@every
async def test_sync_and_async_give_the_same(model: str, make: Make) -> None:
    made = make(model=model)
    whole = await made.acomplete("Say hello to Łódź")
    last = [item async for item in await made.astream_complete("Say hello to Łódź")][-1]
    assert whole.text == last.text == made.complete("Say hello to Łódź").text
    city = await made.astructured_predict(City, PromptTemplate("name: Paris, people: 7"))
    assert city == City(name="Paris", people=7)


@every
async def test_an_agent_calls_its_tool(model: str, make: Make) -> None:
    agent = FunctionAgent(tools=[WEATHER], llm=make(model=model))
    assert "Rain in" in str(await agent.run("What is the weather in Paris?"))


@pytest.mark.parametrize(
    "model", [name for name in OTHERS if (row := model_info(name)) and row.images]
)
def test_images_are_seen(model: str, make: Make) -> None:
    message = ChatMessage(role="user", blocks=[TextBlock(text="This?"), ImageBlock(url=RED)])
    assert "image/png" in str(make(model=model).chat([message]).message.content)


def test_the_metadata_is_the_rows_for_every_listed_id() -> None:
    for model in listed_models():
        metadata, info = AIMLAPI(model=model, api_key="sk-test").metadata, model_info(model)
        assert info is not None, model
        assert metadata.context_window == (info.input_limit or DEFAULT_CONTEXT_WINDOW), model
        assert metadata.is_function_calling_model is (info.tools or not info.gates_params), model
        assert metadata.is_chat_model is True
        assert metadata.model_name == model


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("openai/gpt 5.4", "Did you mean 'openai/gpt-5-4'?"),
        ("acme/unheard-of", "Set context_window to say otherwise."),
    ],
)
def test_a_window_that_is_not_known_is_logged_with_what_to_do(
    given: str, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert AIMLAPI(model=given, api_key="sk-test").metadata.context_window == 128_000
    assert f"{given!r} is not known" in caplog.text
    assert says in caplog.text
