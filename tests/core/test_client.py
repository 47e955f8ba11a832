"""Both clients over real sockets: retries, connections, event loops, forks, ends of streams."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from aimlapi_core import (
    AIMLAPIError,
    AsyncClient,
    AuthenticationError,
    ChatRequest,
    Client,
    ConfigurationError,
    ConnectFailedError,
    ConnectionLostError,
    Finished,
    InvalidRequestError,
    Message,
    MissingKeyError,
    NotFoundError,
    QuotaExceededError,
    RateLimitError,
    Reply,
    RequestTimeoutError,
    RetryPolicy,
    ServerError,
    Settings,
    StreamCutError,
    StreamEvent,
    StreamFailedError,
    Text,
    TextDelta,
    UnexpectedReplyError,
)
from aimlapi_core._io import shared_connections
from aimlapi_core._io.sockets import tls
from aimlapi_emulator import Emulator, Fault
from tests.waiting import wait_until

HELLO = ChatRequest("openai/gpt-5-2", (Message("user", (Text("Say: Grüße aus Łódź 🌍"),)),))

CHAT = "openai/gpt-5-2"
KINDS = ("sync", "async")
FORMS = ("whole", "stream")


@pytest.fixture(autouse=True)
def _pools_of_its_own() -> Iterator[None]:
    """No connection that another test left idle, nor one left for another."""
    close_all()
    yield
    close_all()


def close_all() -> None:
    for pool in list(shared_connections._sync_clients.values()):
        pool.http.close()
    shared_connections._sync_clients.clear()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries without waiting."""
    monkeypatch.setattr("random.random", lambda: 0.0)


def settings(emu: Emulator, **more: Any) -> Settings:
    return Settings(**{"api_key": "sk-test-0000", "base_url": emu.base_url, **more})


def call(setup: Settings, kind: str, form: str, request: ChatRequest = HELLO) -> Reply:
    """One call, by either client, in either form; its Reply."""
    if kind == "sync":
        if form == "whole":
            return Client(setup).complete(request)
        return ended(list(Client(setup).stream(request)))

    async def run() -> Reply:
        client = AsyncClient(setup)
        if form == "whole":
            return await client.complete(request)
        return ended([event async for event in client.stream(request)])

    return asyncio.run(run())


def ended(events: list[StreamEvent]) -> Reply:
    last = events[-1]
    assert isinstance(last, Finished)
    assert not any(isinstance(event, Finished) for event in events[:-1])
    text = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert text == last.reply.choices[0].text
    return last.reply


both = pytest.mark.parametrize("kind", KINDS)
forms = pytest.mark.parametrize("form", FORMS)


@both
@forms
def test_an_answer_comes_whole(emu: Emulator, kind: str, form: str) -> None:
    reply = call(settings(emu), kind, form)
    assert "Grüße aus Łódź 🌍" in reply.choices[0].text
    assert reply.choices[0].finish_reason == "stop"
    assert reply.usage is not None
    assert reply.usage.total_tokens == reply.usage.input_tokens + reply.usage.output_tokens
    assert reply.cost is not None
    assert reply.cost.usd == pytest.approx((reply.cost.credits or 0) / 2_000_000)
    assert reply.transport is not None
    assert reply.transport.inference_id
    assert emu.requests[0].problems == ()
    assert emu.requests[0].headers["user-agent"].startswith("aimlapi-core/")


@both
def test_both_forms_give_the_same_reply(emu: Emulator, kind: str) -> None:
    whole, streamed = (call(settings(emu), kind, form) for form in FORMS)
    assert whole.choices == streamed.choices
    assert whole.usage == streamed.usage
    assert whole.cost == streamed.cost


@both
@forms
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 524])
def test_max_retries_is_exact(
    emu: Emulator, quick: None, kind: str, form: str, status: int
) -> None:
    emu.faults.extend([Fault(status=status)] * 9)
    with pytest.raises((RateLimitError, ServerError)) as caught:
        call(settings(emu, max_retries=3), kind, form)
    assert caught.value.status_code == status
    assert len(emu.requests) == 4


@both
@forms
def test_a_retry_brings_the_answer(emu: Emulator, quick: None, kind: str, form: str) -> None:
    emu.faults.extend([Fault(status=500, shape="html"), Fault(status=429, shape="legacy")])
    assert "Grüße" in call(settings(emu), kind, form).choices[0].text
    assert len(emu.requests) == 3


@both
@forms
def test_no_retries_means_one_request(emu: Emulator, kind: str, form: str) -> None:
    emu.faults.extend([Fault(status=503)] * 3)
    with pytest.raises(ServerError):
        call(settings(emu, max_retries=0), kind, form)
    assert len(emu.requests) == 1


@both
@forms
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(status=400), AIMLAPIError),
        (Fault(status=404), NotFoundError),
        (Fault(status=429, message="Free-tier limit: no more"), QuotaExceededError),
        (Fault(status=500, shape="legacy", message="400 Unable to access"), ServerError),
        (Fault(drop="after_read"), ConnectionLostError),
        (Fault(drop="after_read", drop_with="rst"), ConnectionLostError),
        (Fault(raw_body=b"<html>Hello</html>", content_type="text/html"), UnexpectedReplyError),
        (
            Fault(raw_body=b'{"object":"image","data":[]}', content_type="application/json"),
            UnexpectedReplyError,
        ),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_never_sent_twice(
    emu: Emulator, kind: str, form: str, fault: Fault, error: type[AIMLAPIError]
) -> None:
    emu.faults.append(fault)
    with pytest.raises(error) as caught:
        call(settings(emu, max_retries=5), kind, form)
    assert len(emu.requests) == 1
    if isinstance(caught.value, ConnectionLostError):
        assert caught.value.request_sent
    if isinstance(caught.value, NotFoundError):
        assert 'endpoint="responses"' in str(caught.value)


@both
@forms
def test_retry_after_is_waited_for(
    emu: Emulator, monkeypatch: pytest.MonkeyPatch, kind: str, form: str
) -> None:
    waits: list[float] = []

    async def no_sleep(delay: float) -> None:
        waits.append(delay)

    # Not `time.sleep` itself, which other threads call.
    clock = SimpleNamespace(sleep=waits.append, monotonic=time.monotonic, time=time.time)
    monkeypatch.setattr("aimlapi_core._io.http_call.time", clock)
    monkeypatch.setattr("aimlapi_core._io.request_sender.asyncio.sleep", no_sleep)
    emu.faults.append(Fault(status=429, headers={"Retry-After": "7"}))
    call(settings(emu), kind, form)
    assert waits == [7.0]


@both
@forms
def test_no_listener_is_a_connect_error_retried_as_said(quick: None, kind: str, form: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: refuses
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ConnectFailedError, match="Nothing was sent") as caught:
            call(Settings(api_key="k", base_url=url, max_retries=1), kind, form)
    assert not caught.value.request_sent


@both
@forms
def test_silence_is_a_typed_time_out_that_is_not_repeated(
    emu: Emulator, kind: str, form: str
) -> None:
    emu.faults.append(Fault(delay_head_s=3600))
    silent = httpx.Timeout(None, read=0.1)
    with pytest.raises(RequestTimeoutError, match="may be billed"):
        call(settings(emu, timeout=silent, max_retries=3), kind, form)
    wait_until(lambda: emu.requests)
    assert len(emu.requests) == 1


@both
@forms
def test_a_wrong_key_says_so_and_is_in_no_message(emu: Emulator, kind: str, form: str) -> None:
    with pytest.raises(AuthenticationError, match="AIMLAPI_API_KEY") as caught:
        call(settings(emu, api_key="sk-bad-1234567890"), kind, form)
    assert "sk-bad-1234567890" not in repr(caught.value) + str(caught.value.__dict__)
    assert len(emu.requests) == 1


@both
@forms
def test_a_key_that_the_service_repeats_is_masked(emu: Emulator, kind: str, form: str) -> None:
    emu.faults.append(Fault(status=401, message="Incorrect API key provided: sk-test-0000."))
    with pytest.raises(AuthenticationError) as caught:
        call(settings(emu), kind, form)
    assert "sk-test-0000" not in str(caught.value) + str(caught.value.body)
    assert "provided: ***" in str(caught.value)


@both
@forms
def test_nothing_is_sent_without_a_key_or_messages(emu: Emulator, kind: str, form: str) -> None:
    with pytest.raises(MissingKeyError):
        call(settings(emu, api_key=None), kind, form)
    with pytest.raises(InvalidRequestError):
        call(settings(emu), kind, form, ChatRequest("openai/gpt-5-2", ()))
    bad = ChatRequest("openai/gpt-5-2", HELLO.messages, extra_body={"x": float("nan")})
    with pytest.raises(InvalidRequestError, match="JSON"):
        call(settings(emu), kind, form, bad)
    assert emu.requests == []


STREAM_ENDS = [
    pytest.param(Fault(cut_after_events=3), StreamCutError, id="FIN between events"),
    pytest.param(Fault(cut_after_bytes=400), StreamCutError, id="FIN inside an event"),
    pytest.param(Fault(cut_after_events=3, drop_with="rst"), StreamCutError, id="RST"),
    pytest.param(Fault(error_event="openai"), StreamFailedError, id="error frame"),
    pytest.param(Fault(error_event="legacy"), StreamFailedError, id="legacy frame"),
    pytest.param(Fault(error_event="problem"), StreamFailedError, id="problem frame"),
    pytest.param(Fault(error_event="event"), StreamFailedError, id="event: error"),
    pytest.param(Fault(malformed_event=True), StreamFailedError, id="broken JSON"),
]


@both
@pytest.mark.parametrize(("fault", "error"), STREAM_ENDS)
def test_bad_ends_of_streams_raise_with_what_came(
    emu: Emulator, kind: str, fault: Fault, error: type[StreamCutError]
) -> None:
    emu.faults.append(fault)
    with pytest.raises(error) as caught:
        call(settings(emu, max_retries=5), kind, "stream")
    assert len(emu.requests) == 1
    assert caught.value.partial is not None


@both
@pytest.mark.parametrize(
    "fault",
    [
        Fault(newline="\r\n"),
        Fault(newline="\r"),
        Fault(comments=True),
        Fault(final_blank_line=False),
        Fault(done_sentinel=False),
        Fault(piece_size=1),
        Fault(piece_size=7, newline="\r\n", comments=True),
        Fault(content_type="text/plain"),
        Fault(success_status=201),
        Fault(usage="cumulative"),
        Fault(tool_delta="repeat"),
    ],
    ids=str,
)
def test_odd_but_whole_streams_give_the_answer(emu: Emulator, kind: str, fault: Fault) -> None:
    plain = call(settings(emu), kind, "stream")
    emu.faults.append(fault)
    odd = call(settings(emu), kind, "stream")
    assert (odd.choices, odd.usage) == (plain.choices, plain.usage)


@both
def test_an_unstreamed_answer_to_a_streaming_request_is_read(emu: Emulator, kind: str) -> None:
    body = {"id": "x", "choices": [{"message": {"content": "whole"}, "finish_reason": "stop"}]}
    emu.enqueue_response(body)
    assert call(settings(emu), kind, "stream").choices[0].text == "whole"


def test_streams_in_turn_use_one_connection(emu: Emulator) -> None:
    client = Client(settings(emu))
    before = emu.connections
    for _ in range(20):
        list(client.stream(HELLO))
        client.complete(HELLO)
    assert emu.connections - before == 1


async def test_async_streams_in_turn_use_one_connection(emu: Emulator) -> None:
    client = AsyncClient(settings(emu))
    before = emu.connections
    for _ in range(20):
        assert [event async for event in client.stream(HELLO)]
        await client.complete(HELLO)
    assert emu.connections - before == 1
    await client.aclose()


@both
@pytest.mark.parametrize("endless", [False, True], ids=["held back", "endless"])
def test_a_body_that_never_ends_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, kind: str, endless: bool
) -> None:
    """After `[DONE]` the end of the body is held back, or more bytes come for ever."""
    monkeypatch.setattr("aimlapi_core._io.stream_end.DRAIN_S", 600.0 if endless else 0.05)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        release = threading.Event()

        def serve() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.recv(65536)
                chunk = b'data: {"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}\n\n'
                data = chunk + b"data: [DONE]\n\n"
                head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                head += b"Transfer-Encoding: chunked\r\n\r\n"
                peer.sendall(head + b"%x\r\n%b\r\n" % (len(data), data))
                if endless:
                    with suppress(OSError):
                        while not release.is_set():
                            peer.sendall(b"1000\r\n" + b"y" * 4096 + b"\r\n")
                release.wait()

        thread = threading.Thread(target=serve)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            setup = Settings(api_key="k", base_url=url, timeout=httpx.Timeout(None))
            reply = call(setup, kind, "stream")
            assert reply.choices[0].text == "x"
        finally:
            release.set()
            thread.join()


def test_leaving_a_stream_early_closes_its_connection(emu: Emulator) -> None:
    client = Client(settings(emu))
    emu.faults.append(Fault(delay_between_s=0.2))
    events = client.stream(HELLO)
    next(events)
    assert emu.open_connections == 1
    events.close()
    wait_until(lambda: emu.open_connections == 0)


async def test_cancelling_an_async_stream_closes_its_connection(emu: Emulator) -> None:
    client = AsyncClient(settings(emu))
    emu.faults.append(Fault(delay_between_s=0.3))  # it sees the close at its next write

    async def read() -> None:
        async for _ in client.stream(HELLO):
            pass

    task = asyncio.create_task(read())
    await asyncio.to_thread(wait_until, lambda: bool(emu.requests))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.to_thread(wait_until, lambda: emu.open_connections == 0)
    await client.aclose()


def test_one_client_in_many_event_loops_sends_each_request_once(emu: Emulator) -> None:
    client = AsyncClient(settings(emu))

    async def twice() -> None:
        await client.complete(HELLO)
        assert [event async for event in client.stream(HELLO)]

    for _ in range(3):
        asyncio.run(twice())
    assert len(emu.requests) == 6
    assert shared_connections._async_clients == {}


def test_loops_in_threads_and_loops_never_ended_do_no_harm(emu: Emulator) -> None:
    client = AsyncClient(settings(emu))
    with ThreadPoolExecutor(4) as threads:
        runs = [threads.submit(asyncio.run, client.complete(HELLO)) for _ in range(8)]
        assert all(run.result().choices for run in runs)

    async def and_close() -> None:
        await client.complete(HELLO)
        await client.aclose()

    loop = asyncio.new_event_loop()
    loop.run_until_complete(and_close())
    loop.close()
    asyncio.run(and_close())
    assert len(emu.requests) == 10


def test_a_loop_closed_without_ending_its_generators_is_forgotten(emu: Emulator) -> None:
    client = AsyncClient(settings(emu))
    loop = asyncio.new_event_loop()
    loop.run_until_complete(client.complete(HELLO))
    for pool in shared_connections._async_clients[
        loop
    ].values():  # only so that no socket outlives this test
        loop.run_until_complete(pool.http.aclose())
    loop.close()
    asyncio.run(client.complete(HELLO))  # type: ignore[arg-type]  # a coroutine, typed by its async def
    assert len(emu.requests) == 2
    assert shared_connections._async_clients == {}


def test_threads_share_a_client_and_open_no_more_than_they_use(emu: Emulator) -> None:
    client = Client(settings(emu))
    with ThreadPoolExecutor(8) as threads:
        assert len(list(threads.map(lambda _: client.complete(HELLO), range(40)))) == 40
    assert emu.peak_connections <= 8


async def test_never_more_connections_than_calls_in_flight(emu: Emulator) -> None:
    client = AsyncClient(settings(emu))
    before = emu.connections
    for _ in range(3):
        await asyncio.gather(*(client.complete(HELLO) for _ in range(10)))
    assert emu.connections - before <= 10
    await client.aclose()


def test_clients_of_one_account_share_connections_until_the_last_claim(emu: Emulator) -> None:
    one, two = Client(settings(emu)), Client(settings(emu, timeout=5))
    before = emu.connections
    one.complete(HELLO)
    two.complete(HELLO)
    assert emu.connections - before == 1
    one.close()
    two.complete(HELLO)
    assert emu.connections - before == 1
    two.close()
    assert shared_connections._sync_clients == {}
    one.complete(HELLO)  # a closed client may be used again
    assert emu.connections - before == 2


@both
async def test_clients_of_two_keys_share_no_connection(emu: Emulator, kind: str) -> None:
    """HTTP/1.1 gives answers no number: what comes late would be the other's answer."""
    close_all()
    before = emu.connections
    for _ in range(2):
        for key in ("sk-tenant-a", "sk-tenant-b"):
            if kind == "sync":
                Client(settings(emu, api_key=key)).complete(HELLO)
            else:
                await AsyncClient(settings(emu, api_key=key)).complete(HELLO)
    assert emu.connections - before == 2
    close_all()


def test_a_forgotten_stream_may_be_collected_at_any_moment(emu: Emulator) -> None:
    """Also while its own thread holds the lock of the pools, where a collection may strike."""
    emu.faults.append(Fault(delay_between_s=0.01))
    events = Client(settings(emu)).stream(HELLO)
    next(events)
    with shared_connections._lock:
        del events
        gc.collect()
    wait_until(lambda: emu.open_connections == 0)


def test_the_dead_claim_nothing(emu: Emulator) -> None:
    Client(settings(emu)).complete(HELLO)
    gc.collect()
    with Client(settings(emu)) as client:
        client.complete(HELLO)
    assert shared_connections._sync_clients == {}


def test_clients_handed_in_are_used_and_left_open(emu: Emulator) -> None:
    with httpx.Client(headers={"X-Mine": "yes"}) as http:
        with Client(settings(emu, http_client=http)) as client:
            client.complete(HELLO)
        assert not http.is_closed
        assert emu.requests[0].headers["x-mine"] == "yes"
    with pytest.raises(ConfigurationError, match="closed"):
        client.complete(HELLO)


def test_the_callers_headers_win(emu: Emulator) -> None:
    headers = {"user-agent": "mine/1", "X-Title": "app"}
    request = ChatRequest(
        "openai/gpt-5-2", HELLO.messages, client_request_id="run-1", extra_headers={"x-title": "b"}
    )
    reply = call(settings(emu, default_headers=headers), "sync", "whole", request)
    seen = emu.requests[0].headers
    assert (seen["user-agent"], seen["x-title"]) == ("mine/1", "b")
    assert reply.transport is not None
    assert reply.transport.client_request_id == "run-1"


def in_child(setup: Settings, pipe: Any) -> None:
    try:
        pipe.send(len(Client(setup).complete(HELLO).choices))
    finally:
        pipe.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_opens_its_own_connections(emu: Emulator) -> None:
    setup = settings(emu)
    client = Client(setup)
    client.complete(HELLO)
    before = emu.connections
    mine, theirs = multiprocessing.get_context("fork").Pipe()
    process = multiprocessing.get_context("fork").Process(target=in_child, args=(setup, theirs))
    process.start()
    theirs.close()
    assert mine.recv() == 1
    process.join()
    client.complete(HELLO)
    assert emu.connections - before == 1


def test_making_clients_opens_nothing_and_loads_no_certificates() -> None:
    """In a fresh process, with every way to open a file or a socket watched."""
    program = """
import sys
from aimlapi_core import AsyncClient, Client, Settings
opened = []
def watch(event, args):
    if event in ("open", "socket.__new__", "socket.connect", "ssl.SSLContext"):
        opened.append((event, args))
sys.addaudithook(watch)
Client(Settings(api_key="k")); AsyncClient(Settings(api_key="k"))
assert not opened, opened
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_program_that_closes_nothing_leaves_no_socket(emu: Emulator) -> None:
    program = f"""
from aimlapi_core import ChatRequest, Client, Message, Settings, Text
request = ChatRequest("openai/gpt-5-2", (Message("user", (Text("hi"),)),))
Client(Settings(api_key="k", base_url={emu.base_url!r})).complete(request)
"""
    command = [sys.executable, "-X", "dev", "-c", program]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "ResourceWarning" not in run.stderr


def test_stop_sequences_are_cut_by_the_client(emu: Emulator) -> None:
    request = ChatRequest("openai/gpt-5-2", HELLO.messages, stop=(" aus", "never"))
    for kind in KINDS:
        for form in FORMS:
            emu.faults.append(Fault(piece_size=3))
            reply = call(settings(emu), kind, form, request)
            assert reply.choices[0].text.endswith("Grüße")
            assert reply.choices[0].finish_reason == "stop"
    assert all("stop" not in seen.body for seen in emu.requests)


@both
def test_one_tls_context_is_built_once_and_off_the_event_loop(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    built: list[threading.Thread] = []

    def building() -> ssl.SSLContext:
        built.append(threading.current_thread())
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    monkeypatch.setattr(httpx, "create_ssl_context", building)
    monkeypatch.setattr(tls, "_built", [])
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        for host in ("127.0.0.1", "localhost"):
            setup = Settings(api_key="k", base_url=f"https://{host}:{port}", max_retries=0)
            with pytest.raises(ConnectFailedError):
                call(setup, kind, "whole")
    assert len(built) == 1
    assert (built[0] is threading.main_thread()) == (kind == "sync")


@both
def test_comments_alone_do_not_keep_a_stream_alive(kind: str) -> None:
    """Each comment comes at once; the answer does not come at all."""
    transport = Commenting(b'data: {"choices":[{"delta":{"content":"begun"}}]}\n\n')
    with httpx.Client(transport=transport) as http:
        other = httpx.AsyncClient(transport=transport)  # opens nothing, so nothing is closed
        setup = Settings(api_key="k", http_client=http, http_async_client=other, timeout=0.1)
        with pytest.raises(StreamCutError, match="keep-alives") as caught:
            call(setup, kind, "stream")
    assert caught.value.partial is not None
    assert caught.value.partial.choices[0].text == "begun"


class Commenting(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers with a stream of one event, behind which comments come for ever."""

    class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
        def __init__(self, event: bytes) -> None:
            self._event = event

        def __iter__(self) -> Iterator[bytes]:
            yield self._event
            while True:
                yield b": ping\n\n"

        async def __aiter__(self) -> AsyncIterator[bytes]:
            for piece in self:
                yield piece

    def __init__(self, event: bytes) -> None:
        self._event = event

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=self.Body(self._event))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


def test_redirects_are_not_followed_even_by_a_client_that_would(emu: Emulator) -> None:
    """The key and the request stay with the host that the caller named."""
    emu.faults.append(Fault(status=307, headers={"Location": emu.base_url + "/elsewhere"}))
    with httpx.Client(follow_redirects=True) as http:
        client = Client(settings(emu, http_client=http))
        with pytest.raises(NotFoundError, match="307"):
            client.complete(HELLO)
    assert len(emu.requests) == 1


@both
@forms
@pytest.mark.parametrize("endpoint", ["chat", "responses"])
def test_a_redirect_names_its_address_and_nothing_about_the_model(
    emu: Emulator, kind: str, form: str, endpoint: Any
) -> None:
    path = "/chat/completions" if endpoint == "chat" else "/responses"
    target = f"https://new.example/v1{path}"
    emu.faults.append(Fault(status=308, headers={"Location": target}))
    request = replace(HELLO, endpoint=endpoint, model="openai/some-model")
    with pytest.raises(NotFoundError, match=r"set base_url='https://new.example/v1'") as caught:
        call(settings(emu), kind, form, request)
    assert "some-model" not in str(caught.value)
    assert len(emu.requests) == 1


@both
@forms
def test_a_total_budget_ends_the_retries(emu: Emulator, quick: None, kind: str, form: str) -> None:
    emu.faults.extend([Fault(status=429, headers={"Retry-After": "5"})] * 3)
    policy = RetryPolicy(max_retries=3, max_elapsed_s=1)
    with pytest.raises(RateLimitError):
        call(settings(emu, retry=policy), kind, form)
    assert len(emu.requests) == 1


def test_a_connection_that_the_server_closed_while_idle_is_not_used_again(emu: Emulator) -> None:
    client = Client(settings(emu, max_retries=0))
    emu.faults.append(Fault(headers={"Connection": "close"}, raw_body=WHOLE))
    for _ in range(3):
        client.complete(HELLO)
    assert len(emu.requests) == 3


WHOLE = b'{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}]}'


def test_idle_connections_are_dropped_before_nodes_server_would() -> None:
    assert 0 < shared_connections.KEEPALIVE_S < 5


async def test_many_first_calls_build_one_tls_context(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[int] = []

    def building() -> ssl.SSLContext:
        built.append(threading.Event().wait(0.05))
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    monkeypatch.setattr(httpx, "create_ssl_context", building)
    monkeypatch.setattr(tls, "_built", [])
    await asyncio.gather(*(asyncio.to_thread(tls.tls_context) for _ in range(10)))
    assert len(built) == 1


class Failing(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport that fails in its own way, and counts the requests that reached it."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        raise self.error

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


@both
@forms
@pytest.mark.parametrize(
    ("error", "kind_of_error", "sent"),
    [
        (httpx.WriteError("x"), ConnectionLostError, True),
        (httpx.WriteTimeout("x"), RequestTimeoutError, True),
        (httpx.ReadError("x"), ConnectionLostError, True),
        (httpx.RemoteProtocolError("x"), ConnectionLostError, True),
        (OSError("x"), ConnectionLostError, True),
        (httpx.PoolTimeout("x"), ConnectFailedError, False),
        (httpx.UnsupportedProtocol("x"), ConfigurationError, False),
        (RuntimeError("x"), ConfigurationError, False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_failures_of_the_transport(
    quick: None, kind: str, form: str, error: Exception, kind_of_error: type, sent: bool
) -> None:
    """What may have been sent is not sent again; what was not, is."""
    transport = Failing(error)
    setup: dict[str, Any] = {"api_key": "k", "base_url": "http://127.0.0.1:9", "max_retries": 2}
    with httpx.Client(transport=transport) as http:
        other = httpx.AsyncClient(transport=transport)  # opens nothing, so nothing is closed
        handed_in = Settings(http_client=http, http_async_client=other, **setup)
        with pytest.raises(kind_of_error):
            call(handed_in, kind, form)
    assert len(transport.requests) == (3 if kind_of_error is ConnectFailedError else 1)
    timeout = transport.requests[0].extensions["timeout"]
    assert timeout["connect"] == 5  # the handed-in client's own, since none was given


FINISHED = b'data: {"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]}\n\n'


@contextmanager
def cut_behind(piece: bytes, rst: bool) -> Iterator[tuple[str, threading.Event]]:
    """A server that sends a piece of a stream, and closes once the client has told that it has it.

    An RST may discard what the client has not read yet, and so would end another test. Gives the
    base URL and the event that tells.
    """
    has_piece = threading.Event()

    def serve() -> None:
        peer, _ = listener.accept()
        with peer, peer.makefile("rb") as request:
            head = list(iter(request.readline, b"\r\n"))
            (size,) = (
                int(line[15:]) for line in head if line.lower().startswith(b"content-length:")
            )
            request.read(size)
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + piece)
            has_piece.wait()
            if rst:
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", has_piece
        finally:
            has_piece.set()
            thread.join()


def streamed(
    setup: Settings, kind: str, request: ChatRequest, begun: threading.Event
) -> list[StreamEvent]:
    """The events of a stream; `begun` is set at the first one."""
    events: list[StreamEvent] = []

    def took(event: StreamEvent) -> None:
        events.append(event)
        begun.set()

    async def run() -> None:
        async for event in AsyncClient(setup).stream(request):
            took(event)

    if kind == "async":
        asyncio.run(run())
    else:
        for event in Client(setup).stream(request):
            took(event)
    return events


@both
@pytest.mark.parametrize("rst", [False, True], ids=["FIN", "RST"])
@pytest.mark.parametrize("tail", [b"", b'data: {"usage": {"prompt_to', b"data: [DO"])
def test_a_cut_behind_the_end_of_the_answer_still_gives_it(
    kind: str, tail: bytes, rst: bool
) -> None:
    with cut_behind(FINISHED + tail, rst) as (url, begun):
        reply = ended(streamed(Settings(api_key="k", base_url=url), kind, HELLO, begun))
    assert reply.choices[0].text == "x"
    assert reply.usage is None


@both
@pytest.mark.parametrize("rst", [False, True], ids=["FIN", "RST"])
def test_a_cut_before_the_last_of_several_answers_raises(kind: str, rst: bool) -> None:
    request = ChatRequest("openai/gpt-5-2", HELLO.messages, extra_body={"n": 2})
    with cut_behind(FINISHED, rst) as (url, begun), pytest.raises(StreamCutError):
        streamed(Settings(api_key="k", base_url=url), kind, request, begun)


@both
@pytest.mark.parametrize("kind_of_body", ["text/plain", "text/event-stream", "application/json"])
def test_what_an_answer_is_marked_as_does_not_count(
    emu: Emulator, kind: str, kind_of_body: str
) -> None:
    emu.faults.append(Fault(raw_body=WHOLE, content_type=kind_of_body))
    assert call(settings(emu), kind, "stream").choices[0].text == "x"
    emu.faults.append(Fault(content_type=kind_of_body))
    assert "Łódź" in call(settings(emu), kind, "stream").choices[0].text


@both
@forms
def test_an_error_whose_body_is_cut_keeps_its_status(
    emu: Emulator, quick: None, kind: str, form: str
) -> None:
    emu.faults.append(Fault(status=503, cut_after_bytes=10))
    assert call(settings(emu), kind, form).choices
    assert len(emu.requests) == 2


def test_closing_one_object_leaves_the_calls_of_its_threads_alone(emu: Emulator) -> None:
    client = Client(settings(emu))
    emu.faults.append(Fault(delay_between_s=0.05))
    events = client.stream(HELLO)
    next(events)
    client.close()
    assert isinstance(list(events)[-1], Finished)
    assert shared_connections._sync_clients == {}
    wait_until(lambda: emu.open_connections == 0)


async def test_closing_in_the_middle_of_an_async_call_lets_it_end(emu: Emulator) -> None:
    client = AsyncClient(settings(emu))
    emu.faults.append(Fault(delay_between_s=0.05))
    events = client.stream(HELLO)
    await anext(events)
    await client.aclose()
    assert isinstance([event async for event in events][-1], Finished)
    assert shared_connections._async_clients == {}


@both
@pytest.mark.parametrize("shape", ["body", "frame"])
def test_a_key_inside_an_answer_with_success_is_masked_too(
    emu: Emulator, kind: str, shape: str
) -> None:
    said = b'{"error":{"message":"Incorrect API key provided: sk-test-0000"}}'
    body = said if shape == "body" else b"data: " + said + b"\n\n"
    emu.faults.append(Fault(raw_body=body, content_type="text/event-stream"))
    with pytest.raises(AIMLAPIError, match=r"provided: \*\*\*") as caught:
        call(settings(emu), kind, "stream")
    assert "sk-test-0000" not in str(caught.value.__dict__)


@pytest.mark.parametrize("name", ["X-A", "Authorization", "bad name"])
def test_a_header_that_cannot_be_sent_is_named_without_its_value(emu: Emulator, name: str) -> None:
    headers = {name: "sk-secret-1234\n" if name != "bad name" else "x"}
    with pytest.raises(ConfigurationError) as caught:
        call(settings(emu, default_headers=headers), "sync", "whole")
    assert "sk-secret-1234" not in str(caught.value)
    assert name in str(caught.value)


@both
@forms
@pytest.mark.parametrize(
    "name",
    ["Content-Length", "content-length", "Transfer-Encoding", "Content-Encoding", "Upgrade", "TE"],
)
@pytest.mark.parametrize("place", ["default_headers", "extra_headers"])
def test_a_header_of_the_body_is_refused_in_one_sentence(
    emu: Emulator, kind: str, form: str, name: str, place: str
) -> None:
    """h11 would end the call with an error of its own, or the service wait for a body."""
    request = replace(HELLO, extra_headers={name: "5"}) if place == "extra_headers" else HELLO
    more = {"default_headers": {name: "5"}} if place == "default_headers" else {}
    with pytest.raises(ConfigurationError, match=f"'{name}' cannot be set.*leave it out"):
        call(settings(emu, **more), kind, form, request)
    assert emu.requests == []


@both
def test_blanks_around_a_header_are_left_out(emu: Emulator, kind: str) -> None:
    call(settings(emu, default_headers={"X-Title": " app "}), kind, "whole")
    assert emu.requests[0].headers["x-title"] == "app"


@both
def test_the_url_of_an_endpoint_is_a_base_url(emu: Emulator, kind: str) -> None:
    for path in ("/chat/completions", "/responses"):
        for endpoint in ("chat", "responses"):
            request = replace(HELLO, model="openai/gpt-5-2-pro" if endpoint != "chat" else CHAT)
            call(settings(emu, base_url=emu.base_url + path), kind, "whole", request)
    assert {request.status for request in emu.requests} == {200}


def test_a_proxy_that_cannot_be_used_is_a_configuration_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ALL_PROXY", "nonsense://x")
    with pytest.raises(ConfigurationError, match="proxy"):
        Client(Settings(api_key="k", base_url="https://api.example")).complete(HELLO)


def test_the_other_endpoint_is_named_only_where_it_can_be_tried(emu: Emulator) -> None:
    pro = ChatRequest("openai/gpt-5-2-pro", HELLO.messages)
    emu.faults.append(Fault(status=404))
    with pytest.raises(NotFoundError) as caught:
        call(settings(emu), "sync", "whole", pro)
    assert "endpoint=" not in str(caught.value)
