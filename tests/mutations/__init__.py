"""One-line breaks of the code, one a promise: a test must notice each (`make mutations`)."""

from __future__ import annotations

from tests.mutations import breaks_core, breaks_langchain, breaks_llama_index

BREAKS = (*breaks_core.BREAKS, *breaks_langchain.BREAKS, *breaks_llama_index.BREAKS)
