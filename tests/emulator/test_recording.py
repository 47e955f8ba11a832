"""The recorder and the replayer, with a second emulator as the service, and faults in between."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from aimlapi_emulator import Emulator, Fault, Latency
from tests.emulator.asking import CHAT, PRO, raw_post, read_all, user
from tests.emulator.test_command import ASK, finished

yaml = pytest.importorskip("yaml")

from aimlapi_emulator.recording.cassettes import read  # noqa: E402 - needs PyYAML
from aimlapi_emulator.recording.recorder import Recorder, Replayer, keep_in  # noqa: E402

SECRET = "sk-secret-0123456789"
Start = Callable[..., httpx.Client]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cassettes"


def client(base_url: str) -> httpx.Client:
    return httpx.Client(
        base_url=base_url,
        headers={"authorization": "Bearer local", "cookie": "session=abc"},
        timeout=None,
        verify=False,
    )


@pytest.fixture
def record(emu: Emulator, folder: Path) -> Iterator[httpx.Client]:
    with (
        Recorder(emu.base_url, SECRET, keep_in(folder)) as recorder,
        client(recorder.base_url) as found,
    ):
        yield found


def body(said: str, **more: Any) -> dict[str, Any]:
    return {"model": CHAT, "messages": [user(said)], **more}


def stream(found: httpx.Client, sent: dict[str, Any]) -> list[bytes]:
    """The pieces of a stream as they came."""
    with found.stream("POST", "/chat/completions", json=sent) as answer:
        return list(answer.iter_raw())


def wait_for(folder: Path, count: int) -> list[Path]:
    """The cassettes, once there are so many: each is written after its answer has ended."""
    while len(found := sorted(folder.glob("*.yaml"))) < count or not found[-1].stat().st_size:
        time.sleep(0.01)
    return found


def test_what_was_recorded_is_replayed_byte_for_byte(
    record: httpx.Client, emu: Emulator, folder: Path
) -> None:
    sent = [
        ("/chat/completions", body("Grüße aus Łódź 🌍")),
        ("/chat/completions", body("Hello", stream=True)),
        ("/responses", {"model": PRO, "input": "Hello"}),
        ("/responses", {"model": PRO, "input": "Hello", "stream": True}),
        ("/embeddings", {"model": "text-embedding-3-small", "input": ["a", "b"]}),
        ("/chat/completions", body("Hello", temperature=9)),
    ]
    answers = [record.post(path, json=given) for path, given in sent]
    assert [answer.status_code for answer in answers] == [200] * 5 + [400]
    assert len(wait_for(folder, 6)) == 6
    count = len(emu.requests)
    with Replayer(folder) as replayer, client(replayer.base_url) as replay:
        for (path, given), recorded in reversed(list(zip(sent, answers, strict=True))):
            again = replay.post(path, json=given)
            assert again.content == recorded.content
            assert again.status_code == recorded.status_code
            assert again.headers["content-type"] == recorded.headers["content-type"]
    assert len(emu.requests) == count


def test_nothing_private_is_kept(record: httpx.Client, emu: Emulator, folder: Path) -> None:
    """The user's key goes to the service alone; its echo, cookies and the account are dropped."""
    emu.when("echo", text=f"Your key is {SECRET}.")
    assert SECRET in record.post("/chat/completions", json=body("echo")).text
    headers = {"openai-organization": "org-1", "x-secret": "hidden-header"}
    record.post("/chat/completions", json=body("Hello"), headers=headers)
    record.get(record.base_url.copy_with(path="/v1/billing/balance"))
    account = {"Set-Cookie": "sid=hidden-cookie", "X-Account": "hidden-account"}
    emu.faults.append(Fault(status=429, headers=account))
    assert record.post("/chat/completions", json=body("Hello")).headers["x-account"]
    assert emu.requests[0].headers["authorization"] == "Bearer ...6789"
    assert "cookie" not in emu.requests[0].headers
    assert emu.requests[0].headers["accept-encoding"] == "identity"
    text = "".join(path.read_text() for path in wait_for(folder, 3))
    for private in (SECRET, "local", "session=abc", "org-1", "hidden", "authorization"):
        assert private not in text
    assert "REDACTED" in text
    assert len(list(folder.iterdir())) == 3


def test_streams_are_passed_on_as_they_come(folder: Path) -> None:
    latency = Latency(first_token_s=0.05, tokens_per_second=20)
    with Emulator(latency=latency) as emu:
        emu.when("count", text="1 2 3 4 5 6 7 8 9 10")
        with (
            Recorder(emu.base_url, SECRET, keep_in(folder)) as recorder,
            client(recorder.base_url) as found,
        ):
            begin = time.monotonic()
            with found.stream("POST", "/chat/completions", json=body("count", stream=True)) as got:
                pieces = got.iter_raw()
                first = next(pieces)
                early = time.monotonic() - begin
                rest = b"".join(pieces)
            assert early < (time.monotonic() - begin) / 2
            (path,) = wait_for(folder, 1)
    (kept,) = read(path)
    assert len(kept.pieces) > 5
    assert kept.body == first + rest
    assert sum(kept.delays_s) > 0.3
    with Replayer(folder, with_delays=True) as replayer, client(replayer.base_url) as found:
        begin = time.monotonic()
        assert b"".join(stream(found, body("count", stream=True))) == first + rest
        assert time.monotonic() - begin > 0.3
    with Replayer(folder) as replayer:
        connection = raw_post(replayer.base_url, body("count", stream=True), host="localhost")
        connection.shutdown(socket.SHUT_WR)  # so that the server closes after its answer
        answer = read_all(connection)
        connection.close()
        assert answer.count(b"\r\n") > 2 * len(kept.pieces)


@pytest.mark.parametrize("drop_with", ["fin", "rst"])
@pytest.mark.parametrize("streamed", [True, False])
def test_a_cut_answer_is_replayed_as_cut(
    record: httpx.Client, emu: Emulator, folder: Path, drop_with: Any, streamed: bool
) -> None:
    sent = body("Tell me a story", stream=streamed)
    emu.faults.append(Fault(cut_after_bytes=300, drop_with=drop_with))
    with pytest.raises(httpx.TransportError):
        record.post("/chat/completions", json=sent)
    (path,) = wait_for(folder, 1)
    (kept,) = read(path)
    assert kept.end == ("closed" if drop_with == "fin" else "reset")
    assert 0 < len(kept.body) <= 300
    with Replayer(folder) as replayer, client(replayer.base_url) as replay:
        for _ in range(2):
            got: list[bytes] = []
            with (
                pytest.raises(httpx.TransportError),
                replay.stream("POST", "/chat/completions", json=sent) as answer,
            ):
                got += answer.iter_raw()
            if drop_with == "fin":  # a reset may overtake the bytes before it
                assert b"".join(got) == kept.body


def test_failures_are_recorded_in_their_order(
    record: httpx.Client, emu: Emulator, folder: Path
) -> None:
    emu.faults += [Fault(status=503), Fault(status=429, headers={"Retry-After": "2"})]
    for _ in range(3):
        record.post("/chat/completions", json=body("Hello"))
    wait_for(folder, 3)
    with Replayer(folder) as replayer, client(replayer.base_url) as replay:
        answers = [replay.post("/chat/completions", json=body("Hello")) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [503, 429, 200, 200]
    assert answers[1].headers["retry-after"] == "2"


def test_a_call_without_an_answer_is_not_kept(
    record: httpx.Client, emu: Emulator, folder: Path
) -> None:
    emu.faults.append(Fault(drop="after_read"))
    with pytest.raises(httpx.TransportError):
        record.post("/chat/completions", json=body("Hello"))
    assert record.post("/chat/completions", json=body("Hello")).status_code == 200
    assert len(wait_for(folder, 1)) == 1
    emu.stop()
    answer = record.post("/chat/completions", json=body("Hello"))
    assert answer.status_code == 502
    assert "cannot reach" in answer.json()["message"]
    assert len(list(folder.iterdir())) == 1


def test_requests_match_by_json_without_the_ids_that_change(
    record: httpx.Client, folder: Path
) -> None:
    def turn(call_id: str) -> list[dict[str, Any]]:
        call = {"id": call_id, "type": "function", "function": {"name": "f", "arguments": "{}"}}
        return [
            user("Hello"),
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": call_id, "content": "7"},
        ]

    sent = {"model": CHAT, "messages": turn("call_1"), "temperature": 0.5}
    recorded = record.post("/chat/completions", json=sent)
    wait_for(folder, 1)
    other = {"temperature": 0.5, "messages": turn("call_2"), "model": CHAT}
    with Replayer(folder) as replayer, client(replayer.base_url) as replay:
        spaced = json.dumps(other, indent=2)
        assert replay.post("/chat/completions", content=spaced).content == recorded.content


def test_an_unknown_request_is_told_the_nearest_and_the_difference(
    record: httpx.Client, folder: Path
) -> None:
    record.post("/chat/completions", json=body("What is the capital of Peru?"))
    record.post("/chat/completions", json=body("Hello", temperature=0.5))
    wait_for(folder, 2)
    with Replayer(folder) as replayer, client(replayer.base_url) as replay:
        answer = replay.post("/chat/completions", json=body("Hello", temperature=0.7))
        other = replay.post("/embeddings", json={"model": "m", "input": "x"})
    assert answer.status_code == other.status_code == 400
    message = answer.json()["message"]
    assert "0002-completions.yaml" in message
    assert "$.temperature: recorded 0.5, received 0.7" in message
    assert "capital" not in message
    assert "recorded POST /v1/chat/completions" in other.json()["message"]


def test_secrets_in_bodies_are_replaced_and_ignored_in_matching(
    emu: Emulator, folder: Path
) -> None:
    patterns = [r"[\w.]+@[\w.]+", r"\d{4}-\d\d-\d\d"]
    with (
        Recorder(emu.base_url, SECRET, keep_in(folder), patterns=patterns) as recorder,
        client(recorder.base_url) as found,
    ):
        sent = body("Mail ann@example.com on 2026-01-02", stream=True)
        said = found.post("/chat/completions", json=sent).text
        assert "2026" in said
        (path,) = wait_for(folder, 1)
    assert "ann@" not in path.read_text()
    assert "2026-01-02" not in path.read_text()
    with Replayer(folder, patterns=patterns) as replayer, client(replayer.base_url) as found:
        answer = found.post(
            "/chat/completions", json=body("Mail bob@example.org on 2027-03-04", stream=True)
        )
    assert answer.status_code == 200


def test_many_calls_at_once_keep_their_answers(
    record: httpx.Client, emu: Emulator, folder: Path
) -> None:
    emu.when("number", text=lambda request: request.last_message.upper())
    sent = [body(f"number {n}", stream=n % 2 == 0) for n in range(24)]
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda one: record.post("/chat/completions", json=one), sent))
        assert len(wait_for(folder, 24)) == 24
        with Replayer(folder) as replayer, client(replayer.base_url) as replay:
            again = list(pool.map(lambda one: replay.post("/chat/completions", json=one), sent))
    assert [one.content for one in again] == [one.content for one in answers]


def test_a_client_that_leaves_early_is_recorded_whole(folder: Path) -> None:
    with Emulator(latency=Latency(tokens_per_second=60)) as emu:
        emu.when("count", text="1 2 3 4 5 6 7 8 9 10 11 12")
        with Recorder(emu.base_url, SECRET, keep_in(folder)) as recorder:
            with (
                client(recorder.base_url) as found,
                found.stream("POST", "/chat/completions", json=body("count", stream=True)) as got,
            ):
                next(got.iter_raw())
            (path,) = wait_for(folder, 1)
    (kept,) = read(path)
    assert (kept.end, b"[DONE]" in kept.body) == ("complete", True)


def test_web_pages_and_other_hosts_are_refused(record: httpx.Client, emu: Emulator) -> None:
    for headers in ({"origin": "https://example.com"}, {"host": "example.com"}):
        answer = record.post("/chat/completions", json=body("Hello"), headers=headers)
        assert answer.status_code == 403
        assert ("no web page" if "origin" in headers else "by its Host") in answer.json()["message"]
    assert emu.requests == []


def test_a_request_in_chunks_is_read(record: httpx.Client, folder: Path) -> None:
    content = json.dumps(body("Hello")).encode()
    pieces = iter([content[:20], content[20:]])
    assert record.post("/chat/completions", content=pieces).status_code == 200
    (path,) = wait_for(folder, 1)
    assert json.loads(read(path)[0].request) == body("Hello")


def test_vcrpy_reads_what_was_recorded(record: httpx.Client, folder: Path) -> None:
    vcr = pytest.importorskip("vcr")
    text = record.post("/chat/completions", json=body("Hello", stream=True)).text
    (path,) = wait_for(folder, 1)
    matching = ("method", "path", "body")
    with vcr.use_cassette(str(path), record_mode="none", match_on=matching):
        answer = httpx.post(
            "https://api.aimlapi.com/v1/chat/completions", json=body("Hello", stream=True)
        )
    assert answer.text == text
    assert "end" in yaml.safe_load(path.read_text())["interactions"][0]["response"]["recording"]


def test_folders_that_do_not_fit_are_refused(record: httpx.Client, folder: Path) -> None:
    with pytest.raises(ValueError, match="holds no cassettes"):
        Replayer(folder)
    record.post("/chat/completions", json=body("Hello"))
    wait_for(folder, 1)
    with pytest.raises(ValueError, match="holds cassettes already"):
        keep_in(folder)
    (folder / "0002-x.yaml").write_text("a: [1")
    with pytest.raises(ValueError, match=r"0002-x\.yaml is no cassette"):
        Replayer(folder)


def test_the_command_records_and_replays(emu: Emulator, folder: Path) -> None:
    show = ASK.replace("print(answer.status_code)", "print(answer.text)")
    show += "assert os.environ['AIMLAPI_API_KEY'] == 'local'"
    run = ("--", sys.executable, "-c", show)
    upstream = ("--upstream", emu.base_url)
    code, _, err = finished("--record", str(folder), *upstream, *run, AIMLAPI_API_KEY="")
    assert (code, "set AIMLAPI_API_KEY" in err) == (1, True)
    code, recorded, err = finished("--record", str(folder), *upstream, *run, AIMLAPI_API_KEY=SECRET)
    assert (code, "You said" in recorded) == (0, True)
    assert "200 POST /v1/chat/completions complete" in err
    assert os.listdir(folder) == ["0001-completions.yaml"]
    count = len(emu.requests)
    code, replayed, err = finished("--replay", str(folder), *run)
    assert (code, replayed) == (0, recorded)
    assert "from 0001-completions.yaml" in err
    assert len(emu.requests) == count
    code, _, err = finished("--replay", str(folder / "none"), *run)
    assert (code, "holds no cassettes" in err) == (1, True)
    code, _, err = finished("--replay", str(folder), "--redact", "(", *run)
    assert code == 1
    port = str(urlsplit(emu.base_url).port)
    code, _, err = finished("--replay", str(folder), "--port", port, *run)
    assert (code, "--port" in err) == (1, True)
