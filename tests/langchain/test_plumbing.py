from __future__ import annotations

import asyncio
import copy
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import cloudpickle  # type: ignore[import-untyped]  # it has no stubs
import httpx
import pytest
from langchain.agents import create_agent
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_core.globals import set_llm_cache
from langchain_core.load import dumps, loads
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.rate_limiters import BaseRateLimiter
from langchain_core.runnables import ConfigurableField
from pydantic import SecretStr

import aimlapi_core
import langchain_aimlapi
from aimlapi_emulator import Emulator, Fault
from langchain_aimlapi import AIMLAPIEmbeddings, ChatAIMLAPI
from langchain_aimlapi._request.build import ALIASES, REQUEST_FIELDS
from langchain_aimlapi._request.constructor_types import Arguments
from langchain_aimlapi.errors import to_langchain_error
from tests.langchain.calls import call, invoke

Make = Callable[..., ChatAIMLAPI]
PLAIN = ChatAIMLAPI(api_key="sk-secret-1234", temperature=0.5)


def test_the_typed_arguments_are_the_fields() -> None:
    aliases = {*ALIASES, "use_responses_api", "stream_options"}
    assert set(Arguments.__annotations__) - aliases == set(ChatAIMLAPI.model_fields)


def test_every_argument_is_an_attribute() -> None:
    arguments: Any = {
        "model": "openai/gpt-5-2-pro", "base_url": "https://host.example", "timeout": 3.5,
        "max_retries": 4, "default_headers": {"X-A": "1"}, "temperature": 0.1, "top_p": 0.2,
        "max_tokens": 9, "n": 2, "seed": 8, "stop": ["x"], "logprobs": True, "top_logprobs": 2,
        "reasoning_effort": "low", "reasoning_summary": "auto", "reasoning": {"effort": "low"},
        "streaming": True, "stream_usage": False, "endpoint": "chat", "unsupported_params": "raise",
        "instructions": "i", "previous_response_id": "r", "store": True, "truncation": "auto",
        "include": ["x"], "model_kwargs": {"a": 1}, "extra_body": {"b": 2},
    }  # fmt: skip
    model = ChatAIMLAPI(**arguments)
    assert {name: getattr(model, name) for name in arguments} == arguments
    assert model.model_name == "openai/gpt-5-2-pro"


@pytest.mark.parametrize(
    "copied",
    [
        lambda m: pickle.loads(pickle.dumps(m)),
        lambda m: cloudpickle.loads(cloudpickle.dumps(m)),
        copy.copy,
        copy.deepcopy,
        lambda m: m.model_copy(),
        lambda m: m.model_copy(deep=True),
    ],
)
def test_copies_work_after_calls(copied: Any, emu: Emulator, chat: Make) -> None:
    model = chat(temperature=0.5)
    model.invoke("hi")
    asyncio.run(model.ainvoke("hi"))
    twin = copied(model)
    assert twin._clients is not model._clients
    model.close()
    assert twin.temperature == 0.5
    assert twin.invoke("hi").content == model.invoke("hi").content


def test_a_client_of_the_callers_is_shared_by_copies(emu: Emulator, chat: Make) -> None:
    with httpx.Client(headers={"X-Mine": "yes"}) as http:
        model = chat(http_client=http)
        for one in (model, copy.deepcopy(model), model.model_copy()):
            assert one.http_client is http
            one.invoke("hi")
            assert emu.requests[-1].headers["x-mine"] == "yes"


def test_closing_is_not_the_end(emu: Emulator, chat: Make) -> None:
    with chat() as model:
        model.invoke("hi")
    assert model.invoke("hi").content

    async def use() -> None:
        async with chat() as other:
            await other.ainvoke("hi")
        assert (await other.ainvoke("hi")).content
        await other.aclose()

    asyncio.run(use())
    model.close()


def test_the_key_is_shown_nowhere() -> None:
    for text in (repr(PLAIN), str(PLAIN), dumps(PLAIN), str(PLAIN.asdict()), str(PLAIN.to_json())):
        assert "1234" not in text


def test_dumps_and_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIMLAPI_API_KEY", "sk-secret-1234")
    revived = loads(
        dumps(PLAIN),
        valid_namespaces=["langchain_aimlapi"],
        allowed_objects=[ChatAIMLAPI],
        secrets_from_env=True,
    )
    assert revived.asdict() == PLAIN.asdict()
    assert revived.api_key.get_secret_value() == "sk-secret-1234"


@pytest.mark.parametrize(
    "change",
    [
        {"model": "openai/gpt-5-2-pro"},
        {"temperature": 0.6},
        {"max_tokens": 5},
        {"seed": 3},
        {"reasoning_effort": "low"},
        {"stop": ["x"]},
        {"extra_body": {"a": 1}},
        {"model_kwargs": {"a": 1}},
        {"endpoint": "responses"},
        {"instructions": "i"},
        {"base_url": "https://host.example"},
    ],
)
def test_the_cache_key_follows_changes(change: dict[str, Any]) -> None:
    model = PLAIN.model_copy()
    before = model._get_llm_string()
    assert model.model_copy(update=change)._get_llm_string() != before
    for name, value in change.items():
        setattr(model, name, value)
    assert model._get_llm_string() != before


def test_a_key_function_of_an_object_without_copies_is_no_obstacle() -> None:
    class Vault:
        def __init__(self) -> None:
            self.own = threading.Lock()

        def key(self) -> str:
            return "sk-vault"

    assert ChatAIMLAPI(api_key=Vault().key)._get_llm_string()


def test_a_changed_attribute_is_used(emu: Emulator, chat: Make) -> None:
    model = chat()
    model.invoke("hi")
    model.api_key = None
    with pytest.raises(aimlapi_core.MissingKeyError):
        model.invoke("hi")


def test_a_cached_answer_costs_nothing(how: str, emu: Emulator, chat: Make) -> None:
    model = chat(cache=InMemoryCache())
    first, second = (invoke(how, model, "hi") for _ in range(2))
    assert len(emu.requests) == 1
    assert first.response_metadata["cost"] > 0
    assert second.response_metadata["cost"] == 0
    assert second.response_metadata["credits_used"] == 0
    assert second.usage_metadata["total_cost"] == 0


QUESTIONS = ("What is 2+2?", "Multiply 3 by 4.", "And 4+4?")


@pytest.mark.parametrize("endpoint", ["chat", "responses"])
@pytest.mark.parametrize("output_version", ["v0", "v1"])
@pytest.mark.parametrize("everywhere", [True, False])
def test_the_second_run_of_a_conversation_comes_from_the_cache(
    how: str, endpoint: str, output_version: str, everywhere: bool, emu: Emulator, chat: Make
) -> None:
    cache = InMemoryCache()
    model = chat(endpoint=endpoint, output_version=output_version, cache=everywhere or cache)
    set_llm_cache(cache if everywhere else None)
    try:
        for run in range(3):
            history: list[Any] = []
            for question in QUESTIONS:
                history.append(HumanMessage(question))
                history.append(invoke(how, model, history))
            assert len(emu.requests) == len(QUESTIONS)
            costs = [m.response_metadata["cost"] for m in history if isinstance(m, AIMessage)]
            assert all(cost == 0 for cost in costs) is (run > 0)
    finally:
        set_llm_cache(None)


def test_the_second_run_of_an_agent_comes_from_the_cache(
    how: str, emu: Emulator, chat: Make
) -> None:
    def multiply(a: int, b: int) -> int:
        """Multiply two numbers."""
        return a * b

    agent: Any = create_agent(chat(cache=InMemoryCache()), [multiply])
    for _ in range(2):
        state = invoke(how, agent, {"messages": [("user", "Use multiply to multiply 3 by 4.")]})
        assert "12" in state["messages"][-1].text
        assert len(emu.requests) == 2


def test_an_answer_that_was_streamed_for_generate_has_its_llm_output(
    how: str, emu: Emulator, chat: Make
) -> None:
    outputs = []
    for streaming in (False, True):
        model = chat(streaming=streaming)
        prompts = [[HumanMessage("hi")], [HumanMessage("hi")]]
        result = model.generate(prompts) if how == "sync" else asyncio.run(model.agenerate(prompts))
        outputs.append(result.llm_output or {})
        assert bool(emu.requests[-1].body.get("stream")) is streaming
    assert outputs[0] == outputs[1]
    assert outputs[0]["model_name"] == "openai/gpt-5-2"
    assert outputs[0]["cost"] > 0
    usage = outputs[0]["token_usage"]
    assert usage["prompt_tokens"] + usage["completion_tokens"] == usage["total_tokens"] > 0


@pytest.mark.parametrize("endpoint", ["chat", "responses"])
@pytest.mark.parametrize("streaming", [False, True])
def test_token_usage_has_openais_shape(
    how: str, streaming: bool, endpoint: str, chat: Make
) -> None:
    message = call(how, streaming, chat(endpoint=endpoint), "hi")
    usage, counts = message.response_metadata["token_usage"], message.usage_metadata
    assert usage["prompt_tokens"] == counts["input_tokens"]
    assert usage["completion_tokens"] == counts["output_tokens"]
    assert usage["total_tokens"] == counts["total_tokens"]
    details = usage["completion_tokens_details"]
    assert details == {"reasoning_tokens": counts["output_token_details"]["reasoning"]}


def test_usage_callbacks_add_up(how: str, chat: Make) -> None:
    counter = UsageMetadataCallbackHandler()
    for _ in range(2):
        message = invoke(how, chat(), "hi", config={"callbacks": [counter]})
    counted = counter.usage_metadata["openai/gpt-5-2"]
    assert counted["total_tokens"] == 2 * message.usage_metadata["total_tokens"]


def test_the_profile_is_the_tables() -> None:
    profile = PLAIN.profile or {}
    assert profile["max_input_tokens"] == 272_000
    assert profile["max_output_tokens"] == 128_000
    assert profile["structured_output"] is True
    assert profile["temperature"] is True
    assert not ChatAIMLAPI(model="openai/gpt-5-2-chat-latest").profile["temperature"]  # type: ignore[index]  # a listed id has one
    assert ChatAIMLAPI(model="other/model").profile is None


def test_traces_name_provider_model_and_versions(chat: Make) -> None:
    params = PLAIN._get_ls_params(model="other/model", stop=["x"])
    assert params["ls_provider"] == "aimlapi"
    assert params["ls_model_name"] == "other/model"
    assert params["ls_stop"] == ["x"]
    assert chat().invoke("hi").response_metadata["model_provider"] == params["ls_provider"]
    assert (PLAIN.metadata or {})["lc_versions"][
        "langchain-aimlapi"
    ] == langchain_aimlapi.__version__
    assert PLAIN._llm_type == "aimlapi-chat"
    assert PLAIN.asdict()["model"] == "openai/gpt-5-2"


def test_batches_add_up_their_cost(chat: Make) -> None:
    result = chat().generate([[HumanMessage("hi")], [HumanMessage("hi")]])
    costs = [row[0].message.response_metadata["cost"] for row in result.generations]  # type: ignore[union-attr]  # chat generations
    assert (result.llm_output or {})["cost"] == pytest.approx(sum(costs))


def test_tokens_are_counted_offline() -> None:
    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    messages = [SystemMessage("be short"), HumanMessage("hello " * 100), AIMessage("ok")]
    bare = PLAIN.get_num_tokens_from_messages(messages)
    assert 100 < bare < 300
    assert PLAIN.get_num_tokens_from_messages(messages, tools=[add]) > bare
    image = HumanMessage([{"type": "image", "url": "https://host.example/a.png"}])
    assert PLAIN.get_num_tokens_from_messages([image]) > 500
    assert PLAIN.get_num_tokens("") == 0
    exact = ChatAIMLAPI(custom_get_token_ids=lambda text: [1] * len(text))
    assert exact.get_num_tokens("four") == len(exact.get_token_ids("four")) == 4
    with pytest.raises(NotImplementedError, match="custom_get_token_ids"):
        PLAIN.get_token_ids("four")


def test_fields_can_be_configured_at_run_time(emu: Emulator, chat: Make) -> None:
    model = chat().configurable_fields(temperature=ConfigurableField(id="heat"))
    model.with_config(configurable={"heat": 0.25}).invoke("hi")
    assert emu.requests[-1].body["temperature"] == 0.25


def test_fallbacks_and_retries(emu: Emulator, chat: Make) -> None:
    emu.faults.extend([Fault(status=500), Fault(status=500)])
    assert chat().with_fallbacks([chat(), chat()]).invoke("hi").content
    emu.faults.append(Fault(status=500))
    assert chat().with_retry(wait_exponential_jitter=False).invoke("hi").content


# A value for a call of each argument, and what stands in the request then.
OVERRIDES: dict[str, tuple[Any, Any]] = {
    "model": ("openai/gpt-5-2-chat-latest", {"model": "openai/gpt-5-2-chat-latest"}),
    "temperature": (0.4, {"temperature": 0.4}),
    "top_p": (0.6, {"top_p": 0.6}),
    "max_tokens": (33, {"max_tokens": 33}),
    "n": (2, {"n": 2}),
    "seed": (9, {"seed": 9}),
    "stop": ("zzz", {}),  # not in the schema of this model: cut on our side
    "logprobs": (True, {"logprobs": True}),
    "top_logprobs": (1, {"logprobs": True, "top_logprobs": 1}),
    "reasoning_effort": ("low", {"reasoning_effort": "low"}),
    "reasoning": ({"effort": "high"}, {"reasoning_effort": "high"}),
    "stream_usage": (False, {}),
    "unsupported_params": ("raise", {}),
    "unanswered_tool_calls": ("raise", {}),
    "model_kwargs": ({"response_format": "text"}, {"response_format": {"type": "text"}}),
    "extra_body": ({"seed": 4}, {"seed": 4}),
}
ON_RESPONSES: dict[str, tuple[Any, Any]] = {
    "endpoint": ("responses", {"input": "hi"}),
    "reasoning_summary": ("auto", {"reasoning": {"summary": "auto"}}),
    "instructions": ("be kind", {"instructions": "be kind"}),
    "previous_response_id": ("resp_0", {"previous_response_id": "resp_0"}),
    "store": (True, {"store": True}),
    "truncation": ("auto", {"truncation": "auto"}),
    "include": (["reasoning.encrypted_content"], {"include": ["reasoning.encrypted_content"]}),
}


def test_every_argument_is_among_the_overrides() -> None:
    """A new one has a row above: a value, and what a call with it sends."""
    assert {*OVERRIDES, *ON_RESPONSES} == REQUEST_FIELDS


@pytest.mark.parametrize("name", [*OVERRIDES, *ON_RESPONSES])
def test_a_call_may_override_every_argument(how: str, name: str, emu: Emulator, chat: Make) -> None:
    value, expected = {**OVERRIDES, **ON_RESPONSES}[name]
    endpoint = {"endpoint": "responses"} if name in ON_RESPONSES else {}
    if name == "previous_response_id":
        value = chat(endpoint="responses", store=True).invoke("hi").response_metadata["id"]
        expected = {name: value}
    invoke(how, chat(), "hi", **{**endpoint, name: value})
    body = emu.requests[-1].body
    sent = {key: body[key] for key in body if key not in ("messages", "model", "input")}
    if "model" in expected or "input" in expected:
        assert all(key in body for key in expected)
        assert body["model"] == expected.get("model", "openai/gpt-5-2")
    else:
        assert sent == expected


def test_a_rate_limiter_is_asked_before_each_call(how: str, emu: Emulator, chat: Make) -> None:
    class Gate(BaseRateLimiter):
        seen: list[int] = []  # noqa: RUF012  # one test

        def acquire(self, *, blocking: bool = True) -> bool:
            self.seen.append(len(emu.requests))
            return True

        async def aacquire(self, *, blocking: bool = True) -> bool:
            return self.acquire()

    gate = Gate()
    model = chat(rate_limiter=gate)
    invoke(how, model, "hi")
    call(how, True, model, "hi")
    assert gate.seen == [0, 1]


def test_the_repr_is_short_and_names_the_model() -> None:
    shown = repr(ChatAIMLAPI(api_key="sk-secret-1234", temperature=0.5))
    assert shown.startswith("ChatAIMLAPI(model='openai/gpt-5-2', ")
    assert "temperature=0.5" in shown
    assert "profile" not in shown
    assert len(shown) < 200


def test_unusable_answers_pickle() -> None:
    error = langchain_aimlapi.OutputTruncatedError("cut", llm_output="{")
    revived = pickle.loads(pickle.dumps(error))
    assert (str(revived), revived.llm_output) == ("cut", "{")


def _core_errors() -> list[type[aimlapi_core.AIMLAPIError]]:
    abstract = {"AIMLAPIError", "TransportError", "StreamError"}
    found = [getattr(aimlapi_core, n) for n in aimlapi_core.__all__ if n.endswith("Error")]
    return [kind for kind in found if kind.__name__ not in abstract]


@pytest.mark.parametrize("kind", _core_errors())
def test_every_error_of_the_core_has_its_twin(kind: type[aimlapi_core.AIMLAPIError]) -> None:
    error = kind("what happened")
    error.request_id = "req-1"
    twin = to_langchain_error(error)
    assert type(twin) is getattr(langchain_aimlapi, kind.__name__)
    assert twin.is_retryable is kind.is_retryable
    assert to_langchain_error(twin) is twin
    revived = pickle.loads(pickle.dumps(twin))
    assert (type(revived), str(revived), revived.request_id) == (
        type(twin),
        "what happened",
        "req-1",
    )


IMPORTED = """
import sys
import langchain_aimlapi
others = {'llama_index', 'openai', 'tiktoken', 'langchain_openai', 'langchain', 'tqdm', 'numpy'}
bad = others & {name.split('.')[0] for name in sys.modules}
assert not bad, bad
"""
LAZY = """
import socket, ssl
def refuse(*a, **k): raise AssertionError('opened')
socket.socket.__init__ = refuse
ssl.SSLContext.__new__ = refuse
langchain_aimlapi.ChatAIMLAPI(api_key='x').bind_tools([])
langchain_aimlapi.AIMLAPIEmbeddings(api_key='x', show_progress_bar=True)
"""
WITHOUT = """
import sys
sys.modules['langchain_core'] = None
try:
    import langchain_aimlapi
except ImportError as exc:
    assert "pip install 'aimlapi-integrations[langchain]'" in str(exc), exc
else:
    raise AssertionError('imported')
"""


@pytest.mark.parametrize("program", [IMPORTED + LAZY, WITHOUT])
def test_in_a_fresh_process(program: str) -> None:
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_call_beside_another_keeps_its_own_key() -> None:
    model = ChatAIMLAPI(api_key="sk-first")

    class Interrupted(dict[str, str]):
        """Headers whose comparison lets another thread's call in."""

        def __eq__(self, other: object) -> bool:
            is_same = super().__eq__(other)
            if is_same:
                model._settings({"api_key": SecretStr("sk-second")})
            return is_same

    call_headers = {"default_headers": Interrupted()}
    assert [model._settings(call_headers).api_key for _ in range(2)] == ["sk-first"] * 2


def test_profiles_share_nothing() -> None:
    levels: Any = (PLAIN.profile or {}).get("reasoning_effort_levels")
    if levels is None:
        pytest.skip("this langchain-core knows no levels of effort")
    ChatAIMLAPI().profile["reasoning_effort_levels"].append("absurd")  # type: ignore[index,typeddict-item]  # a listed id has one; a key of newer versions
    assert "absurd" not in ChatAIMLAPI().profile["reasoning_effort_levels"]  # type: ignore[index,typeddict-item]  # as above


def test_the_second_of_several_cached_answers_can_be_loaded(chat: Make) -> None:
    model = chat(cache=InMemoryCache(), n=2)
    for _ in range(2):
        (answers,) = model.generate([[HumanMessage("hi")]]).generations
        messages = [answer.message for answer in answers]  # type: ignore[union-attr]  # chat generations
        assert [loads(dumps(m), allowed_objects="all") for m in messages] == messages


def test_a_half_made_object_has_a_repr() -> None:
    assert repr(ChatAIMLAPI.__new__(ChatAIMLAPI)) == "ChatAIMLAPI()"


@pytest.mark.parametrize("times", [1, 3])
def test_a_hit_of_the_cache_counts_once(how: str, times: int, emu: Emulator, chat: Make) -> None:
    model = chat(cache=InMemoryCache(), n=2)
    model.invoke("0")
    prompts = [[HumanMessage("0")]] * times
    with aimlapi_core.track_costs() as costs:
        if how == "sync":
            model.generate(prompts)
        else:
            asyncio.run(model.agenerate(prompts))
    assert (costs.total.cache_hits, costs.total.calls, costs.credits) == (times, 0, 0)


@pytest.mark.parametrize("kind", [ChatAIMLAPI, AIMLAPIEmbeddings])
@pytest.mark.parametrize(
    "settings", [{}, {"timeout": httpx.Timeout(5)}, {"timeout": None}, {"extra_body": {"a": 1}}]
)
def test_pydantics_own_dump_is_read_back(kind: Any, settings: dict[str, Any]) -> None:
    """Also through JSON, in which a key is asterisks: they are no key."""
    made = kind(api_key="sk-secret-1234", **settings)
    assert kind.model_validate(made.model_dump()).model_dump() == made.model_dump()
    assert kind(**made.model_dump()).model_dump() == made.model_dump()
    for again in (
        kind.model_validate(made.model_dump(mode="json")),
        kind.model_validate_json(made.model_dump_json()),
    ):
        assert again.model_dump() == {**made.model_dump(), "api_key": None}
