"""No frame of a crash report holds a key: of constructors, of cancelled and interrupted calls."""

from __future__ import annotations

import asyncio
import json
import pickle
import sys
import threading
import traceback
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

import httpx
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.load import dumps
from langchain_core.tracers.run_collector import RunCollectorCallbackHandler

from aimlapi_core import (
    AIMLAPIError,
    AsyncClient,
    AuthenticationError,
    ChatRequest,
    Client,
    ConfigurationError,
    EmbeddingReply,
    EmbeddingRequest,
    Message,
    Settings,
    Text,
)
from aimlapi_core._values.traceback_locals import clear_locals, clears_locals, without_locals
from aimlapi_emulator import Emulator, Fault
from langchain_aimlapi import AIMLAPIEmbeddings, ChatAIMLAPI
from llama_index_aimlapi import AIMLAPI, AIMLAPIEmbedding
from tests.leaks import locals_with

KEY = "sk-canary-7f3a9c51deadbeef"
HEADER_KEY = "hdr-canary-55aa55aa"
KINDS = [AIMLAPI, AIMLAPIEmbedding, ChatAIMLAPI, AIMLAPIEmbeddings, Settings]
REQUEST = ChatRequest(
    "openai/gpt-5-2",
    (Message("user", (Text("hi"),)),),
    extra_headers={"X-Other-Key": HEADER_KEY},
)


def leaks(error: BaseException) -> list[str]:
    return [*locals_with(error, KEY), *locals_with(error, HEADER_KEY)]


def error_of(call: Callable[[], object]) -> BaseException | None:
    try:
        call()
    except (AIMLAPIError, TypeError, KeyboardInterrupt) as error:
        return error
    return None


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIMLAPI_API_KEY", KEY)


WRONG: tuple[dict[str, Any], ...] = (
    {"max_retries": -1},
    {"max_concurrency": 0},
    {"timeout": -1},
    {"base_url": "x y"},
    {"base_url": f"https://user:{KEY}@host"},
    {"base_url": f"https://user:{KEY}@"},
    {"base_url": "https://☃.net"},
    {"default_headers": [KEY]},
    {"default_headers": {"X-Key": KEY}, "max_retries": -1},
    {"http_client": object()},
    {"nonsense": 1},
    {"openai_api_keyy": KEY},
    {"api_keys": KEY, "max_retries": -1},
    {"model": 5},
    {"model_name": 5},
    {"temperature": "x"},
    {"context_window": -1},
    {"n": "x"},
    {"api_base": "https://x", "base_url": "https://y"},
    {"additional_kwargs": {"extra_headers": {"X-Key": KEY}}},
    {"model_kwargs": {"default_headers": {"X-Key": KEY}}},
    {"model_kwargs": {"extra_headers": [KEY]}},
)


@pytest.mark.parametrize("given", [KEY, [KEY], {"key": KEY}, None], ids=type)
@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: " ".join(wrong))
def test_a_refused_constructor_shows_no_key(wrong: dict[str, Any], given: Any) -> None:
    errors = [error_of(lambda kind=kind: kind(api_key=given, **wrong)) for kind in KINDS]
    refused = [error for error in errors if error is not None]
    assert refused
    for error in refused:
        assert leaks(error) == []
        assert KEY not in f"{error!r} {error}"


def test_what_a_subclass_of_the_callers_holds_is_left_alone() -> None:
    class Mine(AIMLAPI):
        def __init__(self, api_key: str) -> None:
            super().__init__(api_key=api_key, max_retries=-1)

    with pytest.raises(ConfigurationError) as failed:
        Mine(api_key=KEY)
    assert leaks(failed.value) == []
    frames = [trace.frame.f_locals for trace in failed.traceback]
    assert any(one.get("api_key") == KEY for one in frames)  # that of Mine, which is this test's


@pytest.mark.parametrize("kind", [ChatAIMLAPI, AIMLAPI])
def test_a_setting_that_was_made_wrong_later_shows_no_key(kind: Any) -> None:
    made = kind(api_key=KEY, default_headers={"X-Key": HEADER_KEY})
    made.max_retries = -1
    call = made.invoke if kind is ChatAIMLAPI else made.complete
    with pytest.raises(ConfigurationError) as failed:
        call("hi")
    assert leaks(failed.value) == []


@pytest.mark.parametrize("kind", [ChatAIMLAPI, AIMLAPI, AIMLAPIEmbeddings, AIMLAPIEmbedding])
@pytest.mark.parametrize("given", [KEY, [KEY], {"k": KEY}, KEY.encode(), (KEY,)], ids=type)
def test_a_key_of_any_type_that_was_not_validated_is_in_no_repr(kind: Any, given: Any) -> None:
    made = kind(api_key="sk-another")
    copied = made.model_copy(update={"api_key": given})
    made.api_key = given
    shown = [made, copied, kind.model_construct(api_key=given)]
    assert KEY not in f"{shown!r} {[*map(str, shown)]}"


@pytest.mark.parametrize("kind", [ChatAIMLAPI, AIMLAPI, AIMLAPIEmbeddings, AIMLAPIEmbedding])
def test_an_attribute_that_is_refused_shows_no_key(kind: Any) -> None:
    with pytest.raises(ValueError, match="api_keyy") as failed:
        kind(api_key=KEY).api_keyy = KEY
    assert leaks(failed.value) == []


@pytest.mark.parametrize("kind", [ChatAIMLAPI, AIMLAPI, AIMLAPIEmbeddings, AIMLAPIEmbedding])
def test_a_refused_pickle_shows_no_key(kind: Any) -> None:
    made = kind(api_key=KEY, default_headers={"X-Key": HEADER_KEY})
    made.__dict__["base_url"] = threading.Lock()
    with pytest.raises(TypeError, match="pickle") as failed:
        pickle.dumps(made)
    assert leaks(failed.value) == []


@pytest.mark.parametrize("streamed", [False, True])
def test_a_call_that_is_cancelled_at_any_wait_shows_no_key(emu: Emulator, streamed: bool) -> None:
    async def cancelled() -> list[str]:
        client = AsyncClient(Settings(base_url=emu.base_url, default_headers={"X-Key": HEADER_KEY}))

        async def call() -> None:
            if streamed:
                async for _ in client.stream(REQUEST):
                    pass
            else:
                await client.complete(REQUEST)

        found, count = [], 0
        for _ in range(2):  # with a new connection, and with an idle one
            for rounds in range(60):
                task = asyncio.ensure_future(call())
                for _ in range(rounds):
                    await asyncio.sleep(0)
                task.cancel()
                try:
                    await task
                except asyncio.CancelledError as error:
                    count += 1
                    found += leaks(error)
            await call()
        assert count > 20
        await client.aclose()
        return found

    assert asyncio.run(cancelled()) == []


def test_a_time_out_around_a_call_shows_no_key(emu: Emulator) -> None:
    async def timed_out() -> None:
        async with asyncio.timeout(0.3):
            await AIMLAPI(base_url=emu.base_url).acomplete("hi")

    emu.faults.append(Fault(delay_head_s=5))
    with pytest.raises(TimeoutError) as failed:
        asyncio.run(timed_out())
    assert leaks(failed.value) == []


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("part", ["http11", "connection", "http_call", "model_call"])
def test_a_call_that_is_interrupted_at_any_line_shows_no_key(emu: Emulator, part: str) -> None:
    """As by Ctrl-C, in the modules that have the key in their hands."""
    reached: set[tuple[CodeType, int]] = set()

    def interrupt(frame: FrameType, event: str, _: object) -> Any:
        if part not in frame.f_code.co_filename or "emulator" in frame.f_code.co_filename:
            return None
        if event == "line" and (line := (frame.f_code, frame.f_lineno)) not in reached:
            reached.add(line)
            raise KeyboardInterrupt
        return interrupt

    llm = AIMLAPI(base_url=emu.base_url, default_headers={"X-Key": HEADER_KEY})
    while True:
        before = sys.gettrace()
        sys.settrace(interrupt)
        error = error_of(lambda: llm.complete("hi"))
        sys.settrace(before)
        if error is None:
            break
        assert leaks(error) == []
    assert len(reached) > 20


@pytest.mark.parametrize(
    "url",
    [
        "https://☃.net/v1",
        "https://host/\x01",
        "https://host/\x7f/v1",
        "https://ex\u200dample.com",
        f"https://host/{'x' * 70_000}",
        "https://[::1",
        "https://a..b\u00e9.example",
    ],
    ids=lambda url: ascii(url)[:30],
)
@pytest.mark.parametrize("from_env", [False, True])
def test_a_url_that_httpx_refuses_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, url: str, from_env: bool
) -> None:
    monkeypatch.setenv("AIMLAPI_BASE_URL", url)
    with pytest.raises(ConfigurationError, match="base_url") as failed:
        Client(Settings(base_url=None if from_env else url)).complete(REQUEST)
    assert leaks(failed.value) == []
    assert len(str(failed.value)) < 1_000


@pytest.mark.parametrize("url", ["https://bücher.example", "https://例え.jp/v1", "[::1]:8000"])
def test_hosts_of_other_scripts_are_taken(url: str) -> None:
    assert Settings(base_url=url).resolved_base_url()


ECHO: tuple[tuple[str, str], ...] = (
    ("Authorization", f"Bearer {HEADER_KEY}"),
    ("X-Gw-Key", HEADER_KEY),
    ("Cookie", f"a=b; session={HEADER_KEY}; c=d"),
    ("x-access-token", HEADER_KEY),
)


@pytest.mark.parametrize(("name", "value"), ECHO)
def test_a_key_in_a_header_that_the_service_repeats_is_masked(
    emu: Emulator, name: str, value: str
) -> None:
    given = {name: value}
    calls: list[Callable[[], Any]] = [
        lambda: ChatAIMLAPI(base_url=emu.base_url, default_headers=given).invoke("x"),
        lambda: AIMLAPI(base_url=emu.base_url, default_headers=given).complete("x"),
        lambda: ChatAIMLAPI(base_url=emu.base_url).invoke("x", extra_headers=given),
        lambda: AIMLAPIEmbedding(base_url=emu.base_url, default_headers=given).get_query_embedding(
            "x"
        ),
    ]
    for call in calls:
        emu.faults.append(Fault(status=401, message=f"bad key {HEADER_KEY}, or {KEY}"))
        with pytest.raises(AuthenticationError, match=r"bad key \*\*\*, or \*\*\*") as failed:
            call()
        shown = f"{failed.value!r} {vars(failed.value)}"
        assert HEADER_KEY not in shown
        assert KEY not in shown


def test_a_key_in_the_words_of_the_http_libraries_is_masked() -> None:
    """They quote a head that cannot be read, and a printed traceback has the causes too."""

    def refuse(request: httpx.Request) -> httpx.Response:
        sent = request.headers["authorization"]
        raise httpx.RemoteProtocolError(f"illegal line: {sent}") from ValueError(sent)

    http = httpx.Client(transport=httpx.MockTransport(refuse))
    with pytest.raises(AIMLAPIError, match=r"illegal line: \*\*\*") as failed:
        Client(Settings(http_client=http)).complete(REQUEST)
    assert KEY not in "".join(traceback.format_exception(failed.value))


def test_a_header_of_another_name_is_left_in_messages(emu: Emulator) -> None:
    emu.faults.append(Fault(status=400, message="bad title My application"))
    with pytest.raises(AIMLAPIError, match="bad title My application"):
        AIMLAPI(base_url=emu.base_url, default_headers={"X-Title": "My application"}).complete("x")


def assert_headers_are_hidden(emu: Emulator, model: BaseChatModel) -> None:
    traced = RunCollectorCallbackHandler()
    model.invoke("hi", config={"callbacks": [traced]})
    shown = f"{model!r} {dumps(model)} {model.model_dump()} {[repr(r) for r in traced.traced_runs]}"
    assert HEADER_KEY not in shown
    assert emu.requests[-1].headers["x-gw-key"].endswith(HEADER_KEY[-4:])


def test_headers_in_model_kwargs_are_sent_and_shown_nowhere(emu: Emulator) -> None:
    kwargs = {"extra_headers": {"X-Gw-Key": HEADER_KEY}, "stream_options": {"include_usage": True}}
    model = ChatAIMLAPI(base_url=emu.base_url, model_kwargs=kwargs)
    assert_headers_are_hidden(emu, model)
    assert model.model_kwargs == {"stream_options": {"include_usage": True}}
    assert kwargs["extra_headers"]  # the caller's own stay as they are

    later = ChatAIMLAPI(base_url=emu.base_url)
    later.model_kwargs = kwargs
    assert_headers_are_hidden(emu, later)

    copied = ChatAIMLAPI(base_url=emu.base_url).model_copy(update={"model_kwargs": kwargs})
    assert_headers_are_hidden(emu, copied)


def test_headers_in_model_kwargs_of_embeddings_are_no_part_of_the_body(emu: Emulator) -> None:
    kwargs = {"extra_headers": {"X-Gw-Key": HEADER_KEY}}
    made = AIMLAPIEmbeddings(base_url=emu.base_url, model_kwargs=kwargs)
    made.embed_query("hi")
    assert HEADER_KEY not in f"{made!r} {json.dumps(emu.requests[-1].body)}"
    assert emu.requests[-1].headers["x-gw-key"].endswith(HEADER_KEY[-4:])


def test_headers_in_the_model_kwargs_of_a_call_are_in_no_trace(emu: Emulator) -> None:
    traced = RunCollectorCallbackHandler()
    kwargs = {"extra_headers": {"X-Gw-Key": HEADER_KEY}}
    model = ChatAIMLAPI(base_url=emu.base_url)
    model.invoke("hi", config={"callbacks": [traced]}, model_kwargs=kwargs)
    assert HEADER_KEY not in repr([repr(run) for run in traced.traced_runs])
    assert emu.requests[-1].headers["x-gw-key"].endswith(HEADER_KEY[-4:])


def test_what_a_callback_of_the_callers_holds_is_left_alone(emu: Emulator) -> None:
    def answered(_: EmbeddingReply) -> None:
        mine = KEY  # noqa: F841  # it is looked for in the frame
        raise ValueError("mine")

    request = EmbeddingRequest("text-embedding-3-small", ("text",))
    with pytest.raises(ValueError, match="mine") as failed:
        Client(Settings(base_url=emu.base_url)).embed(request, answered=answered)
    assert leaks(failed.value) == []
    assert failed.traceback[-1].frame.f_locals["mine"] == KEY


def test_the_callers_own_frames_and_errors_are_left_alone() -> None:
    def failing() -> None:
        mine = KEY  # noqa: F841  # it is looked for in the frame
        raise ValueError("mine")

    def main_module() -> None:
        try:
            failing()
        except ValueError:
            with without_locals:
                raise KeyError("ours") from None

    main_module.__globals__  # noqa: B018
    with pytest.raises(KeyError) as failed:
        main_module()
    context = failed.value.__context__
    assert context is not None
    assert context.__traceback__ is not None
    frames = [context.__traceback__.tb_frame]
    assert context.__traceback__.tb_next is not None
    frames.append(context.__traceback__.tb_next.tb_frame)
    assert frames[1].f_locals["mine"] == KEY


def test_clearing_follows_causes_contexts_and_groups() -> None:
    space: dict[str, Any] = {"__name__": "httpcore.made_here"}
    exec(  # as a library's code, whose frames are cleared
        """
def first(key):
    raise OSError("first")
def second(key):
    try:
        first(key)
    except OSError as exc:
        raise ConnectionError("second") from exc
def third(key):
    errors = []
    for call in (first, second):
        try:
            call(key)
        except OSError as exc:
            errors.append(exc)
    try:
        second(key)
    except OSError:
        raise ExceptionGroup("third", errors)
def outer(key):
    third(key)
""",
        space,
    )

    def found(call: Callable[[], object]) -> list[str]:
        try:
            call()
        except ExceptionGroup as error:
            return locals_with(error, KEY)
        return ["no error"]

    assert len(found(lambda: space["outer"](KEY))) >= 7
    assert found(lambda: clears_locals(space["outer"])(KEY)) == []

    def within() -> None:
        with without_locals:
            space["outer"](KEY)

    assert found(within) == []
    clear_locals(ValueError("never raised"))
