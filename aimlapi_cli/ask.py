"""`aimlapi ask`: one question, one answer."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from aimlapi_cli.attachments import read_attachment
from aimlapi_cli.terminal import Terminal
from aimlapi_core import (
    ChatRequest,
    Client,
    Finished,
    InvalidRequestError,
    Message,
    Part,
    RefusalDelta,
    Reply,
    Settings,
    Text,
    TextDelta,
)

DEFAULT_MODEL = "openai/gpt-5-2"
_EXAMPLES = """examples:
  aimlapi ask "Name three lakes."
  aimlapi ask "Summarize it." --file report.pdf
  cat error.log | aimlapi ask "What went wrong?" --effort high
  aimlapi ask "Name a lake." --json | jq .usage

Input from a pipe is put behind the question. On a terminal the answer is shown as it comes.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this command."""
    parser.epilog = _EXAMPLES
    parser.add_argument("question", nargs="?", help="the question; else it is read from stdin")
    parser.add_argument("--model", "-m", default=DEFAULT_MODEL, help="default: %(default)s")
    parser.add_argument("--system", "-s", help="a system message")
    parser.add_argument(
        "--file",
        "-f",
        action="append",
        default=[],
        metavar="FILE",
        help="an image, a PDF or a text; an image may be a URL. May be given several times",
    )
    parser.add_argument("--effort", help="reasoning effort, such as low or high")
    parser.add_argument("--max-tokens", type=int, help="limit on the tokens of the answer")
    parser.add_argument("--temperature", type=float, help="randomness, 0 to 2")
    parser.add_argument(
        "--endpoint",
        choices=("auto", "chat", "responses"),
        default="auto",
        help="auto (the default): the one that serves the model",
    )
    parser.add_argument("--timeout", type=float, default=600.0, help="seconds (default: 600)")
    parser.add_argument("--base-url", help="instead of AIMLAPI_BASE_URL")
    parser.add_argument(
        "--json", action="store_true", help="the answer with usage, cost and ids as a JSON object"
    )


def run(options: argparse.Namespace, terminal: Terminal) -> int:
    """Ask, and print the answer."""
    settings = Settings(base_url=options.base_url, timeout=options.timeout)
    parts = [*map(read_attachment, options.file)]
    if sys.stdin is None or sys.stdin.isatty():
        _question(options.question)  # a user without a question needs no key yet
    settings.resolved_key()  # before a long input is read
    request = _request(options, parts)
    with Client(settings) as client:
        if terminal.is_terminal and not options.json:
            reply = _stream(client, request)
        else:
            reply = client.complete(request)
            _print_whole(reply, as_json=options.json)
    choice = reply.choices[0]
    if not options.json and terminal.is_terminal:
        terminal.note(_footer(reply))
    if choice.finish_reason == "length":
        terminal.note("The answer was cut at --max-tokens, or at the model's own limit.")
    return 1 if choice.refusal is not None else 0


def _request(options: argparse.Namespace, parts: Sequence[Part]) -> ChatRequest:
    question = _question(options.question)
    messages = [Message("user", (*parts, Text(question)) if question.strip() else tuple(parts))]
    if options.system:
        messages.insert(0, Message("system", (Text(options.system),)))
    return ChatRequest(
        model=options.model,
        messages=tuple(messages),
        temperature=options.temperature,
        max_output_tokens=options.max_tokens,
        reasoning_effort=options.effort,
        endpoint=options.endpoint,
    )


def _question(given: str | None) -> str:
    """The question and what comes through a pipe."""
    piped = "" if sys.stdin is None or sys.stdin.isatty() else sys.stdin.read()
    question = "\n\n".join(part for part in (given, piped.strip()) if part)
    if not question:
        raise InvalidRequestError('There is no question: aimlapi ask "Name three lakes."')
    return question


def _stream(client: Client, request: ChatRequest) -> Reply:
    with closing(client.stream(request)) as events:
        for event in events:
            if isinstance(event, (TextDelta, RefusalDelta)):
                print(event.text, end="", flush=True)
            elif isinstance(event, Finished):
                print()
                return event.reply
    raise AssertionError("a stream ends with Finished, or raises")


def _print_whole(reply: Reply, *, as_json: bool) -> None:
    choice = reply.choices[0]
    if as_json:
        is_utf8 = (sys.stdout.encoding or "").lower() == "utf-8"  # None of a StringIO
        print(json.dumps(_as_dict(reply), ensure_ascii=not is_utf8))
    else:
        print(choice.refusal if choice.refusal is not None else choice.text)


def _as_dict(reply: Reply) -> dict[str, Any]:
    choice, usage, cost, transport = reply.choices[0], reply.usage, reply.cost, reply.transport
    serving = reply.serving
    return {
        "text": choice.text,
        "refusal": choice.refusal,
        "model": reply.model,
        "served_model": (serving and serving.model) or reply.model,
        "provider": serving.provider if serving else None,
        "finish_reason": choice.finish_reason,
        "usage": {
            "input_tokens": usage.input_tokens,
            "cached_tokens": usage.cached_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
            "output_tokens": usage.output_tokens,
            "reasoning_tokens": usage.reasoning_tokens,
        }
        if usage
        else None,
        "cost_usd": cost.usd if cost else None,
        "credits": cost.credits if cost else None,
        "inference_id": transport.inference_id if transport else None,
        "client_request_id": transport.client_request_id if transport else None,
    }


def _footer(reply: Reply) -> str:
    parts = [reply.model or ""]
    if reply.usage:
        parts.append(f"{reply.usage.input_tokens:,} + {reply.usage.output_tokens:,} tokens")
    if reply.cost and reply.cost.usd is not None:
        parts.append(f"{reply.cost.usd:.7f} USD")
    return ", ".join(part for part in parts if part)
