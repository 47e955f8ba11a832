"""Connections through the proxy that the environment names, one per transport as all others.

httpcore's pools for proxies are used to make connections, never to keep them: see
`single_connection`. Until a tunnel stands nothing of a request is sent, and making one has the
connect time-out.

`_connection` and `_connected` are private to httpcore, the same from 1.0 to 1.0.9;
`tests/core/test_proxies.py` fails if a later one renames them.
"""

from __future__ import annotations

import re
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import httpx

from aimlapi_core._values.no_proxy import is_excluded
from aimlapi_core.errors import ConfigurationError

if TYPE_CHECKING:
    import httpcore

_PORTS = {"http": 80, "https": 443}
_PASSWORD = re.compile(r"//[^/]*@")


def proxy_for(origin: str) -> httpx.Proxy | None:
    """The proxy of the environment for an origin; None if it is reached directly.

    Raises ConfigurationError for settings that cannot be used.
    """
    proxies = getproxies()
    parts = urlsplit(origin)
    url = proxies.get(parts.scheme) or proxies.get("all")
    if url is None:
        return None
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    try:
        if is_excluded(parts.scheme, host, port, proxies.get("no", "")):
            return None
    except ValueError as exc:
        raise ConfigurationError(
            f"NO_PROXY holds {str(exc)!r}, which is no host, address or network, such as "
            "'example.com', '::1' or '10.0.0.0/8': correct it."
        ) from None
    return _proxy(url)


def _proxy(url: str) -> httpx.Proxy:
    try:
        proxy = httpx.Proxy(url if "://" in url else f"http://{url}")
    except (ValueError, httpx.InvalidURL) as exc:
        # Without a chain: its messages may hold the password.
        kind = "" if isinstance(exc, httpx.InvalidURL) else f" ({_PASSWORD.sub('//', str(exc))})"
        raise ConfigurationError(
            f"The proxy in the environment cannot be used{kind}. Set HTTP_PROXY, HTTPS_PROXY or "
            "ALL_PROXY to a URL such as 'http://host:3128' or 'socks5://host:1080'."
        ) from None
    if proxy.url.scheme.startswith("socks") and find_spec("socksio") is None:
        raise ConfigurationError("A SOCKS proxy needs socksio: pip install 'httpx[socks]'.")
    return proxy


def connect_through(
    proxy: httpx.Proxy, http_pool: Any, socks_pool: Any, origin: httpcore.Origin, **kwargs: Any
) -> Any:
    """An httpcore connection to `origin` through a proxy, not yet opened.

    `http_pool`, `socks_pool`: httpcore's classes, both synchronous or both asynchronous.
    """
    import httpcore

    url = httpcore.URL(
        scheme=proxy.url.raw_scheme,
        host=proxy.url.raw_host,
        port=proxy.url.port,
        target=proxy.url.raw_path,
    )
    if proxy.url.scheme.startswith("socks"):
        pool = socks_pool(proxy_url=url, proxy_auth=proxy.raw_auth, **kwargs)
        return pool.create_connection(origin)
    pool = http_pool(
        proxy_url=url,
        proxy_auth=proxy.raw_auth,
        proxy_headers=proxy.headers.raw,
        proxy_ssl_context=proxy.ssl_context,
        **kwargs,
    )
    connection = pool.create_connection(origin)
    _use_connect_timeout(connection._connection)
    return connection


def _use_connect_timeout(to_proxy: Any) -> None:
    """httpcore waits for the answer to CONNECT as long as for that to a request: minutes."""
    for name in ("handle_request", "handle_async_request"):
        if hasattr(to_proxy, name):
            setattr(to_proxy, name, partial(_send, getattr(to_proxy, name)))


def _send(send: Any, request: httpcore.Request) -> Any:
    if request.method == b"CONNECT":
        timeouts = request.extensions.get("timeout", {})
        bound = dict.fromkeys(("read", "write"), timeouts.get("connect"))
        request.extensions = {**request.extensions, "timeout": {**timeouts, **bound}}
    return send(request)


def with_default_timeout(stream: Any, timeout_s: float | None) -> Any:
    """A network stream whose reads and writes end, also where httpcore's SOCKS sets no time-out."""
    stream.read = partial(stream.read, timeout=timeout_s)
    stream.write = partial(stream.write, timeout=timeout_s)
    return stream


def was_sent(error: BaseException) -> bool:
    """Whether any of the request may have been sent: False if no connection or tunnel stood.

    httpcore raises for a tunnel what it raises for a request, so its frames must tell.
    """
    seen: BaseException | None = error
    while seen is not None:
        trace = seen.__traceback__
        while trace is not None:
            frame, trace = trace.tb_frame, trace.tb_next
            if str(frame.f_globals.get("__name__")).startswith("httpcore"):
                connection = frame.f_locals.get("self")
                if getattr(connection, "_connected", True) is False:  # of a tunnel
                    return False
                if getattr(connection, "_connection", True) is None:
                    return False
        seen = seen.__cause__ or seen.__context__
    return True


def was_cut(error: BaseException) -> bool:
    """Whether only a part of the request was written, and no response came.

    Known of our own connections alone: one of HTTP/2 may fail to write when all of it was sent.
    """
    from aimlapi_core._io.sockets.http11_connection import CutRequestError

    return isinstance(error.__cause__, CutRequestError)
