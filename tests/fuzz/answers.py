"""Random answers of both endpoints, each as a whole body and as the stream of the same answer."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from tests.core.cases import ID, META, MODEL, R_USAGE, USAGE
from tests.fuzz.laws import ODD

_WORDS = (*ODD, "Bern", " is", " 18", " degrees", ".", "a", "a", "\t", '{"a": "b"}')


@dataclass(frozen=True)
class Answer:
    """`body` is the whole answer, `stream` the bytes of its stream, in pieces."""

    body: dict[str, Any]
    stream: tuple[bytes, ...]


class Pieces(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body in pieces."""

    def __init__(self, pieces: tuple[bytes, ...]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece


def served(answer: Answer) -> dict[str, Any]:
    """The arguments of a model whose every call has this answer."""

    def handle(request: httpx.Request) -> httpx.Response:
        if json.loads(request.content).get("stream"):
            return httpx.Response(200, stream=Pieces(answer.stream))
        return httpx.Response(200, content=json.dumps(answer.body))

    transport = httpx.MockTransport(handle)
    return {
        "api_key": "k",
        "http_client": httpx.Client(transport=transport),
        "http_async_client": httpx.AsyncClient(transport=transport),
    }


def _text(rng: random.Random) -> str:
    return "".join(rng.choices(_WORDS, k=rng.randint(1, 6)))


def _json(rng: random.Random, depth: int = 2) -> Any:
    kind = rng.randint(0, 6 if depth else 4)
    if kind < 2:
        return _text(rng)
    if kind < 5:
        return (rng.randint(-9, 9), rng.choice([True, False, None]), rng.random())[kind - 2]
    if kind == 5:
        return [_json(rng, depth - 1) for _ in range(rng.randint(0, 2))]
    return {_text(rng): _json(rng, depth - 1) for _ in range(rng.randint(0, 2))}


def _arguments(rng: random.Random) -> str:
    text = json.dumps({_text(rng): _json(rng) for _ in range(rng.randint(0, 3))})
    kind = rng.randint(0, 9)
    return text[: rng.randint(0, len(text))] if kind == 0 else "" if kind == 1 else text


def pieces(rng: random.Random, text: str) -> list[str]:
    """`text` cut at random places, between halves of characters too; at least one piece."""
    if rng.random() < 0.2:
        units = text.encode("utf-16-le", "surrogatepass")
        text = "".join(chr(units[i] + 256 * units[i + 1]) for i in range(0, len(units), 2))
    places = range(1, len(text))
    cuts = sorted(rng.sample(places, min(len(places), rng.randint(0, 4))))
    return [text[i:j] for i, j in zip([0, *cuts], [*cuts, len(text)], strict=True)]


def _line(payload: Any, ascii_only: bool) -> str:
    line = json.dumps(payload, ensure_ascii=ascii_only)
    return line if ascii_only or _has_bytes(line) else json.dumps(payload)


def _has_bytes(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _bytes(rng: random.Random, payloads: Sequence[Any]) -> tuple[bytes, ...]:
    newline = rng.choice(["\n", "\r\n", "\r"])
    ascii_only = rng.random() < 0.5
    lines = [one if isinstance(one, str) else _line(one, ascii_only) for one in payloads]
    data = "".join(f"data: {line}{newline * 2}" for line in lines).encode()
    size = rng.choice([1, 7, 100, 10_000])
    return tuple(data[i : i + size] for i in range(0, len(data), size))


def _citation(rng: random.Random, nested: bool) -> dict[str, Any]:
    if rng.random() < 0.5:
        return {"type": "file_citation", "index": rng.randint(0, 1), "file_id": rng.choice("AB")}
    web = {"url": f"https://{rng.choice('ab')}.example", "start_index": 0, "end_index": 1}
    return {"type": "url_citation", **({"url_citation": web} if nested else web)}


Deltas = list[dict[str, Any]]
_ROW = "of the choice"  # what stands beside a delta, in its choice


def _grown(rng: random.Random, name: str) -> tuple[dict[str, Any], Deltas]:
    text = _text(rng)
    return {name: text}, [{name: piece} for piece in pieces(rng, text)]


def _content(rng: random.Random) -> tuple[dict[str, Any], Deltas]:
    fields, deltas = _grown(rng, "content")
    kind = rng.randint(0, 3)
    if kind == 0:
        parts = [{"type": "text", "text": delta["content"]} for delta in deltas]
        return {"content": parts}, [{"content": [part]} for part in parts]
    if kind == 1:
        rows = [{"token": d["content"], "logprob": -0.5, "top_logprobs": []} for d in deltas]
        beside = [
            {**d, _ROW: {"logprobs": {"content": [r]}}} for d, r in zip(deltas, rows, strict=True)
        ]
        return {**fields, _ROW: {"logprobs": {"content": rows}}}, beside
    return fields, deltas


def _annotations(rng: random.Random) -> tuple[dict[str, Any], Deltas]:
    citations = [_citation(rng, nested=True) for _ in range(rng.randint(1, 3))]
    return {"annotations": citations}, [{"annotations": [one]} for one in citations]


def _audio(rng: random.Random) -> tuple[dict[str, Any], Deltas]:
    transcript, data = _text(rng), "QUJD" * 3
    deltas = [{"id": "audio_1", "expires_at": 9}]
    deltas += [{"transcript": piece} for piece in pieces(rng, transcript)]
    deltas += [{"data": piece, "id": "audio_1"} for piece in pieces(rng, data)]
    whole = {"id": "audio_1", "expires_at": 9, "transcript": transcript, "data": data}
    return {"audio": whole}, [{"audio": delta} for delta in deltas]


def _details(rng: random.Random) -> tuple[dict[str, Any], Deltas]:
    kind = {"type": "reasoning.text", "format": "unknown"}
    rows = [{**kind, "index": index, "text": _text(rng)} for index in (0, 1)]
    grown = [
        [{"reasoning_details": [{**row, "text": piece}]} for piece in pieces(rng, row["text"])]
        for row in rows
    ]
    firsts = [{"reasoning_details": [{**row, "text": ""}]} for row in rows]
    return {"reasoning_details": rows}, [*firsts, *_interleaved(rng, grown)]


def _calls(rng: random.Random) -> tuple[dict[str, Any], Deltas]:
    if rng.random() < 0.1:
        call = {"name": "go", "arguments": _arguments(rng)}
        deltas = [{"arguments": piece} for piece in pieces(rng, call["arguments"])]
        deltas[0]["name"] = "go"
        return {"function_call": call}, [{"function_call": delta} for delta in deltas]
    calls = [_chat_call(rng, index) for index in range(rng.randint(1, 3))]
    heads = [rows[0] for _, rows in calls]
    followers = [[{"tool_calls": [row]} for row in rows[1:]] for _, rows in calls]
    begun = [{"tool_calls": heads}]
    if rng.random() < 0.5:
        begun = [{"tool_calls": [row]} for row in heads]
    whole = {"tool_calls": [whole for whole, _ in calls]}
    return whole, [*begun, *_interleaved(rng, followers)]


def _message_and_deltas(rng: random.Random) -> tuple[dict[str, Any], Deltas]:
    """A message, and its deltas: in order within a member, in random order between members."""
    found = [_content(rng)] if rng.random() < 0.8 else []
    names = (rng.choice(["reasoning", "reasoning_content"]), "refusal", "thinking")
    found += [_grown(rng, name) for name in names if rng.random() < 0.3]
    found += [make(rng) for make in (_annotations, _audio, _details) if rng.random() < 0.2]
    found += [_calls(rng)] if rng.random() < 0.6 else []
    message: dict[str, Any] = {"role": "assistant", "content": None}
    for fields, _ in found:
        message.update(fields)
    return message, _merged(rng, _interleaved(rng, [deltas for _, deltas in found]))


def chat_answer(rng: random.Random) -> Answer:
    """A chat completion."""
    message, deltas = _message_and_deltas(rng)
    reason = rng.choice(["stop", "tool_calls", "length", "content_filter", "odd"])
    if reason == "tool_calls" and "tool_calls" not in message:  # calls that did not come: a failure
        reason = "stop"
    facts = {"native_finish_reason": "completed"} if rng.random() < 0.3 else {}
    usage = USAGE if rng.random() < 0.8 else None
    meta = META if rng.random() < 0.5 else None
    head = {"id": ID, "created": 1, "model": MODEL, "system_fingerprint": "fp"}
    beside = message.pop(_ROW, {})
    row = {"index": 0, "message": message, "finish_reason": reason, **beside, **facts}
    body = {**head, "choices": [row], "usage": usage, "meta": meta}
    ends = rng.choice(["last", "beside", "every", "early"])  # where the finish reason is
    begins = {"last": len(deltas), "beside": len(deltas) - 1, "every": 0}
    said_from = begins.get(ends, rng.randint(0, max(0, len(deltas) - 1)))
    payloads: list[Any] = []
    for at, delta in enumerate(deltas if ends != "last" and deltas else [*deltas, {}]):
        ended = {"finish_reason": reason, **facts} if at >= said_from else {"finish_reason": None}
        beside = delta.pop(_ROW, {})
        payloads.append({**head, "choices": [{"index": 0, "delta": delta, **beside, **ended}]})
    tail = [{**head, "choices": [], "usage": usage}] if usage else []
    tail += [{"meta": meta}] if meta else []
    done = rng.randint(0, len(tail))
    cut = _bytes(rng, [*payloads, *tail[:done], "[DONE]", *tail[done:]])
    # What is behind the closing event is taken in where it comes with it, as here.
    return Answer(body, cut if done == len(tail) else (b"".join(cut),))


def _chat_call(rng: random.Random, index: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A tool call and its deltas."""
    custom = rng.random() < 0.2
    kind, member = ("custom", "input") if custom else ("function", "arguments")
    text = _text(rng) if custom else _arguments(rng)
    name = rng.choice(["go", "weather", "clock", ""])
    whole = {"id": f"call_{index}", "type": kind, kind: {"name": name, member: text}}
    rows = [{"index": index, kind: {member: piece}} for piece in pieces(rng, text)]
    if custom:
        rows = [{**row, "type": "custom"} for row in rows]
    how = rng.choice(["once", "repeated", "ids"])
    if how == "once" and rng.random() < 0.5:
        rows.insert(0, {"index": index, kind: {member: ""}})
    rows[0] = {**rows[0], "id": whole["id"], "type": kind, kind: {"name": name, **rows[0][kind]}}
    for at, row in enumerate(rows[1:], 1):
        if how == "repeated":
            rows[at] = {**row, "id": whole["id"], kind: {"name": name, **row[kind]}}
        elif how == "ids":  # a new one in each piece
            rows[at] = {**row, "id": f"call_{index}_{at}"}
    return whole, rows


def _interleaved(rng: random.Random, queues: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The rows of all queues, each queue in its own order."""
    queues = [list(queue) for queue in queues if queue]
    out = []
    while queues:
        queue = rng.choice(queues)
        out.append(queue.pop(0))
        queues = [one for one in queues if one]
    return out


def _merged(rng: random.Random, deltas: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Neighbours of different members in one delta, now and then."""
    out: list[dict[str, Any]] = []
    for delta in deltas:
        if out and not out[-1].keys() & delta.keys() and rng.random() < 0.3:
            out[-1] = {**out[-1], **delta}
        else:
            out.append(delta)
    return out


def responses_answer(rng: random.Random) -> Answer:
    """A response; its items one after the other, each with all of its events or some left out."""
    makers = (_message, _message, _reasoning, _call, _call, _foreign)
    items = [rng.choice(makers)(rng, at) for at in range(rng.randint(1, 5))]
    items = [{**item, "status": "completed"} for item in items]
    status = rng.choice(["completed", "completed", "incomplete"])
    body: dict[str, Any] = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": MODEL,
        "status": status,
        "output": items,
        "usage": R_USAGE if rng.random() < 0.8 else None,
        "meta": META if rng.random() < 0.5 else None,
    }
    if status == "incomplete":
        body["incomplete_details"] = {"reason": rng.choice(["max_output_tokens", "content_filter"])}
    late = {name: body[name] for name in ("usage", "meta") if body[name] and rng.random() < 0.2}
    last = {**body, **dict.fromkeys(late)}
    started = {"response": {**last, "status": "in_progress", "output": [], "usage": None}}
    events: list[dict[str, Any]] = [{"type": "response.created", **started}]
    events += [event for at, item in enumerate(items) for event in _events(rng, at, item)]
    if rng.random() < 0.2:
        last = {**last, "output": []}
        events += [
            {"type": "response.output_item.done", "output_index": at, "item": item}
            for at, item in enumerate(items)
        ]
    events.append({"type": f"response.{status}", "response": last})
    numbered: list[Any] = [{**event, "sequence_number": at} for at, event in enumerate(events)]
    numbered += [{name: value} for name, value in late.items()]
    if rng.random() < 0.5:
        numbered.insert(len(events), "[DONE]")
    cut = _bytes(rng, numbered)
    return Answer(body, (b"".join(cut),) if late else cut)


def _message(rng: random.Random, at: int) -> dict[str, Any]:
    content: list[dict[str, Any]] = []
    for _ in range(rng.randint(1, 2)):
        if rng.random() < 0.2:
            content.append({"type": "refusal", "refusal": _text(rng)})
            continue
        citations = [_citation(rng, nested=False) for _ in range(rng.choice([0, 0, 1, 3]))]
        content.append({"type": "output_text", "text": _text(rng), "annotations": citations})
    return {"id": f"msg_{at}", "type": "message", "role": "assistant", "content": content}


def _reasoning(rng: random.Random, at: int) -> dict[str, Any]:
    item: dict[str, Any] = {"id": f"rs_{at}", "type": "reasoning", "summary": []}
    for _ in range(rng.randint(0, 2)):
        item["summary"].append({"type": "summary_text", "text": _text(rng)})
    if not item["summary"] and rng.random() < 0.5:
        item["content"] = [{"type": "reasoning_text", "text": _text(rng)}]
    if rng.random() < 0.5:
        item["encrypted_content"] = "gAAA"
    return item


def _call(rng: random.Random, at: int) -> dict[str, Any]:
    name = rng.choice(["go", "weather", "clock"])
    return {
        "id": f"fc_{at}",
        "type": "function_call",
        "call_id": f"call_{at}",
        "name": name,
        "arguments": _arguments(rng),
    }


def _foreign(rng: random.Random, at: int) -> dict[str, Any]:
    if rng.random() < 0.5:
        text = _text(rng)
        call = {"id": f"ctc_{at}", "type": "custom_tool_call", "call_id": f"call_{at}"}
        return {**call, "name": "sh", "input": text}
    return {"id": f"ws_{at}", "type": "web_search_call", "action": {"query": _text(rng)}}


def _events(rng: random.Random, at: int, item: dict[str, Any]) -> list[dict[str, Any]]:
    """The events of one output item; those that the last event makes up for may be missing."""
    place = {"output_index": at, "item_id": item["id"]}
    head = {**item, "status": "in_progress"}
    head.update({name: [] for name in ("content", "summary") if name in item})
    head.update({name: "" for name in ("arguments", "input") if name in item})
    head.pop("encrypted_content", None)
    events: list[dict[str, Any]] = [
        {"type": "response.output_item.added", "output_index": at, "item": head}
    ]

    def grow(kind: str, text: str, **where: Any) -> None:
        more = {"type": f"response.{kind}.delta", **place, **where}
        events.extend({**more, "delta": piece} for piece in pieces(rng, text))

    with_deltas = rng.random() < 0.8
    if with_deltas:
        for position, part in enumerate(item.get("content") or ()):
            kind = {"refusal": "refusal", "reasoning_text": "reasoning_text"}.get(
                part["type"], "output_text"
            )
            grow(kind, part.get("refusal") or part.get("text") or "", content_index=position)
            for index, row in enumerate(part.get("annotations") or ()):
                added = "response.output_text.annotation.added"
                where = {**place, "content_index": position, "annotation_index": index}
                events.append({"type": added, **where, "annotation": row})
        for position, part in enumerate(item.get("summary") or ()):
            grow("reasoning_summary_text", part["text"], summary_index=position)
        grow("function_call_arguments", item.get("arguments") or "")
    if not with_deltas or rng.random() < 0.7:
        events.append({"type": "response.output_item.done", **place, "item": item})
    return events


MAKERS = {"chat": chat_answer, "responses": responses_answer}
