"""The TLS context: one for all connections of a process, since each takes tens of milliseconds."""

from __future__ import annotations

import os
import ssl
import threading
from urllib.parse import urlsplit

import httpx

from aimlapi_core.errors import ConfigurationError

_lock = threading.Lock()
_built: list[ssl.SSLContext] = []


def origin_of(url: str) -> str:
    """The scheme, host and port of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def is_tls(origin: str) -> bool:
    """Whether an origin is reached through TLS."""
    return origin.startswith("https:")


def ssl_context_for(origin: str) -> ssl.SSLContext:
    """The TLS context; for plain http an empty one, as httpx requires one: it is cheap."""
    return tls_context() if is_tls(origin) else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def tls_context() -> ssl.SSLContext:
    """The TLS context, built once per process, in about 84 ms; other threads wait for it."""
    with _lock:
        if not _built:
            try:
                _built.append(httpx.create_ssl_context())
            except (OSError, ValueError) as exc:
                raise ConfigurationError(
                    f"The TLS certificates cannot be read: {exc}. Check SSL_CERT_FILE."
                ) from exc
        return _built[0]


def _after_fork() -> None:
    """The lock may have been held by another thread of the parent."""
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_after_fork)
