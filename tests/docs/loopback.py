"""Refuse every host but this machine."""

from __future__ import annotations

import ipaddress
from typing import Any

_BY_NAME = {"socket.getaddrinfo", "socket.gethostbyname"}
_BY_ADDRESS = {"socket.connect", "socket.sendto", "socket.sendmsg"}


def refuse_other_hosts(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook. Raises PermissionError."""
    host: Any = None
    if event in _BY_NAME:
        host = arguments[0]
    elif event in _BY_ADDRESS and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host not in ("localhost", None) and not _is_loopback(str(host)):
        raise PermissionError(f"a program of the handbook asks for {host!r}: this machine only")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
