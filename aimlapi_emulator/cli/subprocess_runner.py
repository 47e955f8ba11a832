"""Runs a command as a subprocess: forwards signals, and returns a shell's exit code."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence

CANNOT_RUN, NOT_FOUND = 126, 127
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


def run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command to its end, with the signals of this process passed on; its exit code.

    126 if it cannot be run and 127 if it is not found, both with a message on stderr; 128 plus the
    number of the signal that ended it.
    """
    known = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
    # What is ignored here, as by nohup, the command ignores too.
    numbers = [number for number in known if signal.getsignal(number) is not signal.SIG_IGN]
    early: list[int] = []
    before = {number: signal.signal(number, lambda n, _: early.append(n)) for number in numbers}
    try:
        return _run(command, environment, numbers, early)
    except OSError as exc:
        print(f"aimlapi-emulator: {command[0]}: {exc.strerror}", file=sys.stderr)
        return NOT_FOUND if isinstance(exc, FileNotFoundError) else CANNOT_RUN
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _run(
    command: Sequence[str],
    environment: Mapping[str, str],
    numbers: Sequence[int],
    early: Sequence[int],
) -> int:
    with subprocess.Popen(_resolve_command(command, environment), env=environment) as child:

        def pass_on(number: int, _frame: object = None) -> None:
            # The terminal has sent its Ctrl-C to the command too, which must not come twice.
            if number != signal.SIGINT or not _gets_ctrl_c(child.pid):
                child.send_signal(number)

        for number in numbers:
            signal.signal(number, pass_on)
        for number in early:
            pass_on(number)
        code = child.wait()
    return code if code >= 0 else 128 - code


def _resolve_command(command: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """The command; on Windows, which starts `npm` but not `npm.cmd` by that name, with its path."""
    if sys.platform != "win32":
        return list(command)
    return [shutil.which(command[0], path=environment.get("PATH")) or command[0], *command[1:]]


def _gets_ctrl_c(child: int) -> bool:
    """Whether the terminal that sends its Ctrl-C to this process sends it to the child too."""
    if sys.platform == "win32":
        return True
    try:
        return os.getpgid(child) == os.getpgrp() and _is_in_foreground()
    except ProcessLookupError:  # it has ended
        return True


def _is_in_foreground() -> bool:
    """Whether a terminal sends its Ctrl-C to this process, and to all of its group."""
    if sys.platform == "win32":
        return True
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
