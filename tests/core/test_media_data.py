"""Images and PDFs as the caller has them, bytes or base64, are sent as data URLs."""

from __future__ import annotations

import base64
import json
import pickle
from typing import Any, get_args

import pytest

from aimlapi_core import (
    ChatRequest,
    Endpoint,
    File,
    Image,
    InvalidRequestError,
    MediaData,
    Message,
    Part,
    Text,
)
from aimlapi_core._wire.endpoint import prepare_request
from aimlapi_core._wire.json_encoding import encode_json

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 200
PDF = b"%PDF-1.7\n" + b"x" * 40_001
FORMS = {
    "bytes": lambda data: MediaData(data),
    "base64 in bytes": lambda data: MediaData(base64.b64encode(data), is_base64=True),
    "base64 in lines": lambda data: MediaData(base64.encodebytes(data), is_base64=True),
    "base64 as text": lambda data: MediaData(base64.b64encode(data).decode(), is_base64=True),
    "text alone": lambda data: MediaData(base64.b64encode(data).decode()),
    "text in lines": lambda data: MediaData(base64.encodebytes(data).decode(), is_base64=True),
}
endpoints = pytest.mark.parametrize("endpoint", get_args(Endpoint))
forms = pytest.mark.parametrize("form", FORMS)


def data_url(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def written(part: Part, endpoint: Endpoint) -> Any:
    """The part as the body has it."""
    model = {"chat": "openai/gpt-5-2", "responses": "an unknown model"}[endpoint]
    message = Message("user", (Text("What is it?"), part))
    request = ChatRequest(model, (message,), endpoint=endpoint)
    body = json.loads(encode_json(prepare_request(request, stream=False).body))
    return body["messages" if endpoint == "chat" else "input"][0]["content"][1]


@endpoints
@forms
@pytest.mark.parametrize("size", [8, 9, 10, len(PNG)])
def test_an_image_is_sent_as_the_data_url_of_its_bytes(
    size: int, form: str, endpoint: Endpoint
) -> None:
    url = written(Image(FORMS[form](PNG[:size])), endpoint)["image_url"]
    assert (url["url"] if endpoint == "chat" else url) == data_url("image/png", PNG[:size])


@endpoints
@forms
def test_a_pdf_is_sent_as_the_data_url_of_its_bytes(form: str, endpoint: Endpoint) -> None:
    part = written(File(FORMS[form](PDF), "a.pdf"), endpoint)
    assert part.get("file", part)["file_data"] == data_url("application/pdf", PDF)


@forms
def test_it_stands_for_its_data_url(form: str) -> None:
    media = FORMS[form](PNG)
    given = MediaData(media.data, "image/png", media.is_base64)
    whole = pickle.loads(pickle.dumps(given))
    assert "lines" in form or Image(whole) == Image(data_url("image/png", PNG))
    assert {whole: 1}[given] == 1
    assert len(repr(Image(given))) < 100
    assert MediaData(b"other") != given


@endpoints
@forms
def test_what_is_no_image_is_refused_by_its_bytes(form: str, endpoint: Endpoint) -> None:
    with pytest.raises(InvalidRequestError, match="unsupported kind by its bytes"):
        written(Image(FORMS[form](b"Only words." * 20)), endpoint)


@endpoints
def test_bytes_that_are_called_base64_and_are_none_are_named(endpoint: Endpoint) -> None:
    media = MediaData(base64.b64encode(PNG) + b"\xff", is_base64=True)
    with pytest.raises(InvalidRequestError, match=r"content\[1\].* data that is not base64"):
        written(Image(media), endpoint)


@endpoints
def test_text_that_is_no_base64_is_written_as_it_is(endpoint: Endpoint) -> None:
    """The service says what is wrong with it, as with a data URL."""
    text = base64.b64encode(PNG).decode() + '"é'
    url = written(Image(MediaData(text)), endpoint)["image_url"]
    assert (url["url"] if endpoint == "chat" else url) == f"data:image/png;base64,{text}"
