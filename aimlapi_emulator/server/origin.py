"""Refuses requests of web pages, which may send requests to any server on their reader's machine.

A page's request has an `Origin`, but for a plain GET. A page whose own name was made to resolve to
this machine (DNS rebinding) sends a GET without one, and its name as `Host`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping


def is_loopback(host: str) -> bool:
    """Whether an address or name is of this machine alone."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def why_refused(headers: Mapping[str, str], listens_on: str) -> str | None:
    """Why a request is refused by its head; None if it is not. `headers` by lower-case names.

    Only an emulator that was told to listen on other addresses than loopback is asked for by other
    names.
    """
    origin = headers.get("origin")
    if origin is not None:
        return (
            f"The emulator answers no web page, and this request is of {origin[:200]!r} by its "
            "Origin: send it from a program, without that header"
        )
    host = headers.get("host", "").strip()
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    if is_loopback(listens_on) and not is_loopback(name):
        return (
            f"The emulator listens on this machine alone, and this request is for {host[:200]!r} "
            "by its Host: use the base URL that the emulator gives, or start it with --host"
        )
    return None
