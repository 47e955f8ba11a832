"""Finds the model row of a request, and validates its body by the row's schema."""

from __future__ import annotations

from aimlapi_emulator.catalog.chat_model_row import ChatModelRow
from aimlapi_emulator.catalog.deprecations import is_withdrawn
from aimlapi_emulator.catalog.embedding_models import EmbeddingModelRow
from aimlapi_emulator.endpoints import error_bodies
from aimlapi_emulator.messages import APIError
from aimlapi_emulator.scripting.request_view import ENDPOINTS, any_row, find_row, is_in_table
from aimlapi_emulator.state import RequestContext
from aimlapi_emulator.validation.chat import chat_body
from aimlapi_emulator.validation.cross_field import check_chat_fields, check_responses_fields
from aimlapi_emulator.validation.embeddings import embedding_problems
from aimlapi_emulator.validation.responses import responses_body
from aimlapi_emulator.validation.validators import Problem, json_type

RESPONSES_PATH = "/v1/responses"
_MAX_PROBLEMS = 100


def is_live(context: RequestContext, row: ChatModelRow | EmbeddingModelRow) -> bool:
    """Whether unknown members pass; nobody knows those of a model that no table has."""
    return context.state.live or not row.is_in_table


def strict_problems(context: RequestContext) -> tuple[str, ...]:
    """Violations of the strict schema, whatever the response will be."""
    try:
        row = find_model_row(context)
    except APIError as error:
        return tuple(map(str, error.details)) or (error.message,)
    return tuple(map(str, _validate(context, row, live=not row.is_in_table)[:_MAX_PROBLEMS]))


def find_model_row(context: RequestContext) -> ChatModelRow | EmbeddingModelRow:
    """The model row that answers. Raises APIError for an unknown path or model, or a bad body."""
    path, parsed = context.path, context.body
    if path not in ENDPOINTS:
        raise APIError(404, f"Cannot POST {path}")
    if not isinstance(parsed, dict):
        what = "invalid JSON" if isinstance(parsed, bytes) else json_type(parsed)
        problem = Problem("", f"Expected object, received {what}")
        raise APIError(400, error_bodies.BODY_INVALID, (problem,))
    model = parsed.get("model")
    if not isinstance(model, str) or not model:
        problem = Problem("model", "Required" if model is None else "Invalid model")
        raise APIError(400, error_bodies.BODY_INVALID, (problem,))
    row = find_row(model, path)
    if is_withdrawn(model, context.state.deprecations) or (row is None and is_in_table(model)):
        raise APIError(404, error_bodies.MODEL_NOT_FOUND)
    if row is None and context.state.only_known_models:
        raise APIError(
            404,
            f"{error_bodies.MODEL_NOT_FOUND}: this emulator has no row for {model[:200]!r} and was "
            "started to serve known models only; the real service may have it",
        )
    return row or any_row(model, path)


def _validate(
    context: RequestContext, row: ChatModelRow | EmbeddingModelRow, *, live: bool
) -> list[Problem]:
    body = context.body
    if isinstance(row, EmbeddingModelRow):
        return embedding_problems(row, body, live)
    if context.path != RESPONSES_PATH:
        found = chat_body(row.chat, live)(body, "")
        needs_word = row.chat.upstream != "google"  # DeepSeek, say, has OpenAI's rule too
        return found or check_chat_fields(body, needs_word_json=needs_word)
    found = responses_body(row.responses, live)(body, "")
    if found:
        return found
    previous_id = body.get("previous_response_id")
    previous = context.state.stored.get(previous_id) if previous_id else None
    if previous_id and previous is None:
        return check_responses_fields(body, None)
    if previous is None:
        return check_responses_fields(body, ())
    return check_responses_fields(body, previous.unanswered_calls, previous.items)


def raise_if_invalid(
    context: RequestContext, row: ChatModelRow | EmbeddingModelRow, strict: tuple[str, ...]
) -> None:
    """Raise APIError if the schema in force is violated; `strict` are the strict one's problems."""
    found = _validate(context, row, live=is_live(context, row)) if strict else []
    if found:
        raise APIError(400, error_bodies.BODY_INVALID, tuple(found[:_MAX_PROBLEMS]))
