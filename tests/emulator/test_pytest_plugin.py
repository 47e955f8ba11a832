"""The pytest plugin: used here itself, and in runs of pytest inside a test."""

from __future__ import annotations

import os

import httpx
import pytest

from aimlapi_emulator import Emulator

pytest_plugins = ["aimlapi_emulator.pytest_plugin", "pytester"]

HEAD = """
import os
import httpx
import pytest
from aimlapi_emulator import Emulator, Fault, Latency

def ask(said, **body):
    body |= {"model": "openai/gpt-5-2", "messages": [{"role": "user", "content": said}]}
    key = {"Authorization": "Bearer " + os.environ["AIMLAPI_API_KEY"]}
    url = os.environ["AIMLAPI_BASE_URL"] + "/chat/completions"
    return httpx.post(url, json=body, headers=key)
"""


@pytest.fixture
def pytester(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    pytester.makeconftest('pytest_plugins = ["aimlapi_emulator.pytest_plugin"]')
    monkeypatch.setenv("AIML_API_KEY", "sk-canary-key")
    # Of the plugins that are installed here only those that a test names.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    return pytester


def run(pytester: pytest.Pytester, code: str, *options: str, plugins: str = "") -> pytest.RunResult:
    """A run of pytest in this process; with plugins, which change a process, in one of its own."""
    pytester.makepyfile(test_mine=HEAD + code)
    if not plugins:
        return pytester.runpytest_inprocess(*options)
    wanted = [word for name in plugins.split() for word in ("-p", name)]
    return pytester.runpytest_subprocess(*wanted, *options)


def test_the_server_is_the_neighbour_of_the_real_service(aimlapi_emulator: Emulator) -> None:
    assert aimlapi_emulator.schema == "live"


def test_the_fixture_is_a_running_emulator(aimlapi_emulator: Emulator) -> None:
    aimlapi_emulator.when("Hello", text="Good morning.")
    assert os.environ["AIMLAPI_BASE_URL"] == aimlapi_emulator.base_url
    body = {"model": "openai/gpt-5-2-pro", "input": "Hello"}
    key = {"Authorization": f"Bearer {os.environ['AIMLAPI_API_KEY']}"}
    answer = httpx.post(f"{aimlapi_emulator.base_url}/responses", json=body, headers=key)
    assert answer.json()["output_text"] == "Good morning."


def test_each_test_begins_anew(pytester: pytest.Pytester) -> None:
    code = """
    def test_one(aimlapi_emulator):
        aimlapi_emulator.latency = Latency(first_token_s=0.01)
        aimlapi_emulator.when("Hello", text="Good morning.")
        aimlapi_emulator.faults.append(Fault(status=400))
        assert ask("Hello").status_code == 400
        assert "Good morning" in ask("Hello").text

    def test_two(aimlapi_emulator):
        assert (aimlapi_emulator.requests, aimlapi_emulator.latency) == ([], Latency())
        assert "AIML_API_KEY" not in os.environ
        assert "You said" in ask("Hello").text
        assert aimlapi_emulator.requests[0].connection == 3

    def test_three():
        assert os.environ["AIML_API_KEY"] == "sk-canary-key"
        assert "AIMLAPI_BASE_URL" not in os.environ
    """
    found = run(pytester, _dedented(code), "-W", "error")
    found.assert_outcomes(passed=3)


def test_a_failure_shows_what_was_seen(pytester: pytest.Pytester) -> None:
    code = """
    def test_it(aimlapi_emulator):
        aimlapi_emulator.when("Hello", text="Good morning.")
        aimlapi_emulator.when("Bye", text="Good night.")
        aimlapi_emulator.faults += [None, None, Fault(drop="after_read"), Fault(status=429)]
        ask("Hello " * 50)
        ask("x", tools=[])
        with pytest.raises(httpx.RemoteProtocolError):
            ask("y")
        assert False
    """
    found = run(pytester, _dedented(code))
    found.assert_outcomes(failed=1)
    found.stdout.fnmatch_lines(
        [
            "*AI/ML API emulator*",
            'POST /v1/chat/completions 200 openai/gpt-5-2 "Hello Hello *..."',
            "    answered by when('Hello', text='Good morning.')",
            'POST /v1/chat/completions 400 openai/gpt-5-2 "x"',
            "    problem: tools: *",
            'POST /v1/chat/completions dropped openai/gpt-5-2 "y"',
            "answered nothing: when('Bye', text='Good night.')",
            "faults that no request has met: 1",
        ]
    )
    told = found.stdout.str()
    assert "canary" not in told
    assert "Bearer ..." not in told
    assert "UnusedRuleWarning" not in told


def test_a_set_up_that_fails_shows_it_too(pytester: pytest.Pytester) -> None:
    code = """
    @pytest.fixture
    def answer(aimlapi_emulator):
        assert ask("Hello").status_code == 500

    def test_it(answer):
        pass

    def test_other(aimlapi_emulator):
        assert False
    """
    found = run(pytester, _dedented(code))
    found.assert_outcomes(errors=1, failed=1)
    found.stdout.fnmatch_lines(['POST * 200 openai/gpt-5-2 "Hello"', "no request was seen"])


def test_a_rule_that_answers_nothing_is_a_warning_or_an_error(pytester: pytest.Pytester) -> None:
    code = """
    def test_it(aimlapi_emulator):
        aimlapi_emulator.when("Bye", text="Good night.")
    """
    found = run(pytester, _dedented(code))
    found.assert_outcomes(passed=1, warnings=1)
    found.stdout.fnmatch_lines(
        ["*test_mine.py::test_it: no request was answered by when('Bye', text='Good night.')"]
    )
    strict = "error::aimlapi_emulator.pytest_plugin.UnusedRuleWarning"
    run(pytester, _dedented(code), "-W", strict).assert_outcomes(passed=1, errors=1)


def test_the_server_can_be_another(pytester: pytest.Pytester) -> None:
    code = """
    @pytest.fixture(scope="session")
    def aimlapi_emulator_server():
        with Emulator(schema="live") as running:
            yield running

    def test_it(aimlapi_emulator):
        assert aimlapi_emulator.schema == "live"
        assert ask("Hello", unknown=1).status_code == 200
    """
    run(pytester, _dedented(code)).assert_outcomes(passed=1)


def test_it_works_under_pytest_socket(pytester: pytest.Pytester) -> None:
    pytest.importorskip("pytest_socket")
    code = """
    import asyncio
    import pytest_socket

    def test_it(aimlapi_emulator):
        assert ask("Hello").status_code == 200
        with pytest.raises(pytest_socket.SocketConnectBlockedError):
            httpx.get("http://192.0.2.1", timeout=1)
    """
    options = ("--disable-socket", "--allow-hosts=127.0.0.1")
    found = run(pytester, _dedented(code), *options, plugins="pytest_socket")
    found.assert_outcomes(passed=1)


def test_workers_of_xdist_have_servers_of_their_own(pytester: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    code = """
    @pytest.mark.parametrize("number", range(4))
    def test_it(aimlapi_emulator, number):
        for _ in range(3):
            ask("Hello")
        assert len(aimlapi_emulator.requests) == 3
        assert number
    """
    found = run(pytester, _dedented(code), "-n", "2", plugins="xdist")
    found.assert_outcomes(passed=3, failed=1)
    found.stdout.fnmatch_lines(['POST /v1/chat/completions 200 openai/gpt-5-2 "Hello"'])


def test_a_request_of_any_form_is_reported(pytester: pytest.Pytester) -> None:
    code = """
    def post(**body):
        key = {"Authorization": "Bearer " + os.environ["AIMLAPI_API_KEY"]}
        return httpx.post(os.environ["AIMLAPI_BASE_URL"] + "/responses", json=body, headers=key)

    def test_it(aimlapi_emulator):
        part = {"type": "input_text", "text": "in parts"}
        output = {"type": "function_call_output", "call_id": ["a"], "output": [part]}
        post(model="openai/gpt-5-2-pro", input=[output])
        aimlapi_emulator.requests.append(None)
        assert False

    def test_other(aimlapi_emulator):
        assert ask("Hello").status_code == 200
    """
    found = run(pytester, _dedented(code))
    found.assert_outcomes(failed=1, passed=1)
    found.stdout.fnmatch_lines(
        [
            'POST /v1/responses 400 openai/gpt-5-2-pro "in parts"',
            "a request could not be read: AttributeError*",
        ]
    )


def test_what_no_terminal_takes_is_escaped(pytester: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    code = r"""
    def test_it(aimlapi_emulator):
        content = rb'{"messages": [{"role": "user", "content": "a \ud83d b \u001b[31m c"}]}'
        httpx.post(os.environ["AIMLAPI_BASE_URL"] + "/chat/completions", content=content)
        assert False

    def test_other(aimlapi_emulator):
        assert ask("Hello").status_code == 200
    """
    found = run(pytester, _dedented(code), "-n", "1", plugins="xdist")
    found.assert_outcomes(failed=1, passed=1)
    assert r'"a \ud83d b \x1b[31m c"' in found.stdout.str()


def test_the_ini_line_goes_with_errors(pytester: pytest.Pytester) -> None:
    line = "error::aimlapi_emulator.pytest_plugin.UnusedRuleWarning"
    pytester.makeini(f"[pytest]\nfilterwarnings =\n    error\n    {line}\n")
    code = """
    def test_it(aimlapi_emulator):
        assert ask("Hello").status_code == 200

    def test_other(aimlapi_emulator):
        aimlapi_emulator.when("Bye", text="Good night.")
    """
    found = run(pytester, _dedented(code))
    found.assert_outcomes(passed=2, errors=1)


def test_undoing_patches_brings_no_key_back(pytester: pytest.Pytester) -> None:
    code = """
    OWN = {"AIMLAPI_API_KEY": "sk-own", "AIMLAPI_BASE_URL": "http://own"}

    @pytest.fixture(autouse=True, scope="module")
    def own():
        os.environ.update(OWN)

    def test_undo(aimlapi_emulator, monkeypatch):
        monkeypatch.undo()
        assert os.environ["AIMLAPI_API_KEY"] == "local"
        assert os.environ["AIMLAPI_BASE_URL"] == aimlapi_emulator.base_url
        assert "AIML_API_KEY" not in os.environ

    def test_own_patches(monkeypatch, aimlapi_emulator):
        monkeypatch.setenv("AIMLAPI_API_KEY", "sk-invalid")
        monkeypatch.setenv("AIML_API_KEY", "sk-invalid")
        assert ask("Hello").status_code == 401

    def test_all_is_as_before():
        assert {name: os.environ[name] for name in OWN} == OWN
        assert os.environ["AIML_API_KEY"] == "sk-canary-key"
    """
    run(pytester, _dedented(code)).assert_outcomes(passed=3)


def test_a_test_may_stop_the_emulator(pytester: pytest.Pytester) -> None:
    code = """
    def test_it(aimlapi_emulator):
        aimlapi_emulator.stop()
        with pytest.raises(httpx.ConnectError):
            ask("Hello")

    def test_other(aimlapi_emulator):
        assert ask("Hello").status_code == 200
    """
    run(pytester, _dedented(code)).assert_outcomes(passed=2)


def test_only_a_test_that_passed_warns_of_unused_rules(pytester: pytest.Pytester) -> None:
    code = """
    def test_skipped(aimlapi_emulator):
        aimlapi_emulator.when("Bye", text="Good night.")
        pytest.skip("not here")

    @pytest.mark.xfail
    def test_xfailed(aimlapi_emulator):
        aimlapi_emulator.when("Bye", text="Good night.")
        assert False
    """
    found = run(pytester, _dedented(code))
    found.assert_outcomes(skipped=1, xfailed=1, warnings=0)


def _dedented(code: str) -> str:
    return "\n".join(line.removeprefix("    ") for line in code.splitlines())


@pytest.mark.parametrize(("option", "status"), [((), 200), (("--aimlapi-only-known-models",), 404)])
def test_only_known_models(pytester: pytest.Pytester, option: tuple[str, ...], status: int) -> None:
    pytester.makeconftest('pytest_plugins = ["aimlapi_emulator.pytest_plugin"]')
    pytester.makepyfile(
        f"""
        import httpx

        def test_status(aimlapi_emulator):
            body = {{"model": "gpt-4o", "messages": [{{"role": "user", "content": "Hello"}}]}}
            url = aimlapi_emulator.base_url + "/chat/completions"
            answer = httpx.post(url, json=body, headers={{"Authorization": "Bearer x"}})
            assert answer.status_code == {status}
        """
    )
    pytester.runpytest_inprocess(*option).assert_outcomes(passed=1)
