"""One-line breaks of the LangChain adapter, one a promise."""

from __future__ import annotations

from tests.mutations.breaks import Break

BREAKS = (
    Break(
        "cut tool calls are no valid calls, in LangChain",
        "langchain_aimlapi/_answers.py",
        '    return closing_quote + "]}]"',
        '    return ""',
        "tests/langchain/test_answers.py",
    ),
    Break(
        "core errors are LangChain's too",
        "langchain_aimlapi/errors.py",
        "        raise new from error",
        "        raise error",
        "tests/langchain/test_chat_models.py",
    ),
)
