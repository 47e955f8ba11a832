"""The command line: serving until Ctrl-C, and running a command against the emulator."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from aimlapi_emulator import Emulator
from aimlapi_emulator.__main__ import main
from tests.emulator.asking import CHAT, KEY, user

BODY = {"model": CHAT, "messages": [user("x")]}
unix = pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")

ASK = """
import os, sys, httpx
body = {"model": "openai/gpt-5-2", "messages": [{"role": "user", "content": "Hello"}]}
key = {"Authorization": "Bearer " + os.environ["AIMLAPI_API_KEY"]}
answer = httpx.post(os.environ["AIMLAPI_BASE_URL"] + "/chat/completions", json=body, headers=key)
print(answer.status_code)
"""

# Waits for a signal, then for LAST, before which the first must not come again.
WAIT = """
import signal, sys, time
got = []
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, lambda n, _: got.append(n))
print("ready", flush=True)
while not got:
    time.sleep(0.01)
print("got", flush=True)
while signal.LAST not in got:
    time.sleep(0.01)
print(*map(int, got), flush=True)
sys.exit(7)
"""


@pytest.fixture(autouse=True)
def _sigint_is_not_ignored() -> Iterator[None]:
    """What runs behind a shell's `&` ignores SIGINT, and so would all that it starts."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    """The command in a session of its own, so that no terminal sends it a Ctrl-C."""
    return subprocess.Popen(
        [sys.executable, "-m", "aimlapi_emulator", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, **environment},
    )


def finished(*arguments: str, **environment: str) -> tuple[int, str, str]:
    """(exit code, stdout, stderr) of a command that ends by itself."""
    process = start(*arguments, **environment)
    try:
        out, err = process.communicate()
    finally:
        process.kill()
        process.wait()
    return process.returncode, out, err


def python(code: str) -> tuple[str, ...]:
    return ("--", sys.executable, "-c", code)


@unix
def test_it_serves_until_interrupted() -> None:
    process = start("--port", "0")
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        url = next(word for word in line.split() if word.startswith("http://"))
        answer = httpx.post(
            f"{url}/chat/completions",
            json=BODY,
            headers=KEY,
        )
        assert answer.status_code == 200
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130
    assert out == ""
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d 200 POST /v1/chat/completions openai/gpt-5-2 \d+ \+ \d+ tokens\n", err
    )


def test_it_says_that_the_port_is_taken(emu: Emulator) -> None:
    for behind in ((), python("")):
        code, out, err = finished("--port", str(emu.port), *behind)
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert f"{emu.host}:{emu.port}" in err
        assert "--port" in err


def test_a_command_talks_to_the_emulator() -> None:
    code, out, err = finished(*python(ASK))
    assert (code, out) == (0, "200\n")
    assert err.count("\n") == 2
    assert "is no model" in err
    assert "200 POST" in err
    code, out, err = finished("--quiet", *python(ASK))
    assert (code, out, err.count("\n")) == (0, "200\n", 1)


def test_options_stand_before_the_command() -> None:
    options = ("--first-token", "0.5", "--tokens-per-second", "20", "--fault", "status=503")
    begin = time.monotonic()
    _, out, _ = finished(*options, *python(ASK + ASK))
    assert out == "503\n200\n"
    assert time.monotonic() - begin >= 0.5 + 5 / 20  # You said: "Hello"


@pytest.mark.parametrize(
    ("options", "status"), [((), "200"), (("--schema", "strict"), "400")], ids=["live", "strict"]
)
def test_it_is_the_neighbour_of_the_real_service(options: tuple[str, ...], status: str) -> None:
    """A member that the service drops is refused by the linter alone."""
    ask = ASK.replace('"messages":', '"user": "me", "messages":')
    assert finished(*options, "--", sys.executable, "-c", ask)[1] == f"{status}\n"


def test_the_users_own_key_is_not_handed_on() -> None:
    show = "import os; print({k: v for k, v in os.environ.items() if k.startswith('AIML')})"
    own = {
        "AIMLAPI_API_KEY": "sk-canary",
        "AIML_API_KEY": "sk-canary",
        "AIMLAPI_API_BASE": "https://api.aimlapi.com",
        "AIMLAPI_BASE_URL": "https://api.aimlapi.com",
    }
    _, out, err = finished(*python(show), **own)
    assert "canary" not in out + err
    assert "aimlapi.com" not in out
    assert "'AIMLAPI_API_KEY': 'local'" in out
    assert "'AIMLAPI_BASE_URL': 'http://127.0.0.1:" in out
    assert "API_BASE'" not in out


@pytest.mark.parametrize(
    ("host", "address"),
    [("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("::1", "[::1]"), ("localhost", "localhost")],
)
def test_an_address_to_listen_on_is_none_to_connect_to(host: str, address: str) -> None:
    assert Emulator(8808, host).base_url == f"http://{address}:8808/v1"


def test_the_commands_code_is_its_own() -> None:
    assert finished(*python("raise SystemExit(3)"))[0] == 3


def test_what_cannot_be_run_is_told_as_shells_do(tmp_path: Path) -> None:
    code, out, err = finished("--", "no-such-command-anywhere")
    assert (code, out) == (127, "")
    assert "aimlapi-emulator: no-such-command-anywhere: " in err
    if sys.platform != "win32":
        plain = tmp_path / "plain"
        plain.write_text("x")
        code, out, err = finished("--", str(plain))
        assert (code, out) == (126, "")
        assert err.endswith(f"{plain}: Permission denied\n")


@unix
def test_a_command_that_a_signal_ends_is_told_as_shells_do() -> None:
    killed = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert finished(*python(killed))[0] == 137


@unix
@pytest.mark.parametrize(("first", "last"), [("SIGINT", "SIGTERM"), ("SIGTERM", "SIGHUP")])
def test_signals_are_passed_on(first: str, last: str) -> None:
    numbers = signal.Signals[first], signal.Signals[last]
    process = start(*python(WAIT.replace("LAST", last)))
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(numbers[0])
        assert process.stdout.readline() == "got\n"
        process.send_signal(numbers[1])
        out, err = process.communicate()
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, out) == (7, "{:d} {:d}\n".format(*numbers))
    assert "Traceback" not in err


@unix
def test_a_signal_that_is_ignored_is_ignored_by_the_command() -> None:
    hang_up = "import os, signal; os.kill(os.getpid(), signal.SIGHUP)"
    ignoring = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh"]
    words = [*ignoring, sys.executable, "-m", "aimlapi_emulator", *python(hang_up)]
    assert subprocess.run(words, capture_output=True).returncode == 0
    assert finished(*python(hang_up))[0] == 129


@unix
@pytest.mark.parametrize("session", ["ours", "own"])
def test_ctrl_c_of_a_terminal_reaches_the_command_once(tmp_path: Path, session: str) -> None:
    ours, theirs = os.openpty()
    script, wait = tmp_path / "wait.py", WAIT.replace("LAST", "SIGTERM")
    script.write_text(wait if session == "ours" else f"import os; os.setsid()\n{wait}")
    # A session leader without a terminal gets the one that it opens first.
    line = 'exec <"$0" && exec "$@"'
    words = [sys.executable, "-m", "aimlapi_emulator", "--", sys.executable, str(script)]
    process = subprocess.Popen(
        ["sh", "-c", line, os.ttyname(theirs), *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        # Stopped, ours sees the Ctrl-C only after the command has: two at once would look like one.
        if session == "ours":
            process.send_signal(signal.SIGSTOP)
        os.write(ours, b"\x03")
        assert process.stdout.readline() == "got\n"
        process.send_signal(signal.SIGTERM)  # of a higher number, so it is seen after the Ctrl-C
        process.send_signal(signal.SIGCONT)
        out, err = process.communicate()
    finally:
        process.kill()
        process.wait()
        os.close(ours)
        os.close(theirs)
    assert (process.returncode, out) == (7, f"{int(signal.SIGINT)} {int(signal.SIGTERM)}\n")
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--"], "a command must follow --"),
        (["pytest"], "unrecognized arguments: pytest (a command goes behind --)"),
        (["--tokens-per-second", "0"], "tokens_per_second=0.0"),
        (["--first-token", "-1"], "first_token_s=-1.0"),
        (["--port", "x"], "invalid int value"),
        (["--fault", "times=2"], "sets no field"),
    ],
)
def test_wrong_arguments_are_told(
    capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert says in capsys.readouterr().err


def test_without_h11_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "h11.py").write_text("raise ImportError('h11')")
    code, out, err = finished(PYTHONPATH=str(tmp_path))
    assert (code, out) == (1, "")
    assert err == (
        "aimlapi-emulator: aimlapi_emulator needs h11: "
        "pip install 'aimlapi-integrations[emulator]'\n"
    )


def test_help_says_which_keys_are_refused(
    capsys: pytest.CaptureFixture[str], emu: Emulator
) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert "any key works but those that hold bad or invalid (401) or broke (403)" in told
    for key, status in {"any": 200, "a-bad-key": 401, "invalid": 401, "broke": 403}.items():
        headers = {"Authorization": f"Bearer {key}"}
        answer = httpx.post(f"{emu.base_url}/chat/completions", json=BODY, headers=headers)
        assert answer.status_code == status


@pytest.mark.skipif(sys.platform != "win32", reason="names without their ending are Windows's")
def test_a_name_may_stand_for_a_script(tmp_path: Path) -> None:
    (tmp_path / "agent.cmd").write_text("@echo %AIMLAPI_API_KEY%\n")
    path = os.pathsep.join([str(tmp_path), os.environ["PATH"]])
    assert finished("--", "agent", PATH=path)[:2] == (0, "local\n")


def test_the_command_is_installed() -> None:
    command = shutil.which("aimlapi-emulator", path=str(Path(sys.executable).parent))
    assert command is not None
    run = subprocess.run([command, "--help"], capture_output=True, text=True)
    assert run.returncode == 0
    assert run.stdout.startswith("usage: aimlapi-emulator [options] [-- COMMAND ARG ...]")
