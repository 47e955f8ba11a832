"""docs/llamaindex.md: each test that it names is there."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
TEXT = (HERE.parents[1] / "docs" / "llamaindex.md").read_text(encoding="utf-8")
BEHAVIOUR = TEXT.partition("## How it behaves")[2]
POINTS = re.findall(r"^- .*?(?=\n-|\n\n|\Z)", BEHAVIOUR, re.S | re.M)


def test_each_line_names_tests_that_exist() -> None:
    assert POINTS
    for point in POINTS:
        named = re.findall(r"(\w+)::(\w+)", point)
        assert named, point
        for module, name in named:
            code = (HERE / f"{module}.py").read_text(encoding="utf-8")
            assert re.search(rf"^(async )?def {name}\(", code, re.M), f"{module}::{name}"
