"""Request schema of embeddings, per model family.

Limits that the vendor publishes are the model tables of https://docs.aimlapi.com (read 2026-11).
It documents no maximum number of texts or tokens in a request; 2,048 and, for OpenAI's
models, 300,000 are what OpenAI, which answers behind it, has
(https://platform.openai.com/docs/api-reference/embeddings/create). Empty texts in a list are
refused there too, though the vendor's schema lets them pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from aimlapi_emulator.catalog.embedding_models import EmbeddingModelRow
from aimlapi_emulator.text.words import count_tokens
from aimlapi_emulator.validation.validators import (
    Problem,
    Validator,
    boolean,
    enum,
    json_type,
    number,
    object_,
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


def _input(lone: Validator, item: Validator) -> Validator:
    """A text or a list of texts. Any other type, also token ids, is a single problem, as observed
    from the service in 2026-09."""

    def check(value: Any, path: str) -> list[Problem]:
        if isinstance(value, str):
            return lone(value, path)
        if not isinstance(value, list) or any(json_type(one) != "string" for one in value):
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


_TEXT = string(min=1)
_EXTRAS: Mapping[str, Mapping[str, Validator]] = {
    "voyage": {"input_type": enum("document")},
    "google": {"task_type": enum(*_TASKS), "auto_truncate": boolean, "title": string()},
}


@cache
def _body(row: EmbeddingModelRow, live: bool) -> Validator:
    inputs = _input(_TEXT, _TEXT)
    if row.family == "voyage":
        inputs = _input(
            string(min=1, max=_VOYAGE_LONE_LETTERS), string(min=1, max=_VOYAGE_ITEM_LETTERS)
        )
    sizes = _no_dimensions if row.sizes is None else number(*row.sizes, integer=True)
    optional = {
        "encoding_format": enum("float", "base64"),
        "dimensions": sizes,
        **_EXTRAS.get(row.family, {}),
    }
    return object_({"model": string(), "input": inputs}, optional, closed=not live)


def texts(body: Mapping[str, Any]) -> list[str]:
    """The `input` of a valid request as a list."""
    given = body["input"]
    return [given] if isinstance(given, str) else list(given)


def tokens(text: str) -> int:
    """Tokens of a text to embed; a very long word counts as several."""
    return max(count_tokens(text), len(text) // _LETTERS_PER_TOKEN)


def _too_long(row: EmbeddingModelRow, body: Mapping[str, Any]) -> list[Problem]:
    """Texts longer than the model's context, unless `auto_truncate` is set."""
    given = texts(body)
    most = row.context_length
    found = []
    for at, text in enumerate(given):
        # A token has at least one character, so that most texts need not be counted.
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
    """Problems of a request; empty if it is valid. `live` allows unknown keys."""
    return _body(row, live)(body, "") or _too_long(row, body)
