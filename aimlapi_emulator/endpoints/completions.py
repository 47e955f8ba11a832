"""Valid requests answered: the rules' answer, cut and priced, in the shape of its endpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from aimlapi_emulator.answers.answer import Answer, answer, shorten, varied
from aimlapi_emulator.billing.usage import (
    Usage,
    answer_tokens,
    cost_headers,
    measure,
    reasoning_tokens,
)
from aimlapi_emulator.catalog.chat_models import ChatModelRow
from aimlapi_emulator.endpoints import (
    chat_format,
    error_bodies,
    responses_format,
    responses_stream,
    sse,
)
from aimlapi_emulator.faults.directives import strip_directives
from aimlapi_emulator.messages import EVENT_STREAM, APIError, Response
from aimlapi_emulator.prompt import Message, Prompt, from_chat, from_responses
from aimlapi_emulator.state import RequestContext
from aimlapi_emulator.validation.validators import Problem


def _choose_answer(context: RequestContext, prompt: Prompt, limit: int | None) -> Answer:
    """The answer by script, fault or rule, cut where the output limit falls."""
    fault, rule, queued = context.fault, context.rule, context.state.queued_responses
    if queued and isinstance(queued[0], str):
        made = Answer(str(queued.pop(0)))
    elif fault.refusal is not None:
        made = Answer(refusal=fault.refusal)
    elif fault.empty:
        made = Answer()
    elif rule is not None and rule.has_answer:
        made = rule.answer(context.view, prompt)
    else:
        made = answer(prompt)
    if fault.reasoning is not None:
        made = replace(made, reasoning=fault.reasoning)
    if fault.finish_reason in ("length", "content_filter"):
        return shorten(made, fault.finish_reason)
    if fault.finish_reason is not None:
        return replace(made, finish=fault.finish_reason)
    if limit is not None and answer_tokens(made) > limit:
        return shorten(made, "length", limit)
    return made


def _without_directives(prompt: Prompt) -> Prompt:
    def clean(message: Message) -> Message:
        return replace(message, text=strip_directives(message.text))

    return replace(prompt, messages=tuple(map(clean, prompt.messages)))


def _reasoning_effort(body: Mapping[str, Any]) -> str | None:
    effort = body.get("reasoning_effort") or (body.get("reasoning") or {}).get("effort")
    return effort if isinstance(effort, str) else None


def _output_limit(body: Mapping[str, Any]) -> int | None:
    for key in ("max_output_tokens", "max_completion_tokens", "max_tokens"):
        if body.get(key) is not None:
            return int(body[key])
    return None


def _reasoning_budget(body: Mapping[str, Any], model: ChatModelRow) -> tuple[int, int | None]:
    """(reasoning tokens, what an output limit leaves for the visible answer)."""
    limit = _output_limit(body)
    thought = reasoning_tokens(model, _reasoning_effort(body), limit)
    return thought, None if limit is None else limit - thought


def _response(
    context: RequestContext,
    usage: Usage,
    body: Callable[[], dict[str, Any]],
    events: Callable[[], list[bytes]],
) -> Response:
    """The answer whole or as a stream, as the request wants it."""
    fault = context.fault
    if context.body.get("stream"):
        headers = {**context.headers, "content-type": EVENT_STREAM, "cache-control": "no-cache"}
        return Response(fault.success_status, headers, events=tuple(events()), usage=usage)
    headers = {**context.headers, "content-type": error_bodies.JSON_TYPE}
    headers |= cost_headers(usage, fault.cost_metadata)
    return Response(fault.success_status, headers, error_bodies.dump(body()), usage=usage)


def chat_reply(context: RequestContext, model: ChatModelRow) -> Response:
    """The answer to a valid chat completion request."""
    body = context.body
    prompt = _without_directives(from_chat(body))
    thought, limit = _reasoning_budget(body, model)
    first = _choose_answer(context, prompt, limit)
    if model.family == "dotted" and _shows_reasoning(body) and first.reasoning is None:
        first = replace(first, reasoning="The user wants an answer. I will give one by the rules.")
    made = [varied(first, index) for index in range(int(body.get("n") or 1))]
    usage = measure(model, prompt, made, thought, context.state.cache)
    told = chat_format.chat_answer(context, model, made, usage)
    error = sse.chat_error(context.path, context.request_id)
    return _response(
        context,
        usage,
        lambda: chat_format.whole(told),
        lambda: sse.frames(
            chat_format.stream(told), context.fault, error, named=False, done_sentinel=True
        ),
    )


def _shows_reasoning(body: Mapping[str, Any]) -> bool:
    asked = body.get("reasoning") or {}
    return bool(body.get("reasoning_effort") or asked) and not asked.get("exclude")


def responses_reply(context: RequestContext, model: ChatModelRow) -> Response:
    """The answer to a valid Responses request. Raises APIError for an unknown response."""
    body, state = context.body, context.state
    previous_id = body.get("previous_response_id")
    previous = state.stored.get(previous_id) if previous_id else None
    if previous_id and previous is None:
        problem = Problem("previous_response_id", f"No response found with id {previous_id!r}")
        raise APIError(400, f"Previous response with id '{previous_id}' not found.", (problem,))
    prompt = _without_directives(from_responses(body, previous.items if previous else ()))
    thought, limit = _reasoning_budget(body, model)
    made = _choose_answer(context, prompt, limit)
    usage = measure(model, prompt, [made], thought, state.cache)
    told = responses_format.responses_answer(context, model, made, usage)
    if body.get("store"):
        earlier = previous.items if previous else ()
        state.stored[told.id] = responses_format.stored(earlier, body, told)
    error = sse.chat_error(context.path, context.request_id)
    error = responses_stream.stream_error(told, error)
    events = responses_stream.stream(told)
    return _response(
        context,
        usage,
        lambda: responses_format.whole(told),
        lambda: sse.frames(events, context.fault, error, named=True, done_sentinel=False),
    )
