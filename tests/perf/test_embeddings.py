"""Work per text of an embed call, as counts of Python calls: see `test_counts`."""

from __future__ import annotations

import pytest

from benchmarks import embedding_models
from benchmarks.payloads import texts
from benchmarks.server import Answer
from tests.perf.counting import Counted

OWN_PER_TEXT = {"AIMLAPIEmbeddings": 9, "AIMLAPIEmbedding": 10}


@pytest.mark.parametrize(("name", "bound"), OWN_PER_TEXT.items())
def test_python_calls_for_each_text(origin: str, name: str, bound: int) -> None:
    """Prose: its tokens are estimated without a search for its words."""
    embed = embedding_models.MODELS[name](f"{origin}{Answer('embeddings').path}/v1")
    documents = texts(700)  # one request, and more bytes than a model's limit has tokens
    assert len(embed(documents)) == 700
    with Counted() as found:
        embed(documents)
    assert found.own / 700 <= bound
