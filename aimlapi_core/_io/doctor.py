"""The `doctor` command: checks installation, API key, connection and models, at no cost."""

from __future__ import annotations

import os
import platform
import time
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
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
from aimlapi_core.models import model_info, nearest_model
from aimlapi_core.models.deprecations import Deprecation, find_deprecation
from aimlapi_core.settings import KEY_VARIABLES, Settings

# The endpoints' types in the model catalog [D complete-model-list.md; C eigent].
_TYPES = {"chat": "openai/chat-completions", "responses": "openai/responses"}
_SCOPES = {"chat": "model:chat", "responses": "model:responses"}
_CHECKED = ("openai/gpt-5-2", "openai/gpt-5-2-chat-latest", "openai/gpt-5-2-pro")
# Each with the versions of pyproject.toml, what needs it, and what installs it.
_PACKAGES = {
    "httpx": (">=0.27,<1", "", "aimlapi-integrations"),
    "pydantic": (">=2.12,<3", "", "aimlapi-integrations"),
    "langchain-core": (">=1.7,<2", "LangChain", "aimlapi-integrations[langchain]"),
    "llama-index-core": (">=0.14.23,<0.15", "LlamaIndex", "aimlapi-integrations[llama-index]"),
    "opentelemetry-api": (">=1.27,<2", "spans", "aimlapi-integrations[otel]"),
}
_LOW_CREDITS = 10_000  # the service's own threshold in its sample of /v1/billing/balance [D]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one check: `ok`, `note` (worth a look) or `wrong`."""

    state: Literal["ok", "note", "wrong"]
    text: str


def run_checks(settings: Settings, models: Sequence[str] = ()) -> Iterator[CheckResult]:
    """Run the checks in order of dependency; stops after a failed key or address.

    `models` are the ids in use; without them those of GPT-5.2 are looked for.
    """
    yield from _check_packages()
    with warnings.catch_warnings(action="ignore"):  # it is reported already
        package_conflict.warn_once_of_conflict()
    try:
        settings.resolved_key()
    except ConfigurationError as error:
        yield CheckResult("wrong", f"API key: {error}")
        return
    yield CheckResult("ok", f"API key: found in {_key_source(settings)}")
    with Client(settings) as client:
        offered = yield from _check_address(client)
        if offered is None:
            return
        is_known = yield from _check_key(client)
        deprecations = yield from _read_deprecations(client)
        yield from _check_models(offered, models or _CHECKED, deprecations)
        if is_known:
            yield from _check_scopes(client)


def _check_packages() -> Iterator[CheckResult]:
    own = _version("aimlapi-integrations")
    if own is None:
        yield CheckResult("note", "aimlapi-integrations: used from a folder, not installed")
    else:
        yield CheckResult("ok", f"aimlapi-integrations {own} on Python {platform.python_version()}")
    for package, (bounds, use, extra) in _PACKAGES.items():
        found, remedy = _version(package), f"pip install -U '{extra}'"
        if found is None and use:
            text = f"{package} is not installed; needed only for {use}: {remedy}"
            yield CheckResult("note", text)
        elif found is None:
            yield CheckResult("wrong", f"{package} is missing: {remedy}")
        elif not package_conflict.is_within(found, bounds):
            text = f"{package} {found} is installed, and {bounds} is needed: {remedy}"
            yield CheckResult("wrong", text)
        else:
            yield CheckResult("ok", f"{package} {found}")
    for problem in (
        package_conflict.find_conflict(metadata=True),
        package_conflict.unreadable_nltk_data(),
    ):
        if problem is not None:
            yield CheckResult("wrong", problem)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _key_source(settings: Settings) -> str:
    if settings.api_key is not None:
        return "the argument api_key"
    return next(name for name in KEY_VARIABLES if os.environ.get(name, "").strip())


def _check_address(client: Client) -> Generator[CheckResult, None, tuple[CatalogModel, ...] | None]:
    """Whether base_url is the service, by its model catalog, which accepts any key."""
    started_s = time.monotonic()
    try:
        url = client.settings.resolved_base_url()
        offered = client.list_models()
    except (ConfigurationError, TransportError, RateLimitError, ServerError) as error:
        yield CheckResult("wrong", f"Address: {error}")
        return None
    except AIMLAPIError as error:
        yield CheckResult("wrong", f"Address: {url} does not answer as AI/ML API does. {error}")
        return None
    took_s = time.monotonic() - started_s
    yield CheckResult("ok", f"Address: {url} answers, {len(offered)} models in {took_s:.1f} s")
    return offered


def _check_key(client: Client) -> Generator[CheckResult, None, bool]:
    """Whether the key is valid, by the balance: the catalog accepts any key."""
    try:
        balance = client.account().balance
    except AuthenticationError:
        yield CheckResult(
            "wrong", f"API key: the service does not know it. Make one at {KEYS_URL}."
        )
        return False
    except PermissionDeniedError as error:
        yield CheckResult("note", f"API key: known, but it may not read the balance. {error}")
        return True
    except AIMLAPIError as error:
        yield CheckResult("wrong", f"API key: the balance cannot be read. {error}")
        return False
    if balance <= 0:
        yield CheckResult("wrong", f"Balance: {balance} USD. Top up at {BILLING_URL}.")
    elif balance * CREDITS_PER_USD < _LOW_CREDITS:
        yield CheckResult("note", f"Balance: {balance} USD, which is little. See {BILLING_URL}.")
    else:
        yield CheckResult("ok", f"API key: the service knows it; the balance is {balance} USD")
    return True


def _read_deprecations(
    client: Client,
) -> Generator[CheckResult, None, tuple[Deprecation, ...]]:
    """The feed of models that are being withdrawn; empty where it cannot be read."""
    try:
        return client.deprecations()
    except AIMLAPIError as error:
        yield CheckResult("note", f"Deprecations of models: cannot be read. {error}")
        return ()


def _check_models(
    offered: tuple[CatalogModel, ...],
    models: Sequence[str],
    deprecations: tuple[Deprecation, ...],
) -> Iterator[CheckResult]:
    """Whether the models are offered, on the endpoints that this library uses, and how long yet."""
    for name in models:
        entry = find_deprecation(name, deprecations)
        if entry is not None:
            text = f"{name}: {entry.describe()}"
            yield CheckResult("wrong" if entry.is_withdrawn else "note", text)
            continue
        found = {row.endpoint_type for row in offered if name in (row.id, *row.aliases)}
        info = model_info(name)
        endpoint = info.endpoints[0] if info else "chat"
        if any(kind.startswith(_TYPES[endpoint]) for kind in found):
            yield CheckResult("ok", f"{name}: offered on the {endpoint} endpoint")
        elif found:
            kinds = ", ".join(sorted(found))
            text = f"{name}: not offered on the {endpoint} endpoint now, but on {kinds}"
            yield CheckResult("wrong", f"{text}. Set endpoint= in your code.")
        else:
            near = nearest_model(name)
            hint = f"did you mean {near!r}?" if near else "`aimlapi models` lists the ids"
            yield CheckResult("wrong", f"{name}: not in the catalogue; {hint}")


def _check_scopes(client: Client) -> Iterator[CheckResult]:
    try:
        scopes = client.key_scopes()
    except AIMLAPIError as error:
        yield CheckResult("note", f"Scopes of the key: cannot be read. {error}")
        return
    missing = [scope for scope in _SCOPES.values() if scopes is not None and scope not in scopes]
    if missing:
        text = f"Scopes of the key: it may not call {', '.join(missing)}. Change it at {KEYS_URL}."
        yield CheckResult("wrong", text)
    else:
        yield CheckResult("ok", "Scopes of the key: chat and responses")


_MARKS = {"ok": "ok   ", "note": "note ", "wrong": "WRONG"}


def print_report(
    settings: Settings, print_line: Callable[[str], None], models: Sequence[str] = ()
) -> bool:
    """Print each result as a line; True if nothing is wrong."""
    wrong = 0
    for result in run_checks(settings, models):
        wrong += result.state == "wrong"
        print_line(f"{_MARKS[result.state]}  {result.text}")
    print_line("Everything is set up." if not wrong else "Put right what is marked WRONG above.")
    return not wrong


def print_deprecations(
    settings: Settings, print_line: Callable[[str], None], models: Sequence[str] = ()
) -> bool:
    """Print the feed, or what it says of `models`; True if none of those is withdrawn."""
    try:
        with Client(settings) as client:
            entries = client.deprecations()
    except AIMLAPIError as error:
        print_line(f"WRONG  {error}")
        return False
    if not models:
        for entry in entries:
            print_line(f"{entry.id}: {entry.describe()}")
        return True
    found = {name: find_deprecation(name, entries) for name in models}
    for name, of_model in found.items():
        near = nearest_model(name) if of_model is None else None
        other = f"not listed as deprecated; did you mean {near!r}?" if near else "not deprecated"
        print_line(f"{name}: {of_model.describe() if of_model else other}")
    return not any(of_model and of_model.is_withdrawn for of_model in found.values())
