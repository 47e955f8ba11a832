"""Splits texts into `/v1/embeddings` requests, decodes and combines the vectors in order.

Source: aimlapi/api-docs text-embedding-3-small.json and the pages beside it, state 2026-08-21.
OpenAI's models reject unknown members of the body; texts are sent as strings, never as token ids
(400 invalid_union; langchain-ai/langgraph examples/aimlapi README, live 2026-09-03).
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from aimlapi_core._error_reading.responses import describe_payload
from aimlapi_core._values.embedding_vectors import listed, vectors_by_index
from aimlapi_core._values.plain import plain_number
from aimlapi_core._values.warn_once import warn_once
from aimlapi_core._wire.answers.failures import reported_failure, unexpected_reply
from aimlapi_core._wire.usage import CHAT_USAGE, parse_cost
from aimlapi_core._wire.validation.any_model import check_client_request_id, request_id_header
from aimlapi_core._wire.validation.by_model import UnsupportedParameterWarning
from aimlapi_core.embedding_models import EmbeddingInfo, embedding_info
from aimlapi_core.errors import (
    InvalidRequestError,
    UnsupportedParameterError,
)
from aimlapi_core.types import Cost, EmbeddingReply, EmbeddingRequest, Transport, Usage

PATH = "/embeddings"
_WANTED = "the vectors asked for"

# For unknown models: the cap of a public client (mem0), as no limit is documented.
_DEFAULT_LIMITS = EmbeddingInfo(id="", aliases=(), dimensions=0, context_window=0, max_texts=100)

# Tokens are estimated, as no tokenizer is a dependency: two UTF-8 bytes are one, and so is each
# piece that OpenAI's tokenizer never joins with another. A token of cl100k_base has 4.2 bytes of
# English, 3.3 of Russian, 2.9 of German, 2.6 of Finnish, 2.1 of Chinese, 1.0 to 1.5 of tables of
# numbers (there the pieces count), 1.4 of base64 (measured 2026-11-29). A bound that always holds
# gives no more: with a table of the 24,648 words that are one token, 2.1 bytes of technical prose.
_BYTES_PER_TOKEN = 2
_SEPARATE_PIECES = re.compile(r"\d{1,3}|\s+(?=\d)|[^\w\s]+|[^\W\d_]+")

_LETTERS = string.ascii_letters.encode()
_LETTERS_AND_SPACES = _LETTERS + b" \t\n\r"


@dataclass(frozen=True, slots=True)
class EmbeddingBatch:
    """One encoded request, for `count` texts from index `start`."""

    start: int
    count: int
    body: dict[str, Any]
    headers: dict[str, str] = field(repr=False)
    path: str = PATH

    def decode(self, payload: Any, headers: Mapping[str, str]) -> EmbeddingReply:
        """The vectors of one response. `headers` in lower case. Raises UnexpectedReplyError."""
        return decode(payload, headers, self.count, self.body.get("dimensions"))


def prepare_batches(request: EmbeddingRequest) -> list[EmbeddingBatch]:
    """The requests that embed all texts. Raises InvalidRequestError before any is sent."""
    if not isinstance(request, EmbeddingRequest) or isinstance(request.texts, str):
        raise InvalidRequestError(
            'embed takes a request with a tuple of texts: EmbeddingRequest(model, ("Hello",)).'
        )
    info = embedding_info(request.model)
    request = _validated(request, info)
    limits = info or _DEFAULT_LIMITS
    request_id = request_id_header(request.client_request_id)
    fixed: dict[str, Any] = {
        "encoding_format": "base64" if limits.base64 else None,
        "dimensions": request.dimensions,
        "input_type": request.input_type,
    }
    more = {key: value for key, value in fixed.items() if value is not None}
    plans = []
    for start, texts in _split_batches(request, limits):
        given = texts[0] if len(texts) == 1 else list(texts)
        body = {"model": request.model, "input": given, **more, **request.extra_body}
        plans.append(
            EmbeddingBatch(start, len(texts), body, {**request.extra_headers, **request_id})
        )
    return plans


def decode(
    payload: Any, headers: Mapping[str, str], count: int, dimensions: Any = None
) -> EmbeddingReply:
    """The vectors of one response, in the order of its texts, by the index of each row.

    `dimensions`: the length that was asked for. Raises UnexpectedReplyError, AnswerFailedError
    for a response that reports an error.
    """
    rows = payload.get("data") if isinstance(payload, Mapping) else None
    if rows and reported_failure(payload):
        raise unexpected_reply(_WANTED, describe_payload(payload), payload, headers)
    try:
        vectors = vectors_by_index(rows or [], dimensions)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as exc:
        raise unexpected_reply(_WANTED, f"a row cannot be read ({exc!r})", None, headers) from exc
    if len(vectors) != count or not rows:
        what = f"{len(vectors)} vectors for {count} texts" if rows else describe_payload(payload)
        raise unexpected_reply(_WANTED, what, payload, headers)
    assert isinstance(payload, Mapping)
    return EmbeddingReply(
        vectors=tuple(vectors),
        model=payload.get("model"),
        usage=_with_input_tokens(CHAT_USAGE.parse(payload.get("usage"))),
        cost=parse_cost(headers, payload.get("meta")),
    )


def _with_input_tokens(usage: Usage | None) -> Usage | None:
    """Voyage's models report only a total: all of them are input tokens."""
    if usage is None or usage.input_tokens:
        return usage
    return replace(usage, input_tokens=usage.total_tokens)


def check_same_length(batches: Iterable[Sequence[Sequence[float]]]) -> None:
    """Raise UnexpectedReplyError if the length of vectors differs from batch to batch."""
    lengths = {len(vectors[0]) for vectors in batches if vectors}
    if len(lengths) > 1:
        what = f"vectors of {listed(lengths)} numbers in one call"
        raise unexpected_reply(_WANTED, what, None, {})


def combine_replies(replies: Sequence[tuple[EmbeddingReply, Transport]]) -> EmbeddingReply:
    """One reply for all batches, in the order of the texts.

    Raises UnexpectedReplyError for batches whose vectors differ in length.
    """
    check_same_length([reply.vectors for reply, _ in replies])
    usages = [reply.usage for reply, _ in replies]
    costs = [reply.cost for reply, _ in replies]
    return EmbeddingReply(
        vectors=tuple(vector for reply, _ in replies for vector in reply.vectors),
        model=replies[0][0].model if replies else None,
        usage=_sum_usages([u for u in usages if u]) if all(usages) else None,
        cost=_sum_costs([c for c in costs if c]) if all(costs) else None,
        transports=tuple(transport for _, transport in replies),
    )


def _validated(request: EmbeddingRequest, info: EmbeddingInfo | None) -> EmbeddingRequest:
    if not request.model or not isinstance(request.model, str):
        raise InvalidRequestError(f"model must be a model id, not {request.model!r}")
    request = replace(
        request,
        batch_size=plain_number(request.batch_size, "int"),
        dimensions=plain_number(request.dimensions, "int"),
    )
    size = request.batch_size
    if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 1):
        raise InvalidRequestError(f"batch_size must be an integer at least 1, not {size!r}")
    check_client_request_id(request.client_request_id)
    kept = []
    for position, text in enumerate(request.texts):
        if not isinstance(text, str):
            kind = type(text).__name__
            raise InvalidRequestError(f"Text {position} is {kind}, not a string.")
        if request.skip_empty and not text.strip():
            continue
        if not text:
            raise InvalidRequestError(
                f"Text {position} is empty: the service embeds no empty text. Leave it out."
            )
        max_chars = info.max_text_chars if info else None
        if max_chars is not None and len(text) > max_chars and request.unsupported_params != "send":
            raise InvalidRequestError(
                f"Text {position} has {len(text):,} characters; {request.model!r} takes at most "
                f"{max_chars:,}. Split it."
            )
        kept.append(text)
    if len(kept) < len(request.texts):
        request = replace(request, texts=tuple(kept))
    return _without_unsupported(request, info)


def _without_unsupported(request: EmbeddingRequest, info: EmbeddingInfo | None) -> EmbeddingRequest:
    """Drop the parameters that the model does not take, as `unsupported_params` says."""
    if info is None or request.unsupported_params == "send":
        return request
    allowed = info.dimension_range
    dimensions = request.dimensions
    if dimensions == info.dimensions:
        request = replace(request, dimensions=dimensions if allowed else None)
    elif dimensions is not None and allowed is None:
        request = _drop_param("dimensions", request, info)
    elif dimensions is not None and allowed and not allowed[0] <= dimensions <= allowed[1]:
        raise InvalidRequestError(
            f"dimensions must be from {allowed[0]} to {allowed[1]} for {info.id!r}, "
            f"not {dimensions!r}"
        )
    if request.input_type is not None and not info.input_types:
        request = _drop_param("input_type", request, info)
    elif request.input_type is not None and request.input_type not in info.input_types:
        raise InvalidRequestError(
            f"input_type must be one of {', '.join(info.input_types)} for {info.id!r}, "
            f"not {request.input_type!r}"
        )
    return request


def _drop_param(name: str, request: EmbeddingRequest, info: EmbeddingInfo) -> EmbeddingRequest:
    sentence = (
        f"{info.id!r} does not take {name!r} ({info.source}, checked {info.checked}). "
        'unsupported_params="send" sends it all the same.'
    )
    if request.unsupported_params == "raise":
        raise UnsupportedParameterError(sentence)
    warn_once(
        (info.id, "embeddings", name),
        f"{name!r} was left out: {sentence}",
        UnsupportedParameterWarning,
    )
    cleared: dict[str, Any] = {name: None}
    return replace(request, **cleared)


def _split_batches(
    request: EmbeddingRequest, limits: EmbeddingInfo
) -> Iterator[tuple[int, tuple[str, ...]]]:
    """(index of the first text, texts) of each batch, as large as the limits allow."""
    max_texts = min(request.batch_size or limits.max_texts, limits.max_texts)
    max_bytes = limits.max_tokens * _BYTES_PER_TOKEN
    max_chars = limits.max_item_chars
    start = size = 0
    for position, (text, length) in enumerate(_sizes(request.texts, limits.max_tokens)):
        # A text that is too long for an array is sent alone, as a string.
        alone = max_chars is not None and len(text) > max_chars
        full = position - start >= max_texts or size + length > max_bytes
        if position > start and (full or alone):
            yield start, request.texts[start:position]
            start, size = position, 0
        size += max_bytes if alone else length
    if request.texts:
        yield start, request.texts[start:]


def _sizes(texts: Sequence[str], max_tokens: int) -> Iterator[tuple[str, int]]:
    """Each text with the estimate of its size, in bytes at `_BYTES_PER_TOKEN`."""
    encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
    if sum(map(len, encoded)) <= max_tokens:  # no token is less than a byte
        yield from zip(texts, map(len, encoded), strict=True)
        return
    for text, data in zip(texts, encoded, strict=True):
        yield text, max(len(data), _most_pieces(text, data) * _BYTES_PER_TOKEN)


def _most_pieces(text: str, data: bytes) -> int:
    """How many pieces a text has; a bound of it where that is enough, as with most prose.

    Words are separated by a byte that is no letter, and every other piece has one that is no space
    either, but for the spaces before numbers, which are no more than the digits.
    """
    words = 1 + len(data.translate(None, _LETTERS))
    others = 2 * len(data.translate(None, _LETTERS_AND_SPACES))
    if (words + others) * _BYTES_PER_TOKEN <= len(data):
        return words + others
    return len(_SEPARATE_PIECES.findall(text))


def _sum_usages(usages: Sequence[Usage]) -> Usage:
    return Usage(
        input_tokens=sum(usage.input_tokens for usage in usages),
        output_tokens=0,
        total_tokens=sum(usage.total_tokens for usage in usages),
    )


def _sum_costs(costs: Sequence[Cost]) -> Cost:
    credits = [cost.credits for cost in costs]
    dollars = [cost.usd for cost in costs]
    return Cost(
        credits=sum(c for c in credits if c is not None) if None not in credits else None,
        usd=sum(d for d in dollars if d is not None) if None not in dollars else None,
    )
