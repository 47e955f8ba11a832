"""`aimlapi-emulator` and `python -m aimlapi_emulator`: the emulator until Ctrl-C, or for a command.

Exit codes: 130 after Ctrl-C, 1 when the port is taken or h11 is missing, 2 for wrong arguments;
with a command its own, 126 when it cannot be run, 127 when it is not found.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Protocol

from aimlapi_emulator._version import __version__
from aimlapi_emulator.cli import environment, subprocess_runner
from aimlapi_emulator.faults.directives import parse
from aimlapi_emulator.faults.fault import Fault
from aimlapi_emulator.faults.fault_field import FaultError
from aimlapi_emulator.latency import Latency

_DEFAULT_PORT = 8808
_KEPT_REQUESTS = 1000  # it may run for days
_UPSTREAM = "https://api.aimlapi.com/v1"
# By whether it records or replays: its name, and what it does.
_WHAT = {
    (False, False): "emulator answers by rules and is no model",
    (True, False): "recorder passes calls on to the service: they cost money",
    (False, True): "replayer answers from what was recorded",
}


class Server(Protocol):
    """The emulator, a recorder or a replayer."""

    host: str
    port: int

    @property
    def base_url(self) -> str:
        """The base URL for a client."""

    def start(self) -> object:
        """Listen. Raises OSError when the address is taken."""

    def stop(self) -> None:
        """Stop serving."""


def _argument_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="aimlapi-emulator",
        usage="%(prog)s [options] [-- COMMAND ARG ...]",
        description="A local server that behaves as AI/ML API's documented GPT-5.2 service. "
        "It answers by rules; any key works but those that hold bad or invalid (401) or broke "
        "(403). With a command it runs that command against the server (AIMLAPI_BASE_URL and "
        "AIMLAPI_API_KEY are set for it) and ends with it.",
    )
    parser.add_argument(
        "--port",
        type=int,
        help=f"0 takes a free one (default: {_DEFAULT_PORT}, for a command a free one)",
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="the address to listen on (default: %(default)s, which only this machine reaches)",
    )
    parser.add_argument(
        "--schema",
        choices=("strict", "live"),
        default="live",
        help="live: as the real service, by its newer specification (default); strict: refuse what "
        "the published schemas do not list, which stops many popular clients",
    )
    parser.add_argument(
        "--cost-chunk",
        choices=("merged", "bare"),
        default="merged",
        help="the cost of a chat stream: in the usage chunk or else the last one, or a chunk of "
        "its own without id and choices, as the vendor's page shows it (many clients fail at it)",
    )
    parser.add_argument(
        "--only-known-models",
        action="store_true",
        help="refuse ids that the emulator's tables of models do not have (default: answer any)",
    )
    parser.add_argument(
        "--tools",
        choices=("eager", "named"),
        default="eager",
        help="eager: call the tool that fits a task best, named or not (the default); named: only "
        "tools that a message names by their names or words of these",
    )
    parser.add_argument(
        "--first-token",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="time to the first token of an answer (default: none)",
    )
    parser.add_argument(
        "--tokens-per-second",
        type=float,
        metavar="N",
        help="pace of the tokens of an answer (default: all at once)",
    )
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        type=_fault,
        metavar="'KEY=VALUE ... times=N'",
        help="what goes wrong with the next N POSTs (default 1), as in a prompt's [[fault ...]]; "
        "several are given in order",
    )
    parser.add_argument(
        "--rules",
        metavar="FILE",
        help="rules in YAML or JSON, a list of the arguments of Emulator.when (docs/testing.md); "
        "read again when the file changes",
    )
    parser.add_argument("--quiet", action="store_true", help="no line on stderr for each request")
    parser.add_argument(
        "--log-bodies", metavar="DIR", type=Path, help="write requests and answers to files there"
    )
    recording = parser.add_argument_group("recorder (instead of the emulator)")
    way = recording.add_mutually_exclusive_group()
    way.add_argument(
        "--record",
        metavar="DIR",
        type=Path,
        help="pass calls on to the service with AIMLAPI_API_KEY, keep each as a vcrpy cassette",
    )
    way.add_argument("--replay", metavar="DIR", type=Path, help="answer from these cassettes")
    recording.add_argument(
        "--upstream", metavar="URL", default=_UPSTREAM, help="the service (default: %(default)s)"
    )
    recording.add_argument(
        "--redact",
        metavar="REGEX",
        action="append",
        default=[],
        help="what to replace in kept bodies and to ignore when requests are matched; "
        "several are given one by one",
    )
    recording.add_argument(
        "--with-delays", action="store_true", help="replay at the pace of the recording"
    )
    parser.add_argument("--version", action="version", version=__version__)
    return parser


def _fault(text: str) -> list[Fault]:
    try:
        times, fault = parse(text)
    except FaultError as exc:
        raise argparse.ArgumentTypeError(str(exc)) from None
    return [fault] * (times or 1)


def main(argv: list[str] | None = None) -> int:
    """Run until Ctrl-C, or until the command behind `--` ends; gives the exit code."""
    words = sys.argv[1:] if argv is None else argv
    end = words.index("--") if "--" in words else len(words)
    own, to_run = words[:end], words[end + 1 :]
    parser = _argument_parser()
    given, unknown = parser.parse_known_args(own)
    if unknown:
        parser.error(f"unrecognized arguments: {' '.join(unknown)} (a command goes behind --)")
    if end < len(words) and not to_run:
        parser.error("a command must follow --")
    try:
        given.latency = Latency(given.first_token, given.tokens_per_second)
    except ValueError as exc:
        parser.error(str(exc))
    port = given.port if given.port is not None else 0 if to_run else _DEFAULT_PORT
    try:
        recorded = given.record or given.replay
        server = _recording(given, port) if recorded else _emulator(given, port)
    except (ImportError, ValueError, OSError, re.error) as exc:  # each says what to do
        return _fail(str(exc))
    try:
        what = _WHAT[bool(given.record), bool(given.replay)]
        return _run(server, to_run, what) if to_run else _serve(server, what)
    except KeyboardInterrupt:  # before the command was started
        return 128 + signal.SIGINT
    finally:
        server.stop()


def _emulator(given: argparse.Namespace, port: int) -> Server:
    from aimlapi_emulator.emulator import Emulator
    from aimlapi_emulator.request_log import RequestLog

    emulator = Emulator(
        port,
        given.host,
        given.schema,
        latency=given.latency,
        cost_chunk=given.cost_chunk,
        tools=given.tools,
        only_known_models=given.only_known_models,
        max_requests=_KEPT_REQUESTS,
    )
    for faults in given.fault:
        emulator.faults += faults
    if given.rules:
        emulator.load_rules(given.rules)
    if not given.quiet or given.log_bodies:
        RequestLog(given.log_bodies, quiet=given.quiet).attach()
    return emulator


def _recording(given: argparse.Namespace, port: int) -> Server:
    from aimlapi_emulator.recording.recorder import Recorder, Replayer, keep_in

    def log(line: str) -> None:
        if not given.quiet:
            print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)

    how = {"host": given.host, "port": port, "patterns": given.redact, "log": log}
    if given.replay:
        return Replayer(given.replay, with_delays=given.with_delays, **how)
    key = os.environ.get("AIMLAPI_API_KEY") or os.environ.get("AIML_API_KEY")
    if not key:
        raise ValueError("--record calls the service with your key: set AIMLAPI_API_KEY")
    return Recorder(given.upstream, key, keep_in(given.record), **how)


def _fail(message: str) -> int:
    print(f"aimlapi-emulator: {message}", file=sys.stderr)
    return 1


def _is_listening(server: Server) -> bool:
    try:
        server.start()
    except (OSError, OverflowError) as exc:
        reason = getattr(exc, "strerror", None) or exc
        where = f"{server.host}:{server.port}"
        _fail(f"cannot listen on {where} ({reason}): choose another with --port or --host")
        return False
    return True


def _serve(server: Server, what: str) -> int:
    stopped = threading.Event()
    received: list[int] = []

    def stop(number: int, _frame: object) -> None:
        received.append(number)
        stopped.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    if not _is_listening(server):
        return 1
    print(
        f"AI/ML API {what.partition(' ')[0]} at {server.base_url} - point a client at it with "
        f"AIMLAPI_BASE_URL={server.base_url} AIMLAPI_API_KEY={environment.KEY} "
        "(Ctrl-C stops it)",
        flush=True,
    )
    while not stopped.wait(0.5):
        pass
    return 128 + received[0]


def _run(server: Server, to_run: list[str], what: str) -> int:
    if not _is_listening(server):
        return 1
    print(
        f"aimlapi-emulator: {server.base_url} {what.partition(' ')[2]}",
        file=sys.stderr,
        flush=True,
    )
    return subprocess_runner.run(to_run, environment.apply_overrides(server.base_url, os.environ))


if __name__ == "__main__":
    sys.exit(main())
