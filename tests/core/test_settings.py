from __future__ import annotations

import asyncio
import copy
import functools
import pickle
import warnings
from typing import Any

import httpx
import pytest

from aimlapi_core import (
    AsyncClient,
    ChatRequest,
    Client,
    ConfigurationError,
    EmbeddingRequest,
    Message,
    MissingKeyError,
    RetryPolicy,
    Settings,
    Text,
)
from aimlapi_core import settings as settings_module
from aimlapi_core.settings import normalize_base_url
from aimlapi_emulator import Emulator


def awaited_key(settings: Settings) -> str:
    return asyncio.run(settings.with_awaited_key()).resolved_key()


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("https://api.aimlapi.com", "https://api.aimlapi.com/v1"),
        ("https://api.aimlapi.com/", "https://api.aimlapi.com/v1"),
        ("https://api.aimlapi.com/v1", "https://api.aimlapi.com/v1"),
        ("https://api.aimlapi.com/v1///", "https://api.aimlapi.com/v1"),
        ("api.aimlapi.com", "https://api.aimlapi.com/v1"),
        (" http://127.0.0.1:8808 ", "http://127.0.0.1:8808/v1"),
        ("https://gateway.example/aiml/v1/", "https://gateway.example/aiml/v1"),
        ("http://[::1]:8808/v1", "http://[::1]:8808/v1"),
        ("https://api.aimlapi.com/v1/chat/completions", "https://api.aimlapi.com/v1"),
        ("https://api.aimlapi.com/v1/chat/completions/", "https://api.aimlapi.com/v1"),
        ("https://api.aimlapi.com/v1/responses", "https://api.aimlapi.com/v1"),
        ("https://api.aimlapi.com/v1/embeddings", "https://api.aimlapi.com/v1"),
        ("https://api.aimlapi.com/v1/models", "https://api.aimlapi.com/v1"),
        ("https://api.aimlapi.com/chat/completions", "https://api.aimlapi.com/v1"),
        ("api.aimlapi.com/v1/chat/completions", "https://api.aimlapi.com/v1"),
        ("https://gateway.example/responses/v1", "https://gateway.example/responses/v1"),
        ("https://api.aimlapi.com//v1//chat/completions", "https://api.aimlapi.com/v1"),
        ('"https://api.aimlapi.com/v1"', "https://api.aimlapi.com/v1"),
        ("'https://api.aimlapi.com/v1' ", "https://api.aimlapi.com/v1"),
        ("<https://api.aimlapi.com/v1>\n", "https://api.aimlapi.com/v1"),
    ],
)
def test_base_urls_in_every_usual_form(given: str, used: str) -> None:
    assert normalize_base_url(given) == used
    assert Settings(base_url=given).resolved_base_url() == used


@pytest.mark.parametrize(
    "given",
    [
        "",
        "ftp://x",
        "https://",
        "https://a b",
        "http://x:99999",
        "https://x/?a=1",
        "http://[::1",
        "https://a..b",
        "https://u:p@h",
        "https:/api.aimlapi.com/v1",
        "https//api.aimlapi.com/v1",
        "https:api.aimlapi.com",
        "https://https://api.aimlapi.com/v1",
        "https://x/v1/chat/completions?api-version=1",
        '"https://x"y',
    ],
)
def test_bad_base_urls_are_refused_at_once(given: str) -> None:
    with pytest.raises(ConfigurationError, match="base_url"):
        Settings(base_url=given)


def test_the_base_url_of_the_environment_is_read_at_the_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = Settings()
    monkeypatch.setenv("AIMLAPI_BASE_URL", " ")
    assert settings.resolved_base_url() == "https://api.aimlapi.com/v1"
    monkeypatch.setenv("AIMLAPI_BASE_URL", '""')
    assert settings.resolved_base_url() == "https://api.aimlapi.com/v1"
    for given in ("http://localhost:1", '"http://localhost:1/v1/responses"\n'):
        monkeypatch.setenv("AIMLAPI_BASE_URL", given)
        assert settings.resolved_base_url() == "http://localhost:1/v1"


def test_a_missing_key_names_the_variable() -> None:
    with pytest.raises(MissingKeyError, match="AIMLAPI_API_KEY"):
        Settings().resolved_key()


@pytest.mark.parametrize("name", ["AIMLAPI_KEY", "AI_ML_API_KEY"])
def test_a_key_under_another_name_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "sk-secret")
    with pytest.raises(MissingKeyError, match=f"{name} is set, but is not read: rename it") as e:
        Settings().resolved_key()
    assert "secret" not in str(e.value)
    monkeypatch.setenv("AIMLAPI_API_KEY", "sk-other")
    assert Settings().resolved_key() == "sk-other"


@pytest.mark.parametrize(
    "name", ["AIMLAPI_BASEURL", "AIMLAPI_URL", "AIMLAPI_API_BASE", "AIML_BASE_URL"]
)
def test_an_address_under_another_name_is_warned_of(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:9/v1")
    settings_module._normalize_and_warn.cache_clear()
    with pytest.warns(UserWarning, match=f"{name} is set, but is not read: requests go to https"):
        assert Settings().resolved_base_url() == "https://api.aimlapi.com/v1"
    settings_module._normalize_and_warn.cache_clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Settings(base_url="http://localhost").resolved_base_url() == "http://localhost/v1"
        monkeypatch.setenv("AIMLAPI_BASE_URL", "http://localhost:2")
        assert Settings().resolved_base_url() == "http://localhost:2/v1"


def test_keys_come_from_the_argument_then_two_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "of-another-vendor")
    monkeypatch.setenv("AIML_API_KEY", "second")
    monkeypatch.setenv("AIMLAPI_API_KEY", " ")
    assert Settings().resolved_key() == "second"
    monkeypatch.setenv("AIMLAPI_API_KEY", " first\n")
    assert Settings().resolved_key() == "first"
    assert Settings(api_key="given").resolved_key() == "given"
    keys = iter(["one", "two"])
    rotating = Settings(api_key=lambda: next(keys))
    assert [rotating.resolved_key(), rotating.resolved_key()] == ["one", "two"]


@pytest.mark.parametrize(
    "given",
    [
        "sk-1234-abcd",
        " sk-1234-abcd\n",
        '"sk-1234-abcd"',
        "'sk-1234-abcd'\r\n",
        "“sk-1234-abcd”",
        "`sk-1234-abcd`",
        "<sk-1234-abcd>",
        "Bearer sk-1234-abcd",
        "bearer  sk-1234-abcd",
        "Bearer Bearer sk-1234-abcd",
        '"Bearer sk-1234-abcd"',
        'Bearer "sk-1234-abcd"',
        "Authorization: Bearer sk-1234-abcd",
        "\ufeffsk-1234-abcd\u200b",
    ],
)
def test_a_key_is_found_in_what_was_pasted(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an argument, from a function, from each variable; sent as it is in both clients."""
    assert Settings(api_key=given).resolved_key() == "sk-1234-abcd"
    assert Settings(api_key=lambda: given).resolved_key() == "sk-1234-abcd"
    assert awaited_key(Settings(api_key=given)) == "sk-1234-abcd"
    for name in ("AIML_API_KEY", "AIMLAPI_API_KEY"):
        with monkeypatch.context() as patch:
            patch.setenv(name, given)
            assert Settings().resolved_key() == "sk-1234-abcd"


@pytest.mark.parametrize("given", ["", " ", '""', "Bearer ", "Bearer", '"Bearer "', "''"])
def test_a_pasted_nothing_is_no_key(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingKeyError):
        Settings(api_key=given).resolved_key()
    monkeypatch.setenv("AIMLAPI_API_KEY", given)
    monkeypatch.setenv("AIML_API_KEY", "second")
    assert Settings().resolved_key() == "second"


@pytest.mark.parametrize("given", ["bearer-of-news", "authorization", 'sk-"quoted', "'half"])
def test_what_only_looks_like_it_stays_in_a_key(given: str) -> None:
    assert Settings(api_key=given).resolved_key() == given


@pytest.mark.parametrize("given", ["X: y", [("X", "y")], 7, ("X",)])
def test_headers_that_are_no_mapping_are_refused_at_once(given: Any) -> None:
    with pytest.raises(ConfigurationError, match="default_headers"):
        Settings(default_headers=given)


def test_no_headers_are_none() -> None:
    assert Settings(default_headers=None).default_headers == {}  # type: ignore[arg-type]  # as JSON writes it


@pytest.mark.parametrize("given", ["clé", "two words", "a\nb", 7, b"sk-1234"])
def test_keys_that_no_header_can_carry_are_refused(given: str) -> None:
    with pytest.raises(ConfigurationError, match="API key") as caught:
        Settings(api_key=given).resolved_key()
    assert str(given) not in str(caught.value)


async def _key() -> str:
    await asyncio.sleep(0)
    return " k\n"


class _KeySource:
    """No coroutine function, but its result is awaitable."""

    def __call__(self) -> Any:
        return _key()


@pytest.mark.parametrize("source", [_key, _KeySource(), functools.partial(_key)])
def test_an_async_function_for_the_key_is_awaited(source: Any) -> None:
    settings = Settings(api_key=source)
    assert awaited_key(settings) == "k"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ConfigurationError, match="make an asynchronous call"):
            settings.resolved_key()


def test_every_other_key_is_the_same_in_async_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIMLAPI_API_KEY", "of-the-environment")

    async def none() -> None:
        return None

    for given in (None, none, lambda: None):
        key = awaited_key(Settings(api_key=given))  # type: ignore[arg-type]  # None is the environment's
        assert key == "of-the-environment"
    assert awaited_key(Settings(api_key="given")) == "given"
    with pytest.raises(ConfigurationError, match="API key"):
        awaited_key(Settings(api_key="two words"))


def test_async_clients_await_the_key(emu: Emulator) -> None:
    keys = iter(f"sk-key-{number}" for number in range(1000, 1010))

    async def rotating() -> str:
        await asyncio.sleep(0)
        return next(keys)

    request = ChatRequest("openai/gpt-5-2", (Message("user", (Text("hi"),)),))

    async def use() -> None:
        async with AsyncClient(Settings(rotating, emu.base_url, max_concurrency=1)) as client:
            await client.complete(request)
            assert [event async for event in client.stream(request)]
            await client.embed(EmbeddingRequest("text-embedding-3-small", ("a",)))
            await client.account()

    asyncio.run(use())
    sent = [request.headers["authorization"][-4:] for request in emu.requests]
    assert sent == ["1000", "1001", "1002", "1003"]


@pytest.mark.parametrize("given", [0, -1, True, float("nan"), "60", float("inf"), 1e12])
def test_bad_timeouts_are_refused(given: float) -> None:
    with pytest.raises(ConfigurationError, match="timeout"):
        Settings(timeout=given)


def test_the_key_is_in_no_repr() -> None:
    settings = Settings(api_key="sk-secret", default_headers={"X-Token": "sk-secret"})
    assert "sk-secret" not in repr(settings)


def test_settings_travel_but_sockets_do_not() -> None:
    settings = Settings(api_key="k", timeout=5, max_retries=1)
    assert pickle.loads(pickle.dumps(settings)) == settings
    with httpx.Client() as http, pytest.raises(TypeError, match="http_client"):
        pickle.dumps(Settings(http_client=http))


def test_deepcopy_shares_a_client_that_was_handed_in() -> None:
    with httpx.Client() as http:
        assert copy.deepcopy(Settings(http_client=http)).http_client is http


@pytest.mark.parametrize("host", ["localhost", "127.0.0.2", "[::1]", "a.localhost"])
def test_plain_http_to_this_machine_is_fine(host: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Settings(base_url=f"http://{host}:8808").resolved_base_url()


def test_plain_http_to_another_machine_warns_of_the_key() -> None:
    with pytest.warns(UserWarning, match="in the clear"):
        Settings(base_url="http://gateway.example").resolved_base_url()


def test_clients_of_another_kind_are_refused() -> None:
    with httpx.Client() as http:
        Settings(http_client=http)
        with pytest.raises(
            ConfigurationError, match=r"http_async_client must be an httpx.AsyncClient"
        ):
            Settings(http_async_client=http)  # type: ignore[arg-type]  # the fault under test
    with pytest.raises(
        ConfigurationError, match=r"must be an httpx.Client .*not a builtins.object"
    ):
        Settings(http_client=object())  # type: ignore[arg-type]  # the fault under test


def test_a_whole_retry_policy_stands_before_max_retries() -> None:
    assert Settings(max_retries=4).retry_policy.max_retries == 4
    assert Settings(max_retries=4, retry=RetryPolicy(max_retries=1)).retry_policy.max_retries == 1


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_client_shows_its_settings_without_the_key(kind: type[Client | AsyncClient]) -> None:
    client = kind(Settings(api_key="sk-secret", base_url="http://localhost:1", max_retries=5))
    assert repr(client).startswith(f"{kind.__name__}(Settings(base_url='http://localhost:1'")
    assert "max_retries=5" in repr(client)
    assert "secret" not in repr(client)
