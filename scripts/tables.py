"""Write the tables that are made from code: `python -m scripts.tables`.

The models of README (GPT-5.2) and docs/models.md (all) come from `aimlapi_core.models`, the
settings there and the lines of request parameters in class docstrings from
`aimlapi_core.request_params`, the errors of docs/errors.md from the classes themselves, the faults
of docs/reliability.md from the tests' own matrix, the fields of docs/faults.md from the docstrings
of `Fault`, the clients of docs/testing.md from the kept run of `make clients`, the list of examples
from their own, the versions that the tests are run with from constraints/, docs/architecture.md
from CONTRIBUTING.md, the claims of docs/tested.md from tests/claims/.
"""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path

from aimlapi_core.errors import AIMLAPIError, StatusError
from aimlapi_core.models import MODELS, ModelInfo, listed_models, model_info
from aimlapi_core.models.gpt_5_2 import GPT_5_2
from aimlapi_core.request_params import REQUEST_PARAMS
from aimlapi_core.retry import is_safe_to_repeat
from aimlapi_core.types import Endpoint
from aimlapi_emulator.faults import fault
from benchmarks import page
from scripts import arguments, examples, tested
from scripts.marked import updated
from tests.clients import run
from tests.faults import matrix

ROOT = Path(__file__).parents[1]

# The parameters that a model may not take; what every Responses schema has is not listed.
_DIFFERING = [
    param
    for param in REQUEST_PARAMS.values()
    if (param.is_model_dependent or param.is_client_side) and "responses" not in param.in_every
]


def models(rows: Iterable[ModelInfo]) -> str:
    """The table of models in Markdown: a row for each id and endpoint, the preferred first."""
    head = (
        "| model | endpoint | takes, beside tools, structured output and `max_tokens` "
        "| images | PDFs | context, tokens | largest input, tokens | largest output, tokens |\n"
        "|---|---|---|---|---|---|---|---|"
    )
    return "\n".join([head, *(_row(m, e) for m in rows for e in m.endpoints)])


def models_in_short(rows: Iterable[ModelInfo]) -> str:
    """The table of README: a row for each id."""
    head = (
        "| model | endpoint | `reasoning_effort` | images | PDFs | context, tokens |\n"
        "|---|---|---|---|---|---|"
    )
    return "\n".join([head, *map(_short_row, rows)])


def _short_row(info: ModelInfo) -> str:
    preferred, *others = info.endpoints
    cells = [
        f"`{info.id}`",
        f"{preferred}, or {others[0]}" if others else preferred,
        ", ".join(info.reasoning_efforts) or "not taken",
        "yes" if preferred in info.images else "no",
        "yes" if info.pdfs else "no",
        f"{info.context_window:,}" if info.context_window else "",
    ]
    return f"| {' | '.join(cells)} |"


def catalogue() -> str:
    """The table of the documented models that have no checked row, in Markdown."""
    head = (
        "| model | endpoints | tools | structured output | images | PDFs | efforts "
        "| context, tokens |\n|---|---|---|---|---|---|---|---|"
    )
    rows = (
        info for name in listed_models() if (info := model_info(name)) and not info.gates_params
    )
    return "\n".join([head, *(_catalogue_row(info) for info in rows)])


def _catalogue_row(info: ModelInfo) -> str:
    cells = [
        f"`{info.id}`",
        ", ".join(info.endpoints),
        *("yes" if has else "" for has in (info.tools, info.structured_output)),
        *("yes" if has else "" for has in (bool(info.images), info.pdfs)),
        ", ".join(info.reasoning_efforts),
        f"{info.context_window:,}" if info.context_window else "",
    ]
    return f"| {' | '.join(cells)} |"


def _row(info: ModelInfo, endpoint: Endpoint) -> str:
    preferred = endpoint == info.endpoints[0]
    efforts = {"reasoning_effort": f" ({', '.join(info.reasoning_efforts)})"}
    takes = [
        f"`{param.argument}`{efforts.get(param.name, '')}"
        for param in _DIFFERING
        if param.name in info.params[endpoint]
    ]
    cells = [
        f"`{info.id}`" if preferred else "",
        endpoint if preferred else f'`endpoint="{endpoint}"`',
        ", ".join(takes) or "nothing more",
        "yes" if endpoint in info.images else "no",
        "yes" if info.pdfs else "no",
        *(
            f"{tokens:,}" if preferred and tokens else ""
            for tokens in (info.context_window, info.input_limit, info.max_output_tokens)
        ),
    ]
    return f"| {' | '.join(cells)} |"


def errors() -> str:
    """The core's errors in Markdown, each below what it is a kind of."""
    return "\n".join(["| error | means | retried |", "|---|---|---|", *_errors(AIMLAPIError, 0)])


def _errors(parent: type[AIMLAPIError], depth: int) -> Iterator[str]:
    for kind in parent.__subclasses__():
        if kind.__module__ != AIMLAPIError.__module__:
            continue  # an adapter's class of the same name
        meaning = (kind.__doc__ or "").split("\n\n")[0].split(". ")[0].rstrip(".")
        indent = "&emsp;" * depth
        again = "yes" if is_safe_to_repeat(_example(kind)) else "no"
        yield f"| {indent}`{kind.__name__}` | {meaning} | {again} |"
        yield from _errors(kind, depth + 1)


def _example(kind: type[AIMLAPIError]) -> AIMLAPIError:
    """An error of that kind; one of a status has one that is repeated where the kind allows it."""
    return kind("", status_code=503) if issubclass(kind, StatusError) else kind("")


def versions(*packages: str) -> str:
    """The versions that the tests are run with; empty where a file of constraints pins none."""
    files = ("dev.txt", "oldest.txt", "oldest-core.txt")
    pins = [_pins(ROOT / "constraints" / name) for name in files]
    head = "| package | newest | oldest | oldest without a framework |\n|---|---|---|---|"
    rows = (f"| {one} | {' | '.join(pinned.get(one, '') for pinned in pins)} |" for one in packages)
    return "\n".join([head, *rows])


def _pins(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


_OF_LANGCHAIN = ("langchain-core", "langchain", "langgraph")
_OF_LLAMA_INDEX = ("llama-index-core", "llama-index-workflows")
_OF_ALL = ("pydantic", "httpx", "h11", "opentelemetry-api")

_ARCHITECTURE = ("How the parts fit", "Laws", "Why it is so")


def architecture() -> str:
    """The sections of CONTRIBUTING.md that a reader of the handbook wants too."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    sections = {part.partition("\n")[0]: part.strip() for part in text.split("\n## ")}
    return "\n\n".join(f"## {sections[title]}" for title in _ARCHITECTURE)


# (file, name of the table between `<!-- name: begin -->` and `<!-- name: end -->`, its maker)
TABLES: tuple[tuple[Path, str, Callable[[], str]], ...] = (
    (ROOT / "README.md", "models", partial(models_in_short, GPT_5_2)),
    (ROOT / "docs" / "models.md", "models", partial(models, MODELS.values())),
    (ROOT / "docs" / "models.md", "settings", arguments.settings),
    (ROOT / "docs" / "models.md", "catalogue", catalogue),
    (ROOT / "docs" / "errors.md", "errors", errors),
    (ROOT / "docs" / "reliability.md", "faults", matrix.table),
    (ROOT / "docs" / "architecture.md", "architecture", architecture),
    (ROOT / "docs" / "testing.md", "clients", run.table),
    (ROOT / "examples" / "README.md", "examples", examples.table),
    (
        ROOT / "docs" / "not-verified.md",
        "versions",
        partial(versions, *_OF_LANGCHAIN, *_OF_LLAMA_INDEX, *_OF_ALL),
    ),
    (ROOT / "docs" / "tested.md", "langchain", partial(tested.table, "langchain")),
    (ROOT / "docs" / "tested.md", "llama_index", partial(tested.table, "llama_index")),
    (ROOT / "docs" / "langchain.md", "versions", partial(versions, *_OF_LANGCHAIN, "pydantic")),
    (ROOT / "docs" / "llamaindex.md", "versions", partial(versions, *_OF_LLAMA_INDEX, "pydantic")),
    *page.TABLES,
)


def fault_fields() -> str:
    """The fields of a Fault in Markdown, each with its default and its docstring."""
    (body,) = (
        node.body
        for node in ast.parse(inspect.getsource(fault)).body
        if isinstance(node, ast.ClassDef) and node.name == "Fault"
    )
    rows = [
        f"| `{field.target.id}` | `{_default(field.target.id)}` | {' '.join(said.split())} |"
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(text, ast.Expr) and (said := ast.literal_eval(text.value))
    ]
    return "\n".join(["| field | when not set | what it does |\n|---|---|---|", *rows])


def _default(name: str) -> str:
    value = getattr(fault.NO_FAULT, name)
    return json.dumps(value) if isinstance(value, str) else repr(value)


# Its test stands beside those of the faults: tests/faults/test_docs.py.
FAULT_FIELDS = (ROOT / "docs" / "faults.md", "fault-fields", fault_fields)


if __name__ == "__main__":
    for path, name, make in (*TABLES, FAULT_FIELDS):
        text = path.read_text(encoding="utf-8")
        path.write_text(updated(text, name, make()), encoding="utf-8")
    for cls in arguments.model_classes():
        path = arguments.source(cls)
        text = path.read_text(encoding="utf-8")
        path.write_text(arguments.with_params(text, cls), encoding="utf-8")
