"""docs/costs.md: the output of its agent run, which `tests/docs` holds to a real one, adds up."""

from __future__ import annotations

import re

from tests.docs.test_blocks import IDS, numbered, shown


def test_the_agent_run_shows_each_id_in_every_place() -> None:
    """Two spans under a third; two requests and two inferences, in span, answer and logs."""
    (output,) = (text for text in shown("docs/costs.md").values() if "balance fell" in text)
    assert len(set(IDS.findall(output))) == 7
    counts = [len(re.findall(rf"\bid{n}\b", numbered(output))) for n in range(7)]
    assert counts == [3, 1, 3, 3, 1, 3, 3]
