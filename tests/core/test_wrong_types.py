"""What is of the wrong type is refused by name before anything is sent, and no text is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from aimlapi_core import (
    AsyncClient,
    ChatRequest,
    Client,
    ConfigurationError,
    EmbeddingRequest,
    InvalidRequestError,
    Message,
    Settings,
    Text,
)
from aimlapi_emulator import Emulator

MODELS = ["openai/gpt-5-2", "openai/gpt-5-2-pro"]  # on chat and on responses
HELLO = Message("user", (Text("Hello"),))
TEXT: Any = "Hello"
WRONG: dict[str, tuple[Callable[[str], Any], str]] = {
    "a text": (lambda _: TEXT, "is a ChatRequest, not str"),
    "messages as a text": (lambda model: ChatRequest(model, TEXT), "tuple of Messages, not str"),
    "one message": (lambda model: ChatRequest(model, HELLO), "not Message"),  # type: ignore[arg-type]
    "dicts": (
        lambda model: ChatRequest(model, ({"role": "user", "content": "Hello"},)),  # type: ignore[arg-type]
        "Message 0 is of type dict",
    ),
    "a text as parts": (
        lambda model: ChatRequest(model, (HELLO, Message("user", TEXT))),
        "Message 1 has parts of type str",
    ),
    "texts as parts": (
        lambda model: ChatRequest(model, (Message("user", (TEXT,)),)),
        "Message 0 has a part of type str",
    ),
    "one part": (
        lambda model: ChatRequest(model, (Message("user", Text("Hello")),)),  # type: ignore[arg-type]
        "Message 0 has parts of type Text",
    ),
    "tools as dicts": (
        lambda model: ChatRequest(model, (HELLO,), tools=({"type": "function"},)),  # type: ignore[arg-type]
        "tools has a value of type dict",
    ),
}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("case", WRONG)
def test_a_request_of_the_wrong_type_is_refused(case: str, stream: bool, model: str) -> None:
    make, says = WRONG[case]
    with Emulator() as emu, Client(Settings(api_key="k", base_url=emu.base_url)) as client:
        with pytest.raises(InvalidRequestError, match=says):
            list(client.stream(make(model))) if stream else client.complete(make(model))
        assert emu.requests == []


@pytest.mark.parametrize("request_", [TEXT, EmbeddingRequest("text-embedding-3-small", TEXT)])
def test_a_text_is_not_embedded_letter_by_letter(request_: Any) -> None:
    with Emulator() as emu, Client(Settings(api_key="k", base_url=emu.base_url)) as client:
        with pytest.raises(InvalidRequestError, match="a tuple of texts"):
            client.embed(request_)
        assert emu.requests == []


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_client_takes_settings_not_a_key(kind: type[Any]) -> None:
    with pytest.raises(ConfigurationError, match="takes Settings") as caught:
        kind("sk-secret")
    assert "secret" not in str(caught.value)
