"""Connection settings: API key, base URL, time-outs, retries. Values only; opens nothing."""

from __future__ import annotations

import inspect
import os
import re
import warnings
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit, urlunsplit

from aimlapi_core._values.pasted import pasted_key, unquoted
from aimlapi_core._values.plain import plain_number
from aimlapi_core._values.traceback_locals import clears_locals
from aimlapi_core._values.warn_once import warn_once
from aimlapi_core.errors import KEYS_URL, ConfigurationError, MissingKeyError
from aimlapi_core.retry import RetryPolicy

if TYPE_CHECKING:
    import httpx

DEFAULT_BASE_URL = "https://api.aimlapi.com/v1"
KEY_VARIABLES = ("AIMLAPI_API_KEY", "AIML_API_KEY")
# Names that other programs use; their values are not looked at.
_NEAR_KEY_VARIABLES = (
    "AIMLAPI_KEY",
    "AI_ML_API_KEY",
    "AIML_KEY",
    "AIMLAPI_TOKEN",
    "AIML_API_TOKEN",
    "AIMLAPI_APIKEY",
)
BASE_URL_VARIABLE = "AIMLAPI_BASE_URL"
_NEAR_BASE_URL_VARIABLES = tuple(
    f"{start}_{end}"
    for start in ("AIMLAPI", "AIMLAPI_API", "AIML", "AIML_API")
    for end in ("BASEURL", "BASE_URL", "BASE", "URL", "ENDPOINT")
    if f"{start}_{end}" != BASE_URL_VARIABLE
)

# Slow models (pro, high effort) send nothing for minutes before the first byte.
DEFAULT_TIMEOUT_S = 600.0
CONNECT_TIMEOUT_S = 10.0
_MAX_TIMEOUT_S = 1_000_000  # sockets do not accept a longer one on every platform

_NUMBERS = (("timeout", "float"), ("max_retries", "int"), ("max_concurrency", "int"))

# What the URL of one endpoint has behind the base URL.
_ENDPOINT = re.compile(r"/((chat/)?completions|responses|embeddings|models)$")
_SLASHES = re.compile(r"/{2,}")
_PASSWORD = re.compile(r"//[^/]*@")
_MAX_URL_LENGTH = 60_000  # httpx takes 65,536 with the path

_LOCAL = re.compile(r"localhost|127(\.\d+){3}|::1|.*\.localhost")


class InsecureBaseURLWarning(UserWarning):
    """The base URL sends the API key unencrypted to another machine."""


ApiKey: TypeAlias = str | Callable[[], str | Awaitable[str]] | None


@dataclass(frozen=True)
class Settings:
    """How to reach the service with one account.

    `api_key`: the key, or a function that returns one, called for each request (rotating keys); an
    async function works in async calls. None reads AIMLAPI_API_KEY, then AIML_API_KEY, at each
    request. `base_url`: a bare host, `…/v1`, a trailing slash and an endpoint's URL all work; None
    reads AIMLAPI_BASE_URL. Quotes around either, and `Bearer ` before a key, are left out.
    `max_retries`: at most that many retries; `retry`: a whole `RetryPolicy` instead. `http_client`
    and `http_async_client` (of httpx or httpx2) are used unchanged and never closed here.

    `timeout`: seconds. A number is the read, write and pool time-out, and the connect time-out up
    to 10 seconds; an `httpx.Timeout` sets the four separately. None disables them: a call may then
    wait forever. Left at 600, a client that was passed in keeps its own. After the read time-out
    a call raises RequestTimeoutError, or StreamCutError inside a stream. It is not retried, as the
    service has the request (`request_sent`) and may bill it.

    `max_concurrency`: a request is sent once fewer than that many requests of its account (the
    current key, at that origin) are in flight in this process, from any object; those of objects
    without a limit neither wait nor count. If none of them ends within the pool time-out, the
    call raises ConcurrencyTimeoutError. None: no limit.

    Raises ConfigurationError for invalid settings. The key is not in the repr.
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
        for name, kind in _NUMBERS:
            object.__setattr__(self, name, plain_number(getattr(self, name), kind))
        if self.default_headers is None:
            object.__setattr__(self, "default_headers", {})
        if not isinstance(self.default_headers, Mapping):
            kind = type(self.default_headers).__name__
            raise ConfigurationError(f"default_headers must map names to values, not be a {kind}")
        RetryPolicy(self.max_retries)  # validates max_retries
        if not isinstance(self.retry, RetryPolicy | None):
            kind = type(self.retry).__name__
            raise ConfigurationError(
                f"retry must be a RetryPolicy, not a {kind}; max_retries takes a number of retries."
            )
        _check_client("http_client", self.http_client, is_async=False)
        _check_client("http_async_client", self.http_async_client, is_async=True)
        timeout = self.timeout
        # Duck typing for httpx.Timeout, to avoid importing httpx here.
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
        return self  # immutable; a client that was passed in is shared, not copied

    def __getstate__(self) -> dict[str, Any]:
        check_picklable(self.http_client, self.http_async_client)
        # A frozen mapping of headers cannot be pickled.
        return {**self.__dict__, "default_headers": dict(self.default_headers)}

    def with_key(self, api_key: ApiKey) -> Settings:
        """These settings with another key, without validating the rest again."""
        settings = object.__new__(Settings)
        settings.__dict__.update(self.__dict__, api_key=api_key)
        return settings

    @property
    def retry_policy(self) -> RetryPolicy:
        """The effective policy: `retry`, else the default one with `max_retries`."""
        return self.retry or RetryPolicy(self.max_retries)

    def resolved_key(self) -> str:
        """The key for one request. Raises MissingKeyError if there is none."""
        key = self.api_key() if callable(self.api_key) else self.api_key
        if inspect.isawaitable(key):
            if hasattr(key, "close"):
                key.close()  # or Python warns that it was never awaited
            raise ConfigurationError(
                "api_key is an async function, which a synchronous call cannot await: make an "
                "asynchronous call (ainvoke, achat, AsyncClient), or give a plain function."
            )
        if key is None:
            found = (pasted_key(os.environ.get(name, "")) for name in KEY_VARIABLES)
            key = next((value for value in found if value), None)
        key = pasted_key(key) if isinstance(key, str) else key
        if not key:
            near = next((name for name in _NEAR_KEY_VARIABLES if name in os.environ), None)
            hint = f" {near} is set, but is not read: rename it." if near else ""
            raise MissingKeyError(
                f"No API key: set the environment variable {KEY_VARIABLES[0]} (or, in Python, "
                f"pass api_key)."
                f"{hint} Keys are made at {KEYS_URL}."
            )
        if not (isinstance(key, str) and key.isascii() and key.isprintable() and " " not in key):
            del key  # a traceback with locals would show it
            raise ConfigurationError(
                "The API key holds a space or a character that no key has: paste it again."
            )
        return key

    async def with_awaited_key(self) -> Settings:
        """These settings with the key that their function gives for one request, awaited if async.

        Not the key itself, which would be a local variable in the tracebacks of its holder.
        """
        if not callable(self.api_key):
            return self
        key = self.api_key()
        return self.with_key(await key if inspect.isawaitable(key) else key)

    def resolved_base_url(self) -> str:
        """The base URL without a trailing slash, with `/v1` if it has no path.

        Warns once about a URL that sends the key unencrypted to another machine, and about a
        variable that is set but not read, as requests then go where the user does not expect.
        """
        return _normalize_and_warn(self.base_url or unquoted(os.environ.get(BASE_URL_VARIABLE, "")))


# The constructor that `dataclass` wrote has the key as an argument.
Settings.__init__ = clears_locals(Settings.__init__)  # type: ignore[method-assign]  # same signature


def checked_settings(given: Settings) -> Settings:
    """The settings of a client. Raises ConfigurationError for anything else, such as a key."""
    if not isinstance(given, Settings):
        raise ConfigurationError("A client takes Settings: Client(Settings(api_key=…)).")
    return given


def check_picklable(*clients: Any) -> None:
    """Raise TypeError for a caller's HTTP client."""
    if any(client is not None for client in clients):
        raise TypeError(
            "http_client and http_async_client hold sockets, which cannot be pickled: leave "
            "them out, or build the object where it is used."
        )


def _check_client(name: str, client: object, *, is_async: bool) -> None:
    """Raise ConfigurationError unless it is of httpx or httpx2, and (a)synchronous as required."""
    if client is None:
        return
    families = {cls.__module__.partition(".")[0] for cls in type(client).__mro__}
    if not families & {"httpx", "httpx2"} or hasattr(client, "aclose") != is_async:
        kind = f"{type(client).__module__}.{type(client).__qualname__}"
        wanted = "AsyncClient" if is_async else "Client"
        raise ConfigurationError(f"{name} must be an httpx.{wanted} (or of httpx2), not a {kind}")


def _check_limit(limit: object) -> None:
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise ConfigurationError(
            f"max_concurrency must be an int of 1 or more, or None for no limit, not {limit!r}"
        )


def _is_duration(value: object) -> bool:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and 0 < value <= _MAX_TIMEOUT_S  # type: ignore[operator]  # a number


@lru_cache(maxsize=64)
def _normalize_and_warn(given: str) -> str:
    """`given` is empty where neither an argument nor the variable names an address."""
    near = next((name for name in _NEAR_BASE_URL_VARIABLES if name in os.environ), None)
    if near and not given:
        message = (
            f"{near} is set, but is not read: requests go to {DEFAULT_BASE_URL}. Rename it to "
            f"{BASE_URL_VARIABLE}, or pass base_url."
        )
        warn_once(("variable", near), message, UserWarning)
    url = normalize_base_url(given or DEFAULT_BASE_URL)
    parts = urlsplit(url)
    if parts.scheme == "http" and not _LOCAL.fullmatch(parts.hostname or ""):
        warnings.warn(
            f"{url} is not https: the API key crosses the network in the clear.",
            InsecureBaseURLWarning,
            stacklevel=2,
        )
    return url


def normalize_base_url(url: str) -> str:
    """`url` without a trailing slash or an endpoint's path, and with `/v1` if it has no path."""
    if not isinstance(url, str):
        raise ConfigurationError(_invalid_url_message(url))
    return _normalize(url)


@lru_cache(maxsize=64)
def _normalize(url: str) -> str:
    text = unquoted(url)
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host = _dns_name(parts.hostname or "")
        valid = parts.scheme in ("http", "https") and bool(host) and parts.port != 0
        valid = valid and text.isprintable() and len(text) < _MAX_URL_LENGTH
        valid = valid and host not in (b"http", b"https")  # of "https:/host", "https//host"
    except ValueError:
        valid = False
    if valid and "@" in parts.netloc:
        raise ConfigurationError("base_url holds a user name or a password; use default_headers.")
    if not valid or parts.query or parts.fragment or " " in text:
        raise ConfigurationError(_invalid_url_message(url))
    path = _ENDPOINT.sub("", _SLASHES.sub("/", parts.path).rstrip("/")) or "/v1"
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))


def _dns_name(host: str) -> bytes:
    """A host as DNS looks it up. Raises ValueError for one that it, or httpx, does not take."""
    name = host.encode("idna")
    if not host.isascii():
        import idna  # httpx's, whose rules are stricter

        name = idna.encode(host)
    return name


def _invalid_url_message(given: object) -> str:
    shown = _PASSWORD.sub("//***@", given) if isinstance(given, str) else given
    return f"base_url {shown!r:.200} is not the URL of a host, such as {DEFAULT_BASE_URL!r}"
