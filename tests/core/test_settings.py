from __future__ import annotations

import copy
import pickle
import warnings

import httpx
import pytest

from aimlapi_core import ConfigurationError, MissingKeyError, RetryPolicy, Settings
from aimlapi_core.settings import normalize_base_url


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
    monkeypatch.setenv("AIMLAPI_BASE_URL", "http://localhost:1")
    assert settings.resolved_base_url() == "http://localhost:1/v1"


def test_a_missing_key_names_the_variable() -> None:
    with pytest.raises(MissingKeyError, match="AIMLAPI_API_KEY"):
        Settings().resolved_key()


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


@pytest.mark.parametrize("given", ["clé", "two words", "a\nb", 7])
def test_keys_that_no_header_can_carry_are_refused(given: str) -> None:
    with pytest.raises(ConfigurationError, match="API key") as caught:
        Settings(api_key=given).resolved_key()
    assert str(given) not in str(caught.value)


def test_an_async_function_for_the_key_is_refused() -> None:
    async def key() -> str:
        return "k"

    with pytest.raises(ConfigurationError, match="not an awaitable"):
        Settings(api_key=key).resolved_key()  # type: ignore[arg-type]  # the fault under test


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
        ConfigurationError, match=r"http_client must be an httpx.Client, not a builtins.object"
    ):
        Settings(http_client=object())  # type: ignore[arg-type]  # the fault under test
    httpx2 = pytest.importorskip("httpx2", reason="comes with langsmith, on some versions")
    with httpx2.Client() as other, pytest.raises(ConfigurationError, match="httpx2"):
        Settings(http_client=other)


def test_a_whole_retry_policy_stands_before_max_retries() -> None:
    assert Settings(max_retries=4).retry_policy.max_retries == 4
    assert Settings(max_retries=4, retry=RetryPolicy(max_retries=1)).retry_policy.max_retries == 1
