"""Images and PDFs are what their bytes say, whatever the label of a block says."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from aimlapi_emulator import Emulator
from langchain_aimlapi import ChatAIMLAPI, InvalidRequestError
from tests.langchain.calls import call

Make = Callable[..., ChatAIMLAPI]
MODELS = ("openai/gpt-5-2", "openai/gpt-5-2-codex")  # one for each endpoint
DOCX = base64.b64encode(b"PK\x03\x04\x14\x00" + bytes(300)).decode()
BMP = base64.b64encode(b"BM\x8a\x00" + bytes(300)).decode()
WORDS = base64.b64encode(b"Only words. " * 30).decode()
PNG = base64.b64encode((Path(__file__).parents[1] / "media" / "gradient.png").read_bytes()).decode()
PDF = base64.b64encode(b"%PDF-1.4\n%%EOF").decode()

NO_PDF: dict[str, dict[str, Any]] = {
    "LangChain's, without a type": {"type": "file", "base64": DOCX, "filename": "report.docx"},
    "LangChain's, with a lie": {"type": "file", "base64": DOCX, "mime_type": "application/pdf"},
    "OpenAI's": {"type": "file", "file": {"file_data": WORDS, "filename": "a.pdf"}},
    "OpenAI's data URL": {
        "type": "file",
        "file": {"file_data": f"data:application/pdf;base64,{BMP}", "filename": "a.pdf"},
    },
    "Responses'": {"type": "input_file", "file_data": f"data:application/pdf;base64,{WORDS}"},
    "Anthropic's": {"type": "document", "source": {"type": "base64", "data": DOCX}},
}
NO_IMAGE: dict[str, dict[str, Any]] = {
    "LangChain's": {"type": "image", "base64": BMP, "mime_type": "image/png"},
    "OpenAI's": {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{DOCX}"}},
    "Anthropic's": {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/jpeg", "data": WORDS},
    },
    "a PDF": {"type": "image", "base64": PDF, "mime_type": "image/png"},
}


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("block", [*NO_PDF.values(), *NO_IMAGE.values()])
def test_what_is_something_else_is_refused_before_it_is_sent(
    how: str, streaming: bool, block: dict[str, Any], model: str, emu: Emulator, chat: Make
) -> None:
    with pytest.raises(InvalidRequestError, match="by its bytes"):
        call(how, streaming, chat(model=model), [HumanMessage(["Read this.", block])])
    assert emu.requests == []


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("block", [*NO_PDF.values(), *NO_IMAGE.values()])
def test_what_a_tool_gives_is_named_and_ends_no_run(
    block: dict[str, Any], model: str, emu: Emulator, chat: Make
) -> None:
    asked = AIMessage("", tool_calls=[{"name": "read", "args": {}, "id": "c1"}])
    history = [HumanMessage("Read it."), asked, ToolMessage([block], tool_call_id="c1")]
    assert chat(model=model).invoke(history)
    assert emu.requests[-1].problems == ()
    assert "data:" not in str(emu.requests[-1].body)


@pytest.mark.parametrize("endpoint", ["chat", "responses"])
@pytest.mark.parametrize(
    ("block", "says"),
    [
        ({"type": "image", "base64": PNG, "mime_type": "image/jpeg"}, "image image/png"),
        ({"type": "file", "base64": PNG, "mime_type": "application/pdf"}, "image image/png"),
        ({"type": "file", "base64": PDF, "mime_type": "image/png"}, "document.pdf"),
        ({"type": "file", "base64": PDF, "mime_type": "application/octet-stream"}, "document.pdf"),
    ],
)
def test_a_wrong_label_is_put_right(
    block: dict[str, Any], says: str, endpoint: str, emu: Emulator, chat: Make
) -> None:
    model = chat(model="openai/gpt-5-2-chat-latest", endpoint=endpoint)
    assert says in model.invoke([HumanMessage(["Look.", block])]).text
    assert emu.requests[-1].problems == ()
