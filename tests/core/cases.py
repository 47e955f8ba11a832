"""Chat answers in both forms: the whole body, and the payloads of the same answer streamed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

ID, MODEL, CREATED = "chatcmpl-1", "gpt-5.2-2025-12-11", 1_765_000_000
USAGE = {
    "prompt_tokens": 7,
    "completion_tokens": 13,
    "total_tokens": 20,
    "prompt_tokens_details": {"cached_tokens": 3, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 5},
}
META = {"usage": {"credits_used": 409, "usd_spent": 0.0002045}}


@dataclass(frozen=True)
class Case:
    name: str
    body: dict[str, Any]
    chunks: tuple[dict[str, Any], ...]
    n: int = 1
    endpoint: Literal["chat", "responses"] = "chat"

    def __str__(self) -> str:
        return f"{self.endpoint}: {self.name}"

    @property
    def closing(self) -> int:
        """The position of the chunk that ends the answer: what follows it is optional."""
        if self.endpoint == "responses":
            return len(self.chunks) - 1
        first: dict[int, int] = {}
        for position, chunk in enumerate(self.chunks):
            for row in chunk.get("choices") or ():
                if row.get("finish_reason"):
                    first.setdefault(row.get("index", 0), position)
        return max(first.values())

    def sse(self, *, newline: str = "\n", done: bool = True) -> bytes:
        lines = [f"data: {json.dumps(c, ensure_ascii=False)}" for c in self.chunks]
        lines += ["data: [DONE]"] if done else []
        return "".join(line + newline * 2 for line in lines).encode()


def body(*choices: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": ID,
        "object": "chat.completion",
        "created": CREATED,
        "model": MODEL,
        "choices": list(choices),
        "usage": USAGE,
        "meta": META,
        **more,
    }


def choice(
    message: dict[str, Any], finish: str = "stop", index: int = 0, **more: Any
) -> dict[str, Any]:
    return {
        "index": index,
        "message": {"role": "assistant", **message},
        "finish_reason": finish,
        **more,
    }


def chunk(
    delta: dict[str, Any] | None, finish: str | None = None, index: int = 0, **more: Any
) -> dict[str, Any]:
    choices = [] if delta is None else [{"index": index, "delta": delta, "finish_reason": finish}]
    if choices:
        choices[0].update(more.pop("of_choice", {}))
    return {
        "id": ID,
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": MODEL,
        "choices": choices,
        "usage": None,
        **more,
    }


HEAD = chunk({"role": "assistant", "content": "", "refusal": None})
TAIL = (chunk(None, usage=USAGE), {"meta": META})


def call_delta(index: int | None, **more: Any) -> dict[str, Any]:
    function = {k: more.pop(k) for k in ("name", "arguments") if k in more}
    row: dict[str, Any] = {**more, "function": function}
    if index is not None:
        row["index"] = index
    return row


def whole_call(call_id: str, name: str, arguments: str) -> dict[str, Any]:
    return {
        "id": call_id,
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }


TWO_CALLS = body(
    choice(
        {
            "content": None,
            "tool_calls": [
                whole_call("call_a", "weather", '{"city":"Łódź"}'),
                whole_call("call_b", "clock", "{}"),
            ],
        },
        "tool_calls",
    )
)


def _two_calls(name: str, *deltas: list[dict[str, Any]]) -> Case:
    chunks = (HEAD, *(chunk({"tool_calls": d}) for d in deltas), chunk({}, "tool_calls"), *TAIL)
    return Case(name, TWO_CALLS, chunks)


CASES = (
    Case(
        "text with raw UTF-8",
        body(choice({"content": "Grüße, 世界 🌍!", "refusal": None})),
        (
            HEAD,
            chunk({"content": "Grüße, "}),
            chunk({"content": "世界 "}),
            chunk({"content": "🌍!"}),
            chunk({}, "stop"),
            *TAIL,
        ),
    ),
    Case(
        "role in each delta, null content, finish with the last text, obfuscation",
        body(choice({"content": "ab"}), service_tier="default"),
        (
            chunk({"role": "assistant", "content": "a"}, obfuscation="xxxx"),
            chunk({"role": "assistant", "content": None}),
            chunk({"role": "assistant", "content": "b"}, "stop", service_tier="default"),
            chunk({}, "stop"),
            *TAIL,
        ),
    ),
    Case(
        "chunks without choices, choices without delta, null choices",
        body(choice({"content": "x"})),
        (
            {"id": ID, "created": CREATED, "model": MODEL},
            {"choices": None},
            {"choices": [{"index": 0}]},
            chunk({"content": "x"}),
            {"choices": [{"index": 0, "finish_reason": "stop"}]},
            {**chunk(None, usage=USAGE), "meta": META},
        ),
    ),
    Case(
        "the cost beside the finish reason",
        body(choice({"content": "x"})),
        (
            HEAD,
            chunk({"content": "x"}, usage=USAGE),
            chunk({}, "stop", meta=META),
        ),
    ),
    Case(
        "cumulative usage",
        body(choice({"content": "xy"})),
        (
            chunk({"content": "x"}, usage={"prompt_tokens": 7, "completion_tokens": 1}),
            chunk({"content": "y"}, usage={"prompt_tokens": 7, "completion_tokens": 2}),
            chunk({}, "stop"),
            *TAIL,
        ),
    ),
    Case(
        "no usage, no meta, unknown finish reason",
        {
            k: v
            for k, v in body(choice({"content": "x"}, "eos")).items()
            if k not in ("usage", "meta")
        },
        (HEAD, chunk({"content": "x"}), chunk({}, "eos")),
    ),
    Case(
        "empty answer",
        body(choice({"content": ""}, "length")),
        (HEAD, chunk({}, "length"), *TAIL),
    ),
    Case(
        "refusal",
        body(choice({"content": None, "refusal": "I can't help with that."})),
        (
            HEAD,
            chunk({"refusal": "I can't help "}),
            chunk({"refusal": "with that."}),
            chunk({}, "stop"),
            *TAIL,
        ),
    ),
    Case(
        "reasoning before text",
        body(choice({"content": "4", "reasoning": "2+2…"})),
        (
            HEAD,
            chunk({"reasoning": "2+"}),
            chunk({"reasoning": "2…"}),
            chunk({"content": "4"}),
            chunk({}, "stop"),
            *TAIL,
        ),
    ),
    Case(
        "reasoning under both names, details grow by index",
        body(
            choice(
                {
                    "content": "4",
                    "reasoning_content": "ab",
                    "reasoning_details": [{"type": "reasoning.text", "text": "ab", "index": 0}],
                }
            )
        ),
        (
            chunk(
                {
                    "reasoning_content": "a",
                    "reasoning": "a",
                    "reasoning_details": [{"type": "reasoning.text", "text": "a", "index": 0}],
                }
            ),
            chunk(
                {
                    "reasoning_content": "b",
                    "reasoning_details": [{"type": "reasoning.text", "text": "b", "index": 0}],
                }
            ),
            chunk({"content": "4"}),
            chunk({}, "stop"),
            *TAIL,
        ),
    ),
    Case(
        "citations",
        body(
            choice(
                {
                    "content": "See.",
                    "annotations": [
                        {"type": "url_citation", "url_citation": {"url": "https://e.org"}}
                    ],
                }
            )
        ),
        (
            HEAD,
            chunk({"content": "See."}),
            chunk(
                {
                    "annotations": [
                        {"type": "url_citation", "url_citation": {"url": "https://e.org"}}
                    ]
                }
            ),
            chunk({}, "stop"),
            *TAIL,
        ),
    ),
    Case(
        "logprobs",
        body(
            choice(
                {"content": "ab"},
                logprobs={
                    "content": [{"token": "a", "logprob": -0.5}, {"token": "b", "logprob": -1}],
                    "refusal": None,
                },
            )
        ),
        (
            HEAD,
            chunk(
                {"content": "a"},
                of_choice={
                    "logprobs": {"content": [{"token": "a", "logprob": -0.5}], "refusal": None}
                },
            ),
            chunk(
                {"content": "b"},
                of_choice={
                    "logprobs": {"content": [{"token": "b", "logprob": -1}], "refusal": None}
                },
            ),
            chunk({}, "stop", of_choice={"logprobs": None}),
            *TAIL,
        ),
    ),
    Case(
        "two choices, interleaved",
        body(choice({"content": "ac"}), choice({"content": "bd"}, "length", 1)),
        (
            chunk({"content": "a"}),
            chunk({"content": "b"}, index=1),
            chunk({"content": "c"}),
            chunk({}, "stop"),
            chunk({"content": "d"}, index=1),
            chunk({}, "length", index=1),
            *TAIL,
        ),
        n=2,
    ),
    Case(
        "text, then a call",
        body(
            choice(
                {"content": "Looking.", "tool_calls": [whole_call("c", "f", '{"a":1}')]},
                "tool_calls",
            )
        ),
        (
            HEAD,
            chunk({"content": "Looking."}),
            chunk({"tool_calls": [call_delta(0, id="c", type="function", name="f", arguments="")]}),
            chunk({"tool_calls": [call_delta(0, arguments='{"a"')]}),
            chunk({"tool_calls": [call_delta(0, arguments=":1}")]}),
            chunk({}, "tool_calls"),
            *TAIL,
        ),
    ),
    _two_calls(
        "calls one after the other",
        [call_delta(0, id="call_a", name="weather", arguments="")],
        [call_delta(0, arguments='{"city":')],
        [call_delta(0, arguments='"Łódź"}')],
        [call_delta(1, id="call_b", name="clock", arguments="")],
        [call_delta(1, arguments="{}")],
    ),
    _two_calls(
        "all calls in one chunk",
        [
            call_delta(0, id="call_a", name="weather", arguments='{"city":"Łódź"}'),
            call_delta(1, id="call_b", name="clock", arguments="{}"),
        ],
    ),
    _two_calls(
        "interleaved calls",
        [call_delta(0, id="call_a", name="weather"), call_delta(1, id="call_b", name="clock")],
        [call_delta(0, arguments='{"city":'), call_delta(1, arguments="{")],
        [call_delta(1, arguments="}"), call_delta(0, arguments='"Łódź"}')],
    ),
    _two_calls(
        "id and name repeated in each piece",
        [call_delta(0, id="call_a", name="weather", arguments='{"city":')],
        [call_delta(0, id="call_a", name="weather", arguments='"Łódź"}')],
        [call_delta(1, id="call_b", name="clock", arguments="{}")],
    ),
    _two_calls(
        "no index",
        [call_delta(None, id="call_a", name="weather", arguments='{"city":')],
        [call_delta(None, arguments='"Łódź"}')],
        [call_delta(None, id="call_b", name="clock", arguments="{}")],
    ),
    _two_calls(
        "placeholder ids after the head",
        [call_delta(0, id="call_a", name="weather", arguments='{"city":')],
        [call_delta(0, id="null", name="", arguments='"Łódź"}')],
        [call_delta(1, id="call_b", name="clock", arguments="{")],
        [call_delta(1, id="", name=None, arguments="}")],
    ),
    _two_calls(
        "one index for both calls",
        [call_delta(0, id="call_a", name="weather", arguments='{"city":"Łódź"}')],
        [call_delta(0, id="call_b", name="clock", arguments="{}")],
    ),
)


# Responses: events as the schema names them, the whole response in the last one.

R_USAGE = {
    "input_tokens": 7,
    "input_tokens_details": {"cached_tokens": 3},
    "output_tokens": 13,
    "output_tokens_details": {"reasoning_tokens": 5},
    "total_tokens": 20,
}


def response(*output: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": CREATED,
        "model": "gpt-5.2-pro-2025-12-11",
        "status": "completed",
        "parallel_tool_calls": True,
        "output": list(output),
        "usage": R_USAGE,
        "meta": META,
        **more,
    }


def message(*parts: str | dict[str, Any], item_id: str = "msg_1") -> dict[str, Any]:
    content = [
        {"type": "output_text", "text": part, "annotations": []} if isinstance(part, str) else part
        for part in parts
    ]
    return {
        "id": item_id,
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": content,
    }


def function_call(call_id: str, name: str, arguments: str) -> dict[str, Any]:
    return {
        "id": f"fc_{call_id}",
        "type": "function_call",
        "status": "completed",
        "call_id": call_id,
        "name": name,
        "arguments": arguments,
    }


def reasoning(*texts: str, **more: Any) -> dict[str, Any]:
    summary = [{"type": "summary_text", "text": text} for text in texts]
    return {"id": "rs_1", "type": "reasoning", "summary": summary, **more}


def _pieces(text: str) -> list[str]:
    return [text[i : i + 4] for i in range(0, len(text), 4)]


def events_of_item(index: int, item: dict[str, Any]) -> list[dict[str, Any]]:
    """The events that bring one output item, in the order of the schema's documents."""
    at = {"output_index": index, "item_id": item.get("id")}
    head = {**item, "status": "in_progress"}
    for name in ("content", "summary"):
        if name in item:
            head[name] = []
    if "arguments" in item:
        head["arguments"] = ""
    events: list[dict[str, Any]] = [{"type": "response.output_item.added", **at, "item": head}]
    for position, part in enumerate(item.get("content") or ()):
        here = {**at, "content_index": position}
        events.append({"type": "response.content_part.added", **here, "part": {}})
        kind = "refusal" if part["type"] == "refusal" else "output_text"
        text = part.get("refusal") or part.get("text") or ""
        events += [{"type": f"response.{kind}.delta", **here, "delta": p} for p in _pieces(text)]
        for row in part.get("annotations") or ():
            added = "response.output_text.annotation.added"
            events.append({"type": added, **here, "annotation_index": 0, "annotation": row})
        events.append({"type": f"response.{kind}.done", **here, "text": text})
    for position, part in enumerate(item.get("summary") or ()):
        here = {**at, "summary_index": position}
        kind = "response.reasoning_summary_text.delta"
        events += [{"type": kind, **here, "delta": p} for p in _pieces(part["text"])]
    for piece in _pieces(item.get("arguments") or ""):
        events.append({"type": "response.function_call_arguments.delta", **at, "delta": piece})
    return [*events, {"type": "response.output_item.done", **at, "item": item}]


def responses_case(name: str, whole: dict[str, Any], *, end: str = "completed") -> Case:
    started = {"response": {**whole, "status": "in_progress", "output": [], "usage": None}}
    events = [
        {"type": "response.created", **started},
        {"type": "response.in_progress", **started},
        *(e for i, item in enumerate(whole["output"]) for e in events_of_item(i, item)),
        {"type": f"response.{end}", "response": whole},
    ]
    numbered = tuple({**e, "sequence_number": i} for i, e in enumerate(events))
    return Case(name, whole, numbered, endpoint="responses")


CITATION = {"type": "url_citation", "url": "https://e.org", "title": "E", "start_index": 0}

RESPONSES_CASES = (
    responses_case("text with raw UTF-8", response(message("Grüße, 世界 🌍!"))),
    responses_case("two messages", response(message("One."), message("Two.", item_id="msg_2"))),
    responses_case("two parts", response(message("One, ", "two."))),
    responses_case(
        "reasoning, text, two calls",
        response(
            reasoning("First I look.", "Then I act.", encrypted_content="gAAA"),
            message("Looking."),
            function_call("call_a", "weather", '{"city":"Łódź"}'),
            function_call("call_b", "clock", ""),
        ),
    ),
    responses_case("reasoning without text", response(reasoning(), message("4"))),
    responses_case(
        "refusal", response(message({"type": "refusal", "refusal": "I can't help with that."}))
    ),
    responses_case(
        "citations of a web search",
        response(
            {"id": "ws_1", "type": "web_search_call", "status": "completed"},
            message({"type": "output_text", "text": "See E.", "annotations": [CITATION]}),
        ),
    ),
    responses_case(
        "cut by the limit",
        response(
            function_call("call_a", "weather", '{"city":"Ł'),
            status="incomplete",
            incomplete_details={"reason": "max_output_tokens"},
        ),
        end="incomplete",
    ),
    responses_case(
        "filtered, without usage",
        response(
            message("Begun"),
            status="incomplete",
            incomplete_details={"reason": "content_filter"},
            usage=None,
            meta=None,
        ),
        end="incomplete",
    ),
    responses_case("empty", response(message(""))),
)
