"""Answers valid requests to chat completions and Responses."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from aimlapi_emulator.answers.answer import Answer, built_in_answer, truncate, vary_choice
from aimlapi_emulator.billing.usage import (
    Usage,
    answer_tokens,
    cost_headers,
    measure,
    prompt_tokens,
    reasoning_tokens,
)
from aimlapi_emulator.catalog.chat_model_row import ChatModelRow
from aimlapi_emulator.endpoints import (
    chat_format,
    chat_stream,
    error_bodies,
    responses_format,
    responses_stream,
    sse,
)
from aimlapi_emulator.faults.directives import strip_directives
from aimlapi_emulator.faults.odd_answers import (
    odd_chat,
    odd_chat_chunks,
    odd_response,
    odd_response_events,
)
from aimlapi_emulator.messages import EVENT_STREAM, APIError, Response
from aimlapi_emulator.prompt import Message, Prompt, from_chat, from_responses
from aimlapi_emulator.state import RequestContext
from aimlapi_emulator.text.bounds import MAX_PROMPT, MAX_TOKENS, check_size, limited_cpu
from aimlapi_emulator.validation.validators import Problem

_MAX_RUN = 1000
_MAX_WORD = 20_000
_LONG_RUN = re.compile(
    rf"(?<!\s)\s{{{_MAX_RUN},}}|(?<![^\w\s])[^\w\s]{{{_MAX_RUN},}}|(?<!\w)\w{{{_MAX_WORD},}}"
)
# Of a long conversation, where rules would take long to step over blank lines.
_LONG = 100_000
_BLANKS = re.compile(r"\s{3,}")
_REASONING = "The user wants an answer. I will give one by the rules."


def _choose_answer(context: RequestContext, prompt: Prompt, limit: int | None) -> Answer:
    """The queued, faulty, scripted or built-in answer, truncated at the output limit."""
    fault, rule, queued = context.fault, context.rule, context.state.queued_responses
    if queued and isinstance(queued[0], str):
        answer = Answer(str(queued.pop(0)))
    elif fault.refusal is not None:
        answer = Answer(refusal=fault.refusal)
    elif fault.empty:
        answer = Answer()
    elif rule is not None and rule.has_answer:
        answer = rule.answer(context.view, prompt)
    else:
        if sum(len(message.text) for message in prompt.messages) > MAX_TOKENS:
            check_size(
                prompt_tokens(prompt), MAX_TOKENS, "tokens of a conversation without `when()`"
            )
        with limited_cpu():
            answer = built_in_answer(prompt, eager=context.state.eager)
    if fault.reasoning is not None:
        answer = replace(answer, reasoning=fault.reasoning)
    if fault.finish_reason in ("length", "content_filter"):
        return truncate(answer, fault.finish_reason)
    if fault.finish_reason is not None:
        return replace(answer, finish_reason=fault.finish_reason)
    if limit is not None and answer_tokens(answer) > limit:
        return truncate(answer, "length", limit)
    return answer


def _check_input(context: RequestContext, model: ChatModelRow, prompt: Prompt) -> None:
    """Raise APIError, in OpenAI's words, for more tokens of input than the model takes."""
    limit = model.input_max or model.context_length
    body = context.body
    # A token has at least one byte, so that most prompts need not be counted.
    is_small = len(context.request.content) <= limit and not body.get("previous_response_id")
    if is_small or body.get("truncation") == "auto":  # which drops the oldest items
        return
    tokens = prompt_tokens(prompt)
    if tokens > limit:
        said = (  # cline#5474; the other in OpenAI's forum and many clients' fixtures
            f"Input tokens exceed the configured limit of {limit} tokens. Your"
            if model.input_max
            else f"This model's maximum context length is {limit} tokens. However, your"
        )
        raise APIError(
            400,
            f"{said} messages resulted in {tokens} tokens. Please reduce the length of the "
            "messages.",
        )


def _read_by_rules(prompt: Prompt) -> Prompt:
    """The prompt without directives and endless runs of blanks, signs or letters.

    Raises BoundError for too much text.
    """
    characters = sum(len(message.text) for message in prompt.messages)
    check_size(characters, MAX_PROMPT, "characters of a conversation")
    size = sum(sys.getsizeof(message.text) for message in prompt.messages)
    what = "bytes of a conversation's text, four for each character of a message with an emoji"
    check_size(size, 2 * MAX_PROMPT, what)

    def clean(message: Message) -> Message:
        text = strip_directives(message.text)
        if characters > _LONG:
            text = _BLANKS.sub(_as_blank, text)
        return replace(message, text=_LONG_RUN.sub(_shortened, text))

    return replace(prompt, messages=tuple(map(clean, prompt.messages)))


def _as_blank(run: re.Match[str]) -> str:
    return "\n" * min(run[0].count("\n"), 2) or " "


def _shortened(run: re.Match[str]) -> str:
    """What rules read of a run, since some take time that grows with its square."""
    return run[0][: _MAX_WORD if run[0][0].isalnum() else _MAX_RUN]


def _reasoning_effort(body: Mapping[str, Any]) -> str | None:
    effort = body.get("reasoning_effort") or (body.get("reasoning") or {}).get("effort")
    return effort if isinstance(effort, str) else None


def _output_limit(body: Mapping[str, Any]) -> int | None:
    for key in ("max_output_tokens", "max_completion_tokens", "max_tokens"):
        if body.get(key) is not None:
            return int(body[key])
    return None


def _reasoning_budget(body: Mapping[str, Any], model: ChatModelRow) -> tuple[int, int | None]:
    """(reasoning tokens, the rest of an output limit for the visible answer)."""
    limit = _output_limit(body)
    reasoning = reasoning_tokens(model, _reasoning_effort(body), limit)
    return reasoning, None if limit is None else limit - reasoning


def _response(
    context: RequestContext,
    answer: Answer,
    usage: Usage,
    body: Callable[[], dict[str, Any]],
    events: Callable[[], list[bytes]],
) -> Response:
    """The response as one body or as a stream, as requested."""
    fault = context.fault
    if context.body.get("stream"):
        headers = {**context.headers, "content-type": EVENT_STREAM, "cache-control": "no-cache"}
        out = Response(fault.success_status, headers, events=tuple(events()), usage=usage)
    else:
        headers = {**context.headers, "content-type": error_bodies.JSON_TYPE}
        headers |= cost_headers(usage, fault.cost_metadata)
        out = Response(fault.success_status, headers, error_bodies.dump(body()), usage=usage)
    return replace(out, called=tuple(call.name for call in answer.calls), note=answer.note)


def chat_reply(context: RequestContext, model: ChatModelRow) -> Response:
    """The response to a valid chat completion request. Raises APIError for too much input."""
    body = context.body
    prompt = _read_by_rules(from_chat(body))
    _check_input(context, model, prompt)
    reasoning, limit = _reasoning_budget(body, model)
    answer = _choose_answer(context, prompt, limit)
    has_text = model.chat.upstream in ("openrouter", "deepseek")
    if has_text and _shows_reasoning(body) and answer.reasoning is None:
        answer = replace(answer, reasoning=_REASONING)
    answers = [vary_choice(answer, index) for index in range(int(body.get("n") or 1))]
    usage = measure(model, prompt, answers, reasoning, context.state.cache)
    completion = chat_format.build_completion(context, model, answers, usage)
    error = sse.chat_error(context.path, context.request_id)
    fault = context.fault
    events = odd_chat_chunks(chat_stream.render_stream(completion), fault)
    if model.routed_to and not body.get("stream"):
        provider = model.routed_to.partition("/")[0]
        served = {"x-aimlapi-model": model.routed_to, "x-aimlapi-provider": provider}
        context = replace(context, headers={**context.headers, **served})
    return _response(
        context,
        answer,
        usage,
        lambda: odd_chat(chat_format.render(completion), fault),
        lambda: sse.frames(events, fault, error, named=False),
    )


def _shows_reasoning(body: Mapping[str, Any]) -> bool:
    given = body.get("reasoning") or {}
    return bool(body.get("reasoning_effort") or given) and not given.get("exclude")


def responses_reply(context: RequestContext, model: ChatModelRow) -> Response:
    """The response to a valid Responses request.

    Raises APIError for an unknown response or too much input.
    """
    body, state = context.body, context.state
    previous_id = body.get("previous_response_id")
    previous = state.stored.get(previous_id) if previous_id else None
    if previous_id and previous is None:
        problem = Problem("previous_response_id", f"No response found with id {previous_id!r}")
        raise APIError(400, f"Previous response with id '{previous_id}' not found.", (problem,))
    prompt = _read_by_rules(from_responses(body, previous.items if previous else ()))
    _check_input(context, model, prompt)
    reasoning, limit = _reasoning_budget(body, model)
    answer = _choose_answer(context, prompt, limit)
    usage = measure(model, prompt, [answer], reasoning, state.cache)
    response = responses_format.build_response(context, model, answer, usage)
    if body.get("store"):
        previous_items = previous.items if previous else ()
        stored = responses_format.as_stored(previous_items, body, response)
        size = len(context.request.content) + (previous.size if previous else 0)
        state.store(response.id, replace(stored, size=size))
    error = sse.chat_error(context.path, context.request_id)
    error = responses_stream.stream_error(response, error)
    fault = context.fault
    events = odd_response_events(responses_stream.render_stream(response), fault)
    return _response(
        context,
        answer,
        usage,
        lambda: odd_response(responses_format.render(response), fault),
        lambda: sse.frames(events, fault, error, named=True),
    )
