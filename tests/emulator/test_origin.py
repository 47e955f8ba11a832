"""No web page can talk to the emulator, and no other machine unless it is told to listen to it."""

from __future__ import annotations

import http.client
import json
import logging
import threading
import tracemalloc
from collections.abc import Mapping

import httpx
import pytest

from aimlapi_emulator import Emulator, Fault
from aimlapi_emulator.server.body import MAX_BODY
from aimlapi_emulator.server.origin import is_loopback, why_refused
from tests.emulator.asking import CHAT, KEY, Asker, user

BODY = json.dumps({"model": CHAT, "messages": [user("x")]}).encode()


def sent(emu: Emulator, headers: Mapping[str, str], method: str = "POST") -> tuple[int, str]:
    """(status, message) of a request with these headers and no others."""
    connection = http.client.HTTPConnection("127.0.0.1", emu.port)
    connection.putrequest(method, "/v1/chat/completions", skip_host=True, skip_accept_encoding=True)
    for name, value in {**KEY, **headers, "Content-Length": str(len(BODY))}.items():
        connection.putheader(name, value)
    connection.endheaders(BODY)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, json.loads(content).get("message", "")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]", "127.1.2.3"])
def test_this_machine_is_answered_by_all_its_names(emu: Emulator, host: str) -> None:
    assert sent(emu, {"Host": f"{host}:{emu.port}"})[0] == 200


@pytest.mark.parametrize("method", ["POST", "GET", "OPTIONS"])
@pytest.mark.parametrize(
    ("headers", "named"),
    [
        ({"Host": "evil.example"}, "'evil.example' by its Host"),
        ({"Host": "127.0.0.1.evil.example:80"}, "by its Host"),
        ({"Host": "10.0.0.1"}, "by its Host"),
        ({"Host": "evil.example", "Content-Type": "text/plain"}, "by its Host"),
        ({"Host": "localhost", "Origin": "https://evil.example"}, "'https://evil.example' by its"),
        ({"Host": "localhost", "Origin": "null"}, "'null' by its Origin"),
        ({"Host": "localhost", "Origin": "http://localhost:3000"}, "by its Origin"),
    ],
)
def test_a_web_page_is_refused(
    emu: Emulator, headers: dict[str, str], named: str, method: str
) -> None:
    emu.faults.append(Fault(status=503))
    status, message = sent(emu, headers, method)
    assert status == 403
    assert message.startswith("The emulator ")
    assert named in message
    assert emu.requests == []
    assert len(emu.faults) == 1  # it uses nothing up


def test_a_refused_page_leaves_the_connection_to_others(emu: Emulator) -> None:
    with httpx.Client(base_url=emu.base_url, headers=KEY) as client:
        assert client.post("/chat/completions", content=BODY, headers={"Origin": "x"}).is_error
        assert client.post("/chat/completions", content=BODY).status_code == 200
    assert emu.connections == 1


def test_an_emulator_for_other_machines_is_reached_by_any_name_but_no_page() -> None:
    named = {"host": "emulator:8808"}
    assert why_refused(named, "0.0.0.0") is None
    assert why_refused(named, "192.168.1.2") is None
    assert "by its Origin" in (why_refused({**named, "origin": "http://x"}, "0.0.0.0") or "")
    assert why_refused({}, "127.0.0.1") is not None


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "[::1]", "localhost", "a.localhost."])
def test_addresses_of_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "localhost.evil", "", "127.0.0.1.x"])
def test_other_addresses(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(("host", "warnings"), [("127.0.0.1", 0), ("0.0.0.0", 1)])
def test_listening_to_other_machines_is_warned_of(
    caplog: pytest.LogCaptureFixture, host: str, warnings: int
) -> None:
    with caplog.at_level(logging.WARNING, "aimlapi_emulator"), Emulator(host=host):
        pass
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == warnings
    assert all("0.0.0.0: other machines can reach it" in one for one in said)


def test_a_body_that_is_too_long_is_refused_and_not_kept(emu: Emulator, ask: Asker) -> None:
    answer = ask.client.post("/chat/completions", content=b"x" * (MAX_BODY + 1))
    assert answer.status_code == 413
    assert "at most 16 MB" in answer.json()["message"]
    assert ask.chat("x").status_code == 200
    assert [seen.status for seen in emu.requests] == [413, 200]
    assert not emu.requests[0].body


def test_a_body_that_is_too_long_takes_no_more_memory_than_one_that_is_not(ask: Asker) -> None:
    piece = b"x" * 2**20
    tracemalloc.start()
    try:
        answer = ask.client.post("/chat/completions", content=iter([piece] * 64))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer.status_code == 413
    assert peak < 2 * MAX_BODY


def test_others_are_served_while_a_long_body_comes(emu: Emulator, ask: Asker) -> None:
    half_sent, is_done = threading.Event(), threading.Event()

    def slow() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", emu.port)
        connection.putrequest("POST", "/v1/chat/completions")
        connection.putheader("Content-Length", str(MAX_BODY))
        connection.endheaders(b"x" * (MAX_BODY // 2))
        half_sent.set()
        is_done.wait()
        connection.close()

    sender = threading.Thread(target=slow)
    sender.start()
    half_sent.wait()
    try:
        assert ask.chat("x").status_code == 200
    finally:
        is_done.set()
        sender.join()


def test_others_are_served_after_a_request_that_would_freeze(emu: Emulator, ask: Asker) -> None:
    """A pattern that `re` would match for ever is refused before it is tried."""
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": "^(a+)+$"}}}
    tool = {"type": "function", "function": {"name": "f", "parameters": schema}}
    assert ask.chat("a" * 40 + "0", tools=[tool]).status_code == 400
    assert "quantifier inside a quantifier" in str(emu.requests[0].problems)
    assert ask.chat("x").status_code == 200
