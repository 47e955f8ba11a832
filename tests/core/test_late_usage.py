"""Usage and cost that a service sends behind the closing event of a stream."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from aimlapi_core import Cost, Endpoint, Settings, track_costs
from tests.core.cases import META, R_USAGE, USAGE
from tests.core.test_client import HELLO, both, call

FINISHED = {
    "chat": {"choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": "stop"}]},
    "responses": {
        "type": "response.completed",
        "response": {
            "id": "r",
            "status": "completed",
            "output": [{"type": "message", "content": [{"type": "output_text", "text": "x"}]}],
        },
    },
}
LATE = {"chat": USAGE, "responses": R_USAGE}


@contextmanager
def service(endpoint: Endpoint, wait_s: float | None) -> Iterator[str]:
    """A service that sends usage and cost behind `[DONE]`: in its piece, or after a wait."""

    def serve() -> None:
        peer, _ = listener.accept()
        with peer:
            peer.recv(65536)
            end = b"data: %b\n\ndata: [DONE]\n\n" % json.dumps(FINISHED[endpoint]).encode()
            rows = [{"usage": LATE[endpoint]}, {"meta": META}]
            tail = b"".join(b"data: %b\n\n" % json.dumps(row).encode() for row in rows)
            head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
            head += b"Content-Length: %d\r\n\r\n" % len(end + tail)
            peer.sendall(head + (end + tail if wait_s is None else end))
            ended.wait(wait_s or 0)
            if wait_s is not None and not ended.is_set():
                peer.sendall(tail)
            ended.wait()

    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            ended.set()
            thread.join()


@both
@pytest.mark.parametrize("endpoint", ["chat", "responses"])
@pytest.mark.parametrize("wait_s", [None, 0.05], ids=["at once", "later"])
def test_they_are_those_of_the_answer(kind: str, endpoint: Endpoint, wait_s: float | None) -> None:
    with service(endpoint, wait_s) as url, track_costs() as costs:
        setup = Settings(api_key="k", base_url=url)
        reply = call(setup, kind, "stream", replace(HELLO, endpoint=endpoint))
    assert reply.usage is not None
    assert reply.usage.total_tokens == 20
    assert reply.cost == Cost(409, 0.0002045)
    assert (costs.credits, costs.unknown) == (409, ())


@both
@pytest.mark.parametrize("endpoint", ["chat", "responses"])
def test_they_are_waited_for_no_longer_than_the_rest_of_the_body(
    kind: str, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aimlapi_core._io.stream_end.DRAIN_S", 0.05)
    with service(endpoint, 60.0) as url, track_costs() as costs:
        setup = Settings(api_key="k", base_url=url)
        reply = call(setup, kind, "stream", replace(HELLO, endpoint=endpoint))
    assert (reply.choices[0].text, reply.usage, reply.cost) == ("x", None, None)
    assert len(costs.unknown) == 1
