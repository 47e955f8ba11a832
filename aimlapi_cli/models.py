"""`aimlapi models`: the documented models, with live prices where there is a key."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from decimal import Decimal

from aimlapi_cli.terminal import Terminal
from aimlapi_core import (
    AIMLAPIError,
    CatalogModel,
    Client,
    ConfigurationError,
    Settings,
    nearest,
    nearest_model,
)
from aimlapi_core.models import listed_models, model_info

_EXAMPLES = """examples:
  aimlapi models gpt-5
  aimlapi models claude | sort -k3

The list is that of the vendor's documentation. With a key the live catalogue is asked too, for
models that are newer and for prices, in USD per million tokens.
"""
_HEAD = ["model", "endpoint", "context", "in", "out"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this command."""
    parser.epilog = _EXAMPLES
    parser.add_argument("word", nargs="?", default="", help="part of the id")
    parser.add_argument("--base-url", help="instead of AIMLAPI_BASE_URL")


def run(options: argparse.Namespace, terminal: Terminal) -> int:
    """Print the table."""
    live = _live(Settings(base_url=options.base_url), terminal)
    names = {*listed_models(), *live}
    word = options.word.lower()
    found = sorted(name for name in names if word in name.lower())
    if not found:
        near = nearest_model(options.word) or nearest(options.word, names)
        hint = f" Did you mean {near!r}?" if near else ""
        terminal.error(f"no model's id holds {options.word!r}.{hint}")
        return 1
    rows = [_row(name, live.get(name, [])) for name in found]
    columns = 5 if live else 3  # without the catalogue no price is known
    terminal.table([row[:columns] for row in (_HEAD, *rows)], numbers=range(2, columns))
    if live and terminal.is_terminal:
        terminal.note("Prices in USD per million tokens of input and output.")
    return 0


def _live(settings: Settings, terminal: Terminal) -> dict[str, list[CatalogModel]]:
    """The live catalogue of chat models by id; empty without a key or an answer."""
    try:
        settings.resolved_key()
    except ConfigurationError:
        return {}
    try:
        with Client(settings) as client:
            rows = client.list_models()
    except AIMLAPIError as error:
        terminal.note(f"Without live prices: {error}")
        return {}
    found: dict[str, list[CatalogModel]] = {}
    for row in rows:
        if row.endpoint_type.startswith(("openai/chat-completions", "openai/responses")):
            found.setdefault(row.id, []).append(row)
    return found


def _row(name: str, live: Iterable[CatalogModel]) -> list[str]:
    live = list(live)
    info = model_info(name)
    endpoints = info.endpoints if info else [_endpoint(row) for row in live]
    windows = [info.context_window if info else None, *(row.context_window for row in live)]
    window = next((size for size in windows if size), None)
    prices = next((row.prices for row in live if row.prices), None)
    return [
        name,
        ", ".join(dict.fromkeys(endpoints)),
        f"{window:,}" if window else "",
        _price(prices.input_usd if prices else None),
        _price(prices.output_usd if prices else None),
    ]


def _endpoint(row: CatalogModel) -> str:
    return "chat" if "chat" in row.endpoint_type else "responses"


def _price(usd: Decimal | None) -> str:
    return "" if usd is None else f"{usd.normalize():f}"
