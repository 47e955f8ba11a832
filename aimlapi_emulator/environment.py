"""The environment of a program that is to talk to the emulator, and to nobody else."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

KEY = "local"
# Where clients look for a key of the user's own, or for another address.
_OWN = ("AIML_API_KEY", "AIMLAPI_API_BASE")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


def changes(base_url: str, environment: Mapping[str, str]) -> dict[str, str | None]:
    """What to change in an environment: variables and their values, None for those to remove.

    A proxy that it names is passed by, since it cannot reach this machine's own address.
    """
    found: dict[str, str | None] = {"AIMLAPI_BASE_URL": base_url, "AIMLAPI_API_KEY": KEY}
    found |= dict.fromkeys(name for name in _OWN if name in environment)
    if any(name.lower() in _PROXIES for name in environment):
        host = urlsplit(base_url).hostname or ""
        past = environment.get("no_proxy") or environment.get("NO_PROXY")
        found |= dict.fromkeys(("no_proxy", "NO_PROXY"), f"{past},{host}" if past else host)
    return found


def changed(base_url: str, environment: Mapping[str, str]) -> dict[str, str]:
    """An environment with those changes made."""
    both: dict[str, str | None] = {**environment, **changes(base_url, environment)}
    return {name: value for name, value in both.items() if value is not None}
