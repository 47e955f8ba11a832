"""Names of messages, names of files and MIME types go out in the form that the API takes."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from aimlapi_core import ChatRequest, Endpoint, File, Image, Message, Role, Text
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
        ("data:image/png;base64,AAAA", "data:image/png;base64,AAAA"),
        ("data:image/jpg;base64,AAAA", "data:image/jpeg;base64,AAAA"),
        ("data:IMAGE/JPG;base64,AAAA", "data:image/jpeg;base64,AAAA"),
        ("Data:Image/PNG;BASE64,AAAA", "data:image/png;base64,AAAA"),
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
