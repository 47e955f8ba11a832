"""Each example runs on the emulator without a key, and says what it is there to show."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from scripts import examples

ROOT = Path(__file__).parents[2]
# What each prints, and how many POSTs it makes that are answered well.
EXPECTED: dict[str, tuple[tuple[str, ...], int]] = {
    "costs": (("One answer: 0.00018 USD", "Stopped: The budget is reached", "openai/gpt-5-2  "), 3),
    "errors": (
        (
            "A wrong key: HTTP 401",
            "A model that is not there: HTTP 404",
            "status 404, request ",
            "did you mean 'temperature'?",
            "Nobody there: No connection",
            'A busy service is asked again: You said: "Hello"',
            "A stream that breaks: The stream broke off",
            "what had come: 'You said:'",
        ),
        0,
    ),
    "langchain_agent": (
        (
            "[weather -> Paris: 18 degrees and a light breeze]",
            "[local_time -> Paris: 14:05]",
            "weather gave Paris: 18 degrees and a light breeze; local_time gave Paris: 14:05",
        ),
        2,
    ),
    "langchain_chain": (("the lighthouse of Sørvågen",), 1),
    "langchain_fan_out": (
        (*(f"{n}: You said" for n in range(7)), "Tromsø", "7: InvalidRequestError: ", "image"),
        7,
    ),
    "langchain_media": (("[image image/png 178 bytes] [file lighthouse.pdf application/pdf",), 1),
    "langchain_memory": (
        (
            'What is my boat called?\n  You said earlier: "My boat is called Silje."',
            'Ola: What is my boat called?\n  You said: "What',
        ),
        3,
    ),
    "langchain_retrieval": (("climbed its 124 granite steps every evening. (source: keeper",), 3),
    "langchain_streaming": (
        (
            "Text: You| said|",
            "then text: (The)( request)",
            'weather|{"city|":"',
            "In whole: weather {'city': 'Oslo'}",
            "'total_tokens': ",
        ),
        3,
    ),
    "langchain_structured": (
        ("Building(name='lighthouse of Sørvågen', year=1868, material='granite')",),
        1,
    ),
    "llama_index_agent": (
        ("[population -> Paris: 2,102,650 people]", "population gave Paris: 2,102,650 people"),
        2,
    ),
    "llama_index_chat": (("was built in 1868", "was automated in 1986"), 6),
    "llama_index_ingestion": (
        ("3 pieces, 256 numbers each", "requests=1, tokens=", "Puffins nest on the northern"),
        2,
    ),
    "llama_index_query": (("automated in 1986", "[nearest document: history.txt]"), 3),
    "llama_index_structured": (
        ("City(name='Bern', river='Aare')\n", "City(name='Basel', river='Rhine')\n"),
        2,
    ),
    "no_framework": (
        ("whole: You said", "You| said|", "vectors: [1536, 1536]", "'You said: \"Say two.\"'"),
        5,
    ),
}
# Requests that are refused, as the program is there to show: 401 and 404.
REFUSED = {"errors": [401, 404]}
TESTED_ELSEWHERE = {"demo": "tests/test_readme.py", "batch_ray": "tests/ray/test_runs.py"}


def without_key() -> dict[str, str]:
    """The environment of somebody who has just cloned the project."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIML")}
    return {**kept, "PYTHONIOENCODING": "utf-8"}


def batches() -> Mapping[str, dict[str, Any]]:
    """All examples, those of a framework in one process, both processes at once."""
    llama_index = [name for name in EXPECTED if name.startswith("llama_index")]
    others = [name for name in EXPECTED if name not in llama_index]
    running = [
        subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("batch.py")), *names],
            env=without_key(),
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        for names in (llama_index, others)
    ]
    printed = [process.communicate()[0] for process in running]
    return {name: came for text in printed for name, came in json.loads(text).items()}


def test_every_example_is_tested() -> None:
    assert set(examples.described()) == {*EXPECTED, *TESTED_ELSEWHERE}


def what_is_wrong(name: str, came: dict[str, Any]) -> Iterator[str]:
    """What an example's run lacks of what it is there to show."""
    said, answered = EXPECTED[name]
    if came["failure"]:
        yield came["failure"]
    for text in said:
        if text not in came["printed"]:
            yield f"{text!r} is not in what it prints"
    refused = [status for _, status, _ in came["requests"] if status != 200]
    if refused != REFUSED.get(name, []):
        yield f"refused with {refused}"
    if len(came["requests"]) != answered + len(refused):
        yield f"{len(came['requests'])} requests"
    if name not in REFUSED and any(problems for _, _, problems in came["requests"]):
        yield f"{came['requests']}"


# One test: each worker of pytest-xdist that has one of several would run all examples.
def test_each_example_shows_what_it_promises() -> None:
    printed = batches()
    wrong = {name: list(what_is_wrong(name, printed[name])) for name in EXPECTED}
    assert {name: why for name, why in wrong.items() if why} == {}


def test_an_example_needs_no_other_framework_than_its_own() -> None:
    for name in EXPECTED:
        other = "langchain" if name.startswith("llama_index") else "llama_index"
        assert f"from {other}" not in (examples.FOLDER / f"{name}.py").read_text(encoding="utf-8")


def test_make_example_starts_one_that_says_first_whom_it_talks_to() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "scripts.examples", "no_framework"],
        cwd=ROOT,
        env=without_key(),
        capture_output=True,
        encoding="utf-8",
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("Talking to the local emulator, which answers by rules")
    assert "whole: You said" in run.stdout


def test_an_example_runs_on_a_terminal_that_knows_ascii_alone() -> None:
    run = subprocess.run(
        [sys.executable, "-c", "import _service; print('the lighthouse of Sørvågen')"],
        cwd=examples.FOLDER,
        env={**without_key(), "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        encoding="ascii",
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert "the lighthouse of S?rv?gen" in run.stdout


def test_make_example_lists_them_and_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert examples.main([]) == 0
    assert "langchain_chain         A LangChain chain" in capsys.readouterr().out
    assert examples.main(["langchan_chain"]) == 2
    assert "Did you mean langchain_chain?" in capsys.readouterr().err


def test_a_key_that_reaches_nobody_ends_in_clear_words() -> None:
    key = {"AIMLAPI_API_KEY": "sk-wrong-one", "AIMLAPI_BASE_URL": "http://127.0.0.1:9/v1"}
    run = subprocess.run(
        [sys.executable, str(examples.FOLDER / "no_framework.py")],
        env={**without_key(), **key},
        capture_output=True,
        encoding="utf-8",
    )
    assert run.returncode == 1
    assert run.stdout == "Talking to http://127.0.0.1:9/v1 with your AIMLAPI_API_KEY.\n"
    assert run.stderr.startswith("\nConnectFailedError: No connection to http://127.0.0.1:9/v1/")
    assert "Traceback" not in run.stderr


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is another thing on Windows")
def test_ctrl_c_ends_an_example_without_a_traceback() -> None:
    """While it waits for an answer: nobody accepts its connection."""
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        subprocess.Popen(
            [sys.executable, str(examples.FOLDER / "no_framework.py")],
            env={
                **without_key(),
                "AIMLAPI_API_KEY": "sk-test-0000",
                "AIMLAPI_BASE_URL": f"http://127.0.0.1:{silent.getsockname()[1]}/v1",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        ) as process,
    ):
        assert process.stdout is not None
        assert "Talking to" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, told = process.communicate()
    assert (process.returncode, told) == (130, "")
