"""The command as a workbench: rules from a file, a line for each request, bodies in a folder."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from aimlapi_emulator import Emulator, RuleError
from aimlapi_emulator.request_log import RequestLog, line
from tests.emulator.asking import STRING, Asker, flat_tool, tool
from tests.emulator.test_command import ASK, finished, python

pytest.importorskip("yaml")
RULES = """
- when: weather
  tool_call: get_weather
  arguments: {city: Oslo}
- pattern: '\\balbum\\b'
  json: {title: Blue Train, year: 1957}
- when: busy
  fault: status=503 times=1
- when: both
  tool_calls: [[get_weather, {city: Oslo}], [get_time, null]]
- when: hello
  text: Good day.
  model: openai/gpt-5-2
"""
WEATHER = tool("get_weather", "Get the weather.", city=STRING)
CLOCK = tool("get_time", "Get the local time.", city=STRING)


def test_rules_of_a_file_answer_as_those_of_when(emu: Emulator, ask: Asker, tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(RULES)
    emu.load_rules(path)
    assert ask.calls("How is the weather?", tools=[WEATHER]) == [("get_weather", {"city": "Oslo"})]
    assert json.loads(ask.text("An album, please")) == {"title": "Blue Train", "year": 1957}
    assert [ask.chat("busy?").status_code for _ in range(2)] == [503, 200]
    both = ask.calls("both in Rome", tools=[WEATHER, CLOCK])
    assert both == [("get_weather", {"city": "Oslo"}), ("get_time", {"city": "Rome"})]
    assert ask.text("Hello!") == "Good day."
    emu.when("hello", text="Scripted rules go first.")
    assert ask.text("Hello!") == "Scripted rules go first."


def test_a_changed_file_is_read_again(
    emu: Emulator, ask: Asker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "rules.json"
    path.write_text('[{"when": "hello", "text": "one"}]')
    emu.load_rules(path)
    assert ask.text("hello") == "one"
    path.write_text('[{"when": "hello", "text": "two, in other words"}]')
    assert ask.text("hello") == "two, in other words"
    with caplog.at_level(logging.WARNING, "aimlapi_emulator"):
        path.write_text("[{")
        assert ask.text("hello") == "two, in other words"
    assert "still hold" in caplog.text
    path.unlink()
    assert ask.text("hello") == "two, in other words"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("- whn: x\n  text: y", "rule 1: needs either"),
        ("- when: x\n  txt: y", "rule 1: unknown member 'txt': did you mean 'text'?"),
        ("- when: x\n  text: y\n- when: x", "rule 2: a rule needs text="),
        ("- pattern: '('\n  text: y", "rule 1: missing )"),
        ("- when: x\n  fault: sttus=1", "rule 1:"),
        ("- when: x\n  fault: 3", "rule 1:"),
        ("when: x", "is no list of rules"),
        ("- when: [", "rules.yaml:"),
        ("- when: 3\n  text: y", "rule 1:"),
    ],
)
def test_wrong_rules_are_named_by_file_and_number(
    emu: Emulator, tmp_path: Path, text: str, reason: str
) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(text)
    with pytest.raises(RuleError) as caught:
        emu.load_rules(path)
    assert str(path) in str(caught.value)
    assert reason in str(caught.value)
    with pytest.raises(RuleError, match=r"missing\.yaml"):
        emu.load_rules(tmp_path / "missing.yaml")


@pytest.fixture
def log(tmp_path: Path) -> Iterator[RequestLog]:
    logger = logging.getLogger("aimlapi_emulator.requests")
    level, log = logger.level, RequestLog(tmp_path / "bodies")
    log.attach()
    yield log
    logger.removeHandler(log)
    logger.setLevel(level)
    logger.propagate = True


def test_each_request_is_one_line(
    log: RequestLog, emu: Emulator, ask: Asker, capfd: pytest.CaptureFixture[str]
) -> None:
    ask.chat("The weather in Rome", tools=[WEATHER, CLOCK], stream=True)
    ask.chat("Hello", tools=[WEATHER])
    ask.chat("Hello", temperature=9)
    ask.client.post("/chat/completions", json={"model": "openai/gpt-5-2\nforged"})
    ask.responses("Get the time in Rome", tools=[flat_tool("get_time", "", city=STRING)])
    lines = [line[9:] for line in capfd.readouterr().err.splitlines()]
    assert len(lines) == 5
    assert lines[0].startswith(
        "200 POST /v1/chat/completions openai/gpt-5-2 stream tools: 2 offered, called: get_weather "
    )
    assert "1 offered, called: none" in lines[1]
    assert lines[1].endswith("1 tools offered, none called: the message is no task")
    assert lines[2].startswith("400 ")
    assert "temperature" in lines[2]
    assert lines[4].startswith("200 POST /v1/responses openai/gpt-5-2-pro tools: 1 offered")


def test_a_line_gives_the_reason_by_the_schema_in_force(
    ask_live: Asker, live: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    """A tool without `strict` is refused by the other schema only."""
    with caplog.at_level(logging.DEBUG, "aimlapi_emulator.requests"):
        loose = {k: v for k, v in flat_tool("f", a=STRING).items() if k != "strict"}
        ask_live.responses("x", tools=[loose], temperature="hot", text={})
    (record,) = caplog.records
    said = line(record.__dict__["request"], record.__dict__["response"])
    assert "strict" not in said
    assert said.endswith("text.format: Required")


def test_bodies_are_written_to_files_without_the_key(
    log: RequestLog, ask: Asker, tmp_path: Path
) -> None:
    ask.chat("Hello", stream=True)
    ask.responses("Hello")
    files = {path.name: path.read_text() for path in (tmp_path / "bodies").iterdir()}
    assert set(files) == {
        "0001-chat-request.json",
        "0001-chat-response.txt",
        "0002-responses-request.json",
        "0002-responses-response.json",
    }
    assert json.loads(files["0001-chat-request.json"])["stream"] is True
    assert files["0001-chat-response.txt"].startswith("data: ")
    assert "output" in json.loads(files["0002-responses-response.json"])
    assert "sk-test-1234" not in "".join(files.values())


def test_the_command_takes_rules_and_a_folder(tmp_path: Path) -> None:
    path, bodies = tmp_path / "rules.yaml", tmp_path / "bodies"
    path.write_text("- when: hello\n  text: Good day.")
    show = ASK.replace("print(answer.status_code)", "print(answer.text)")
    options = ("--rules", str(path), "--log-bodies", str(bodies))
    code, out, err = finished(*options, *python(show))
    assert (code, "Good day." in out) == (0, True)
    assert "by when('hello', text='Good day.')" in err
    assert len(os.listdir(bodies)) == 2
    path.write_text("- when: hello")
    code, _, err = finished(*options, *python(show))
    assert code == 1
    assert f"{path}, rule 1: a rule needs" in err


@pytest.mark.parametrize(
    ("said", "choice", "why"),
    [
        ("Hello there!", "auto", "the message is no task"),
        ("What is the weather?", "none", "tool_choice is 'none'"),
        ("Paint the fence", "auto", "none is named"),
    ],
)
def test_it_is_said_why_no_tool_was_called(
    emu: Emulator, ask: Asker, said: str, choice: str, why: str
) -> None:
    assert ask.calls(said, tools=[WEATHER], tool_choice=choice) == []
    assert why in emu.requests[-1].note
    assert emu.requests[-1].called == ()
    ask.calls("What is the weather in Rome?", tools=[WEATHER])
    assert (emu.requests[-1].called, emu.requests[-1].note) == (("get_weather",), "")
