"""Decodes the vectors of an embeddings response: in order, finite, of one length."""

from __future__ import annotations

import math
import sys
from array import array
from binascii import a2b_base64
from collections.abc import Sequence
from typing import Any

from aimlapi_core._values.plain import plain_number


def vectors_by_index(rows: Sequence[Any], dimensions: Any = None) -> list[list[float]]:
    """The vectors of the rows, by their `index`; rows without one, or with null, are in order.

    Raises ValueError, or what a value of a wrong type raises, for anything but vectors of finite
    numbers, of one length, which is `dimensions` unless that is None.
    """
    indexed = sorted(
        (_index(row, position), _decode_vector(row["embedding"]))
        for position, row in enumerate(rows)
    )
    if [index for index, _ in indexed] != list(range(len(rows))):
        raise ValueError("the rows' indices are not 0, 1, 2, …")
    vectors = [vector for _, vector in indexed]
    lengths = {len(vector) for vector in vectors}
    wanted = plain_number(dimensions, "int")
    if len(lengths) > 1 or (wanted is not None and lengths - {wanted}):
        asked = "" if wanted is None else f", {wanted} were asked for"
        raise ValueError(f"vectors of {listed(lengths)} numbers{asked}")
    return vectors


def listed(lengths: set[int]) -> str:
    """Some lengths, for a message."""
    return " and ".join(map(str, sorted(lengths)[:3]))


def _index(row: Any, position: int) -> Any:
    index = row.get("index")
    return position if index is None else index


def _decode_vector(wire: Any) -> list[float]:
    """A list of numbers, or base64 of little-endian 32-bit floats."""
    if isinstance(wire, str):
        data = a2b_base64(wire, strict_mode=True)
        numbers = array("f", data)
        if sys.byteorder == "big":
            numbers.byteswap()
        vector, is_finite = numbers.tolist(), _is_surely_finite(data)
    else:
        vector, is_finite = [float(number) for number in wire], False
    if not vector:
        raise ValueError("an empty vector")
    # The sum is not finite if a number is not, or if it is too large; it takes a tenth of the time.
    if not (is_finite or math.isfinite(sum(vector)) or all(map(math.isfinite, vector))):
        raise ValueError("a vector with NaN or infinity")
    return vector


def _is_surely_finite(data: bytes) -> bool:
    """Whether each little-endian 32-bit float has an exponent below that of NaN and infinity.

    A float's last byte is its sign and the exponent but for a bit. A third of the sum's time.
    """
    last_bytes = data[3::4]
    return b"\x7f" not in last_bytes and b"\xff" not in last_bytes
