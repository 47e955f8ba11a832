"""`python -m aimlapi_emulator`: the emulator until Ctrl-C.

Exit codes: 130 after Ctrl-C, 1 when the port is taken, 2 for wrong arguments.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading

from . import Emulator, Fault, Latency, __version__
from .faults import FaultError
from .faults_directive import parse

_DEFAULT_PORT = 8808


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m aimlapi_emulator",
        description="A local server that behaves as AI/ML API's documented GPT-5.2 service. "
        "It answers by rules; any key works.",
    )
    parser.add_argument("--port", type=int, default=_DEFAULT_PORT, help="0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument(
        "--schema",
        choices=("strict", "live"),
        default="strict",
        help="strict: refuse all that a published schema does not list; live: as the newer one",
    )
    parser.add_argument(
        "--tokens-per-second", type=float, metavar="N", help="pace of streams (default: at once)"
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
    parser.add_argument("--version", action="version", version=__version__)
    return parser.parse_args(argv)


def _fault(text: str) -> list[Fault]:
    try:
        times, fault = parse(text)
    except FaultError as exc:
        raise argparse.ArgumentTypeError(str(exc)) from None
    return [fault] * (times or 1)


def main(argv: list[str] | None = None) -> int:
    """Run until Ctrl-C; gives the exit code."""
    given = _arguments(argv)
    stopped = threading.Event()
    received: list[int] = []

    def stop(number: int, _frame: object) -> None:
        received.append(number)
        stopped.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    emulator = Emulator(
        given.port,
        given.host,
        given.schema,
        latency=Latency(tokens_per_second=given.tokens_per_second),
    )
    for faults in given.fault:
        emulator.faults += faults
    try:
        emulator.start()
    except (OSError, OverflowError) as exc:
        reason = getattr(exc, "strerror", None) or exc
        print(
            f"Cannot listen on {given.host}:{given.port} ({reason}): choose another with --port.",
            file=sys.stderr,
        )
        return 1
    print(
        f"AI/ML API emulator at {emulator.base_url} - point a client at it with "
        f"AIMLAPI_BASE_URL={emulator.base_url} AIMLAPI_API_KEY=local (Ctrl-C stops it)",
        flush=True,
    )
    while not stopped.wait(0.5):
        pass
    emulator.stop()
    return 128 + received[0]


if __name__ == "__main__":
    sys.exit(main())
