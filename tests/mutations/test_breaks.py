"""The breaks themselves: each line that they break is there, once. `make mutations` runs them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutations import BREAKS
from tests.mutations.breaks import Break

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("broken", BREAKS, ids=lambda b: b.promise)
def test_the_line_to_break_is_there(broken: Break) -> None:
    assert (ROOT / broken.file).read_text(encoding="utf-8").count(broken.old) == 1
    assert broken.old != broken.new
    assert (ROOT / broken.tests).exists()
