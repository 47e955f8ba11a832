"""docs/faults.md: its command line makes the faults, and its table is the fields' own."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import httpx
import pytest

from aimlapi_emulator import Fault
from scripts import tables
from tests.docs.blocks import blocks

PAGE = (Path(__file__).parents[2] / "docs" / "faults.md").read_text(encoding="utf-8")


def test_the_command_line_makes_its_faults() -> None:
    (block,) = (block for block in blocks("docs/faults.md") if block.language == "sh")
    words = [sys.executable, *shlex.split(block.text)[1:]]
    words[words.index("--port") + 1] = "0"
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            found = re.search(r"http://\S+/v1", server.stdout.readline())
            assert found is not None
            body = {"model": "openai/gpt-5-2", "messages": [{"role": "user", "content": "Hi"}]}
            with httpx.Client(
                base_url=found[0], headers={"Authorization": "Bearer x"}, timeout=None, verify=False
            ) as client:
                path = "/chat/completions"
                answers = [client.post(path, json=body) for _ in range(2)]
                assert [(a.status_code, a.headers["retry-after"]) for a in answers] == [
                    (429, "1")
                ] * 2
                with pytest.raises(httpx.RemoteProtocolError):
                    client.post(path, json={**body, "stream": True})
                assert client.post(path, json=body).status_code == 200
        finally:
            server.terminate()


def test_the_table_holds_every_field() -> None:
    path, name, make = tables.FAULT_FIELDS
    assert tables.updated(PAGE, name, make()) == PAGE, "run: python -m scripts.tables"
    rows = re.findall(r"^\| `(\w+)` \|", make(), re.M)
    assert rows == [field.name for field in fields(Fault)]
    assert path.name == "faults.md"
