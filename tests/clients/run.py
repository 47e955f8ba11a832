"""Run other people's clients against the emulator: `make clients`.

Each has a program in `programs/`, which makes the checks that fit it: chat, stream, tools in two
steps, structured output, embeddings. Against `live` all must pass; what `strict` refuses is noted
with its reason. The environment of a client is made first, where it is not there; a client that
cannot be installed or run is reported, and the others go on. The outcome of each that ran replaces
its own in `latest.json`, of which docs/testing.md's table is made.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
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
_MAX_ERROR = 100  # behind it are ids and times, other ones in each run
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
    """1 when a check failed against `live`, or a client could not be run."""
    chosen = [
        client
        for client in CLIENTS
        if not names or any(name.lower() in client.name.lower() for name in names)
    ]
    if not chosen:
        print(f"No client has such a name; there are: {', '.join(c.name for c in CLIENTS)}")
        return 1
    kept: dict[str, dict[str, Any]] = json.loads(LATEST.read_text(encoding="utf-8"))
    failures = {name: why_not_set_up(name) for name in dict.fromkeys(c.environment for c in chosen)}
    wrong: list[str] = []
    for client in chosen:
        begin = time.monotonic()
        try:
            if failure := failures[client.environment]:
                raise RuntimeError(failure)
            live, strict = outcome(client, "live"), outcome(client, "strict")
            each = versions(client)
        except Exception as exc:  # of one client: the others go on
            print(f"{client.name}: not run: {exc}", flush=True)
            wrong.append(client.name)
            continue
        kept[client.name] = {"versions": each, "live": vars(live), "strict": vars(strict)}
        print(f"{client.name}, {', '.join(map(' '.join, each.items()))}, ", end="")
        print(f"{time.monotonic() - begin:.0f} s")
        for schema, one in (("live", live), ("strict", strict)):
            print(f"  {schema}: {one.checks - len(one.failed)} of {one.checks}")
            for check, error in one.failed.items():
                print(f"    {check}: {error}")
            for reason in one.refused:
                print(f"    refused: {reason}", flush=True)
        if live.failed or not live.checks:
            wrong.append(client.name)
    text = json.dumps(kept, indent=1, ensure_ascii=False, sort_keys=True)
    LATEST.write_text(f"{text}\n", encoding="utf-8")
    if wrong:
        print(f"Not as it should be: {', '.join(wrong)}")
    return int(bool(wrong))


def why_not_set_up(environment: str) -> str | None:
    """Make an environment, unless it is there; why it cannot be made, None if it is there."""
    if environment == _NODE:
        missing = [name for name in ("node", "npm") if shutil.which(name) is None]
        if missing:
            return f"there is no {' and no '.join(missing)} on this machine"
        words = ["sh", "scripts/clients_node.sh"]
    else:
        pinned = f"constraints/clients-{environment}.txt"
        words = ["sh", "scripts/environment.sh", f".clients/{environment}"]
        words += ["--no-deps", "-r", pinned]
    try:
        done = subprocess.run(words, cwd=ROOT, stdin=subprocess.DEVNULL)
    except OSError as exc:
        return str(exc)
    return f"{' '.join(words)} failed, as it says above" if done.returncode else None


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
    found = Outcome()
    with Emulator(schema=schema, tools="eager") as emulator:
        printed, failure = _printed(
            [runs, *client.program], apply_overrides(emulator.base_url, _environment())
        )
        for row in map(_row, printed.splitlines()):
            if row is not None:
                found.checks += 1
                if row["error"] is not None:
                    found.failed[row["check"]] = row["error"][:_MAX_ERROR]
        if failure:
            found.failed["the program"] = failure
        problems = (p for seen in emulator.requests if seen.status >= 400 for p in seen.problems)
        found.refused = sorted(set(problems))
    return found


def _printed(words: Sequence[str], environment: Mapping[str, str]) -> tuple[str, str]:
    """(what a program prints, why it ended before its time)."""
    try:
        done = subprocess.run(
            words,
            cwd=PROGRAMS,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired as exc:
        return (exc.stdout or b"").decode(errors="replace"), f"not done in {_TIMEOUT_S:g} s"
    failure = done.stderr.decode(errors="replace")[-300:] or "it failed without a word"
    return done.stdout.decode(errors="replace"), failure if done.returncode else ""


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
