"""JSON is read as the json module reads it, by whichever parser."""

from __future__ import annotations

import json
import struct
from codecs import BOM_UTF8
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aimlapi_core._json_reading import loads

# Pieces of JSON, and of what is nearly JSON.
PIECES = (
    *'{}[]:,"01-.eE+ \t\n\r\\/',
    *("null", "true", "false", "NaN", "Infinity", "-Infinity", '"a"', '"b"', '{"a":1,"a":[2]}'),
    *("\\u", "\\ud83d", "\\ude00", "\\u0000", "\\n", "\\x", "\x00", "\x1f", "\x0b", "\x7f"),
    *("é", "😀", "\ud83d", "\ufeff", "\u2028", "\xa0", "٣", "'", "//", "_"),
    *("-0", "01", "1e400", "1e-400", "0.1", "9007199254740993.0", "2.2250738585072011e-308"),
    *("9223372036854775808", "9" * 400, "9" * 4300, "9" * 4301),
)
WRAPPED = ("%s", "[%s]", '{"a":%s}', '"%s"', '{"a":"%s"}', '{"%s":1}', "[1,%s]", "[-%s]", "[%s.5]")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
TEXTS = (
    st.builds(
        lambda form, pieces: form % "".join(pieces),
        st.sampled_from(WRAPPED),
        st.lists(st.sampled_from(PIECES), max_size=5),
    )
    | st.builds(json.dumps, VALUES, ensure_ascii=st.booleans())
    | st.builds(
        "{}{}{}".format, st.integers(), st.sampled_from([".", "e", "e-", ""]), st.integers(0)
    )
)
DAMAGE = st.tuples(st.integers(0, 2**16), st.binary(max_size=2))


def as_told_apart(value: Any) -> Any:
    """The value with what `==` does not tell apart: types, bits of floats, the order of names."""
    if isinstance(value, dict):
        return [(name, as_told_apart(member)) for name, member in value.items()]
    if isinstance(value, list):
        return [list, *map(as_told_apart, value)]
    return type(value), struct.pack("d", value) if isinstance(value, float) else value


def outcome(read: Callable[[str | bytes], Any], data: str | bytes) -> Any:
    try:
        return as_told_apart(read(data))
    except RecursionError:
        return "JSON nested too deeply"
    except ValueError as exc:
        return str(exc)


@settings(max_examples=400, deadline=None)
@given(TEXTS, st.none() | DAMAGE)
@example('{"a": "\\ud83d"}', None)
@example('{"a": "\ud83d"}', None)
@example('{"a": "\x1f"}', None)
@example('{"a": NaN, "b": [Infinity, -Infinity], "a": -0.0}', None)
@example(f"[{'9' * 4300}]", None)
@example(f"[{'9' * 4301}]", None)
@example("[" * 300 + "]" * 300, None)
@example("[" * 100_000 + "]" * 100_000, None)
@example("\ufeff{}", None)
@example('{"a": 1} x', None)
@example("", None)
@example('["é"]', (3, b"\xff"))
@example('["é"]', (2, b"\xed\xa0"))
def test_any_text_is_read_as_json_reads_it(text: str, damage: tuple[int, bytes] | None) -> None:
    data: str | bytes = text
    if damage is not None:
        whole = text.encode("utf-8", "surrogatepass")
        at = damage[0] % (len(whole) + 1)
        data = whole[:at] + damage[1] + whole[at:]
    assert outcome(loads, data) == outcome(by_json, data)


def by_json(data: str | bytes) -> Any:
    """As the json module reads it, with U+FFFD for invalid UTF-8, as in a stream."""
    if isinstance(data, bytes) and json.detect_encoding(data).startswith("utf-8"):
        data = data.removeprefix(BOM_UTF8).decode("utf-8", "replace")
    return json.loads(data)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32", "utf-32-be"])
def test_bytes_of_another_encoding_are_read_as_json_reads_them(encoding: str) -> None:
    assert loads('{"a": "é😀"}'.encode(encoding)) == {"a": "é😀"}
