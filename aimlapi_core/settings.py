"""How to reach the service: key, base URL, time-outs, retries. Values only; nothing is opened."""

from __future__ import annotations

import inspect
import os
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit, urlunsplit

from aimlapi_core.errors import KEYS_URL, ConfigurationError, MissingKeyError
from aimlapi_core.retry import RetryPolicy

if TYPE_CHECKING:
    import httpx

DEFAULT_BASE_URL = "https://api.aimlapi.com/v1"
KEY_VARIABLES = ("AIMLAPI_API_KEY", "AIML_API_KEY")
BASE_URL_VARIABLE = "AIMLAPI_BASE_URL"

# Slow answers (pro, high effort) keep a connection silent for minutes before the first byte.
DEFAULT_TIMEOUT_S = 600.0
CONNECT_TIMEOUT_S = 10.0
_MAX_TIMEOUT_S = 1_000_000  # sockets take no longer one everywhere

_LOCAL = re.compile(r"localhost|127(\.\d+){3}|::1|.*\.localhost")


class InsecureBaseURLWarning(UserWarning):
    """The base URL sends the key in the clear to another machine."""


ApiKey: TypeAlias = str | Callable[[], str] | None


@dataclass(frozen=True)
class Settings:
    """One account's way to the service.

    `api_key`: the key, or a function that gives one, called for each request (keys that rotate);
    None reads AIMLAPI_API_KEY, then AIML_API_KEY, at each request. `base_url`: a bare host,
    `…/v1` and a trailing slash all work; None reads AIMLAPI_BASE_URL. `max_retries`: at most
    that many repetitions; `retry`: a whole `RetryPolicy` instead. `http_client` and
    `http_async_client` (of httpx, not httpx2) are used as they are and never closed here.

    `timeout`: seconds. A number bounds each wait for bytes to come or go and for a connection
    that is free, and connecting as well, which has 10 seconds at most; an `httpx.Timeout` sets
    the four apart. None means none: a call may then wait for ever. Left at 600, a client that was
    handed in keeps its own. Silence for longer than the time-out ends a call with
    RequestTimeoutError, or StreamCutError inside a stream. It is not repeated, for the service
    has the request (`request_sent`) and may bill it.

    `max_concurrency`: a request is sent once fewer than that many requests of its account (the
    key in force, at that origin) are under way in this process, whoever made them; those of
    objects without a limit neither wait nor count. Where none of them ends within the time-out
    for a free connection, the call ends with ConcurrencyTimeoutError. None: no limit.

    Raises ConfigurationError for what cannot work. The key is in no repr.
    """

    api_key: ApiKey = field(default=None, repr=False)
    base_url: str | None = None
    timeout: float | httpx.Timeout | None = DEFAULT_TIMEOUT_S
    max_retries: int = 2
    default_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    http_client: httpx.Client | None = field(default=None, repr=False)
    http_async_client: httpx.AsyncClient | None = field(default=None, repr=False)
    retry: RetryPolicy | None = None
    max_concurrency: int | None = None

    def __post_init__(self) -> None:
        RetryPolicy(self.max_retries)  # what it refuses is said here
        _check_client("http_client", self.http_client, is_async=False)
        _check_client("http_async_client", self.http_async_client, is_async=True)
        timeout = self.timeout
        # An httpx.Timeout has a `connect`; its class is not imported for this check.
        if not (timeout is None or hasattr(timeout, "connect") or _is_duration(timeout)):
            raise ConfigurationError(
                f"timeout must be a number of seconds above 0 (and below {_MAX_TIMEOUT_S:,}), an "
                f"httpx.Timeout, or None for none, not {timeout!r}"
            )
        if self.base_url is not None:
            normalize_base_url(self.base_url)
        if self.max_concurrency is not None:
            _check_limit(self.max_concurrency)

    def __deepcopy__(self, memo: dict[int, Any]) -> Settings:
        return self  # immutable; a client that was handed in is shared, not copied

    def __getstate__(self) -> dict[str, Any]:
        if self.http_client is not None or self.http_async_client is not None:
            raise TypeError(
                "http_client and http_async_client hold sockets, which cannot be pickled: leave "
                "them out, or build the object where it is used."
            )
        return self.__dict__

    def with_key(self, api_key: ApiKey) -> Settings:
        """These settings with another key; what was judged already is not judged again."""
        settings = object.__new__(Settings)
        settings.__dict__.update(self.__dict__, api_key=api_key)
        return settings

    @property
    def retry_policy(self) -> RetryPolicy:
        """The policy in force: `retry`, else the usual one with `max_retries`."""
        return self.retry or RetryPolicy(self.max_retries)

    def resolved_key(self) -> str:
        """The key for one request. Raises MissingKeyError where there is none."""
        key = self.api_key() if callable(self.api_key) else self.api_key
        if key is None:
            found = (os.environ.get(name, "").strip() for name in KEY_VARIABLES)
            key = next((value for value in found if value), None)
        if inspect.isawaitable(key):
            if inspect.iscoroutine(key):
                key.close()  # or Python warns that it was never awaited
            raise ConfigurationError("api_key's function must give a string, not an awaitable.")
        key = key.strip() if isinstance(key, str) else key
        if not key:
            raise MissingKeyError(
                f"No API key: set the environment variable {KEY_VARIABLES[0]}, or pass api_key. "
                f"Keys are made at {KEYS_URL}."
            )
        if not (isinstance(key, str) and key.isascii() and key.isprintable() and " " not in key):
            del key  # a traceback that shows locals would show it
            raise ConfigurationError(
                "The API key holds a space or a character that no key has: paste it again."
            )
        return key

    def resolved_base_url(self) -> str:
        """The base URL without a trailing slash, its path `/v1` where none was given.

        Warns once of a URL that sends the key in the clear to another machine.
        """
        given = self.base_url or os.environ.get(BASE_URL_VARIABLE, "").strip() or DEFAULT_BASE_URL
        return _normalize_and_warn(given)


def _check_client(name: str, client: object, *, is_async: bool) -> None:
    """A client of another library, or of the other kind, fails at its first error: refuse it.

    httpx2 has exceptions of its own, which would leave untranslated.
    """
    if client is None:
        return
    families = {cls.__module__.partition(".")[0] for cls in type(client).__mro__}
    if "httpx" not in families or hasattr(client, "aclose") != is_async:
        kind = f"{type(client).__module__}.{type(client).__qualname__}"
        wanted = "AsyncClient" if is_async else "Client"
        raise ConfigurationError(f"{name} must be an httpx.{wanted}, not a {kind}")


def _check_limit(limit: object) -> None:
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise ConfigurationError(
            f"max_concurrency must be an int of 1 or more, or None for no limit, not {limit!r}"
        )


def _is_duration(value: object) -> bool:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and 0 < value <= _MAX_TIMEOUT_S  # type: ignore[operator]  # a number, as just seen


@lru_cache(maxsize=64)
def _normalize_and_warn(given: str) -> str:
    url = normalize_base_url(given)
    parts = urlsplit(url)
    if parts.scheme == "http" and not _LOCAL.fullmatch(parts.hostname or ""):
        warnings.warn(
            f"{url} is not https: the API key crosses the network in the clear.",
            InsecureBaseURLWarning,
            stacklevel=2,
        )
    return url


def normalize_base_url(url: str) -> str:
    """`url` without a trailing slash and, where it has no path, with `/v1`."""
    if not isinstance(url, str):
        raise ConfigurationError(_invalid_url_message(url))
    return _normalize(url)


@lru_cache(maxsize=64)
def _normalize(url: str) -> str:
    text = url.strip()
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host = (parts.hostname or "").encode("idna")  # what cannot be looked up fails here
        valid = parts.scheme in ("http", "https") and bool(host) and parts.port != 0
    except ValueError:
        valid = False
    if valid and "@" in parts.netloc:
        raise ConfigurationError("base_url holds a user name or a password; use default_headers.")
    if not valid or parts.query or parts.fragment or " " in text:
        raise ConfigurationError(_invalid_url_message(url))
    path = parts.path.rstrip("/") or "/v1"
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))


def _invalid_url_message(given: object) -> str:
    return f"base_url {given!r} is not the URL of a host, such as {DEFAULT_BASE_URL!r}"
