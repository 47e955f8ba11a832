"""Images and PDFs are what their bytes say, whatever the label of a block says."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.base.llms.types import ToolCallBlock
from llama_index.core.llms import ChatMessage, DocumentBlock, ImageBlock, TextBlock

from aimlapi_core import InvalidRequestError
from aimlapi_emulator import Emulator
from llama_index_aimlapi import AIMLAPI
from tests.llama_index.ways import CHAT, last

Make = Callable[..., AIMLAPI]
MODELS = ("openai/gpt-5-2", "openai/gpt-5-2-codex")  # one for each endpoint
DOCX = base64.b64encode(b"PK\x03\x04\x14\x00\x06\x00")
BMP = base64.b64encode(b"BM\x8a\x00\x00\x00")
PDF = base64.b64encode(b"%PDF-1.4\n%%EOF")
PNG = base64.b64encode((Path(__file__).parents[1] / "media" / "gradient.png").read_bytes())

OTHERS: dict[str, Any] = {
    "a docx as an image": ImageBlock(image=DOCX, image_mimetype="image/png"),
    "a BMP as an image": ImageBlock(image=BMP, image_mimetype="image/png"),
    "a PDF as an image": ImageBlock(image=PDF, image_mimetype="image/png"),
    "a data URL": ImageBlock(url=f"data:image/png;base64,{BMP.decode()}"),
    "a docx as a PDF": DocumentBlock(data=DOCX, document_mimetype="application/pdf"),
    "an image as a PDF": DocumentBlock(data=PNG, document_mimetype="application/pdf"),
}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("case", OTHERS)
@pytest.mark.parametrize("way", CHAT)
async def test_what_is_something_else_is_refused_before_it_is_sent(
    way: str, case: str, model: str, emu: Emulator, make: Make
) -> None:
    message = ChatMessage(role="user", blocks=[TextBlock(text="Read this."), OTHERS[case]])
    with pytest.raises(InvalidRequestError, match="by its bytes"):
        await last(make(model=model), way, [message])
    assert emu.requests == []


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("case", OTHERS)
def test_what_a_tool_gives_is_named_and_ends_no_run(
    case: str, model: str, emu: Emulator, make: Make
) -> None:
    call = ToolCallBlock(tool_call_id="c1", tool_name="read", tool_kwargs={})
    asked = ChatMessage(role="assistant", blocks=[call])
    result = ChatMessage(
        role="tool", blocks=[OTHERS[case]], additional_kwargs={"tool_call_id": "c1"}
    )
    make(model=model).chat([ChatMessage("Read it."), asked, result])
    assert emu.requests[-1].problems == ()
    sent = str(emu.requests[-1].body)
    assert "by its bytes" in sent
    assert "data:" not in sent.replace("('data:", "")


@pytest.mark.parametrize(
    ("block", "says"),
    [
        (ImageBlock(image=PNG, image_mimetype="image/jpeg"), "image image/png"),
        (DocumentBlock(data=PDF, document_mimetype="image/png", title="a"), "a.pdf"),
        (DocumentBlock(data=PDF, document_mimetype="application/msword", title="a"), "a.pdf"),
    ],
)
def test_a_wrong_label_is_put_right(block: Any, says: str, emu: Emulator, make: Make) -> None:
    message = ChatMessage(role="user", blocks=[TextBlock(text="Look."), block])
    assert says in str(make().chat([message]).message.content)
    assert emu.requests[-1].problems == ()
