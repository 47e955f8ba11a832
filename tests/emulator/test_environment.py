"""The environment of a program that is to reach the emulator, whatever proxies there are."""

from __future__ import annotations

import pytest

from aimlapi_emulator.cli import environment


def test_a_proxy_is_passed_by() -> None:
    proxied = {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "a,b"}
    found = environment.apply_overrides("http://127.0.0.1:1/v1", proxied)
    assert found["no_proxy"] == found["NO_PROXY"] == "a,b,127.0.0.1"
    assert (
        environment.apply_overrides("http://[::1]:1/v1", {"http_proxy": "x"})["no_proxy"] == "::1"
    )


def test_a_proxy_that_only_the_system_names_is_passed_by_too() -> None:
    assert (
        environment.apply_overrides("http://127.0.0.1:1/v1", {"HOME": "/"})["no_proxy"]
        == "127.0.0.1"
    )


@pytest.mark.parametrize("name", ["no_proxy", "NO_PROXY"])
def test_a_star_that_passes_every_proxy_by_stays(name: str) -> None:
    found = environment.environment_overrides(
        "http://127.0.0.1:1/v1", {"http_proxy": "http://x", name: "*"}
    )
    assert found.keys() == {"AIMLAPI_BASE_URL", "AIMLAPI_API_KEY"}
