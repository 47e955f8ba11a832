"""Environment variables that point a program at the emulator, and at nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

KEY = "local"
# Where clients look for a user's own key, or for another base URL.
_USER_VARIABLES = ("AIML_API_KEY", "AIMLAPI_API_BASE")


def environment_overrides(base_url: str, environment: Mapping[str, str]) -> dict[str, str | None]:
    """Variables to set, and None for those to remove.

    Proxies are bypassed, since they cannot reach this machine's own address; also when no variable
    names one: Windows and macOS have proxy settings of their own.
    """
    found: dict[str, str | None] = {"AIMLAPI_BASE_URL": base_url, "AIMLAPI_API_KEY": KEY}
    found |= dict.fromkeys(name for name in _USER_VARIABLES if name in environment)
    past = environment.get("no_proxy") or environment.get("NO_PROXY")
    if past != "*":  # bypasses all proxies, but only if it is the whole value
        host = urlsplit(base_url).hostname or ""
        found |= dict.fromkeys(("no_proxy", "NO_PROXY"), f"{past},{host}" if past else host)
    return found


def apply_overrides(base_url: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment with these overrides."""
    both: dict[str, str | None] = {**environment, **environment_overrides(base_url, environment)}
    return {name: value for name, value in both.items() if value is not None}
