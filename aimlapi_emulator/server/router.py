"""Routes a request to its response: API keys, validation, scripted rules, endpoints, errors.

Nothing here reads a socket or sleeps; `connection` sends the response and applies byte faults.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Container, Mapping
from dataclasses import replace
from typing import Any

from aimlapi_emulator.billing.ledger import Entry, routing_entry
from aimlapi_emulator.catalog.chat_model_row import ChatModelRow
from aimlapi_emulator.catalog.embedding_models import EmbeddingModelRow
from aimlapi_emulator.endpoints import error_bodies, sse
from aimlapi_emulator.endpoints.account import PATHS as ACCOUNT_PATHS
from aimlapi_emulator.endpoints.account import account
from aimlapi_emulator.endpoints.completions import chat_reply, responses_reply
from aimlapi_emulator.endpoints.deprecations import PATHS as DEPRECATION_PATHS
from aimlapi_emulator.endpoints.deprecations import deprecations
from aimlapi_emulator.endpoints.embeddings import embeddings_reply
from aimlapi_emulator.endpoints.models import get_model, list_models
from aimlapi_emulator.faults.directives import find_directive
from aimlapi_emulator.faults.fault import NO_FAULT, Fault
from aimlapi_emulator.faults.fault_field import FaultError
from aimlapi_emulator.messages import EVENT_STREAM, APIError, QueuedResponse, Request, Response
from aimlapi_emulator.scripting.request_view import RequestView, find_row
from aimlapi_emulator.scripting.rule import Rule, first_match
from aimlapi_emulator.scripting.types import RuleError
from aimlapi_emulator.server.body import parse_body, too_long
from aimlapi_emulator.server.request_check import (
    RESPONSES_PATH,
    find_model_row,
    is_live,
    raise_if_invalid,
    strict_problems,
)
from aimlapi_emulator.state import RequestContext, State, request_view
from aimlapi_emulator.text.bounds import BoundError, forget_oldest
from aimlapi_emulator.validation.chat import chat_members
from aimlapi_emulator.validation.responses import responses_members
from aimlapi_emulator.validation.validators import Problem, error_details

_MODEL_PATHS = ("/v1/models", "/models", "/api/v1/models")
_MODEL_PATH = "/model/"
_UNKNOWN = "the emulator knows nothing of this model and takes what any may"
_NO_PATH = (
    "no such path: a client's base URL ends with /v1, below which are chat/completions, responses, "
    "embeddings and models"
)
_NOT_IN_TABLE = {"x-emulator-model": "not in its table"}
_CLIENT_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


def route(request: Request, state: State, queued: Fault | None) -> Response:
    """The response to a complete request; `queued` is its fault from `Emulator.faults`."""
    if request.method == "POST":
        return _handle_post(request, state, queued)
    headers = {"x-request-id": state.ids.uuid()}
    path = request.path if request.method in ("GET", "HEAD") else ""
    try:
        if path in _MODEL_PATHS:
            return _with_etag(request, list_models(request.target, state.deprecations), headers)
        if path in DEPRECATION_PATHS:
            return deprecations(request, state.deprecations, headers)
        if path.startswith(_MODEL_PATH):
            model = get_model(path.removeprefix(_MODEL_PATH), state.deprecations)
            return _json_response(model, headers)
        if path in ACCOUNT_PATHS:
            _check_key(request.headers, spends=False)
            return _json_response(account(request, state), headers)
        raise APIError(404, f"Cannot {request.method} {request.path}")
    except APIError as error:
        return _error_response(error, request, headers)


def _with_etag(request: Request, body: Any, headers: Mapping[str, str]) -> Response:
    """A 200 with an ETag, or a 304 if the request has the same in If-None-Match."""
    etag = f'"{hashlib.sha256(error_bodies.dump(body)).hexdigest()[:32]}"'
    headers = {"etag": etag, **headers}
    if request.headers.get("if-none-match") == etag:
        return Response(304, headers)
    return _json_response(body, headers)


def _json_response(body: Any, headers: Mapping[str, str]) -> Response:
    return Response(
        200, {"content-type": error_bodies.JSON_TYPE, **headers}, error_bodies.dump(body)
    )


def _error_response(error: APIError, request: Request, headers: Mapping[str, str]) -> Response:
    request_id, details = headers["x-request-id"], error_details(error.details)
    body = error_bodies.problem(error.status, error.message, request.path, request_id, details)
    problems = tuple(map(str, error.details))
    every = {"content-type": error_bodies.PROBLEM_TYPE, **headers}
    note = _NO_PATH if error.message.startswith("Cannot ") else ""
    return Response(error.status, every, error_bodies.dump(body), problems=problems, note=note)


def _check_key(headers: Mapping[str, str], *, spends: bool = True) -> None:
    scheme, _, key = headers.get("authorization", "").partition(" ")
    key = key.strip()
    if scheme.lower() == "bearer" and not key:
        raise APIError(401, error_bodies.EMPTY_KEY)
    if scheme.lower() != "bearer" or "bad" in key or "invalid" in key:
        raise APIError(401, error_bodies.NO_KEY)
    if spends and "broke" in key:
        raise APIError(403, error_bodies.NO_FUNDS)


def _handle_post(request: Request, state: State, queued: Fault | None) -> Response:
    headers = {"x-request-id": state.ids.uuid(), "x-inference-id": state.ids.next("", 21)}
    client_id = request.headers.get("x-client-request-id", "")
    if _CLIENT_REQUEST_ID.fullmatch(client_id):
        headers["x-client-request-id"] = client_id
    view = request_view(request, request.content, state)
    context = RequestContext(request, view, state, headers)
    fault, rule = NO_FAULT, None
    try:
        if request.is_too_long:
            raise too_long()
        view = request_view(request, parse_body(request.content), state)
        context = replace(context, view=view)
        fault = queued or _directive_fault(view, state)
        rule = _matching_rule(view, state, has_fault=fault is not NO_FAULT)
        if rule is not None and fault is NO_FAULT:
            fault = rule.fault or NO_FAULT
        out = _respond(replace(context, fault=fault, rule=rule))
    except (FaultError, RuleError) as exc:
        word = "rule" if isinstance(exc, RuleError) else "fault"
        error = APIError(400, str(exc), (Problem(word, str(exc), "custom"),))
        out, fault = _error_response(error, request, headers), NO_FAULT
    except BoundError as exc:
        error = APIError(exc.status, str(exc), (Problem("emulator", str(exc), "custom"),))
        out = _error_response(error, request, headers)
    by_rule = rule is not None and fault is rule.fault
    if rule is not None and (out.usage is not None or (by_rule and _ignores_validity(fault))):
        rule.use_count += 1
        out = replace(out, rule=rule)
    elif by_rule:
        fault = NO_FAULT  # an invalid request does not use up the rule
    out = replace(out, request_body=view.body, fault=fault)
    _record_in_ledger(context, out)
    return out


def _ignores_validity(fault: Fault) -> bool:
    """Whether it applies to invalid requests too."""
    return fault.is_raw or fault.drop is not None


def _directive_fault(view: RequestView, state: State) -> Fault:
    text = view.user_text
    if "[[fault" not in text:
        return NO_FAULT
    found = find_directive(text, state.directives)
    if state.max_kept is not None:
        forget_oldest(state.directives, state.max_kept)
    return found or NO_FAULT


def _matching_rule(view: RequestView, state: State, *, has_fault: bool) -> Rule | None:
    """The scripted rule that answers, unless a queued response does."""
    queued = state.queued_responses
    if queued and not (view.endpoint == "embeddings" and isinstance(queued[0], str)):
        return None
    filed = state.rules_file.rules() if state.rules_file is not None else []
    return first_match([*state.rules, *filed], view, has_fault=has_fault)


def _record_in_ledger(context: RequestContext, out: Response) -> None:
    """Add a ledger entry: an answer is billed, an error is listed with zero cost.

    Queued bodies and requests with an invalid key are not recorded.
    """
    if (out.usage is None and out.status < 400) or out.status == 401:
        return
    entry = Entry(
        at=time.time(),
        key=context.request.headers.get("authorization", "").partition(" ")[2].strip(),
        model=out.model or context.view.model,
        succeeded=out.succeeded,
        usage=out.billed_usage,
        request_id=context.request_id,
        inference_id=context.headers["x-inference-id"],
        client_request_id=context.headers.get("x-client-request-id"),
    )
    context.state.ledger.add(entry)
    row = find_row(entry.model, context.path)
    routes = isinstance(row, ChatModelRow) and row.routed_to and entry.succeeded
    # A turn that returns results goes back to the model that made the calls, says its page.
    if routes and context.view.messages[-1].role != "tool":
        context.state.ledger.add(routing_entry(entry, context.state.ids.next("", 21)))


def _respond(context: RequestContext) -> Response:
    problems = strict_problems(context)
    if context.fault.is_raw:
        return replace(_raw_response(context), problems=problems)
    queued = context.state.queued_responses
    if queued and not isinstance(queued[0], str):
        return replace(_queued_response(context, queued.pop(0)), problems=problems)
    try:
        _check_key(context.request.headers)
        row = find_model_row(context)
        if not row.is_in_table:
            context = replace(context, headers={**context.headers, **_NOT_IN_TABLE})
        raise_if_invalid(context, row, problems)
        if isinstance(row, EmbeddingModelRow):
            out = embeddings_reply(context, row)
        elif context.path == RESPONSES_PATH:
            known = responses_members(row.responses, is_live(context, row))
            out = responses_reply(_with_members(context, known), row)
        else:
            known = chat_members(row.chat, is_live(context, row))
            out = chat_reply(_with_members(context, known), row)
        note = out.note if row.is_in_table else "; ".join(filter(None, [_UNKNOWN, out.note]))
        out = replace(out, model=row.id, note=note)
    except APIError as error:
        out = _error_response(error, context.request, context.headers)
    return replace(out, problems=problems or out.problems)


def _with_members(context: RequestContext, known: Container[str]) -> RequestContext:
    """The context without the other members of the body: the live schema lets them pass, and the
    service drops them in silence.
    """
    members = {name: value for name, value in context.body.items() if name in known}
    return replace(context, known_members=members)


def _raw_response(context: RequestContext) -> Response:
    """The error or body that a fault sends instead of an answer."""
    fault = context.fault
    if fault.raw_body is not None:
        headers = {**context.headers, "content-type": fault.content_type or error_bodies.JSON_TYPE}
        return Response(fault.status or 200, headers, fault.raw_body)
    status = fault.status or 500
    body, content_type = error_bodies.body(
        fault.shape, status, fault.message, context.path, context.request_id
    )
    return Response(status, {**context.headers, "content-type": content_type}, body)


def _queued_response(context: RequestContext, response: QueuedResponse) -> Response:
    """A queued response, sent unchanged: key and body are not checked; `problems` lists theirs."""
    fault, status = context.fault, context.fault.success_status
    if isinstance(response, list):
        headers = {**context.headers, "content-type": EVENT_STREAM}
        events = [sse.frame(data, fault.newline) for data in response]
        return Response(status, headers, events=tuple(sse.arrange(events, fault)))
    headers = {**context.headers, "content-type": error_bodies.JSON_TYPE}
    content = response if isinstance(response, bytes) else error_bodies.dump(response)
    return Response(status, headers, content)
