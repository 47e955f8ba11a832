"""A stop sequence that is applied on the client drops no call that began before it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from langchain_aimlapi import ChatAIMLAPI
from llama_index_aimlapi import AIMLAPI
from tests.anywhere.test_calls_without_a_function import achat, chat
from tests.core.cases import (
    TAIL,
    body,
    call_delta,
    choice,
    chunk,
    function_call,
    message,
    response,
    responses_case,
    whole_call,
)
from tests.fuzz.answers import Answer, served
from tests.langchain.calls import call, events

TEXT, ARGUMENTS = "Gone. STOP More.", '{"to": "Bern"}'
MODELS = {"chat": "openai/gpt-5-2", "responses": "openai/gpt-5-2-codex"}


def chat_answer(*deltas: dict[str, Any]) -> Answer:
    wire = {"content": TEXT, "tool_calls": [whole_call("call_a", "go", ARGUMENTS)]}
    rows = (*map(chunk, deltas), chunk({}, "tool_calls"), *TAIL)
    data = [*(json.dumps(row) for row in rows), "[DONE]"]
    stream = tuple(f"data: {row}\n\n".encode() for row in data)
    return Answer(body(choice(wire, "tool_calls")), stream)


HEAD = {"tool_calls": [call_delta(0, id="call_a", name="go", arguments="")]}
REST = {"tool_calls": [call_delta(0, arguments=ARGUMENTS)]}
TEXT_DELTA = {"content": TEXT}
CASE = responses_case(
    "text, call, stop",
    response(
        message("Going."), function_call("call_a", "go", ARGUMENTS), message(TEXT, item_id="m2")
    ),
)
ANSWERS = {
    "chat: call, stop": chat_answer(HEAD, REST, TEXT_DELTA),
    "chat: call around the stop": chat_answer(HEAD, TEXT_DELTA, REST),
    "responses: text, call, stop": Answer(CASE.body, (CASE.sse(),)),
}
answers = pytest.mark.parametrize("name", ANSWERS)
hows = pytest.mark.parametrize("how", ["sync", "async"])


@answers
@hows
@pytest.mark.parametrize("way", ["whole", "streamed", "v3"])
def test_in_langchain(name: str, how: str, way: str) -> None:
    endpoint = name.partition(":")[0]
    model = ChatAIMLAPI(model=MODELS[endpoint], stop=["STOP"], **served(ANSWERS[name]))
    if way == "v3":
        _, answer = events(how, model, "hi")
    else:
        answer = call(how, way == "streamed", model, "hi")
    assert isinstance(answer, AIMessage)
    assert answer.text.endswith("Gone. ")
    assert [(c["name"], c["args"], c["id"]) for c in answer.tool_calls] == [
        ("go", {"to": "Bern"}, "call_a")
    ]
    assert answer.invalid_tool_calls == []
    assert answer.usage_metadata is not None


@answers
@hows
@pytest.mark.parametrize("streaming", [False, True])
def test_in_llama_index(name: str, how: str, streaming: bool) -> None:
    endpoint = name.partition(":")[0]
    llm = AIMLAPI(model=MODELS[endpoint], stop=["STOP"], **served(ANSWERS[name]))
    response = asyncio.run(achat(llm, streaming)) if how == "async" else chat(llm, streaming)
    assert (response.message.content or "").endswith("Gone. ")
    (selection,) = llm.get_tool_calls_from_response(response)
    assert (selection.tool_name, selection.tool_kwargs) == ("go", {"to": "Bern"})
