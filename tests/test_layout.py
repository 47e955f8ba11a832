"""Law 7: where modules live, and which way they may import; read from the folders themselves.

A room is a folder or a module directly in a package. FLOORS orders the rooms of each package from
the lowest: a module may import from the rooms on lower floors and from its own room. Imports under
TYPE_CHECKING and inside functions count, and so does the use of another module's private members.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MOST_MODULES = 15

FLOORS = {
    "aimlapi_core": """
        _late
        _version _json_reading _values
        types
        errors request_params
        _error_reading models retry
        _misspelled_values
        embedding_models settings
        _adapters
        _history schema
        _wire
        account
        costs _otel
        _io
        __init__ __main__
    """,
    "langchain_aimlapi": """
        errors _model_profile _signature
        _base
        _request
        _response _init_chat_model _invalid_tool_calls tracing
        _structured_output
        _bindings
        _bindable
        _chat_model_base
        chat_models embeddings middleware
        __init__
    """,
    "llama_index_aimlapi": """
        errors mcp
        _base _embedding_batches _embedding_usage
        _request
        _response _callbacks
        _structured_output _llm_base
        llm embedding
        __init__
    """,
    "aimlapi_ray": """
        report
        checks
        journal
        journal_actor worker
        run
        __init__
    """,
    "aimlapi_cli": """
        terminal attachments
        ask models costs
        main
        __init__
        __main__
    """,
    "aimlapi_emulator": """
        _version ids latency faults catalog text cli
        validation
        prompt
        answers
        billing
        scripting
        messages
        state
        endpoints
        server
        emulator
        pytest_plugin request_log recording
        __init__
        __main__
    """,
}
# What a package must not import. The emulator knows neither the core nor a framework: a misreading
# of the documents that both had would look like agreement.
FORBIDDEN = {
    "aimlapi_core": ("langchain", "llama_index", "aimlapi_emulator", "aimlapi_ray"),
    "langchain_aimlapi": ("llama_index", "aimlapi_emulator", "aimlapi_ray"),
    "llama_index_aimlapi": ("langchain", "aimlapi_emulator", "aimlapi_ray"),
    "aimlapi_ray": ("langchain", "llama_index", "aimlapi_emulator"),
    "aimlapi_cli": ("langchain", "llama_index", "aimlapi_ray"),
    "aimlapi_emulator": ("aimlapi_core", "langchain", "llama_index", "aimlapi_ray"),
}
PACKAGES = tuple(FLOORS)
ROOMS = {
    package: {
        room: at for at, line in enumerate(text.strip().splitlines()) for room in line.split()
    }
    for package, text in FLOORS.items()
}

packages = pytest.mark.parametrize("package", PACKAGES)


def modules(package: str) -> dict[str, Path]:
    """The modules of a package by their names below it: `_wire.chat`; `_wire` is its `__init__`."""
    top = ROOT / package
    found = {}
    for path in sorted(top.rglob("*.py")):
        parts = path.relative_to(top).with_suffix("").parts
        found[".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)] = path
    return found


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> Iterator[tuple[str, ...]]:
    """What a module imports, each as the names that may be a module, the longest first."""
    package = ".".join(path.relative_to(ROOT).parts[:-1])
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield (alias.name,)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.rsplit(".", node.level - 1)[0] if node.level > 1 else package
                base = f"{above}.{base}".rstrip(".")
            for alias in node.names:
                yield f"{base}.{alias.name}", base


def private_members(path: Path) -> tuple[set[str], set[str]]:
    """(those that a module defines, those of other objects than `self` that it uses)."""
    defined, used = set(), set()
    for node in ast.walk(tree(path)):
        name = getattr(node, "attr", None) or getattr(node, "name", None)
        if not isinstance(name, str) or not re.match(r"_[a-z]", name):
            continue
        if isinstance(node, ast.Attribute):
            own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            (defined if own else used).add(name)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            defined.add(name)
    return defined, used - defined


@cache
def arrows(package: str) -> dict[str, dict[str, str]]:
    """For each module of a package, the others that it needs, and what for."""
    files = modules(package)
    members = {name: private_members(path) for name, path in files.items()}
    homes = Counter(member for defined, _ in members.values() for member in defined)
    found: dict[str, dict[str, str]] = {}
    for name, path in files.items():
        needed = found[name] = {}
        for candidates in imports(path):
            for full in candidates:
                if full == package and name != "__init__":
                    needed["__init__"] = f"imports {candidates[0]}"
                below = full.removeprefix(f"{package}.")
                if below != full and below in files and below != name:
                    needed[below] = f"imports {full}"
                    break
        for other, (defined, _) in members.items():
            # A name that several modules define says nothing about whose it is.
            taken = {member for member in members[name][1] & defined if homes[member] == 1}
            if taken and other != name:
                needed.setdefault(other, f"uses {min(taken)} of it")
    return found


def room(name: str) -> str:
    return name.split(".")[0]


@packages
def test_every_room_stands_on_a_floor(package: str) -> None:
    there = {room(name) for name in modules(package)}
    new, gone = there - ROOMS[package].keys(), ROOMS[package].keys() - there
    assert not new, (
        f"{package} has {sorted(new)}, which FLOORS in {Path(__file__).name} does not know. Put a "
        "module into the folder of its subject; where there is none, write its name into FLOORS, "
        "one floor above the highest room that it imports."
    )
    assert not gone, f"{package} has no {sorted(gone)}: take the names out of FLOORS."


@packages
def test_imports_point_down(package: str) -> None:
    floors = ROOMS[package]
    wrong = [
        f"{name} {why}, and {room(other)} is no lower floor than {room(name)}"
        for name, needed in arrows(package).items()
        for other, why in needed.items()
        if room(other) != room(name)
        and floors.get(room(other), -1) >= floors.get(room(name), len(floors))
    ]
    assert not wrong, (
        "\n".join([f"In {package}:", *wrong])
        + "\nMove what is needed into a lower room, let the caller pass it in, or name what is "
        "used of it in a Protocol; raise a room in FLOORS only where nothing below imports it."
    )


@packages
def test_no_modules_need_each_other(package: str) -> None:
    needed = arrows(package)

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            more = needed[waiting.pop()].keys() - seen
            seen |= more
            waiting += more
        return seen

    circle = sorted(name for name in needed if name in reached(name))
    assert not circle, (
        f"{package}: there is a circle among {circle}. Move what both need into a third module, or "
        "name what one uses of the other in a Protocol."
    )


@packages
def test_no_folder_is_too_full_to_read(package: str) -> None:
    held = Counter(path.parent.relative_to(ROOT).as_posix() for path in modules(package).values())
    full = {folder: count for folder, count in held.items() if count > MOST_MODULES}
    assert not full, f"{full}: split a folder of more than {MOST_MODULES} modules by subject."


@packages
def test_a_package_imports_nothing_that_it_must_not_know(package: str) -> None:
    for name, path in modules(package).items():
        for full, *_ in imports(path):
            assert not full.startswith(FORBIDDEN[package]), f"{package}.{name} imports {full}"


def imported_at_once(path: Path) -> set[str]:
    """The packages that a module imports when it is imported itself."""
    body = (node for node in tree(path).body if isinstance(node, (ast.Import, ast.ImportFrom)))
    return {
        name.split(".")[0]
        for node in body
        for name in (
            [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
        )
    }


def test_only_the_io_of_the_core_has_sockets_and_a_clock() -> None:
    for name, path in modules("aimlapi_core").items():
        if room(name) != "_io":
            found = imported_at_once(path) & {"httpx", "asyncio", "time"}
            assert not found, f"aimlapi_core.{name} imports {found}: I/O belongs into _io"


def test_of_the_batches_the_run_alone_imports_ray() -> None:
    for name, path in modules("aimlapi_ray").items():
        if name != "run":
            assert not any(full.split(".")[0] == "ray" for full, *_ in imports(path)), name
