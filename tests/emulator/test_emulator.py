"""Life cycle and connections."""

from __future__ import annotations

import builtins
import gc
import importlib
import logging
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import httpx
import pytest

import aimlapi_emulator.server.connection
from aimlapi_emulator import Emulator, Fault
from tests.emulator.asking import CHAT, KEY, Asker, raw_post, user
from tests.waiting import wait_until

BODY = {"model": CHAT, "messages": [user("x")]}


def test_calls_in_turn_use_one_connection(emu: Emulator, ask: Asker) -> None:
    for stream in (False, True, False):
        ask.chat("x", stream=stream)
    assert emu.connections == emu.open_connections == emu.peak_connections == 1
    assert {seen.connection for seen in emu.requests} == {1}


def test_calls_at_once_are_counted(emu: Emulator) -> None:
    emu.faults.extend([Fault(delay_head_s=1.0)] * 8)
    limits = httpx.Limits(max_connections=8)
    with (
        httpx.Client(base_url=emu.base_url, headers=KEY, limits=limits) as client,
        ThreadPoolExecutor(8) as pool,
    ):
        done = list(pool.map(lambda _: client.post("/chat/completions", json=BODY), range(8)))
        assert {answer.status_code for answer in done} == {200}
        assert emu.peak_connections == emu.peak_requests == 8
        client.post("/chat/completions", json=BODY)
        wait_until(lambda: emu.open_requests == 0)
    wait_until(lambda: emu.open_connections == 0)
    assert (emu.connections, emu.peak_requests) == (8, 8)


def test_each_request_is_logged(
    emu: Emulator, ask: Asker, caplog: pytest.LogCaptureFixture
) -> None:
    name = "aimlapi_emulator.requests"
    with caplog.at_level(logging.DEBUG, logger=name):
        ask.chat("x")
        emu.faults.append(Fault(drop="after_read"))
        with pytest.raises(httpx.RemoteProtocolError):
            ask.chat("x")
    told = [record for record in caplog.records if record.name == name]
    assert [record.getMessage() for record in told] == [
        "POST /v1/chat/completions: 200",
        "POST /v1/chat/completions: no answer",
    ]
    assert [record.__dict__["request"] for record in told] == emu.requests


def test_clear_forgets_all_but_ids(emu: Emulator, ask: Asker) -> None:
    first = ask.chat("x").json()["id"]
    emu.faults.append(Fault(status=500))
    emu.enqueue_response("y")
    emu.clear()
    assert (emu.requests, emu.faults, emu.connections, emu.peak_connections) == ([], [], 0, 0)
    assert (emu.open_requests, emu.peak_requests) == (0, 0)
    second = ask.chat("x").json()
    assert second["choices"][0]["message"]["content"] == 'You said: "x"'
    assert second["id"] != first
    assert emu.open_connections == 0


def test_requests_sent_ahead_are_answered_in_order(emu: Emulator) -> None:
    with raw_post(emu.base_url, BODY) as connection:
        ahead = (
            b"GET /v1/models?id=none HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"
            b"GET /nope HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n"
        )
        connection.sendall(ahead)
        got = b""
        while data := connection.recv(65536):
            got += data
    assert [got.count(b"HTTP/1.1 %d" % status) for status in (200, 404)] == [2, 1]


def test_garbage_closes_the_connection_only(emu: Emulator, ask: Asker) -> None:
    host, port = emu.base_url.removeprefix("http://").removesuffix("/v1").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(b"not http\r\n\r\n")
        while connection.recv(1000):
            pass
    assert ask.chat("x").status_code == 200


def test_stop_leaves_nothing() -> None:
    before = threading.active_count()
    emu = Emulator().start()
    with raw_post(emu.base_url, {**BODY, "stream": True}) as connection:
        assert connection.recv(10)
        emu.stop()
        emu.stop()
    assert threading.active_count() == before
    with pytest.raises(OSError, match=r"\d|refused|use"):
        socket.create_connection((emu.host, emu.port)).close()


def test_stop_does_not_wait_for_a_slow_answer() -> None:
    before = threading.active_count()
    emu = Emulator().start()
    emu.faults.append(Fault(delay_head_s=3600))
    with raw_post(emu.base_url, BODY):
        wait_until(lambda: emu.requests)
        emu.stop()
    assert threading.active_count() == before


def test_can_be_started_again_on_its_port() -> None:
    emu = Emulator()
    with emu:
        url = emu.base_url
        httpx.post(f"{url}/chat/completions", json=BODY, headers=KEY)
    with emu:
        assert emu.base_url == url
        assert httpx.post(f"{url}/chat/completions", json=BODY, headers=KEY).status_code == 200
    assert len(emu.requests) == 2


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_ended_by_itself_is_started_again() -> None:
    threads = threading.active_count()
    with Emulator() as emu:
        assert emu._loop is not None
        emu._loop.call_soon_threadsafe(sys.exit)  # there is no public way to end it
        wait_until(lambda: emu._loop is None)
        url = emu.base_url
        wait_until(lambda: threading.active_count() == threads)
        emu.start()
        assert emu.base_url == url
        assert httpx.post(f"{url}/chat/completions", json=BODY, headers=KEY).status_code == 200


def test_taken_port_raises(emu: Emulator) -> None:
    with pytest.raises(OSError, match=r"\d|refused|use"):
        Emulator(port=emu.port).start()


def test_unknown_schema_is_refused() -> None:
    with pytest.raises(ValueError, match="lax"):
        Emulator(schema="lax")


def test_missing_h11_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "h11":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(builtins, "__import__", without)
        patch.delitem(sys.modules, "aimlapi_emulator.server.connection")
        with pytest.raises(ImportError, match=r"aimlapi-integrations\[emulator\]"):
            importlib.import_module("aimlapi_emulator.server.connection")
    assert sys.modules["aimlapi_emulator.server.connection"] is aimlapi_emulator.server.connection


def test_imports_neither_core_nor_frameworks_nor_what_is_slow() -> None:
    code = (
        "import aimlapi_emulator.__main__, aimlapi_emulator.emulator, sys; "
        "print([m for m in sys.modules if m.split('.')[0] in "
        "('aimlapi_core', 'langchain_core', 'llama_index', 'httpx', 'pydantic', 'jsonschema')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_a_request_that_was_given_up_is_forgotten_too(emu: Emulator) -> None:
    """Its bytes are at the server, which may not have read them when the emulator is cleared."""
    body = b'{"model": "openai/gpt-5-2", "messages": [{"role": "user", "content": "late"}]}'
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n"
    )
    key = "Authorization: Bearer sk-x\r\n\r\n"
    with httpx.Client(base_url=emu.base_url) as client:
        for _ in range(50):
            with socket.create_connection((emu.host, emu.port)) as given_up:
                given_up.sendall(head.encode() + key.encode() + body)
            emu.clear()
            client.get("/models")
            assert [seen.method for seen in emu.requests] == ["GET"]


def test_the_newest_requests_are_kept_where_they_are_bounded() -> None:
    with Emulator(max_requests=2) as emulator, httpx.Client(base_url=emulator.base_url) as client:
        for number in range(9):
            client.post("/chat/completions", json={"number": number})
            assert len(emulator.requests) < 4
        assert [seen.body["number"] for seen in emulator.requests[-2:]] == [7, 8]


def test_all_that_is_kept_of_requests_is_bounded_with_them() -> None:
    """Stored responses and the log of the account go as the requests do; sums stay."""
    with (
        Emulator(max_requests=3) as emu,
        httpx.Client(base_url=emu.base_url, headers=KEY, timeout=None) as client,
    ):
        ask = Asker(client)
        ids, credits = [], 0
        for number in range(9):
            answer = ask.responses(f"[[fault headers.x-n={number} times=1]] Hi", store=True)
            ids.append(answer.json()["id"])
            credits += int(answer.headers["x-aimlapi-credits-used"])
        again = [ask.responses("x", previous_response_id=one).status_code for one in ids]
        assert again == [400] * 6 + [200] * 3
        assert 3 <= len(emu.ledger.entries) <= 6
        assert len(emu._state.directives) <= 3
        emu.requests.clear()
    assert emu.cost.credits > credits > 0


def test_large_bodies_are_kept_up_to_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aimlapi_emulator.emulator.MAX_KEPT_BYTES", 100_000)
    monkeypatch.setattr("aimlapi_emulator.state.MAX_KEPT_BYTES", 100_000)
    with (
        Emulator(max_requests=1000) as emu,
        httpx.Client(base_url=emu.base_url, headers=KEY, timeout=None) as client,
    ):
        ask = Asker(client)
        ids = [
            ask.responses("x" * size, store=True).json()["id"]
            for size in (40_000, 40_000, 40_000, 200_000, 200_000)
        ]
        assert [seen.size > 200_000 for seen in emu.requests] == [True]
        again = [ask.responses("x", previous_response_id=one).status_code for one in ids]
        assert again == [400] * 4 + [200]


def test_nothing_is_forgotten_without_a_bound(ask: Asker, emu: Emulator) -> None:
    ids = [ask.responses("Hello", store=True).json()["id"] for _ in range(30)]
    assert ask.responses("x", previous_response_id=ids[0]).status_code == 200
    assert len(emu.requests) == len(emu.ledger.entries) == 31


def test_prefixes_that_count_as_cached_are_bounded(
    ask: Asker, emu: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aimlapi_emulator.billing.usage._MAX_PREFIXES", 2)
    for number in range(5):
        ask.chat(f"{number} word " * 600)
    assert len(emu._state.cache._seen) == 2
    cached = ask.chat("4 word " * 600).json()["usage"]["prompt_tokens_details"]["cached_tokens"]
    assert cached > 1000


def test_head_has_the_head_of_get(ask: Asker) -> None:
    got, head = ask.client.get("/models"), ask.client.head("/models")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(got.content))
    assert ask.client.head("/nothing").status_code == 404
    assert ask.client.get("/models").content == got.content  # the connection is still good


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("GET", "/models/openai/gpt-5-2"), ("POST", "/completions"), ("PUT", "/models")],
)
def test_a_path_that_is_not_served_is_a_404_and_the_log_says_which_are(
    ask: Asker, emu: Emulator, method: str, path: str
) -> None:
    answer = ask.client.request(method, path, json={})
    assert answer.status_code == 404
    full = answer.json()["instance"]
    assert answer.json()["message"] == f"Cannot {method} {full}"
    assert "base URL ends with /v1" in emu.requests[-1].note
    assert ask.client.get("/models").json()["object"] == "list"


def test_a_large_answer_arrives_whole(ask: Asker) -> None:
    for count in (1, 80):  # 80 are five megabytes
        body = {"model": "text-embedding-3-large", "input": ["word"] * count}
        answer = ask.client.post("/embeddings", json=body)
        assert int(answer.headers["content-length"]) == len(answer.content)
        assert len(answer.json()["data"]) == count
    assert ask.client.get("/models").status_code == 200


def test_a_connection_that_is_being_accepted_is_closed_when_it_stops() -> None:
    for _ in range(5):
        emulator = Emulator().start()
        with socket.create_connection((emulator.host, emulator.port), timeout=60) as client:
            emulator.stop()
            with suppress(ConnectionError):
                assert client.recv(1) == b""
    gc.collect()
