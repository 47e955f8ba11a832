"""Run other people's clients against the emulator: `make clients`.

Each has a program in `programs/`, which makes the checks that fit it: chat, stream, tools in two
steps, structured output, embeddings. Against `live` all must pass; what `strict` refuses is noted
with its reason. The outcome is kept in `latest.json`, of which docs/testing.md's table is made.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aimlapi_emulator import Emulator
from aimlapi_emulator.cli.environment import apply_overrides

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = ROOT / ".clients"
PROGRAMS = Path(__file__).parent / "programs"
LATEST = Path(__file__).parent / "latest.json"
_TIMEOUT_S = 300.0
_NODE = "node"


@dataclass(frozen=True)
class Client:
    """A client: its environment below `.clients`, its packages, and its program's words."""

    name: str
    environment: str
    packages: tuple[str, ...]
    program: tuple[str, ...]


CLIENTS = (
    Client("openai-python 3", "openai-3", ("openai",), ("openai_python.py",)),
    Client("openai-python 2", "openai-2", ("openai",), ("openai_python.py",)),
    Client("openai for Node", _NODE, ("openai",), ("openai_node.mjs",)),
    Client(
        "Vercel AI SDK, openai-compatible",
        _NODE,
        ("ai", "@ai-sdk/openai-compatible"),
        ("vercel_ai.mjs", "compatible"),
    ),
    Client(
        "Vercel AI SDK, openai, responses",
        _NODE,
        ("ai", "@ai-sdk/openai"),
        ("vercel_ai.mjs", "responses"),
    ),
    Client(
        "Vercel AI SDK, openai, chat", _NODE, ("ai", "@ai-sdk/openai"), ("vercel_ai.mjs", "chat")
    ),
    Client(
        "LlamaIndex OpenAILike, agents",
        "llama-index",
        ("llama-index-llms-openai-like",),
        ("openai_like.py",),
    ),
    Client("litellm", "litellm", ("litellm",), ("litellm_client.py",)),
    Client("pydantic-ai", "agents", ("pydantic-ai-slim",), ("pydantic_ai_client.py",)),
    Client("openai-agents", "agents", ("openai-agents",), ("openai_agents.py",)),
)


@dataclass
class Outcome:
    """What became of a client against one schema."""

    checks: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    """By check: its error."""
    refused: list[str] = field(default_factory=list)
    """What the emulator said against the refused requests, each once."""


def main(names: Sequence[str]) -> int:
    """1 when a check failed against `live`, or a client is not installed."""
    report: dict[str, dict[str, Any]] = {}
    is_wrong = False
    for client in CLIENTS:
        if names and not any(name.lower() in client.name.lower() for name in names):
            continue
        missing = why_missing(client)
        if missing is not None:
            print(f"{client.name}: {missing}")
            report[client.name], is_wrong = {"missing": missing}, True
            continue
        live, strict = outcome(client, "live"), outcome(client, "strict")
        is_wrong = is_wrong or bool(live.failed) or not live.checks
        report[client.name] = {
            "versions": versions(client),
            "live": vars(live),
            "strict": vars(strict),
        }
        for schema, one in (("live", live), ("strict", strict)):
            print(f"{client.name}, {schema}: {one.checks - len(one.failed)} of {one.checks}")
            for check, error in one.failed.items():
                print(f"    {check}: {error}")
            for reason in one.refused:
                print(f"    refused: {reason}")
    if not names:
        text = json.dumps(report, indent=1, ensure_ascii=False, sort_keys=True)
        LATEST.write_text(f"{text}\n", encoding="utf-8")
    return int(is_wrong)


def why_missing(client: Client) -> str | None:
    """Why a client cannot be run here; None if it can."""
    if client.environment != _NODE:
        return None if interpreter(client).exists() else f"{interpreter(client)} is not there"
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "not installed: no node and npm on this machine"
    there = (ENVIRONMENTS / _NODE / "node_modules" / name for name in client.packages)
    return None if all(one.exists() for one in there) else "not installed: npm failed"


def interpreter(client: Client) -> Path:
    """The Python of a client's environment."""
    return ENVIRONMENTS / client.environment / "bin" / "python"


def versions(client: Client) -> dict[str, str]:
    """The installed version of each package of a client."""
    if client.environment == _NODE:
        folder = ENVIRONMENTS / _NODE / "node_modules"
        found = {n: json.loads((folder / n / "package.json").read_text()) for n in client.packages}
        return {name: str(package["version"]) for name, package in found.items()}
    code = "import sys; from importlib.metadata import version; print(*map(version, sys.argv[1:]))"
    words = [str(interpreter(client)), "-c", code, *client.packages]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    return dict(zip(client.packages, said, strict=True))


def outcome(client: Client, schema: str) -> Outcome:
    """Run a client's program against an emulator of its own."""
    runs = "node" if client.environment == _NODE else str(interpreter(client))
    with Emulator(schema=schema, tools="eager") as emulator:
        done = subprocess.run(
            [runs, *client.program],
            cwd=PROGRAMS,
            env=apply_overrides(emulator.base_url, _environment()),
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
        )
        found = Outcome()
        for row in map(_row, done.stdout.splitlines()):
            if row is not None:
                found.checks += 1
                if row["error"] is not None:
                    found.failed[row["check"]] = row["error"]
        if done.returncode:
            found.failed["the program"] = done.stderr[-300:]
        problems = (p for seen in emulator.requests if seen.status >= 400 for p in seen.problems)
        found.refused = sorted(set(problems))
    return found


def _environment() -> Mapping[str, str]:
    packages = ENVIRONMENTS / _NODE / "package.json"
    ours = {"CLIENTS_NODE": str(packages), "PYTHONPATH": "", "DO_NOT_TRACK": "1"}
    return {**os.environ, **ours}


def _row(line: str) -> dict[str, Any] | None:
    """A check that a program reports; None for what a client prints by itself."""
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) and {"check", "error"} == set(row) else None


def table() -> str:
    """The kept outcome in Markdown."""
    report = json.loads(LATEST.read_text(encoding="utf-8"))
    head = (
        "| client | versions | `live` | `strict` | what `strict` refuses |\n|---|---|---|---|---|"
    )
    rows = [_table_row(client.name, report[client.name]) for client in CLIENTS]
    return "\n".join([head, *rows])


def _table_row(name: str, found: Mapping[str, Any]) -> str:
    if "missing" in found:
        return f"| {name} | {found['missing']} | | | |"
    each = ", ".join(f"{package} {version}" for package, version in found["versions"].items())
    counts = [
        f"{found[schema]['checks'] - len(found[schema]['failed'])} of {found[schema]['checks']}"
        for schema in ("live", "strict")
    ]
    refused = "; ".join(f"`{reason}`" for reason in found["strict"]["refused"])
    refused = refused.replace("|", "\\|")
    return f"| {name} | {each} | {counts[0]} | {counts[1]} | {refused} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
