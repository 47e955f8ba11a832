"""More calls in flight than files may be open: the limit is raised, else an error says so."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from aimlapi_emulator import Emulator

resource = pytest.importorskip("resource")

CALLS, SOFT = 150, 60

PROGRAM = f"""
import asyncio, json, resource, sys
from aimlapi_core import AsyncClient, ChatRequest, Message, RetryPolicy, Settings, Text

url, key, hard, retries = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
resource.setrlimit(resource.RLIMIT_NOFILE, ({SOFT}, hard))
hello = ChatRequest("openai/gpt-5-2", (Message("user", (Text("Hello."),)),))
policy = RetryPolicy(max_retries=retries)

async def main():
    client = AsyncClient(Settings(base_url=url, api_key=key, retry=policy))
    calls = [client.complete(hello) for _ in range({CALLS})]
    ended = await asyncio.gather(*calls, return_exceptions=True)
    errors = [f"{{type(one).__name__}}: {{one}}" for one in ended if isinstance(one, Exception)]
    print(json.dumps([errors, resource.getrlimit(resource.RLIMIT_NOFILE)[0]]))

asyncio.run(main())
"""


def _run(hard: int, retries: int) -> tuple[list[str], int]:
    with Emulator() as emulator:
        arguments = [emulator.base_url, "sk-test-0000", str(hard), str(retries)]
        command = [sys.executable, "-c", PROGRAM, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    errors, soft = json.loads(done.stdout)
    return errors, soft


def test_the_soft_limit_is_raised_where_it_can_be() -> None:
    errors, soft = _run(hard=1000, retries=2)
    assert errors == []
    assert soft == 1000


def test_an_error_says_that_the_limit_is_reached() -> None:
    errors, soft = _run(hard=SOFT, retries=0)
    assert soft == SOFT
    assert errors
    for error in errors:
        assert error.startswith("ConnectFailedError: No connection to http://127.0.0.1")
        assert f"as many files open as it may ({SOFT})" in error
        assert "`ulimit -n`" in error
        assert "max_concurrency" in error
