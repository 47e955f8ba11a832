import pytest

from aimlapi_core._wire.sse import SSEDecoder


def decode(data: bytes, size: int | None = None) -> list[tuple[str, str]]:
    decoder = SSEDecoder()
    pieces = [data] if size is None else [data[i : i + size] for i in range(0, len(data), size)]
    return [*(event for piece in pieces for event in decoder.feed(piece)), *decoder.close()]


@pytest.mark.parametrize("size", [None, 1, 2, 3])
@pytest.mark.parametrize(
    ("data", "events"),
    [
        (b"data: a\n\ndata: b\n\n", [("", "a"), ("", "b")]),
        (b"data: a\r\n\r\ndata: b\r\n\r\n", [("", "a"), ("", "b")]),
        (b"data: a\r\rdata: b\r\r", [("", "a"), ("", "b")]),
        (b"data: a\r\n\n", [("", "a")]),
        (b"data: a\n\ndata: b\r\n\n", [("", "a"), ("", "b")]),
        (b"data:a\n\n", [("", "a")]),
        (b"data:  a\n\n", [("", " a")]),
        (b": comment\n\ndata: a\n: another\nid: 1\nretry: 5\n\n", [("", "a")]),
        (b"data: one\ndata: two\n\n", [("", "one\ntwo")]),
        (b"event: error\ndata: x\n\ndata: y\n\n", [("error", "x"), ("", "y")]),
        (b"event: ping\n\ndata: y\n\n", [("", "y")]),
        ("data: é世🌍\n\n".encode(), [("", "é世🌍")]),
        (
            "data: line\u2028separator\u0085kept\n\n".encode(),
            [("", "line\u2028separator\u0085kept")],
        ),
        (b"data: no blank line at the end\n", [("", "no blank line at the end")]),
        (b"data: no newline at the end", [("", "no newline at the end")]),
        (b"data\n\n", [("", "")]),
        (b"\xef\xbb\xbfdata: after a byte order mark\n\n", [("", "after a byte order mark")]),
        (b"\n\nd\ndata: x\n\n", [("", "x")]),
        (b"", []),
        (b"\n\n\r\n", []),
    ],
)
def test_decodes(data: bytes, events: list[tuple[str, str]], size: int | None) -> None:
    assert decode(data, size) == events


@pytest.mark.parametrize("begun", [b"", b"data: one\n", b"event: ping\n", b": comm", b"data: 1\r"])
@pytest.mark.parametrize("piece", [b"data: a\n\n", b"data: a\r\n\n", b"data: a\ndata: b\n\n"])
def test_an_event_that_comes_in_one_piece_is_read_as_in_many(begun: bytes, piece: bytes) -> None:
    decoder = SSEDecoder()
    assert decoder.feed(begun) + decoder.feed(piece) == decode(begun + piece, size=1)
