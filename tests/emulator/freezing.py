"""Requests that froze the emulator or filled the memory, and a program that tries them all.

The program prints what became of each as a line of JSON: status, CPU time, memory, message.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from aimlapi_emulator.messages import Request
from aimlapi_emulator.server.router import route
from aimlapi_emulator.state import State
from tests.emulator.asking import STRING, called, object_schema, result, tool, user

MAX_CPU_S = 2.0
MAX_MEMORY_MB = 64
_CHAT, _EMBEDDINGS = "/v1/chat/completions", "/v1/embeddings"
NESTED = (
    *("^(a+)+$", "(a*)*b", "(a?)+b", "((ab)*c?)*d", r"(\w+\s?)*$", "^(a|a)*$", "(a|ab?|aa)*$"),
    *(
        r"(x+x+)+y",
        r"([a-z]+)*\d",
        "(?:a+){2,}",
        "(a|aa){3,9}",
        "(?:(?:a+)?)+",
        "(-a*|b)+",
        "(-*a+)*",
    ),
    *(r"^(?i:-[A-Z-]+)*$", "(|)" * 30),
)
SEPARATED = (
    *("^[a-z0-9]+(?:-[a-z0-9]+)*$", r"^\d+(\.\d+)*$", "^[a-z]+(,[a-z]+)*$", "(?:[a-z]+-)*[a-z]+"),
    *(
        "^a+b*c?$",
        "(abc)+",
        r"(\d{3})+",
        "(foo|bar)+",
        r"^[+-]?0*\d*\.?\d*$",
        r"(?:\d\d:)?\d\d",
        "[a-z]{2,9}",
    ),
)


@dataclass(frozen=True)
class Case:
    """A request, made when it is tried; `refusal` is what its refusal says, None if answered."""

    body: Callable[[], Any]
    refusal: str | None = None
    path: str = _CHAT


def _said(text: str | list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    messages = [user(text)] if isinstance(text, str) else text
    return {"model": "openai/gpt-5-2", "messages": messages, **more}


def _schema(schema: dict[str, Any], *, strict: bool = False) -> dict[str, Any]:
    inner = {"name": "out", "schema": schema, "strict": strict}
    return {"response_format": {"type": "json_schema", "json_schema": inner}}


def _field(**keywords: Any) -> dict[str, Any]:
    return _schema(object_schema(a={"type": "string", **keywords}))


def _tool(**keywords: Any) -> dict[str, Any]:
    return {"tools": [tool("f", a={"type": "string", **keywords})], "tool_choice": "required"}


def _embedded(texts: list[str], **more: Any) -> dict[str, Any]:
    return {"model": "text-embedding-3-large", "input": texts, **more}


def _cycle() -> dict[str, Any]:
    return object_schema(**{f"p{n}": {"$ref": "#"} for n in range(10)})


def _doubling() -> dict[str, Any]:
    levels = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(30)}
    inner = {**levels, "d30": object_schema(x=STRING)}
    return {**object_schema(a={"$ref": "#/$defs/d0"}), "$defs": inner}


def _deep(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = STRING
    for _ in range(levels):
        schema = object_schema(a=schema)
    return schema


def _items(low: int, items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "minItems": low, "items": items}


def _options(count: int) -> dict[str, Any]:
    return {"anyOf": [object_schema(k={"const": str(n)}) for n in range(count)]}


def _raw(inside: bytes) -> bytes:
    head = b'{"model":"openai/gpt-5-2","messages":[{"role":"user","content":"x"}],"x":'
    return head + inside + b"}"


PNG = "data:image/png;base64,iVBORw0KGgoA"
WORD = "a" * 32 + "0"
WRITTEN = (
    'Answer as JSON by this JSON schema: {"type": "object", "properties": {"a": {"type": "string", '
)
NEST, SIZE, TIME = "a quantifier inside a quantifier", "the emulator takes at most", "more than 1 s"
BIG, LEVELS, MANY = "bytes beside their strings", "at most 200 levels", "at most 100"
FULL = "Input tokens exceed"

CASES: dict[str, Case] = {
    # Patterns of the caller's.
    "nested": Case(lambda: _said(WORD, **_field(pattern="^(a+)+$")), NEST),
    "nested, strict": Case(
        lambda: _said(
            WORD, **_schema(object_schema(a={"type": "string", "pattern": "(a+)+$"}), strict=True)
        ),
        NEST,
    ),
    "nested, of a tool": Case(lambda: _said(f"f {WORD}", **_tool(pattern="^(a+)+$")), NEST),
    "nested, in the prompt": Case(
        lambda: _said(f'{WORD} {WRITTEN}"pattern": "^(a+)+$"}}}}, "required": ["a"]}}'), NEST
    ),
    "one after the other": Case(lambda: _said("a" * 5000, **_field(pattern="a*a*a*a*b$"))),
    "a long pattern": Case(lambda: _said("x", **_field(pattern="[" * 100_000)), "4,000 characters"),
    "an expansion": Case(lambda: _said("x", **_field(pattern="(a{20000}){20000}")), SIZE),
    "a wide expansion": Case(lambda: _said("x", **_field(pattern="a{400000000}")), SIZE),
    # Sizes in schemas.
    "minLength": Case(lambda: _said("x", **_field(minLength=3 * 10**8)), f"minLength: {SIZE}"),
    "minLength of a tool": Case(
        lambda: _said("f", **_tool(minLength=10**15)), f"minLength: {SIZE}"
    ),
    "minItems": Case(
        lambda: _said("x", **_schema(object_schema(a=_items(3 * 10**6, STRING)))),
        f"minItems: {SIZE}",
    ),
    "nested minItems": Case(
        lambda: _said(
            "x", **_schema(object_schema(a=_items(999, _items(999, _items(999, STRING)))))
        ),
        SIZE,
    ),
    "a reference to itself": Case(lambda: _said("x", **_schema(_cycle())), SIZE),
    "a reference to itself, of a tool": Case(
        lambda: _said("f", tools=[tool("f", **_cycle()["properties"])], tool_choice="required"),
        SIZE,
    ),
    "references doubled 30 times": Case(lambda: _said("x", **_schema(_doubling())), TIME),
    "many options, often": Case(
        lambda: _said("x", **_schema(object_schema(a=_items(5000, _options(5000))))), TIME
    ),
    "many fields, a long text": Case(
        lambda: _said(
            "word " * 20_000, **_schema(object_schema(**{f"f{n}": STRING for n in range(4000)}))
        ),
        TIME,
    ),
    "many members, a long text": Case(
        lambda: _said(
            "word " * 20_000, **_schema(object_schema(a={"enum": [f"w{n}" for n in range(50_000)]}))
        ),
        TIME,
    ),
    "a long name over many problems": Case(
        lambda: _said(
            "x",
            tools=[
                tool(
                    "f",
                    **{
                        "n" * 500_000: object_schema(
                            **{f"p{n}": {"type": "any"} for n in range(9000)}
                        )
                    },
                )
            ],
        ),
        "is not valid under any",
    ),
    # JSON.
    "400 levels": Case(lambda: _said("x", **_schema(_deep(400))), LEVELS),
    "100,000 levels": Case(lambda: _raw(b"[" * 100_000 + b"]" * 100_000), LEVELS),
    "many lists": Case(lambda: _raw(b"[" + b"[]," * 4_000_000 + b"[]]"), BIG),
    "many numbers": Case(lambda: _raw(b"[" + b"1," * 4_000_000 + b"1]"), BIG),
    "a long number": Case(lambda: _raw(b"9" * 4_000_000), BIG),
    "line ends in a long string": Case(lambda: _raw(b'"' + b"\\n" * 7_500_000 + b'"')),
    "an emoji beside a file": Case(
        lambda: _raw(b'["' + b"A" * 5_500_000 + '", "\U0001f600"]'.encode())
    ),
    "an emoji beside a large file": Case(
        lambda: _raw(b'["' + b"A" * 12_000_000 + '", "\U0001f600"]'.encode()), "leave the emoji out"
    ),
    "Chinese beside a large file": Case(
        lambda: _raw(b'["' + b"A" * 11_500_000 + '", "\u4e2d"]'.encode())
    ),
    "an emoji in a long text": Case(
        lambda: _raw(b'"' + b"a" * 5_000_000 + '\U0001f600"'.encode()),
        f"characters of a conversation: {SIZE}",
    ),
    "an escaped emoji in a long text": Case(
        lambda: _raw(b'"' + b"a" * 12_000_000 + b'\\ud83d\\ude00"'),
        f"characters of a conversation: {SIZE}",
    ),
    "a large image": Case(
        lambda: _said(
            [user([{"type": "image_url", "image_url": {"url": f"{PNG}{'AAAA' * 3_900_000}"}}])]
        )
    ),
    "no JSON": Case(lambda: b"x" * 15_000_000, BIG),
    "many messages": Case(lambda: _said([user("x")] * 100_000), BIG),
    "a long conversation": Case(lambda: _said([user("x")] * 50_000)),
    "many calls": Case(
        lambda: _said(
            [
                user("x"),
                called(*((f"c{n}", "f", "{}") for n in range(9000))),
                *(result(f"c{n}", "1") for n in range(9000)),
            ]
        )
    ),
    # Directives.
    "open directives": Case(lambda: _said("[[fault " * 100_000), MANY),
    "many directives": Case(lambda: _said("[[fault status=429 times=1]]" * 50_000), MANY),
    "open directives before": Case(lambda: _said([*[user("[[fault " * 1000)] * 20, user("hi")])),
    "a long directive": Case(lambda: _said("[[fault" + " x=1" * 100_000 + "]]"), "within 10,000"),
    "an open quote": Case(lambda: _said('[[fault message="' + '\\"' * 100_000), "within 10,000"),
    "padding": Case(
        lambda: _said("[[fault pad_event_bytes=1000000000]]", stream=True), "out of bounds: 0 to"
    ),
    "directives to embed": Case(lambda: _embedded(["[[fault " * 10_000] * 10), MANY, _EMBEDDINGS),
    # Long texts that the rules read.
    "words": Case(lambda: _said("word " * 200_000)),
    "one word": Case(lambda: _said("a" * 3_900_000)),
    "several long words": Case(lambda: _said(" ".join(["a" * 19_000] * 200))),
    "too long a text": Case(
        lambda: _said("a" * 12_000_000), f"characters of a conversation: {SIZE}"
    ),
    "dots": Case(lambda: _said("." * 2_000_000)),
    "dots for an address": Case(lambda: _said("." * 200_000, **_field(format="email"))),
    "colons for an address": Case(lambda: _said(":" * 200_000, **_field(format="ipv6"))),
    "durations": Case(lambda: _said("P" + "1Y" * 100_000, **_field(format="duration"))),
    "line ends": Case(lambda: _said("\n" * 500_000)),
    "blank lines": Case(lambda: _said(("\n" * 999 + "a") * 3900)),
    "blank lines for a tool": Case(
        lambda: _said(("\n" * 99 + "a") * 39_000, tools=[tool("f", "Find a word", a=STRING)])
    ),
    "short words": Case(lambda: _said("a\n" * 1_900_000), FULL),
    "emoji": Case(lambda: _said("\U0001f600" * 1_900_000)),
    "emoji in words": Case(lambda: _said("\u00e9\U0001f600 " * 600_000), FULL),
    "too many emoji": Case(lambda: _said("\U0001f600" * 2_500_000), "four for each character"),
    "Chinese": Case(lambda: _said("\u4e2d" * 3_900_000)),
    "Chinese in lines": Case(lambda: _said("\u4e2d\u6587\n" * 1_200_000), FULL),
    "blanks in runs": Case(lambda: _said((" " * 999 + "x") * 2000)),
    "braces": Case(lambda: _said("{" * 260_000 + " as JSON")),
    "open tags": Case(lambda: _said("<context>" * 40_000)),
    "quoted names": Case(lambda: _said("'a', 'b', " * 20_000 + "as JSON")),
    "open parentheses": Case(lambda: _said("abc (def " * 40_000)),
    "numbered": Case(lambda: _said("(1) a\n" * 40_000)),
    "labels": Case(lambda: _said("Question:\n" * 90_000)),
    "brackets": Case(lambda: _said("[[ ## a ## ]]\n" * 20_000)),
    "sums": Case(lambda: _said("1 + " * 100_000 + "1")),
    "powers": Case(lambda: _said("What is 9**9**9**9? Calculate 9^99999999.")),
    "a long text for many tools": Case(
        lambda: _said(
            "word " * 50_000, tools=[tool(f"f{n}", "word " * 50, a=STRING) for n in range(128)]
        ),
        TIME,
    ),
    "too many words": Case(lambda: _said("word " * 400_000), FULL),
    "too many words for rules": Case(
        lambda: {**_said("word " * 700_000), "model": "vendor/any"}, "tokens of a conversation"
    ),
    "many words in a long context": Case(
        lambda: {**_said("word " * 390_000), "model": "vendor/any"}
    ),
    # Vectors.
    "vectors as JSON": Case(lambda: _embedded(["x"] * 2048), "2,700,000 numbers", _EMBEDDINGS),
    "fewer vectors as JSON": Case(lambda: _embedded(["x"] * 850), None, _EMBEDDINGS),
    "vectors in base64": Case(
        lambda: _embedded(["x"] * 2048, encoding_format="base64"), None, _EMBEDDINGS
    ),
}


def main() -> None:
    """Try each case in a fork of this process, which ends by itself when it takes far too long.

    Its body is made by another fork, whose memory would hide what the request itself takes.
    """
    with NamedTemporaryFile() as file:
        for name, case in CASES.items():
            for run in (_write, _try):
                pid = os.fork()
                if pid == 0:
                    resource.setrlimit(resource.RLIMIT_CPU, (30, 30))
                    run(name, case, Path(file.name))
                    os._exit(0)
                os.waitpid(pid, 0)


def _write(name: str, case: Case, path: Path) -> None:
    body = case.body()
    is_raw = isinstance(body, bytes)
    path.write_bytes(body if is_raw else json.dumps(body, ensure_ascii=False).encode())


def _try(name: str, case: Case, path: Path) -> None:
    print(json.dumps({"name": name, **_tried(case, path.read_bytes())}), flush=True)


def _tried(case: Case, content: bytes) -> dict[str, Any]:
    headers = {"authorization": "Bearer sk-1", "host": "127.0.0.1"}
    request = Request("POST", case.path, headers, content)
    before, begin = _peak_mb(), time.process_time()
    out = route(request, State(live=True), None)
    cpu_s = time.process_time() - begin
    said = out.body[:2000].decode() if out.status != 200 else ""
    memory_mb = _peak_mb() - before
    return {"status": out.status, "cpu_s": cpu_s, "memory_mb": memory_mb, "said": said}


def _peak_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


if __name__ == "__main__":
    main()
