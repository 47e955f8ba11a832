"""The command as a process: on a terminal, in a pipe, interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence

import pytest

from aimlapi_emulator import Emulator, Fault
from tests.waiting import wait_until

pty = pytest.importorskip("pty", reason="needs POSIX terminals")


def start(
    emu: Emulator, command: Sequence[str], stdout: int, stderr: int, more: Mapping[str, str] = {}
) -> subprocess.Popen[bytes]:
    own = {"AIMLAPI_BASE_URL": emu.base_url, "AIMLAPI_API_KEY": "sk-test-0000", "TERM": "xterm"}
    return subprocess.Popen(
        [sys.executable, "-m", "aimlapi_cli", *command],
        env={**os.environ, **own, **more},
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
    )


def on_terminal(emu: Emulator, command: Sequence[str], **more: str) -> tuple[int, str]:
    """The exit code, and what a terminal shows."""
    ours, its = pty.openpty()
    process = start(emu, command, its, its, more)
    os.close(its)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # its side is closed
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    return process.wait(), shown.decode().replace("\r\n", "\n")


def test_a_terminal_gets_a_stream_and_what_it_cost(emu: Emulator) -> None:
    emu.enqueue_response("Bodensee")
    code, shown = on_terminal(emu, ["ask", "Name a lake."])
    assert code == 0
    answer, footer, _ = shown.split("\n")
    assert answer == "Bodensee"
    usd = emu.ledger.entries[-1].usage.credits / 2_000_000
    assert footer.startswith("\x1b[2m")
    assert f"{usd:.7f} USD" in footer
    assert emu.requests[-1].body["stream"] is True


@pytest.mark.parametrize("plain", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=str)
def test_no_colour_where_none_is_wanted(emu: Emulator, plain: dict[str, str]) -> None:
    code, shown = on_terminal(emu, ["ask", "Hi", "--effort", "hgih"], **plain)
    assert code == 1
    assert shown.startswith("aimlapi: ")
    assert "\x1b" not in shown


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_an_answer_fits_any_terminal(emu: Emulator, encoding: str) -> None:
    emu.enqueue_response("Łódź 🌍")
    process = start(
        emu,
        ["ask", "Name a city."],
        subprocess.PIPE,
        subprocess.PIPE,
        {"PYTHONIOENCODING": encoding},
    )
    out, err = process.communicate()
    assert (process.returncode, err) == (0, b"")
    assert out.decode() == ("Łódź 🌍\n" if encoding == "utf-8" else "??d? ?\n")


def test_ctrl_c_ends_it_without_a_traceback(emu: Emulator) -> None:
    emu.faults.append(Fault(delay_head_s=60))
    process = start(emu, ["ask", "Hi"], subprocess.PIPE, subprocess.PIPE)
    wait_until(lambda: emu.requests)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert process.returncode == 130
    assert (out, err.strip()) == (b"", b"")


def test_a_reader_that_goes_away_is_no_failure(emu: Emulator) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    process = start(emu, ["models"], writer, subprocess.PIPE)
    os.close(writer)
    _, err = process.communicate()
    assert (process.returncode, err) == (0, b"")
