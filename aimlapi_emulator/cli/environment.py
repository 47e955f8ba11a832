"""The environment of a program that is to talk to the emulator, and to nobody else."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

KEY = "local"
# Where clients look for a key of the user's own, or for another address.
_OWN = ("AIML_API_KEY", "AIMLAPI_API_BASE")


def changes(base_url: str, environment: Mapping[str, str]) -> dict[str, str | None]:
    """What to change in an environment: variables and their values, None for those to remove.

    Proxies are passed by, since they cannot reach this machine's own address; the environment need
    not name them: Windows and macOS keep some of their own.
    """
    found: dict[str, str | None] = {"AIMLAPI_BASE_URL": base_url, "AIMLAPI_API_KEY": KEY}
    found |= dict.fromkeys(name for name in _OWN if name in environment)
    past = environment.get("no_proxy") or environment.get("NO_PROXY")
    if past != "*":  # which passes all by, but only where it stands alone
        host = urlsplit(base_url).hostname or ""
        found |= dict.fromkeys(("no_proxy", "NO_PROXY"), f"{past},{host}" if past else host)
    return found


def changed(base_url: str, environment: Mapping[str, str]) -> dict[str, str]:
    """An environment with those changes made."""
    both: dict[str, str | None] = {**environment, **changes(base_url, environment)}
    return {name: value for name, value in both.items() if value is not None}
