"""Content blocks in the JSON of other providers' own APIs, and what is sent for each.

What is sent is written as one line for each part: `text: …`, `refusal: …`, `image: …`, `file: …`,
`call: <id> <name> <arguments>`, `result: <id or name> <text>`.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator, Sequence
from typing import Any

from aimlapi_core import File, Image, Message, Refusal, Text, ToolCall

PNG = "iVBORw0KGgo="
PNG_URL = f"data:image/png;base64,{PNG}"
PDF = "JVBERi0xLjQK"
PDF_URL = f"data:application/pdf;base64,{PDF}"
WORDS = base64.b64encode(b"words").decode()

CALL = 'call: c1 add {"a": 1}'
TEXT = ["text: words"]

# What assistants wrote: (block, what is sent).
ASSISTANT: dict[str, tuple[Any, list[str]]] = {
    "Gemini's text": ({"parts": [{"text": "words"}]}, TEXT),
    "Gemini's message": ({"role": "model", "parts": [{"text": "words"}]}, TEXT),
    "Gemini's signed text": ({"text": "words", "thoughtSignature": "s"}, TEXT),
    "Gemini's call": (
        {"functionCall": {"name": "add", "args": {"a": 1}, "id": "c1"}, "thoughtSignature": "s"},
        [CALL],
    ),
    "Gemini's call in Python": (
        {"function_call": {"name": "add", "args": {"a": 1}, "id": "c1"}},
        [CALL],
    ),
    "Gemini's image": (
        {"inlineData": {"mimeType": "image/png", "data": PNG}},
        ["text: (an image made by the assistant)"],
    ),
    "Responses' message": (
        {"type": "message", "content": [{"type": "output_text", "text": "words"}]},
        TEXT,
    ),
    "Responses' easy message": ({"role": "assistant", "content": "words"}, TEXT),
    "Responses' refusal": (
        {"type": "message", "content": [{"type": "refusal", "refusal": "no"}]},
        ["refusal: no"],
    ),
    "Responses' call": (
        {
            "type": "function_call",
            "id": "f",
            "call_id": "c1",
            "name": "add",
            "arguments": '{"a": 1}',
        },
        [CALL],
    ),
    "Assistants' text": ({"type": "text", "text": {"value": "words", "annotations": []}}, TEXT),
    "chat's call": (
        {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}},
        [CALL],
    ),
    "chat's message": (
        {
            "role": "assistant",
            "content": "words",
            "tool_calls": [{"id": "c1", "function": {"name": "add", "arguments": '{"a": 1}'}}],
        },
        [*TEXT, CALL],
    ),
    "Bedrock's text": ({"text": "words"}, TEXT),
    "Bedrock's call": ({"toolUse": {"toolUseId": "c1", "name": "add", "input": {"a": 1}}}, [CALL]),
    "Bedrock's cited text": (
        {"citationsContent": {"content": [{"text": "words"}], "citations": []}},
        TEXT,
    ),
    "Bedrock's guarded text": ({"guardContent": {"text": {"text": "words"}}}, TEXT),
    "Anthropic's call": (
        {"type": "tool_use", "id": "c1", "name": "add", "input": {"a": 1}},
        [CALL],
    ),
    "Cohere's message": ({"role": "CHATBOT", "message": "words"}, TEXT),
    "Ollama's message": (
        {
            "role": "assistant",
            "content": "words",
            "tool_calls": [{"id": "c1", "function": {"name": "add", "arguments": {"a": 1}}}],
        },
        [*TEXT, CALL],
    ),
    "the AI SDK's call": (
        {"type": "tool-call", "toolCallId": "c1", "toolName": "add", "input": {"a": 1}},
        [CALL],
    ),
    "the AI SDK's older call": (
        {"type": "tool-call", "toolCallId": "c1", "toolName": "add", "args": {"a": 1}},
        [CALL],
    ),
    "the AI SDK's invocation": (
        {
            "type": "tool-invocation",
            "toolInvocation": {
                "state": "result",
                "toolCallId": "c1",
                "toolName": "add",
                "args": {"a": 1},
                "result": "3",
            },
        },
        [CALL, "result: c1 3"],
    ),
    "the AI SDK's tool part": (
        {
            "type": "tool-add",
            "toolCallId": "c1",
            "state": "output-available",
            "input": {"a": 1},
            "output": {"sum": 3},
        },
        [CALL, 'result: c1 {"sum": 3}'],
    ),
    "the AI SDK's failed tool": (
        {
            "type": "dynamic-tool",
            "toolName": "add",
            "toolCallId": "c1",
            "state": "output-error",
            "input": {"a": 1},
            "errorText": "no sum",
        },
        [CALL, "result: c1 Error: no sum"],
    ),
    "the AI SDK's step": ({"type": "step-start"}, []),
}

# Reasoning, citations, and what a provider ran: left out, with a warning that names each.
LEFT_OUT: dict[str, Any] = {
    "Gemini's thought": {"text": "hm", "thought": True},
    "Gemini's code": {"executableCode": {"language": "PYTHON", "code": "print(1)"}},
    "Gemini's output": {"codeExecutionResult": {"outcome": "OK", "output": "1"}},
    "Bedrock's reasoning": {"reasoningContent": {"reasoningText": {"text": "hm"}}},
    "the AI SDK's reasoning": {"type": "reasoning", "text": "hm"},
    "the AI SDK's hidden reasoning": {"type": "redacted-reasoning", "data": "hm"},
    "the AI SDK's source": {"type": "source-url", "sourceId": "1", "url": "https://x"},
    "the AI SDK's own tool": {
        "type": "tool-web_search",
        "toolCallId": "s1",
        "providerExecuted": True,
        "input": {},
    },
    "LangChain's citation": {"type": "citation", "url": "https://x", "cited_text": "y"},
    "nothing": None,
    "a number": 7,
    "a list": ["words"],
    "no members": {},
    "no type": {"type": None},
    "no text": {"type": "text", "text": None},
    "a number as text": {"type": "text", "text": 7},
}

# What users and tools gave: (block, what is sent).
USER: dict[str, tuple[Any, list[str]]] = {
    "Gemini's message": (
        {
            "role": "user",
            "parts": [{"text": "words"}, {"inlineData": {"mimeType": "image/png", "data": PNG}}],
        },
        [*TEXT, f"image: {PNG_URL}"],
    ),
    "Gemini's PDF": (
        {"inline_data": {"mime_type": "application/pdf", "data": PDF}},
        [f"file: {PDF_URL}"],
    ),
    "Gemini's image by URL": (
        {"fileData": {"mimeType": "image/png", "fileUri": "https://x/y.png"}},
        ["image: https://x/y.png"],
    ),
    "Gemini's result": (
        {"functionResponse": {"name": "add", "response": {"result": 3}}},
        ['result: add {"result": 3}'],
    ),
    "Gemini's result with an id": (
        {"functionResponse": {"id": "c1", "name": "add", "response": {"result": 3}}},
        ['result: c1 {"result": 3}'],
    ),
    "Bedrock's result": (
        {"toolResult": {"toolUseId": "c1", "content": [{"text": "3"}], "status": "success"}},
        ["result: c1 3"],
    ),
    "Bedrock's error": (
        {"toolResult": {"toolUseId": "c1", "content": [{"text": "no"}], "status": "error"}},
        ["result: c1 Error: no"],
    ),
    "Bedrock's text file": (
        {"document": {"format": "txt", "name": "n", "source": {"bytes": b"words"}}},
        TEXT,
    ),
    "Bedrock's PDF": (
        {"type": "document", "document": {"format": "pdf", "name": "n", "source": {"bytes": PDF}}},
        [f"file: {PDF_URL}"],
    ),
    "Bedrock's image": (
        {"image": {"format": "png", "source": {"bytes": base64.b64decode(PNG)}}},
        [f"image: {PNG_URL}"],
    ),
    "Bedrock's guarded text": ({"guardContent": {"text": {"text": "words"}}}, TEXT),
    "Anthropic's result": (
        {"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "3"}]},
        ["result: c1 3"],
    ),
    "Anthropic's search result": (
        {
            "type": "search_result",
            "source": "s",
            "title": "t",
            "content": [{"type": "text", "text": "words"}],
        },
        ["text: t (s)", *TEXT],
    ),
    "Anthropic's document of blocks": (
        {
            "type": "document",
            "source": {"type": "content", "content": [{"type": "text", "text": "words"}]},
        },
        TEXT,
    ),
    "Anthropic's document with a title": (
        {
            "type": "document",
            "title": "T",
            "source": {"type": "text", "media_type": "text/plain", "data": "words"},
        },
        ["text: T", *TEXT],
    ),
    "Responses' message": (
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "words"}]},
        TEXT,
    ),
    "Responses' result": (
        {"type": "function_call_output", "call_id": "c1", "output": "3"},
        ["result: c1 3"],
    ),
    "Responses' custom result": (
        {
            "type": "custom_tool_call_output",
            "call_id": "c1",
            "output": [{"type": "input_text", "text": "3"}],
        },
        ["result: c1 3"],
    ),
    "Assistants' text": ({"type": "text", "text": {"value": "words"}}, TEXT),
    "chat's result": ({"role": "tool", "tool_call_id": "c1", "content": "3"}, ["result: c1 3"]),
    "Cohere's document": ({"type": "document", "document": {"data": "words", "id": "d"}}, TEXT),
    "Cohere's result": (
        {"call": {"name": "add", "parameters": {}}, "outputs": [{"sum": 3}]},
        ['result: add {"sum": 3}'],
    ),
    "Mistral's PDF": (
        {"type": "document_url", "document_url": PDF_URL, "document_name": "a.pdf"},
        [f"file: {PDF_URL}"],
    ),
    "Mistral's image": (
        {"type": "image_url", "image_url": "https://x/y.png"},
        ["image: https://x/y.png"],
    ),
    "Ollama's message": (
        {"role": "user", "content": "words", "images": [PNG]},
        [*TEXT, f"image: {PNG_URL}"],
    ),
    "the AI SDK's image": ({"type": "image", "image": PNG_URL}, [f"image: {PNG_URL}"]),
    "the AI SDK's image by URL": (
        {"type": "image", "image": "https://x/y.png"},
        ["image: https://x/y.png"],
    ),
    "the AI SDK's image of bytes": (
        {"type": "image", "image": base64.b64decode(PNG)},
        [f"image: {PNG_URL}"],
    ),
    "the AI SDK's PDF": (
        {"type": "file", "data": PDF, "mediaType": "application/pdf", "filename": "a.pdf"},
        [f"file: {PDF_URL}"],
    ),
    "the AI SDK's text file": ({"type": "file", "data": WORDS, "mediaType": "text/plain"}, TEXT),
    "the AI SDK's result": (
        {
            "type": "tool-result",
            "toolCallId": "c1",
            "toolName": "add",
            "output": {"type": "json", "value": {"sum": 3}},
        },
        ['result: c1 {"sum": 3}'],
    ),
    "the AI SDK's failed result": (
        {
            "type": "tool-result",
            "toolCallId": "c1",
            "toolName": "add",
            "output": {"type": "error-text", "value": "no"},
        },
        ["result: c1 Error: no"],
    ),
    "the AI SDK's older result": (
        {"type": "tool-result", "toolCallId": "c1", "toolName": "add", "result": {"sum": 3}},
        ['result: c1 {"sum": 3}'],
    ),
    "MCP's text": (
        {"type": "resource", "resource": {"uri": "u", "text": "words"}},
        ["text: u", *TEXT],
    ),
    "MCP's PDF": (
        {"type": "resource", "resource": {"uri": "u", "mimeType": "application/pdf", "blob": PDF}},
        [f"file: {PDF_URL}"],
    ),
    "an agent's refusal": ({"type": "refusal", "refusal": "no"}, ["text: no"]),
    "an agent's cited text": ({"type": "citations_content", "content": [{"text": "words"}]}, TEXT),
}

# What cannot be sent of a user: (block, what the error says).
REFUSED: dict[str, tuple[Any, str]] = {
    "Gemini's video": (
        {"inlineData": {"mimeType": "video/mp4", "data": "AAAA"}},
        "video.*take the block out",
    ),
    "Gemini's image in a bucket": (
        {"fileData": {"mimeType": "image/png", "fileUri": "gs://x/y"}},
        r"gs://x/y.*http\(s\) URL",
    ),
    "Bedrock's image in a bucket": (
        {"image": {"format": "png", "source": {"s3Location": {"uri": "s3://x"}}}},
        r"s3://x.*http\(s\) URL",
    ),
    "Bedrock's call": (
        {"toolUse": {"toolUseId": "c1", "name": "add", "input": {}}},
        "call.*take the block out",
    ),
    "Assistants' image": (
        {"type": "image_file", "image_file": {"file_id": "f"}},
        "image_file.*take the block out",
    ),
    "chat's audio": (
        {"type": "input_audio", "input_audio": {"data": "x"}},
        "input_audio.*take the block out",
    ),
    "nothing": (None, "None.*take"),
    "a number": (7, "take (it|the block) out"),
    "a list": (["words"], "take (it|the block) out"),
    "no members": ({}, "take the block out"),
    "no type": ({"type": None}, "take the block out"),
    "no text": ({"type": "text", "text": None}, "text"),
}


# A call in an assistant's turn, and its result in a user's.
TURNS: dict[str, tuple[Any, Any]] = {
    "GEMINI": (
        {"functionCall": {"name": "add", "args": {"a": 1}}},
        {"functionResponse": {"name": "add", "response": {"result": "three"}}},
    ),
    "BEDROCK": (
        {"toolUse": {"toolUseId": "c1", "name": "add", "input": {"a": 1}}},
        {"toolResult": {"toolUseId": "c1", "content": [{"text": "three"}]}},
    ),
    "SDK": (
        {"type": "tool-call", "toolCallId": "c1", "toolName": "add", "input": {"a": 1}},
        {"type": "tool-result", "toolCallId": "c1", "output": {"type": "text", "value": "three"}},
    ),
    "RESPONSES": (
        {"type": "function_call", "call_id": "c1", "name": "add", "arguments": '{"a": 1}'},
        {"type": "function_call_output", "call_id": "c1", "output": "three"},
    ),
}

# Calls beside the content, in a list of `additional_kwargs`.
ROWS: dict[str, Any] = {
    "OpenAI": {
        "id": "c1",
        "type": "function",
        "function": {"name": "add", "arguments": '{"a": 1}'},
    },
    "Ollama": {"id": "c1", "function": {"name": "add", "arguments": {"a": 1}}},
    "Anthropic": {"id": "c1", "type": "tool_use", "name": "add", "input": {"a": 1}},
    "Bedrock": {"toolUse": {"toolUseId": "c1", "name": "add", "input": {"a": 1}}},
    "Gemini": {"id": "c1", "name": "add", "args": {"a": 1}},
    "Cohere": {"id": "c1", "name": "add", "parameters": {"a": 1}},
}


def described(messages: Sequence[Message]) -> list[str]:
    """A line for each part that is sent; the texts of an answer are one."""
    return [line for message in messages for line in _lines(message)]


def _lines(message: Message) -> Iterator[str]:
    if message.role == "tool":
        text = "".join(part.text for part in message.parts if isinstance(part, Text))
        yield f"result: {message.tool_call_id or message.name} {text}"
        return
    for part in message.parts:
        if isinstance(part, Text):
            yield from (f"text: {line}" for line in part.text.split("\n"))
        elif isinstance(part, Refusal):
            yield f"refusal: {part.text}"
        elif isinstance(part, ToolCall):
            yield f"call: {part.id} {part.name} {part.arguments}"
        elif isinstance(part, Image):
            yield f"image: {part.url}"
        else:
            assert isinstance(part, File)
            yield f"file: {part.data}"


_BLOCKS = [block for table in (ASSISTANT, USER, REFUSED) for block, _ in table.values()]
_BLOCKS += LEFT_OUT.values()
_NAMES = sorted({name for block in _BLOCKS if isinstance(block, dict) for name in block})
_VALUES = [None, 7, 1.5, True, "", "x", PNG_URL, "https://x/y", PNG, b"x", "\ud835", object(), (1,)]


def spoiled_contents(seed: int, count: int) -> Iterator[list[Any]]:
    """Contents of blocks of any provider, with members missing, doubled or of a wrong type."""
    chance = random.Random(seed)
    for _ in range(count):
        yield [_spoiled(chance.choice(_BLOCKS), chance) for _ in range(chance.randint(1, 2))]


def _spoiled(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict):
        spoiled = {k: _spoiled(v, chance) if chance.random() < 0.5 else v for k, v in value.items()}
        if spoiled and chance.random() < 0.4:
            spoiled[chance.choice(list(spoiled))] = _anything(chance)
        if chance.random() < 0.2:
            spoiled[chance.choice(_NAMES)] = _anything(chance)
        if spoiled and chance.random() < 0.2:
            del spoiled[chance.choice(list(spoiled))]
        return spoiled
    if isinstance(value, list):
        return [_spoiled(one, chance) for one in value]
    return _anything(chance) if chance.random() < 0.1 else value


def _anything(chance: random.Random, depth: int = 0) -> Any:
    kind = chance.random()
    if depth > 3 or kind < 0.4:
        return chance.choice(_VALUES)
    if kind < 0.6:
        return [_anything(chance, depth + 1) for _ in range(chance.randint(0, 3))]
    if kind < 0.7:
        return chance.choice(_BLOCKS)
    return {
        chance.choice(_NAMES): _anything(chance, depth + 1) for _ in range(chance.randint(0, 4))
    }
