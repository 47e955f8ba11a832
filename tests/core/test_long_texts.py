"""Bodies with images and documents are the JSON of any other body, and are held once."""

from __future__ import annotations

import base64
import json
import tracemalloc
from collections.abc import Callable
from types import MappingProxyType
from typing import Any, get_args

import pytest

from aimlapi_core import ChatRequest, Endpoint, Image, InvalidRequestError, MediaData, Message, Text
from aimlapi_core._wire.endpoint import prepare_request
from aimlapi_core._wire.json_encoding import LONG_TEXT, encode_json, holds_long_texts

FORMS: dict[str, Callable[[str], str | MediaData]] = {
    "data URL": lambda text: f"data:image/png;base64,{text}",
    "base64": lambda text: MediaData(text),
    "base64 in bytes": lambda text: MediaData(text.encode(), is_base64=True),
    "bytes": lambda text: MediaData(base64.b64decode(text)),
}
LONG = "a" * (3 * LONG_TEXT + 1)


def body(*parts: Any, **more: Any) -> dict[str, Any]:
    message = {"role": "user", "content": list(parts)}
    system = {"role": "system", "content": "b"}
    return {"model": "m", "messages": [system, message, message], **more}


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": LONG, "detail": "low"}},
        {"type": "input_image", "image_url": LONG},
        [LONG, 1, None, [LONG], {}],
        {"text": LONG + '"\\\n\x00'},
        {"text": LONG + "Łódź 🌍"},
        {"text": LONG, 1: True, None: 1.5},
        {"text": LONG, "more": (1, 2), "frozen": MappingProxyType({"x": 1})},
        {"Łódź": LONG},
    ],
)
def test_it_is_the_json_of_any_other_encoder(part: Any) -> None:
    wire = body("before", part, {"type": "text", "text": "behind"}, temperature=1)
    assert holds_long_texts(wire)
    written = json.dumps(wire, ensure_ascii=False, separators=(",", ":"), default=dict)
    assert encode_json(wire) == written.encode()


def test_a_body_without_long_texts_is_encoded_at_once() -> None:
    assert not holds_long_texts(body({"type": "text", "text": "a" * (LONG_TEXT - 1)}))
    assert not holds_long_texts({"input": LONG})


@pytest.mark.parametrize("wrong", [object(), float("nan"), "\ud835"])
def test_what_is_no_json_is_named_beside_long_texts_too(wrong: Any) -> None:
    with pytest.raises(InvalidRequestError, match=r"messages\[1\].content\[1\].x"):
        encode_json(body(LONG, {"x": wrong}))


@pytest.mark.parametrize("endpoint", get_args(Endpoint))
@pytest.mark.parametrize("form", FORMS)
def test_images_are_held_once_more_than_given(form: str, endpoint: Endpoint) -> None:
    """The bytes of the body, allocated at their size, and little beside them."""
    images = [Image(FORMS[form]("iVBORw0KGgoA" + f"{n:04}" * 25_000)) for n in range(20)]
    turns = [Message("user", (Text("What is it?"), image)) for image in images]
    model = {"chat": "openai/gpt-5-2", "responses": "an unknown model"}[endpoint]
    request = ChatRequest(model, tuple(turns), endpoint=endpoint)

    def work() -> bytes:
        return encode_json(prepare_request(request, stream=False).body)

    size = len(work())
    tracemalloc.start()
    try:
        work()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert size > 2_000_000
    assert peak < 1.05 * size
