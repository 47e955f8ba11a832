"""One-line breaks of the LlamaIndex adapter, one a promise."""

from __future__ import annotations

from tests.mutations.breaks import Break

BREAKS = (
    Break(
        "a broken tool call is not repaired, in LlamaIndex",
        "llama_index_aimlapi/_tools.py",
        "return loads_arguments(block.tool_kwargs)",
        "return partial_object(block.tool_kwargs)",
        "tests/llama_index/test_tools.py",
    ),
)
