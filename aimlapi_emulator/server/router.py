"""From a complete request to what is answered: routing, keys, validation, rules, shapes.

Nothing here reads a socket or sleeps; `connection` sends what comes out, with its faults.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aimlapi_emulator._version import __version__
from aimlapi_emulator.billing.ledger import Entry
from aimlapi_emulator.catalog.chat_models import Variant
from aimlapi_emulator.catalog.embedding_models import Embedder
from aimlapi_emulator.endpoints import error_bodies, sse
from aimlapi_emulator.endpoints.account import PATHS as ACCOUNT_PATHS
from aimlapi_emulator.endpoints.account import account
from aimlapi_emulator.endpoints.completions import chat_reply, responses_reply
from aimlapi_emulator.endpoints.embeddings import embeddings_reply
from aimlapi_emulator.endpoints.models import catalogue, one_model
from aimlapi_emulator.faults.directives import find_directive
from aimlapi_emulator.faults.fault import NO_FAULT, Fault
from aimlapi_emulator.faults.fault_field import FaultError
from aimlapi_emulator.messages import EVENT_STREAM, Outgoing, QueuedResponse, Refusal, Request
from aimlapi_emulator.scripting.request_view import ENDPOINTS, RequestView, find_row
from aimlapi_emulator.scripting.rule import Rule, first_match
from aimlapi_emulator.scripting.types import RuleError
from aimlapi_emulator.state import RequestContext, State, request_view
from aimlapi_emulator.validation.chat import chat_body
from aimlapi_emulator.validation.cross_field import chat_relations, responses_relations
from aimlapi_emulator.validation.embeddings import embedding_problems
from aimlapi_emulator.validation.responses import responses_body
from aimlapi_emulator.validation.validators import Problem, kind, named

_RESPONSES_PATH = "/v1/responses"
_MODEL_PATHS = ("/v1/models", "/models", "/api/v1/models")
_MODEL_PATH = "/model/"
_CLIENT_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


def handle(request: Request, state: State, queued: Fault | None) -> Outgoing:
    """The answer to a complete request; `queued` is the fault that a test chose for it."""
    if request.method == "POST":
        return _post(request, state, queued)
    headers = {"x-request-id": state.ids.uuid()}
    try:
        if request.method == "GET" and request.path in _MODEL_PATHS:
            return _unless_known(request, catalogue(request.target), headers)
        if request.method == "GET" and request.path.startswith(_MODEL_PATH):
            return _json(one_model(request.path.removeprefix(_MODEL_PATH)), headers)
        if request.method == "GET" and request.path in ACCOUNT_PATHS:
            _check_key(request.headers, spends=False)
            return _json(account(request, state), headers)
        raise Refusal(404, f"Cannot {request.method} {request.path}")
    except Refusal as refusal:
        return _refused(refusal, request, headers)


def _unless_known(request: Request, body: Any, headers: Mapping[str, str]) -> Outgoing:
    """A list with its ETag, or 304 for a request that names it."""
    etag = f'"{hashlib.sha256(error_bodies.dump(body)).hexdigest()[:32]}"'
    headers = {"etag": etag, **headers}
    if request.headers.get("if-none-match") == etag:
        return Outgoing(304, headers)
    return _json(body, headers)


def _json(body: Any, headers: Mapping[str, str]) -> Outgoing:
    return Outgoing(
        200, {"content-type": error_bodies.JSON_TYPE, **headers}, error_bodies.dump(body)
    )


def _refused(refusal: Refusal, request: Request, headers: Mapping[str, str]) -> Outgoing:
    request_id, details = headers["x-request-id"], named(refusal.details)
    body = error_bodies.problem(refusal.status, refusal.message, request.path, request_id, details)
    problems = tuple(map(str, refusal.details))
    every = {"content-type": error_bodies.PROBLEM_TYPE, **headers}
    return Outgoing(refusal.status, every, error_bodies.dump(body), problems=problems)


def _check_key(headers: Mapping[str, str], *, spends: bool = True) -> None:
    scheme, _, key = headers.get("authorization", "").partition(" ")
    key = key.strip()
    if scheme.lower() == "bearer" and not key:
        raise Refusal(401, error_bodies.EMPTY_KEY)
    if scheme.lower() != "bearer" or "bad" in key or "invalid" in key:
        raise Refusal(401, error_bodies.NO_KEY)
    if spends and "broke" in key:
        raise Refusal(403, error_bodies.NO_FUNDS)


def _post(request: Request, state: State, queued: Fault | None) -> Outgoing:
    headers = {"x-request-id": state.ids.uuid(), "x-inference-id": state.ids.next("", 21)}
    client_id = request.headers.get("x-client-request-id", "")
    if _CLIENT_REQUEST_ID.fullmatch(client_id):
        headers["x-client-request-id"] = client_id
    view = request_view(request, _parse(request.content), state)
    context = RequestContext(request, view, state, headers)
    fault, rule = NO_FAULT, None
    try:
        fault = queued or _by_directive(view, state)
        rule = _rule_for(view, state, has_fault=fault is not NO_FAULT)
        if rule is not None and fault is NO_FAULT:
            fault = rule.fault or NO_FAULT
        out = _answer_post(replace(context, fault=fault, rule=rule))
    except (FaultError, RuleError) as exc:
        word = "rule" if isinstance(exc, RuleError) else "fault"
        refusal = Refusal(400, str(exc), (Problem(word, str(exc), "custom"),))
        out, fault = _refused(refusal, request, headers), NO_FAULT
    if rule is not None and (out.usage is not None or (fault is rule.fault and _replaces(fault))):
        rule.use_count += 1
        out = replace(out, rule=rule)
    elif rule is not None and fault is rule.fault:
        fault = NO_FAULT  # its rule is kept for a request that is not refused
    out = replace(out, parsed=view.body, fault=fault)
    _note(context, out)
    return out


def _replaces(fault: Fault) -> bool:
    """Whether it acts on any request, valid or not."""
    return fault.is_raw or fault.drop is not None


def _by_directive(view: RequestView, state: State) -> Fault:
    text = view.user_text
    return (find_directive(text, state.directives) if "[[fault" in text else None) or NO_FAULT


def _rule_for(view: RequestView, state: State, *, has_fault: bool) -> Rule | None:
    """The scripted rule that answers, unless a queued response does."""
    queued = state.queued_responses
    if queued and not (view.endpoint == "embeddings" and isinstance(queued[0], str)):
        return None
    return first_match(state.rules, view, has_fault=has_fault)


def _note(context: RequestContext, out: Outgoing) -> None:
    """One entry of the ledger: an answer is charged, a refusal is listed at nothing.

    What a test wrote in place of an answer is no doing of the service's, nor is a request whose
    key is unknown anybody's.
    """
    if (out.usage is None and out.status < 400) or out.status == 401:
        return
    entry = Entry(
        at=time.time(),
        key=context.request.headers.get("authorization", "").partition(" ")[2].strip(),
        model=out.model or context.view.model,
        succeeded=out.succeeded,
        usage=out.charged,
        request_id=context.request_id,
        inference_id=context.headers["x-inference-id"],
        client_request_id=context.headers.get("x-client-request-id"),
    )
    context.state.ledger.add(entry)


def _answer_post(context: RequestContext) -> Outgoing:
    problems = _problems(context)
    if context.fault.is_raw:
        return replace(_raw(context), problems=problems)
    queued = context.state.queued_responses
    if queued and not isinstance(queued[0], str):
        return replace(_queued_response(context, queued.pop(0)), problems=problems)
    try:
        _check_key(context.request.headers)
        row = _route(context)
        _refuse_invalid(context, row, problems)
        if isinstance(row, Embedder):
            out = embeddings_reply(context, row)
        elif context.path == _RESPONSES_PATH:
            out = responses_reply(context, row)
        else:
            out = chat_reply(context, row)
        out = replace(out, model=row.id)
    except Refusal as refusal:
        out = _refused(refusal, context.request, context.headers)
    return replace(out, problems=problems or out.problems)


def _problems(context: RequestContext) -> tuple[str, ...]:
    """What the strict schema says of a body, whatever will be answered."""
    try:
        row = _route(context)
    except Refusal as refusal:
        return tuple(map(str, refusal.details)) or (refusal.message,)
    return tuple(map(str, _check(context, row, live=False)))


def _parse(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content


def _route(context: RequestContext) -> Variant | Embedder:
    """The row that answers; a Refusal when path, body or model are not to be found."""
    path, parsed = context.path, context.body
    if path not in ENDPOINTS:
        raise Refusal(404, f"Cannot POST {path}")
    if not isinstance(parsed, dict):
        what = "invalid JSON" if isinstance(parsed, bytes) else kind(parsed)
        problem = Problem("", f"Expected object, received {what}")
        raise Refusal(400, error_bodies.BODY_INVALID, (problem,))
    model = parsed.get("model")
    if not isinstance(model, str) or not model:
        problem = Problem("model", "Required" if model is None else "Invalid model")
        raise Refusal(400, error_bodies.BODY_INVALID, (problem,))
    row = find_row(model, path)
    if row is None:
        raise Refusal(404, error_bodies.MODEL_NOT_FOUND)
    return row


def _check(context: RequestContext, row: Variant | Embedder, *, live: bool) -> list[Problem]:
    body = context.body
    if isinstance(row, Embedder):
        return embedding_problems(row, body, live)
    if context.path != _RESPONSES_PATH:
        found = chat_body(row.family, live)(body, "")
        return found or chat_relations(body)
    found = responses_body(row.family, live)(body, "")
    if found:
        return found
    previous = context.state.stored.get(body.get("previous_response_id") or "")
    return responses_relations(body, previous.open_calls if previous else ())


def _refuse_invalid(
    context: RequestContext, row: Variant | Embedder, strict: tuple[str, ...]
) -> None:
    """Raise a Refusal when the schema in force finds something; `strict` is what that one did."""
    found = _check(context, row, live=context.state.live) if strict else []
    if found:
        raise Refusal(400, error_bodies.BODY_INVALID, tuple(found))


def _raw(context: RequestContext) -> Outgoing:
    """The answer that a fault puts in place of the service's."""
    fault = context.fault
    if fault.raw_body is not None:
        headers = {**context.headers, "content-type": fault.content_type or error_bodies.JSON_TYPE}
        return Outgoing(fault.status or 200, headers, fault.raw_body)
    status = fault.status or 500
    body, content_type = error_bodies.body(
        fault.shape, status, fault.message, context.path, context.request_id
    )
    return Outgoing(status, {**context.headers, "content-type": content_type}, body)


def _queued_response(context: RequestContext, response: QueuedResponse) -> Outgoing:
    """A queued response, sent unchanged: key and body are not checked; `problems` lists theirs."""
    fault, status = context.fault, context.fault.success_status
    if isinstance(response, list):
        headers = {**context.headers, "content-type": EVENT_STREAM}
        events = [sse.frame(data, fault.newline) for data in response]
        return Outgoing(status, headers, events=tuple(sse.arranged(events, fault)))
    headers = {**context.headers, "content-type": error_bodies.JSON_TYPE}
    content = response if isinstance(response, bytes) else error_bodies.dump(response)
    return Outgoing(status, headers, content)


def server_name() -> str:
    """The value of the `server` header."""
    return f"aimlapi-emulator/{__version__}"
