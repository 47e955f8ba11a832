"""Requests as a correct client sends them, and readings of what comes back."""

from __future__ import annotations

import json
import socket
from typing import Any
from urllib.parse import urlsplit

import httpx

KEY = {"authorization": "Bearer sk-test-1234"}
CHAT = "openai/gpt-5-2"
PRO = "openai/gpt-5-2-pro"
CODEX = "openai/gpt-5-2-codex"
LATEST = "openai/gpt-5-2-chat-latest"
DOTTED = "openai/gpt-5.2-chat"

STRING: dict[str, Any] = {"type": "string"}
INTEGER: dict[str, Any] = {"type": "integer"}


def object_schema(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def tool(name: str, description: str = "", /, **properties: Any) -> dict[str, Any]:
    function = {
        "name": name,
        "description": description,
        "parameters": object_schema(**properties),
    }
    return {"type": "function", "function": function}


def flat_tool(name: str, description: str = "", /, **properties: Any) -> dict[str, Any]:
    return {
        "type": "function",
        "strict": False,
        **tool(name, description, **properties)["function"],
    }


def schema_format(schema: dict[str, Any], *, strict: bool = True) -> dict[str, Any]:
    return {
        "type": "json_schema",
        "json_schema": {"name": "out", "schema": schema, "strict": strict},
    }


def called(*calls: tuple[str, str, str]) -> dict[str, Any]:
    """An assistant message with (id, name, arguments) calls."""
    return {
        "role": "assistant",
        "tool_calls": [
            {"id": i, "type": "function", "function": {"name": n, "arguments": a}}
            for i, n, a in calls
        ],
    }


def result(call_id: str, content: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "content": content}


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


class Asker:
    """Sends requests with one client."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def chat(self, said: str | list[dict[str, Any]], **body: Any) -> httpx.Response:
        messages = [user(said)] if isinstance(said, str) else said
        return self.client.post(
            "/chat/completions", json={"model": CHAT, "messages": messages, **body}
        )

    def message(self, said: str | list[dict[str, Any]], **body: Any) -> dict[str, Any]:
        answer = self.chat(said, **body)
        assert answer.status_code == 200, answer.text
        message: dict[str, Any] = answer.json()["choices"][0]["message"]
        return message

    def text(self, said: str | list[dict[str, Any]], **body: Any) -> str:
        return str(self.message(said, **body)["content"])

    def calls(self, said: str | list[dict[str, Any]], **body: Any) -> list[tuple[str, Any]]:
        made = self.message(said, **body).get("tool_calls", [])
        return [(c["function"]["name"], json.loads(c["function"]["arguments"])) for c in made]

    def instance(
        self, said: str | list[dict[str, Any]], schema: dict[str, Any], **body: Any
    ) -> Any:
        form = schema_format(schema, strict=False)
        return json.loads(self.text(said, response_format=form, **body))

    def responses(self, said: Any, model: str = PRO, **body: Any) -> httpx.Response:
        return self.client.post("/responses", json={"model": model, "input": said, **body})

    def output(self, said: Any, model: str = PRO, **body: Any) -> list[dict[str, Any]]:
        answer = self.responses(said, model, **body)
        assert answer.status_code == 200, answer.text
        output: list[dict[str, Any]] = answer.json()["output"]
        return output


def events(text: str) -> list[Any]:
    """The JSON of each data line; `[DONE]` stays text."""
    found = []
    for line in text.splitlines():
        if line.startswith("data: "):
            data = line.removeprefix("data: ")
            found.append(data if data == "[DONE]" else json.loads(data))
    return found


def streamed_text(chunks: list[Any], index: int = 0) -> str:
    choices = [c for chunk in chunks if isinstance(chunk, dict) for c in chunk.get("choices", ())]
    return "".join(c["delta"].get("content") or "" for c in choices if c["index"] == index)


def refusal(answer: httpx.Response) -> dict[str, str]:
    """{path: reason} of a refused body."""
    assert answer.status_code == 400, answer.text
    details = answer.json()["error"]["details"]
    return {detail["path"]: detail["reason"] for detail in details}


def raw_post(
    base_url: str,
    body: dict[str, Any],
    path: str = "/v1/chat/completions",
    window: int | None = None,
    host: str = "127.0.0.1",
) -> socket.socket:
    """A socket over which a request went out, to read bytes as they come.

    `window`: about how many bytes the system takes in before they are read.
    """
    parts = urlsplit(base_url)
    content = json.dumps(body).encode()
    connection = socket.socket()
    if window is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    connection.connect((parts.hostname, parts.port))
    head = (
        f"POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer sk-1234\r\n"
        f"content-length: {len(content)}\r\n\r\n"
    )
    connection.sendall(head.encode() + content)
    return connection


def read_all(connection: socket.socket) -> bytes:
    """Everything until the other side closes; ConnectionResetError when it resets."""
    parts = []
    while data := connection.recv(65536):
        parts.append(data)
    return b"".join(parts)
