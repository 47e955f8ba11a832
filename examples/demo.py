"""Six of the examples, one after the other, streamed to the terminal (`make demo`)."""

import ast
import runpy
from pathlib import Path

import _service  # noqa: F401  # an emulator answers when AIMLAPI_API_KEY is not set

NAMES = (
    "langchain_chain",
    "langchain_agent",
    "langchain_structured",
    "langchain_retrieval",
    "llama_index_query",
    "llama_index_agent",
)

for number, name in enumerate(NAMES, 1):
    path = Path(__file__).with_name(f"{name}.py")
    title = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    print(f"\n{number}. {title}", flush=True)
    runpy.run_path(str(path), run_name="__main__")
