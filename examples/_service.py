"""Whom the examples talk to: the real service with your key, else an emulator on this machine.

Importing it, before the frameworks that take seconds, prints that on the first line and sees to
the end of the program: Ctrl-C exits with 130, an error of the service is told without a traceback.
"""

import atexit
import io
import os
import signal
import sys
from types import TracebackType
from typing import Any

DEFAULT_BASE_URL = "https://api.aimlapi.com/v1"
TOKENS_PER_SECOND = 60  # the emulator's pace, so that streams are seen to stream
emulator: Any = None


def _stop(*_: Any) -> None:
    print()
    sys.exit(130)


def _tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    from aimlapi_core import AIMLAPIError

    if isinstance(error, AIMLAPIError):
        print(f"\n{kind.__name__}: {error}", file=sys.stderr)
    elif isinstance(error, BrokenPipeError):  # the reader has left, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    else:
        sys.__excepthook__(kind, error, trace)


def _choose() -> str:
    """Sees to it that somebody answers; gives the line that says who."""
    if os.environ.get("AIMLAPI_API_KEY"):
        where = os.environ.get("AIMLAPI_BASE_URL", DEFAULT_BASE_URL)
        costs = "; this costs a little money" if where == DEFAULT_BASE_URL else ""
        return f"Talking to {where} with your AIMLAPI_API_KEY{costs}."

    from aimlapi_emulator import Emulator, Latency

    global emulator
    pace = Latency(tokens_per_second=TOKENS_PER_SECOND)
    emulator = Emulator(latency=pace, only_known_models=True).start()
    atexit.register(emulator.stop)
    os.environ.update(AIMLAPI_API_KEY="no-key-needed", AIMLAPI_BASE_URL=emulator.base_url)
    return (
        "Talking to the local emulator, which answers by rules and is no language model.\n"
        "Set AIMLAPI_API_KEY for the real service."
    )


for _stream in (sys.stdout, sys.stderr):
    if isinstance(_stream, io.TextIOWrapper):
        _stream.reconfigure(errors="replace")  # an answer may hold more than ASCII
signal.signal(signal.SIGINT, _stop)
sys.excepthook = _tell
print(_choose(), flush=True)
