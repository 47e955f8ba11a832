"""A canary key in everything that a run prints, logs and writes down."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from aimlapi_emulator import Emulator, Fault

CANARY = "sk-canary-7f3a9c51"

PROGRAM = """
import asyncio, json, logging, sys, traceback, warnings
logging.basicConfig(level=logging.DEBUG)
warnings.simplefilter("always")
from langchain_core.load import dumps
from langchain_aimlapi import AIMLAPIEmbeddings, ChatAIMLAPI
from llama_index_aimlapi import AIMLAPI, AIMLAPIEmbedding

how = dict(api_key=sys.argv[1], base_url=sys.argv[2], max_retries=0)
chat, llm = ChatAIMLAPI(**how), AIMLAPI(**how)
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
for call in calls * 3:
    try:
        print(repr(call()))
    except Exception as error:
        traceback.print_exc()
        print(repr(error), str(error), vars(error))
for thing in (chat, llm, embeddings, embedding):
    print(repr(thing), str(thing))
print(dumps(chat), llm.to_json(), embedding.to_json(), llm.to_payload())
"""


def test_the_key_is_in_nothing_that_is_printed_or_written(emu: Emulator, tmp_path: Path) -> None:
    said = f"Incorrect API key provided: {CANARY}"
    body = f'{{"error":{{"message":"{said}"}}}}'.encode()
    answers = [None] * 8
    refusals = [Fault(status=401, message=said)] * 8
    lies = [Fault(raw_body=body, content_type="application/json")] * 8
    emu.faults.extend([*answers, *refusals, *lies])
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, CANARY, emu.base_url],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    assert len(emu.seen) == 24
    assert all(seen.headers["authorization"].endswith(CANARY[-4:]) for seen in emu.seen)
    assert "Incorrect API key provided: ***" in run.stdout
    assert "DEBUG:httpcore" in run.stderr
    assert CANARY not in run.stdout
    assert CANARY not in run.stderr
    assert not list(tmp_path.iterdir())
