"""Account endpoints: requests and parsers for the balance, the usage logs and the model catalog.

Sources: aimlapi/api-docs billing-v2.json, logs-v2.json, models.json and key-get.json, state
2026-08-21 [D]. Parsing is lenient: a member that is missing or of another type is None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from typing import Any, TypeAlias

from aimlapi_core._error_reading.responses import describe_payload
from aimlapi_core._json_reading import as_float, as_int, as_mapping, as_mappings, nonempty_str
from aimlapi_core._values.exact_decimal import EXACT, parse_decimal, round_half_even
from aimlapi_core._wire.usage import CREDITS_PER_USD
from aimlapi_core.errors import InvalidRequestError, UnexpectedReplyError
from aimlapi_core.settings import Settings

Query: TypeAlias = tuple[tuple[str, str], ...]

_MAX_PAGE_SIZE = 100  # log entries per page [D]


@dataclass(frozen=True, slots=True)
class AccountRequest:
    """A GET request. `path` is relative to the host's root; `etag` makes it conditional.

    `settings`: those of another account, None for the client's own. `needs_key`: whether the key
    is sent.
    """

    path: str
    query: Query = ()
    etag: str | None = None
    settings: Settings | None = None
    needs_key: bool = True

    def for_account(self, settings: Settings) -> AccountRequest:
        """The same request for another account."""
        return replace(self, settings=settings)


@dataclass(frozen=True, slots=True)
class Account:
    """The balance in `currency`, which is always USD. Decimal, as the service reports it."""

    balance: Decimal
    currency: str = "USD"


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """One request in the usage logs of the service. A failed one costs nothing [D]."""

    created: datetime | None
    status: str
    model: str | None
    credits: int
    input_tokens: int
    output_tokens: int
    request_id: str | None
    inference_id: str | None
    client_request_id: str | None


@dataclass(frozen=True, slots=True)
class LogPage:
    """Requests, newest first. `total` counts all pages."""

    calls: tuple[LoggedCall, ...]
    total: int
    has_more: bool


@dataclass(frozen=True, slots=True)
class Prices:
    """USD per million tokens, None if the catalog lists no per-token price."""

    input_usd: Decimal | None = None
    output_usd: Decimal | None = None

    def credits_for(self, input_tokens: int, output_tokens: int) -> int | None:
        """An estimate in credits, input and output rounded up separately; None without a price.

        The rounding is inferred from the one published bill, of 409 credits. Cached tokens may
        cost less than estimated.
        """
        total = 0
        for tokens, usd in ((input_tokens, self.input_usd), (output_tokens, self.output_usd)):
            if tokens and usd is None:
                return None
            if usd is not None:
                exact = EXACT.multiply(usd, tokens * CREDITS_PER_USD)
                exact = EXACT.divide(exact, 1_000_000)
                total += int(exact.to_integral_value(ROUND_CEILING, EXACT))
        return total


@dataclass(frozen=True, slots=True)
class CatalogModel:
    """An entry of the model catalog: one model on one endpoint.

    `endpoint_type` is the service's name (`openai/chat-completions`,
    `openai/responses/submit`, `openai/embeddings`). `prices` is None if they are not per token.
    Third parties saw incomplete `capabilities` [V 2026-09]. `raw` is the JSON object.
    """

    id: str
    aliases: tuple[str, ...]
    endpoint_type: str
    name: str | None = None
    developer: str | None = None
    context_window: int | None = None
    max_output_tokens: int | None = None
    capabilities: tuple[str, ...] = ()
    prices: Prices | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


BALANCE_REQUEST = AccountRequest("/v2/billing")
KEY_REQUEST = AccountRequest("/v1/key")


def logs_request(
    *,
    period: str | None,
    start: datetime | None = None,
    end: datetime | None = None,
    models: tuple[str, ...] = (),
    status: str | None = None,
    limit: int = 50,
    offset: int = 0,
) -> AccountRequest:
    """The request for a page of the logs. Raises InvalidRequestError for invalid arguments."""
    if (period is None) == (start is None or end is None) or (start is None) != (end is None):
        raise InvalidRequestError("Give either period, or both start and end, to usage_logs.")
    if not 1 <= limit <= _MAX_PAGE_SIZE or offset < 0:
        raise InvalidRequestError(f"limit must be 1 to {_MAX_PAGE_SIZE} and offset 0 or more.")
    if len(models) > 50 or any("," in model for model in models):  # [D logs-v2.json]
        raise InvalidRequestError("usage_logs takes 50 models at most, and no comma in one.")
    given = (
        ("period", period),
        ("start", _iso_format(start) if start is not None else None),
        ("end", _iso_format(end) if end is not None else None),
        *(("model", model) for model in models),
        ("status", status),
        ("limit", str(limit)),
        ("offset", str(offset)),
    )
    return AccountRequest(
        "/v2/logs", tuple((name, value) for name, value in given if value is not None)
    )


def _iso_format(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise InvalidRequestError("start and end need a time zone: datetime.now(UTC), say.")
    return moment.isoformat()


def models_request(model: str | None, etag: str | None = None) -> AccountRequest:
    """The request for the catalog with all its sections; `model` is an id or an alias."""
    query: Query = (("include", "all"),) + ((("id", model),) if model else ())
    return AccountRequest("/v1/models", query, etag)


def parse_account(payload: Any) -> Account:
    """The balance in a response. Raises UnexpectedReplyError if there is none."""
    body = as_mapping(payload)
    balance = parse_decimal(body.get("current_balance"))
    if balance is None:
        raise UnexpectedReplyError(f"No balance in the answer: {describe_payload(payload)}")
    return Account(balance, nonempty_str(body.get("currency")) or "USD")


def parse_logs(payload: Any) -> LogPage:
    """A page of the logs. Raises UnexpectedReplyError if there is none."""
    body = as_mapping(payload)
    if not isinstance(body.get("data"), list):
        raise UnexpectedReplyError(f"No logs in the answer: {describe_payload(payload)}")
    calls = tuple(_parse_logged_call(row) for row in as_mappings(body["data"]))
    pages = as_mapping(body.get("pagination"))
    return LogPage(calls, as_int(pages.get("total")) or len(calls), pages.get("has_more") is True)


def _parse_logged_call(row: Mapping[str, Any]) -> LoggedCall:
    tokens = as_mapping(row.get("tokens"))
    return LoggedCall(
        created=_parse_datetime(row.get("created")),
        status=nonempty_str(row.get("status")) or "",
        model=nonempty_str(row.get("model")),
        credits=_parse_credits(as_mapping(row.get("cost"))),
        input_tokens=as_int(tokens.get("input")) or 0,
        output_tokens=as_int(tokens.get("output")) or 0,
        request_id=nonempty_str(row.get("request_id")),
        inference_id=nonempty_str(row.get("inference_id")),
        client_request_id=nonempty_str(row.get("client_request_id")),
    )


def _parse_credits(cost: Mapping[str, Any]) -> int:
    credits, usd = as_float(cost.get("credits")), parse_decimal(cost.get("usd"))
    if credits is not None:
        return round(credits)
    return round_half_even(EXACT.multiply(usd, CREDITS_PER_USD)) if usd is not None else 0


def parse_models(payload: Any) -> tuple[CatalogModel, ...]:
    """The entries of the catalog. Raises UnexpectedReplyError if there is none."""
    body = as_mapping(payload)
    if not isinstance(body.get("data"), list):
        raise UnexpectedReplyError(f"No models in the answer: {describe_payload(payload)}")
    return tuple(
        _parse_catalog_model(row)
        for row in as_mappings(body["data"])
        if nonempty_str(row.get("id"))
    )


def _parse_catalog_model(row: Mapping[str, Any]) -> CatalogModel:
    info = as_mapping(row.get("info"))
    return CatalogModel(
        id=str(row["id"]),
        aliases=_strings(row.get("aliases")),
        endpoint_type=nonempty_str(row.get("type")) or "",
        name=nonempty_str(info.get("name")),
        developer=nonempty_str(info.get("developer")),
        context_window=as_int(info.get("contextLength")),
        max_output_tokens=as_int(info.get("outputMax")),
        capabilities=_strings(row.get("capabilities")),
        prices=_parse_prices(as_mapping(row.get("pricing"))),
        raw=row,
    )


def _parse_prices(pricing: Mapping[str, Any]) -> Prices | None:
    """Prices per million tokens from `fixed` pricing; other kinds are not per token [D]."""
    if pricing.get("kind") != "fixed":
        return None
    found: dict[str, Decimal] = {}
    for unit in as_mappings(pricing.get("units")):
        price, per = parse_decimal(unit.get("price")), parse_decimal(unit.get("per"))
        measure = unit.get("measure")
        is_rate = unit.get("name") == "token" and measure in ("input", "output")
        if is_rate and price is not None and price >= 0 and per and per > 0:
            found.setdefault(str(measure), EXACT.divide(EXACT.multiply(price, 1_000_000), per))
    return Prices(found.get("input"), found.get("output")) if found else None


def parse_scopes(payload: Any) -> tuple[str, ...] | None:
    """The scopes of a key (`model:chat`, …); None if it is not limited."""
    scopes = as_mapping(as_mapping(payload).get("data")).get("scopes")
    return _strings(scopes) if isinstance(scopes, list) else None


def _strings(value: Any) -> tuple[str, ...]:
    return tuple(v for v in value if isinstance(v, str)) if isinstance(value, list) else ()


def _parse_datetime(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
