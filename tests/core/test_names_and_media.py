"""Names of messages, names of files and MIME types go out in the form that the API takes."""

from __future__ import annotations

import base64
from typing import Any, get_args

import pytest

from aimlapi_core import (
    ChatRequest,
    Endpoint,
    File,
    Image,
    InvalidRequestError,
    Message,
    Role,
    Text,
)
from aimlapi_core._wire.endpoint import prepare_request

endpoints = pytest.mark.parametrize("endpoint", get_args(Endpoint))


def sent(message: Message, endpoint: Endpoint = "chat") -> dict[str, Any]:
    request = ChatRequest("acme/unlisted", (message,), endpoint=endpoint)
    body = prepare_request(request, stream=False).body
    item: dict[str, Any] = (body.get("messages") or body["input"])[0]
    return item


@pytest.mark.parametrize("role", ["user", "assistant", "system"])
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ann", "ann"),
        ("Jürgen", "Jürgen"),
        ("Research Agent", "Research_Agent"),
        ("John Doe <john>", "John_Doe_john"),
        (r"a|b\c/d", "a_b_c_d"),
        (" padded\n", "padded"),
        ("n" * 70, "n" * 64),
        (" / ", None),
        ("", None),
        (None, None),
    ],
)
def test_names_of_messages_fit_the_api(name: str | None, expected: str | None, role: Role) -> None:
    assert sent(Message(role, (Text("hi"),), name)).get("name") == expected


@endpoints
@pytest.mark.parametrize(
    ("filename", "expected"), [(None, "document.pdf"), ("", "document.pdf"), ("a.pdf", "a.pdf")]
)
def test_a_pdf_has_a_file_name(filename: str | None, expected: str, endpoint: Endpoint) -> None:
    file = File("data:application/pdf;base64,JVBERi0=", filename)
    part = sent(Message("user", (file,)), endpoint)["content"][0]
    assert part.get("file", part)["filename"] == expected


@endpoints
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("data:image/png;base64,iVBORw0K", "data:image/png;base64,iVBORw0K"),
        ("data:image/jpg;base64,/9j/4AAQ", "data:image/jpeg;base64,/9j/4AAQ"),
        ("data:IMAGE/JPG;base64,/9j/4AAQ", "data:image/jpeg;base64,/9j/4AAQ"),
        ("Data:Image/PNG;BASE64,iVBORw0K", "data:image/png;base64,iVBORw0K"),
        ("https://x/IMAGE.JPG", "https://x/IMAGE.JPG"),
    ],
)
def test_mime_types_of_images_are_spelt_as_the_api_spells_them(
    given: str, expected: str, endpoint: Endpoint
) -> None:
    part = sent(Message("user", (Image(given),)), endpoint)["content"][0]
    url = part["image_url"]
    assert (url["url"] if isinstance(url, dict) else url) == expected


@endpoints
def test_mime_types_of_pdfs_are_spelt_as_the_api_spells_them(endpoint: Endpoint) -> None:
    part = sent(Message("user", (File("data:APPLICATION/PDF;base64,JVBERi0="),)), endpoint)
    inner = part["content"][0]
    assert inner.get("file", inner)["file_data"] == "data:application/pdf;base64,JVBERi0="


HEADS = {
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff\xe0",
    "image/gif": b"GIF89a",
    "image/webp": b"RIFF\x10\x00\x00\x00WEBPVP8 ",
}
OTHERS = {
    "docx": b"PK\x03\x04\x14\x00",
    "bmp": b"BM\x8a\x00",
    "tiff": b"II*\x00",
    "svg": b"<svg xmlns=",
    "heic": b"\x00\x00\x00\x18ftypheic",
    "text": b"Only words.",
    "sound": b"RIFF\x10\x00\x00\x00WAVEfmt ",
}
LABELS = ("image/png", "image/jpeg", "image/bmp", "application/pdf", "application/octet-stream", "")


def data_url(label: str, data: bytes) -> str:
    return f"data:{label};base64,{base64.b64encode(data).decode()}"


@endpoints
@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("kind", HEADS)
def test_an_image_goes_out_with_the_type_of_its_bytes(
    kind: str, label: str, endpoint: Endpoint
) -> None:
    part = sent(Message("user", (Image(data_url(label, HEADS[kind])),)), endpoint)["content"][0]
    url = part["image_url"]
    assert (url["url"] if isinstance(url, dict) else url) == data_url(kind, HEADS[kind])


@endpoints
@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"\n" * 900])
def test_a_pdf_goes_out_as_one(before: bytes, label: str, endpoint: Endpoint) -> None:
    data = before + b"%PDF-1.7\n" + b"x" * 2_000
    part = sent(Message("user", (File(data_url(label, data)),)), endpoint)["content"][0]
    assert part.get("file", part)["file_data"] == data_url("application/pdf", data)


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("kind", [*OTHERS, "application/pdf"])
def test_no_label_makes_an_image(kind: str, label: str) -> None:
    data = OTHERS.get(kind, b"%PDF-1.7")
    with pytest.raises(InvalidRequestError, match=r"Message 0 .* image of an unsupported kind by"):
        sent(Message("user", (Image(data_url(label, data)),)))


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("kind", [*OTHERS, "image/png"])
def test_no_label_makes_a_pdf(kind: str, label: str) -> None:
    data = OTHERS.get(kind, HEADS["image/png"])
    with pytest.raises(InvalidRequestError, match=r"Message 0 .* file that is no PDF by its bytes"):
        sent(Message("user", (File(data_url(label, data)),)))


@pytest.mark.parametrize(
    "url", ["data:image/png;base64,", "data:image/png;base64,%%%", "data:image/png,iVBORw0K", "x"]
)
def test_what_is_no_base64_is_no_image(url: str) -> None:
    with pytest.raises(InvalidRequestError, match="unsupported kind"):
        sent(Message("user", (Image(url),)))


def test_lines_of_base64_are_joined() -> None:
    """The service refuses lines, as `base64.encodebytes` writes them."""
    message = sent(Message("user", (Image("data:image/png;base64,iVBO\r\nRw0K\r\nGgoA"),)))
    joined = "data:image/png;base64,iVBORw0KGgoA"
    assert message["content"][0]["image_url"]["url"] == joined
