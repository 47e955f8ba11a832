"""What an embeddings request may hold, by whose model it is.

Limits that the vendor publishes are the model tables of https://docs.aimlapi.com (read 2026-11).
It documents no most number of texts in a request, nor of tokens in all; 2,048 and, for OpenAI's
models, 300,000 are what OpenAI, which answers behind it, has
(https://platform.openai.com/docs/api-reference/embeddings/create). Empty texts in a list are
refused there too, though the vendor's schema lets them pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from aimlapi_emulator.catalog.embedding_models import EmbeddingModelRow
from aimlapi_emulator.text.words import count
from aimlapi_emulator.validation.validators import (
    Check,
    Problem,
    boolean,
    kind,
    number,
    one_of,
    record,
    string,
)

_MOST_TEXTS = 2048
_MOST_TOKENS = 300_000
_LETTERS_PER_TOKEN = 8
_TASKS = (
    "RETRIEVAL_QUERY",
    "RETRIEVAL_DOCUMENT",
    "SEMANTIC_SIMILARITY",
    "CLASSIFICATION",
    "CLUSTERING",
    "QUESTION_ANSWERING",
    "FACT_VERIFICATION",
    "CODE_RETRIEVAL_QUERY",
)
_VOYAGE_LONE_LETTERS = 8000
_VOYAGE_ITEM_LETTERS = 800


def _input(lone: Check, item: Check) -> Check:
    """A text or a list of texts. Whatever is of another type, token ids too, is one problem:
    that was seen of the service in 2026-09."""

    def check(value: Any, path: str) -> list[Problem]:
        if isinstance(value, str):
            return lone(value, path)
        if not isinstance(value, list) or any(kind(one) != "string" for one in value):
            return [Problem(path, "Invalid input", "invalid_union")]
        if not value:
            return [Problem(path, "Array must contain at least 1 element(s)", "too_small")]
        if len(value) > _MOST_TEXTS:
            text = f"Array must contain at most {_MOST_TEXTS} element(s)"
            return [Problem(path, text, "too_big")]
        return [found for at, one in enumerate(value) for found in item(one, f"{path}.{at}")]

    return check


def _no_dimensions(value: Any, path: str) -> list[Problem]:
    return [Problem(path, "This model does not support specifying dimensions.", "custom")]


_TEXT = string(low=1)
_EXTRAS: Mapping[str, Mapping[str, Check]] = {
    "voyage": {"input_type": one_of("document")},
    "google": {"task_type": one_of(*_TASKS), "auto_truncate": boolean, "title": string()},
}


@cache
def _body(row: EmbeddingModelRow, live: bool) -> Check:
    inputs = _input(_TEXT, _TEXT)
    if row.family == "voyage":
        inputs = _input(
            string(low=1, high=_VOYAGE_LONE_LETTERS), string(low=1, high=_VOYAGE_ITEM_LETTERS)
        )
    sizes = _no_dimensions if row.sizes is None else number(*row.sizes, whole=True)
    optional = {
        "encoding_format": one_of("float", "base64"),
        "dimensions": sizes,
        **_EXTRAS.get(row.family, {}),
    }
    return record({"model": string(), "input": inputs}, optional, closed=not live)


def texts(body: Mapping[str, Any]) -> list[str]:
    """The `input` of a valid request as a list."""
    given = body["input"]
    return [given] if isinstance(given, str) else list(given)


def tokens(text: str) -> int:
    """Tokens of a text to embed; an endless word is many."""
    return max(count(text), len(text) // _LETTERS_PER_TOKEN)


def _too_long(row: EmbeddingModelRow, body: Mapping[str, Any]) -> list[Problem]:
    """Texts over the model's context, unless the request lets them be cut."""
    given = texts(body)
    most = row.context_length
    found = []
    for at, text in enumerate(given):
        # No token is shorter than a character, so that most texts need not be counted.
        size = tokens(text) if len(text) > most else 0
        if size > most and not body.get("auto_truncate"):
            path = "input" if isinstance(body["input"], str) else f"input.{at}"
            said = (
                f"This model's maximum context length is {most} tokens, however you requested "
                f"{size} tokens. Please reduce your prompt."
            )
            found.append(Problem(path, said, "too_big"))
    if not found and row.family == "openai" and sum(map(len, given)) > _MOST_TOKENS:
        total = sum(map(tokens, given))
        if total > _MOST_TOKENS:
            said = f"Requested {total} tokens, max {_MOST_TOKENS} tokens per request"
            found.append(Problem("input", said, "too_big"))
    return found


def embedding_problems(
    row: EmbeddingModelRow, body: Mapping[str, Any], live: bool
) -> list[Problem]:
    """Why a request is refused; empty when it is valid. `live` lets unknown keys pass."""
    return _body(row, live)(body, "") or _too_long(row, body)
