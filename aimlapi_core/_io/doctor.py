"""Is everything set up? Looks, in words for a newcomer, and pays for nothing."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from aimlapi_core._adapters import package_conflict
from aimlapi_core._io.client import Client
from aimlapi_core._wire.usage import CREDITS_PER_USD
from aimlapi_core.account import CatalogModel
from aimlapi_core.errors import (
    BILLING_URL,
    KEYS_URL,
    AIMLAPIError,
    AuthenticationError,
    ConfigurationError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    TransportError,
)
from aimlapi_core.models import MODELS
from aimlapi_core.settings import KEY_VARIABLES, Settings

# What the endpoints are called in the catalogue [D complete-model-list.md; C eigent].
_TYPES = {"chat": "openai/chat-completions", "responses": "openai/responses"}
_SCOPES = {"chat": "model:chat", "responses": "model:responses"}
_CHECKED = ("openai/gpt-5-2", "openai/gpt-5-2-chat-latest", "openai/gpt-5-2-pro")
_PACKAGES = {
    "httpx": "",
    "pydantic": "",
    "langchain-core": "LangChain: pip install 'aimlapi-integrations[langchain]'",
    "llama-index-core": "LlamaIndex: pip install 'aimlapi-integrations[llama-index]'",
    "opentelemetry-api": "spans: pip install 'aimlapi-integrations[otel]'",
}
_LOW_CREDITS = 10_000  # the service's own threshold in its sample of /v1/billing/balance [D]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: `ok`, worth a look (`note`), or `wrong`."""

    state: Literal["ok", "note", "wrong"]
    text: str


def examine(settings: Settings) -> Iterator[Finding]:
    """What there is to say, in the order in which things are needed."""
    yield from _packages()
    try:
        settings.resolved_key()
    except ConfigurationError as error:
        yield Finding("wrong", f"API key: {error}")
        return
    yield Finding("ok", f"API key: found in {_source(settings)}")
    with Client(settings) as client:
        offered = yield from _reach(client)
        if offered is None:
            return
        is_known = yield from _key(client)
        yield from _models(offered)
        if is_known:
            yield from _scopes(client)


def _packages() -> Iterator[Finding]:
    own = _version("aimlapi-integrations")
    if own is None:
        yield Finding("note", "aimlapi-integrations: used from a folder, not installed")
    else:
        yield Finding("ok", f"aimlapi-integrations {own} on Python {platform.python_version()}")
    for package, extra in _PACKAGES.items():
        found = _version(package)
        if found is not None:
            yield Finding("ok", f"{package} {found}")
        elif extra:
            yield Finding("note", f"{package} is not installed; needed only for {extra}")
        else:
            yield Finding("wrong", f"{package} is missing: pip install aimlapi-integrations")
    for trouble in (package_conflict.trouble(metadata=True), package_conflict.refused_data()):
        if trouble is not None:
            yield Finding("wrong", trouble)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _source(settings: Settings) -> str:
    if settings.api_key is not None:
        return "the argument api_key"
    return next(name for name in KEY_VARIABLES if os.environ.get(name, "").strip())


def _reach(client: Client) -> Generator[Finding, None, tuple[CatalogModel, ...] | None]:
    """The catalogue, which is open to all: whether the address is the service's."""
    began_s = time.monotonic()
    try:
        url = client.settings.resolved_base_url()
        offered = client.list_models()
    except (ConfigurationError, TransportError, RateLimitError, ServerError) as error:
        yield Finding("wrong", f"Address: {error}")
        return None
    except AIMLAPIError as error:
        yield Finding("wrong", f"Address: {url} does not answer as AI/ML API does. {error}")
        return None
    took_s = time.monotonic() - began_s
    yield Finding("ok", f"Address: {url} answers, {len(offered)} models in {took_s:.1f} s")
    return offered


def _key(client: Client) -> Generator[Finding, None, bool]:
    """The balance: the catalogue takes any key, so only this tells a good one."""
    try:
        balance = client.account().balance
    except AuthenticationError:
        yield Finding("wrong", f"API key: the service does not know it. Make one at {KEYS_URL}.")
        return False
    except PermissionDeniedError as error:
        yield Finding("note", f"API key: known, but it may not read the balance. {error}")
        return True
    except AIMLAPIError as error:
        yield Finding("wrong", f"API key: the balance cannot be read. {error}")
        return False
    if balance <= 0:
        yield Finding("wrong", f"Balance: {balance} USD. Top up at {BILLING_URL}.")
    elif balance * CREDITS_PER_USD < _LOW_CREDITS:
        yield Finding("note", f"Balance: {balance} USD, which is little. See {BILLING_URL}.")
    else:
        yield Finding("ok", f"API key: the service knows it; the balance is {balance} USD")
    return True


def _models(offered: tuple[CatalogModel, ...]) -> Iterator[Finding]:
    """Whether the three models are offered on the endpoints that this library calls them on."""
    for info in (MODELS[name] for name in _CHECKED):
        found = {row.endpoint_type for row in offered if info.id in (row.id, *row.aliases)}
        endpoint = info.endpoints[0]
        if any(kind.startswith(_TYPES[endpoint]) for kind in found):
            yield Finding("ok", f"{info.id}: offered on the {endpoint} endpoint")
        elif found:
            kinds = ", ".join(sorted(found))
            text = f"{info.id}: not offered on the {endpoint} endpoint now, but on {kinds}"
            yield Finding("wrong", f"{text}. Set endpoint= in your code.")
        else:
            yield Finding("wrong", f"{info.id}: not in the catalogue; see client.list_models()")


def _scopes(client: Client) -> Iterator[Finding]:
    try:
        scopes = client.key_scopes()
    except AIMLAPIError as error:
        yield Finding("note", f"Scopes of the key: cannot be read. {error}")
        return
    missing = [scope for scope in _SCOPES.values() if scopes is not None and scope not in scopes]
    if missing:
        text = f"Scopes of the key: it may not call {', '.join(missing)}. Change it at {KEYS_URL}."
        yield Finding("wrong", text)
    else:
        yield Finding("ok", "Scopes of the key: chat and responses")


_MARKS = {"ok": "ok   ", "note": "note ", "wrong": "WRONG"}


def report(settings: Settings, tell: Callable[[str], None]) -> bool:
    """Tell each finding as a line; True when nothing is wrong."""
    wrong = 0
    for finding in examine(settings):
        wrong += finding.state == "wrong"
        tell(f"{_MARKS[finding.state]}  {finding.text}")
    tell("Everything is set up." if not wrong else f"{wrong} thing(s) to put right, see above.")
    return not wrong
