"""A canary key in everything that a run prints, logs and writes down, crashes included."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from aimlapi_emulator import Emulator, Fault

CANARY = "sk-canary-7f3a9c51"
SAID = f"Incorrect API key provided: {CANARY}"
ROOT = Path(__file__).parents[1]

# What the service may answer; a lie repeats the key in an answer with success.
ANSWER = None
REFUSAL = Fault(status=401, message=SAID)
LIE = Fault(raw_body=f'{{"error":{{"message":"{SAID}"}}}}'.encode(), content_type="text/plain")
LOST = Fault(drop="after_read")
CUT = Fault(cut_after_bytes=120)
FAULTS = (ANSWER, REFUSAL, LIE, LOST, CUT)

# The key comes from the environment, so that no frame of the program itself holds it.
PROGRAM = """
import asyncio, json, logging, os, pickle, sys, traceback, warnings
logging.basicConfig(level=logging.DEBUG)
warnings.simplefilter("always")
from langchain_core.globals import set_debug
from langchain_core.load import dumps
from langchain_core.tracers.run_collector import RunCollectorCallbackHandler
from aimlapi_core import Settings, StreamFailedError, UnexpectedReplyError
from langchain_aimlapi import AIMLAPIEmbeddings, ChatAIMLAPI
from llama_index.core.callbacks import CallbackManager, LlamaDebugHandler
from llama_index_aimlapi import AIMLAPI, AIMLAPIEmbedding

set_debug(True)
traced = RunCollectorCallbackHandler()
events = CallbackManager([LlamaDebugHandler(print_trace_on_end=True)])
how = dict(base_url=sys.argv[1], max_retries=0)
chat, llm = ChatAIMLAPI(**how, callbacks=[traced]), AIMLAPI(**how, callback_manager=events)
embeddings, embedding = AIMLAPIEmbeddings(**how), AIMLAPIEmbedding(**how)
calls = [
    lambda: chat.invoke("hi"),
    lambda: list(chat.stream("hi")),
    lambda: asyncio.run(chat.ainvoke("hi")),
    lambda: llm.complete("hi"),
    lambda: list(llm.stream_complete("hi")),
    lambda: asyncio.run(llm.acomplete("hi")),
    lambda: embeddings.embed_query("hi"),
    lambda: embedding.get_query_embedding("hi"),
]
def failing(how):
    return [
        lambda: ChatAIMLAPI(**how).invoke("hi"),
        lambda: asyncio.run(ChatAIMLAPI(**how).ainvoke("hi")),
        lambda: AIMLAPI(**how).complete("hi"),
        lambda: AIMLAPIEmbedding(**how).get_query_embedding("hi"),
    ]
def tried(call):
    try:
        print(repr(call()))
    except Exception as error:
        traceback.print_exc()
        # An answer with success that repeats the key lies in the frames that read it.
        frames = not isinstance(error, (UnexpectedReplyError, StreamFailedError))
        seen = traceback.TracebackException.from_exception(error, capture_locals=frames)
        print("".join(seen.format()), repr(error), str(error), vars(error), pickle.dumps(error))
for call in calls * int(sys.argv[2]):
    tried(call)
nobody = dict(base_url="http://127.0.0.1:9", max_retries=0)
for call in failing(nobody) + failing(nobody | {"default_headers": {"bad name": "x"}}):
    tried(call)
print([repr(run) for run in traced.traced_runs])
key = os.environ["AIMLAPI_API_KEY"]
for kind in (ChatAIMLAPI, AIMLAPIEmbeddings, AIMLAPI, AIMLAPIEmbedding):
    thing = kind(api_key=key, default_headers={"X-Also": key})
    print(repr(thing), str(thing), thing.model_dump(), thing.model_dump_json())
    print(dumps(thing) if hasattr(thing, "lc_secrets") else thing.to_json())
print(llm.to_payload(), Settings(api_key=key, default_headers={"X-Also": key}))
os.environ["AIMLAPI_API_KEY"] = key + " x"  # pasted with something behind it
for call in failing(nobody):
    tried(call)
"""


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "AIMLAPI_API_KEY": CANARY,
        "PYTHONPATH": str(ROOT),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_key_is_in_nothing_that_is_printed_or_written(emu: Emulator, tmp_path: Path) -> None:
    emu.faults.extend(fault for fault in FAULTS for _ in range(8))
    done = run(["-c", PROGRAM, emu.base_url, str(len(FAULTS))], tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    assert len(emu.requests) == 8 * len(FAULTS)
    assert all(seen.headers["authorization"].endswith(CANARY[-4:]) for seen in emu.requests)
    assert "Incorrect API key provided: ***" in done.stdout
    assert "DEBUG:httpcore" in done.stderr
    assert "prepared = PreparedRequest(" in done.stdout  # locals are shown, all the same
    for line in (done.stdout + done.stderr).splitlines():
        assert CANARY not in line
    assert not list(tmp_path.iterdir())


CRASH = """
import sys
import pytest
from langchain_aimlapi import ChatAIMLAPI
from llama_index_aimlapi import AIMLAPI

HOW = {"base_url": "URL", "max_retries": 0}

CALLS = [
    lambda: ChatAIMLAPI(**HOW).invoke("hi"),
    lambda: list(AIMLAPI(**HOW).stream_complete("hi")),
    lambda: list(ChatAIMLAPI(**HOW).stream("hi")),
    lambda: AIMLAPI(**HOW).complete("hi"),
]

@pytest.mark.parametrize("number", range(2))
@pytest.mark.parametrize("fault", range(FAULTS))
def test_crashes(fault, number):  # in both frameworks, whole in one and streamed in the other
    CALLS[fault % 2 * 2 + number]()
    raise AssertionError("an answer")
"""


def test_the_key_is_in_no_crash_that_pytest_shows_with_locals(
    emu: Emulator, tmp_path: Path
) -> None:
    faults = (ANSWER, REFUSAL, LOST, CUT)
    emu.faults.extend(fault for fault in faults for _ in range(2))
    crash = CRASH.replace("URL", emu.base_url).replace("FAULTS", str(len(faults)))
    (tmp_path / "test_crash.py").write_text(crash)
    options = ["--showlocals", "-vv", "--tb=long", "-p", "no:cacheprovider", "-c", os.devnull]
    done = run(["-m", "pytest", *options, "test_crash.py"], tmp_path)
    assert done.returncode == 1, done.stdout[-2000:]
    assert f"{2 * len(faults)} failed" in done.stdout
    assert "prepared   = PreparedRequest(" in done.stdout
    assert CANARY not in done.stdout + done.stderr


def test_no_cassette_and_no_recorded_answer_holds_a_key() -> None:
    """Neither the emulator's key nor one of a service's form, nor a cookie."""
    cassettes = list((ROOT / "cassettes").glob("*.yaml"))
    assert cassettes
    for cassette in cassettes:
        text = cassette.read_text(encoding="utf-8").lower()
        assert "bearer" not in text
        assert "authorization" not in text
        assert "set-cookie" not in text
