"""What was bound first still counts after something else is bound."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables import ConfigurableField
from pydantic import BaseModel

from aimlapi_emulator import Emulator, Fault
from langchain_aimlapi import ChatAIMLAPI, InvalidRequestError
from tests.langchain.calls import call, events

Make = Callable[..., ChatAIMLAPI]


class Answer(BaseModel):
    """An answer."""

    a: str


def weather(city: str) -> str:
    """The weather in a city."""
    return city


def time(city: str) -> str:
    """The time in a city."""
    return city


PROMPT = 'a: "1"'
LATEST = "openai/gpt-5-2-chat-latest"


def names(emu: Emulator) -> list[str]:
    """The names of the tools of the last request."""
    tools = emu.requests[-1].body.get("tools", ())
    return [(tool.get("function") or tool)["name"] for tool in tools]


# What may follow a binding, each with the arguments that it sends.
LATER: dict[str, Callable[[Any], Any]] = {
    "bind_tools": lambda llm: llm.bind_tools([weather]),
    "bind": lambda llm: llm.bind(seed=3),
    "json_schema": lambda llm: llm.with_structured_output(Answer),
    "function_calling": lambda llm: llm.with_structured_output(Answer, method="function_calling"),
    "include_raw": lambda llm: llm.with_structured_output(Answer, include_raw=True),
    "with_config": lambda llm: llm.with_config(tags=["later"]),
}


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("endpoint", ["chat", "responses"])
@pytest.mark.parametrize("later", LATER)
def test_bound_arguments_are_kept(
    how: str, streaming: bool, endpoint: str, later: str, emu: Emulator, chat: Make
) -> None:
    emu.when("hello", json={"a": "x"})
    bound = chat(endpoint=endpoint).bind(temperature=0.25, max_tokens=77)
    call(how, streaming, LATER[later](bound), PROMPT)
    body = emu.requests[-1].body
    assert body["temperature"] == 0.25
    assert body["max_tokens" if endpoint == "chat" else "max_output_tokens"] == 77


@pytest.mark.parametrize("later", ["json_schema", "function_calling", "include_raw", "bind"])
def test_bound_tools_are_kept(how: str, later: str, emu: Emulator, chat: Make) -> None:
    call(how, False, LATER[later](chat().bind_tools([time])), PROMPT)
    assert "time" in names(emu)


def test_tools_are_added_and_a_name_counts_once(emu: Emulator, chat: Make) -> None:
    def weather2(city: str, unit: str) -> str:
        """The weather, in a unit."""
        return city

    weather2.__name__ = "weather"
    bound = chat().bind_tools([weather, time]).bind_tools([weather2], tool_choice="time")
    bound.invoke(PROMPT)
    assert names(emu) == ["time", "weather"]
    body = emu.requests[-1].body
    assert list(body["tools"][1]["function"]["parameters"]["properties"]) == ["city", "unit"]
    assert body["tool_choice"]["function"]["name"] == "time"


def test_the_later_value_of_an_argument_counts(emu: Emulator, chat: Make) -> None:
    bound = chat().bind(temperature=0.1, seed=3).bind(temperature=0.9)
    bound.bind_tools([weather], temperature=0.5).invoke(PROMPT)
    assert emu.requests[-1].body["temperature"] == 0.5
    bound.invoke(PROMPT)
    assert (emu.requests[-1].body["temperature"], emu.requests[-1].body["seed"]) == (0.9, 3)


FIELDS = {
    "model": ConfigurableField(id="m"),
    "temperature": ConfigurableField(id="t"),
}


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("later", LATER)
def test_configured_fields_are_kept(
    how: str, streaming: bool, later: str, emu: Emulator, chat: Make
) -> None:
    configurable = chat().configurable_fields(**FIELDS)
    runnable = LATER[later](configurable.bind(seed=5))
    for made in (runnable, LATER[later](configurable)):
        call(how, streaming, made, PROMPT, config={"configurable": {"m": LATEST}})
        assert emu.requests[-1].body["model"] == LATEST
        call(how, streaming, made, PROMPT, config={"configurable": {"t": 0.75}})
        assert emu.requests[-1].body["temperature"] == 0.75
        call(how, streaming, made, PROMPT)
        assert "temperature" not in emu.requests[-1].body
    if later == "bind_tools":
        assert names(emu) == ["weather"]


def test_a_config_set_before_is_kept(emu: Emulator, chat: Make) -> None:
    configurable = chat().configurable_fields(**FIELDS).with_config(configurable={"t": 0.75})
    for later in LATER.values():
        later(configurable).invoke(PROMPT)
        assert emu.requests[-1].body["temperature"] == 0.75


@pytest.mark.parametrize("later", LATER)
@pytest.mark.parametrize("chosen", ["default", "other", "made"])
def test_alternatives_are_kept(
    how: str, later: str, chosen: str, emu: Emulator, chat: Make
) -> None:
    alternatives = chat(temperature=0.1).configurable_alternatives(
        ConfigurableField(id="which"),
        other=chat(temperature=0.2).bind(max_tokens=50),
        made=lambda: chat(temperature=0.3),
    )
    config = {"configurable": {"which": chosen}}
    for bound in (alternatives, alternatives.bind(seed=5)):
        call(how, False, LATER[later](bound), PROMPT, config=config)
        body = emu.requests[-1].body
        assert body["temperature"] == {"default": 0.1, "other": 0.2, "made": 0.3}[chosen]
        assert body.get("max_tokens") == (50 if chosen == "other" else None)
    assert later == "bind" or body["seed"] == 5
    assert (later != "bind_tools") or names(emu) == ["weather"]


class Counter(BaseCallbackHandler):
    def __init__(self) -> None:
        self.tags: list[Any] = []

    def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:
        self.tags.append(kwargs["tags"])


@pytest.mark.parametrize("later", LATER)
def test_a_config_bound_to_a_model_is_kept(later: str, chat: Make) -> None:
    """`with_config` and `with_listeners` give bindings too."""
    counter, heard = Counter(), []
    model = chat().with_config(tags=["first"], callbacks=[counter])
    model = model.with_listeners(on_start=lambda run: heard.append(run))
    LATER[later](model).invoke(PROMPT)
    assert len(counter.tags) == 1
    assert "first" in counter.tags[0]
    assert len(heard) == 1


@pytest.mark.parametrize("later", LATER)
def test_fallbacks_keep_what_is_bound(later: str, emu: Emulator, chat: Make) -> None:
    model = chat().bind(temperature=0.25).with_fallbacks([chat().bind(temperature=0.75)])
    LATER[later](model).invoke(PROMPT)
    assert emu.requests[-1].body["temperature"] == 0.25


# What a program does to a model, in any order, and whether a request shows it.
STEPS: dict[str, Callable[[Any], Any]] = {
    "temperature": lambda llm: llm.bind(temperature=0.25),
    "seed": lambda llm: llm.bind(seed=3),
    "tools": lambda llm: llm.bind_tools([weather]),
    "config": lambda llm: llm.with_config(tags=["mine"]),
    "configurable": lambda llm: llm.configurable_fields(max_tokens=ConfigurableField(id="most")),
    "alternatives": lambda llm: llm.configurable_alternatives(ConfigurableField(id="which")),
    "fallbacks": lambda llm: llm.with_fallbacks([llm]),
    "retry": lambda llm: llm.with_retry(),
    "json_schema": lambda llm: llm.with_structured_output(Answer),
    "include_raw": lambda llm: llm.with_structured_output(Answer, include_raw=True),
}


def shown(emu: Emulator, tags: list[Any]) -> set[str]:
    """The steps that the last request shows."""
    body = emu.requests[-1].body
    found = {
        "temperature": body.get("temperature") == 0.25,
        "seed": body.get("seed") == 3,
        "tools": "weather" in names(emu) if body.get("tools") else False,
        "config": "mine" in tags[-1],
        "configurable": body.get("max_tokens") == 77,
        "json_schema": "response_format" in body,
        "include_raw": "response_format" in body,
    }
    return {step for step, is_shown in found.items() if is_shown}


@pytest.mark.parametrize("first", STEPS)
def test_nothing_is_lost_in_any_order(first: str, emu: Emulator, chat: Make) -> None:
    """A step that langchain-core does not have there is an error that names it."""
    counter = Counter()
    config: Any = {"configurable": {"most": 77}, "callbacks": [counter]}
    worked, refused = 0, []
    lasts = ([], ["tools"], ["include_raw"])
    for steps in ([second, *last] for second in STEPS for last in lasts):
        if len({first, *steps}) <= len(steps):
            continue
        llm: Any = chat()
        try:
            for step in (first, *steps):
                llm = STEPS[step](llm)
        except (InvalidRequestError, AttributeError, ValueError) as error:
            refused.append(str(error))
            continue
        llm.invoke(PROMPT, config)
        worked += 1
        visible = set(STEPS) - {"alternatives", "fallbacks", "retry"}
        assert {first, *steps} & visible <= shown(emu, counter.tags), (first, *steps)
    assert worked
    known = re.compile("has no|Configuration key|object has|sets .* itself")
    assert [words for words in refused if not known.search(words)] == []


@pytest.mark.parametrize("later", LATER)
def test_a_config_bound_to_fallbacks_is_kept(later: str, chat: Make) -> None:
    counter, heard = Counter(), []
    model = chat().with_fallbacks([chat()]).with_config(tags=["first"], callbacks=[counter])
    model = model.with_listeners(on_start=lambda run: heard.append(run))
    LATER[later](model).invoke(PROMPT)
    assert "first" in counter.tags[0]
    assert len(heard) == 1


@pytest.mark.parametrize("streaming", [False, True])
def test_what_is_bound_after_structured_output_is_sent(
    how: str, streaming: bool, emu: Emulator, chat: Make
) -> None:
    made = chat().with_structured_output(Answer, include_raw=True).bind(temperature=0.25)
    assert call(how, streaming, made, PROMPT)["parsed"] == Answer(a="1")
    assert emu.requests[-1].body["temperature"] == 0.25


@pytest.mark.parametrize("failing", [False, True])
def test_arguments_bound_to_fallbacks_reach_each(
    failing: bool, how: str, emu: Emulator, chat: Make
) -> None:
    if failing:
        emu.faults.append(Fault(status=503))
    model = chat().with_fallbacks([chat(model=LATEST)]).bind(max_tokens=77)
    call(how, False, model.bind_tools([weather]), PROMPT)
    bodies = [request.body for request in emu.requests]
    assert [body["max_tokens"] for body in bodies] == [77] * (1 + failing)
    assert names(emu) == ["weather"]


@pytest.mark.parametrize(
    ("bound", "method", "named"),
    [
        ({"response_format": {"type": "json_object"}}, "json_schema", "response_format"),
        ({"parallel_tool_calls": True}, "function_calling", "parallel_tool_calls"),
        ({"tool_choice": "none"}, "function_calling", "tool_choice"),
    ],
)
def test_what_the_schema_needs_itself_is_refused_by_name(
    bound: dict[str, Any], method: Any, named: str, chat: Make
) -> None:
    with pytest.raises(InvalidRequestError, match=f"sets {named} itself"):
        chat().bind_tools([weather]).bind(**bound).with_structured_output(Answer, method=method)


def test_a_misspelt_argument_is_named_at_every_binding(chat: Make) -> None:
    for model in (chat().bind(seed=1), chat().configurable_fields(**FIELDS)):
        with pytest.raises(InvalidRequestError, match="did you mean 'temperature'"):
            model.bind(temprature=1)


def test_what_cannot_take_tools_says_so(chat: Make) -> None:
    retried = chat().bind(temperature=0.25).with_retry()
    with pytest.raises(InvalidRequestError, match="RunnableRetry has no bind_tools"):
        retried.bind_tools([weather])


def test_an_agent_keeps_what_is_bound_to_its_model(emu: Emulator, chat: Make) -> None:
    model = chat().bind_tools([time]).bind(temperature=0.25)
    create_agent(model, [weather]).invoke({"messages": [("user", "Hello")]})
    assert emu.requests[-1].body["temperature"] == 0.25
    assert names(emu) == ["time", "weather"]


def test_bindings_can_be_copied_pickled_and_streamed(how: str, emu: Emulator, chat: Make) -> None:
    bound = chat().bind(temperature=0.25)
    configurable = chat().configurable_fields(**FIELDS).bind(temperature=0.25)
    for made in (bound, configurable):
        for again in (copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
            again.bind_tools([weather]).invoke(PROMPT)
            assert emu.requests[-1].body["temperature"] == 0.25
    _, message = events(how, bound.bind_tools([weather]), PROMPT)
    assert message.text
    assert bound.lc_id()[-1] == "RunnableBinding"


@pytest.mark.parametrize("include_raw", [False, True])
@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_structured_output_can_be_pickled(
    how: str, include_raw: bool, method: Any, chat: Make
) -> None:
    made = (
        chat()
        .bind(temperature=0.25)
        .with_structured_output(Answer, include_raw=include_raw, method=method)
    )
    again = pickle.loads(pickle.dumps(made))
    for streaming in (False, True):
        got = call(how, streaming, again, PROMPT)
        assert (got["parsed"] if include_raw else got) == Answer(a="1")


@pytest.mark.parametrize("temperature", [0.25, 0.75])
def test_an_agent_of_a_configurable_model_is_configurable(
    how: str, temperature: float, emu: Emulator, chat: Make
) -> None:
    agent = create_agent(chat().configurable_fields(**FIELDS), [weather])
    config = {"configurable": {"t": temperature}}
    call(how, False, agent, {"messages": [("user", "The weather in Bern?")]}, config=config)
    assert [request.body["temperature"] for request in emu.requests] == [temperature] * 2
    assert names(emu) == ["weather"]
