"""Decodes the vectors of an embeddings response: in order, finite, of one length."""

from __future__ import annotations

import base64
import math
import sys
from array import array
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
        numbers = array("f", base64.b64decode(wire, validate=True))
        if sys.byteorder == "big":
            numbers.byteswap()
        vector = numbers.tolist()
    else:
        vector = [float(number) for number in wire]
    if not vector:
        raise ValueError("an empty vector")
    # The sum, in a tenth of the time: it is not finite if a number is not, or if it is too large.
    if not math.isfinite(sum(vector)) and not all(map(math.isfinite, vector)):
        raise ValueError("a vector with NaN or infinity")
    return vector
