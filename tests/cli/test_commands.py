"""Each command against the emulator: output, exit codes, and one line for each failure."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aimlapi_cli.main import main
from aimlapi_core import models
from aimlapi_emulator import Emulator, Fault

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
PDF = b"%PDF-1.4\n" + bytes(20)


@pytest.fixture
def emu(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    with Emulator() as emulator:
        monkeypatch.setenv("AIMLAPI_BASE_URL", emulator.base_url)
        monkeypatch.setenv("AIMLAPI_API_KEY", "sk-test-0000")
        monkeypatch.setattr(sys, "stdin", io.StringIO(""))
        yield emulator


def test_the_answer_goes_to_stdout(emu: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    emu.enqueue_response("Bodensee")
    assert main(["ask", "Name a lake.", "--system", "Be brief.", "--max-tokens", "9"]) == 0
    assert capsys.readouterr() == ("Bodensee\n", "")
    request = emu.requests[-1]
    assert [message["role"] for message in request.body["messages"]] == ["system", "user"]
    assert request.body["max_tokens"] == 9
    assert request.body["model"] == "openai/gpt-5-2"


def test_input_from_a_pipe_follows_the_question(
    emu: Emulator, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("some log\n"))
    assert main(["ask", "What went wrong?"]) == 0
    assert emu.requests[-1].body["messages"][0]["content"] == "What went wrong?\n\nsome log"
    monkeypatch.setattr(sys, "stdin", io.StringIO("Name a lake."))
    assert main(["ask"]) == 0
    assert emu.requests[-1].body["messages"][0]["content"] == "Name a lake."


def test_files_go_along(emu: Emulator, tmp_path: Path) -> None:
    for name, data in {"a.bin": PNG, "b.pdf": PDF, "c.txt": "Grüße".encode()}.items():
        (tmp_path / name).write_bytes(data)
    files = [word for name in ("a.bin", "b.pdf", "c.txt") for word in ("-f", str(tmp_path / name))]
    assert main(["ask", "What is it?", *files]) == 0
    image, pdf, text, question = emu.requests[-1].body["messages"][0]["content"]
    assert image["image_url"]["url"].startswith("data:image/png;base64,")
    assert pdf["file"]["filename"] == "b.pdf"
    assert "File c.txt:\n\nGrüße" in text["text"]
    assert question["text"] == "What is it?"


def test_json_has_usage_cost_and_ids(emu: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    emu.enqueue_response("Grüße")
    assert main(["ask", "Say hello.", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    entry = emu.ledger.entries[-1]
    assert found["text"] == "Grüße"
    assert found["finish_reason"] == "stop"
    assert found["usage"]["output_tokens"] > 0
    assert found["credits"] == entry.usage.credits > 0
    assert found["inference_id"] == entry.inference_id


def test_json_says_who_answered(emu: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "Say hello.", "--json", "--model", "liquid/d1-router"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["served_model"], found["provider"]) == ("openai/gpt-6-luna", "openai")
    assert found["usage"]["cache_write_tokens"] == 0
    assert main(["ask", "Say hello.", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["served_model"], found["provider"]) == (found["model"], None)


def test_json_goes_into_a_stream_without_an_encoding(
    emu: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    emu.enqueue_response("Grüße")
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert main(["ask", "Say hello.", "--json"]) == 0
    assert json.loads(sys.stdout.getvalue())["text"] == "Grüße"  # type: ignore[attr-defined]  # a StringIO


def test_a_cut_answer_says_so(emu: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    emu.enqueue_response("one two three four five six seven eight")
    assert main(["ask", "Count.", "--max-tokens", "3"]) == 0
    assert "cut at --max-tokens" in capsys.readouterr().err


def test_a_refusal_is_shown_and_fails(emu: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    emu.faults.append(Fault(refusal="I cannot help with that."))
    assert main(["ask", "Do it."]) == 1
    assert capsys.readouterr().out == "I cannot help with that.\n"


def test_a_parameter_that_is_left_out_is_noted(
    emu: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["ask", "Hi", "--model", "openai/gpt-5-2-chat-latest", "--temperature", "0.3"]
    assert main(command) == 0
    err = capsys.readouterr().err
    assert err.startswith("Note: 'temperature' was left out")
    assert "warn(" not in err


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["ask"], "There is no question"),
        (["ask", "Hi", "--effort", "hgih"], "did you mean 'high'"),
        (["ask", "Hi", "-f", "missing.png"], "missing.png: No such file"),
        (["ask", "Hi", "-f", __file__.replace(".py", "")], "No such file"),
        (["ask", "Hi", "--base-url", "nowhere"], "base_url"),
        (["ask", "Hi", "--base-url", "http://127.0.0.1:9/v1", "--timeout", "5"], "No connection"),
        (["costs", "--period", "long"], "period"),
        (["models", "no-such-model"], "'no-such-model'"),
    ],
)
def test_a_failure_is_one_line(
    emu: Emulator, capsys: pytest.CaptureFixture[str], command: list[str], says: str
) -> None:
    assert main(command) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert says in err
    assert err.startswith("aimlapi: ")
    assert err.count("\n") == 1


def test_without_a_key_it_says_how_to_try(
    emu: Emulator, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIMLAPI_API_KEY")
    monkeypatch.setattr(sys, "argv", ["aimlapi", "ask", "Hi"])
    assert main(["ask", "Hi"]) == 1
    error, hint = capsys.readouterr().err.splitlines()
    assert error.startswith("aimlapi: No API key: set")
    assert hint == "To try it without a key: aimlapi emulator -- aimlapi ask …"


def test_a_wrong_key_is_one_line_without_the_key(
    emu: Emulator, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIMLAPI_API_KEY", "sk-invalid-secret")
    assert main(["ask", "Hi"]) == 1
    err = capsys.readouterr().err
    assert "401" in err
    assert "secret" not in err


def test_binary_data_cannot_be_asked_about(
    emu: Emulator, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "a.bin").write_bytes(b"\xff\xfe\x00\x81")
    assert main(["ask", "Hi", "-f", str(tmp_path / "a.bin")]) == 1
    assert "is no image (PNG, JPEG, GIF, WebP), no PDF and no text" in capsys.readouterr().err
    assert emu.requests == []


def test_models_are_listed_with_prices(emu: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "GPT-5-2"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["model", "endpoint", "context", "in", "out"]
    found = {row.split()[0]: row for row in rows}
    assert "openai/gpt-5-2-pro" in found
    assert all("gpt-5-2" in name for name in found)
    assert found["openai/gpt-5-2"].split()[-3:] == ["400,000", "2.275", "18.2"]
    assert "responses" in found["openai/gpt-5-2-pro"]


def test_models_are_listed_without_a_key_and_without_a_request(
    emu: Emulator, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIMLAPI_API_KEY")
    assert main(["models"]) == 0
    out, err = capsys.readouterr()
    head, *rows = out.splitlines()
    assert head.split() == ["model", "endpoint", "context"]  # no empty columns of prices
    assert {line.split()[0] for line in rows} == set(models.listed_models())
    assert err == ""
    assert emu.requests == []


def test_models_are_listed_where_the_service_is_down(
    emu: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "gpt-5-2", "--base-url", "http://127.0.0.1:9/v1"]) == 0
    out, err = capsys.readouterr()
    assert "openai/gpt-5-2-pro" in out
    assert err.startswith("Without live prices: No connection")


def test_costs_are_summed_by_model(emu: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    for model in ("openai/gpt-5-2", "openai/gpt-5-2-pro"):
        assert main(["ask", "Name a lake.", "--model", model]) == 0
    emu.faults.append(Fault(status=400))
    assert main(["ask", "Name a lake."]) == 1
    capsys.readouterr()
    assert main(["costs"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[1].startswith("openai/gpt-5-2-pro")  # the dearest first
    assert out[2].split()[:3] == ["openai/gpt-5-2", "2", "1"]
    assert out[3].split()[-1] == f"{emu.ledger.credits / 2_000_000:.7f}"
    assert out[4].startswith("Balance: ")
    assert main(["costs", "--json", "--model", "openai/gpt-5-2"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found["by_model"]) == ["openai/gpt-5-2"]
    assert found["total"]["calls"] == 2


def test_all_pages_of_the_logs_are_read(
    emu: Emulator, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aimlapi_cli.costs._PAGE", 2)
    for _ in range(5):
        assert main(["ask", "Hi"]) == 0
    capsys.readouterr()
    assert main(["costs"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[1].split()[1] == "5"
    assert err == ""
    monkeypatch.setattr("aimlapi_cli.costs._MAX_PAGES", 1)
    assert main(["costs"]) == 0
    assert "The newest 2 of 5 calls" in capsys.readouterr().err


def test_doctor_and_emulator_are_those_of_their_packages(
    emu: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor"]) == 0
    assert "Everything is set up." in capsys.readouterr().out
    assert main(["deprecations"]) in (0, 1)
    assert "openai/" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        main(["emulator", "--help"])
    assert ended.value.code == 0
    assert "usage: aimlapi-emulator" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "--help"])
    assert "usage: aimlapi doctor" in capsys.readouterr().out


def test_a_missing_emulator_says_how_to_install_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "aimlapi_emulator.__main__", None)
    assert main(["emulator"]) == 1
    assert "pip install 'aimlapi-integrations[emulator]'" in capsys.readouterr().err


@pytest.mark.parametrize("command", [[], ["aks"], ["ask", "a", "b"], ["models", "--periods"]])
def test_wrong_arguments_end_with_2(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(command)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: aimlapi")


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["aks", "Hi"], "aimlapi: error: there is no command 'aks': did you mean ask?"),
        (["ask", "Hi", "--modle", "x"], "aimlapi ask: error: there is no option --modle: did you"),
        (["models", "--jsno"], "aimlapi models: error: there is no option --jsno"),
        (["costs", "--perod=7d"], "aimlapi costs: error: there is no option --perod=7d: did you"),
        (
            ["ask", "Name", "a", "lake."],
            "unexpected argument 'a': put a text of several words in",
        ),
        (["doctor", "--modle", "x"], "usage: aimlapi doctor"),
        (["deprecations", "--foo"], "usage: aimlapi deprecations"),
        ([], 'aimlapi ask "Name three lakes."'),  # the whole help
    ],
)
def test_wrong_arguments_say_what_to_do(
    command: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = main(command)
    except SystemExit as ended:
        code = ended.code  # type: ignore[assignment]  # argparse's is a number
    assert code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert says in err


@pytest.mark.parametrize("command", ["ask", "models", "costs", "doctor", "deprecations"])
def test_help_is_a_command_too(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["help", command])
    assert ended.value.code == 0
    usage, _, description = capsys.readouterr().out.partition("\n\n")
    assert usage.startswith(f"usage: aimlapi {command}")
    assert description[0].isupper()
    assert description.partition("\n")[0].endswith(".")


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["ask", "Hi", "--file", "missing.png"], "missing.png: No such file"),
        (["costs", "--period", "week"], "--period week: give hours or days, such as 24h or 7d."),
        (["models", "gtp-5-2-pro"], "Did you mean 'openai/gpt-5-2-pro'?"),
    ],
)
def test_faults_of_the_command_line_are_named_without_a_key(
    emu: Emulator,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: list[str],
    says: str,
) -> None:
    monkeypatch.delenv("AIMLAPI_API_KEY")
    assert main(command) == 1
    assert says in capsys.readouterr().err


def test_a_missing_question_is_named_without_a_key(
    emu: Emulator, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIMLAPI_API_KEY")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    assert main(["ask"]) == 1
    assert "There is no question" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["ask", "models", "costs"])
def test_each_command_shows_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert f"examples:\n  aimlapi {command}" in capsys.readouterr().out
