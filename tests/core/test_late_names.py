"""Public names that are imported late are there as any other."""

from __future__ import annotations

import ast
import copy
import importlib
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from aimlapi_core._late import late_module

PACKAGES = ("aimlapi_core", "langchain_aimlapi", "llama_index_aimlapi")


def _imported_for_type_checkers(package: str) -> set[str]:
    tree = ast.parse(Path(str(importlib.import_module(package).__file__)).read_text("utf-8"))
    blocks = [node for node in tree.body if isinstance(node, ast.If)]
    imports = [line for block in blocks for line in block.body if isinstance(line, ast.ImportFrom)]
    return {name.name for line in imports for name in line.names}


@pytest.mark.parametrize("package", PACKAGES)
def test_what_type_checkers_see_is_there(package: str) -> None:
    module = importlib.import_module(package)
    late = _imported_for_type_checkers(package)
    assert late
    assert late <= set(module.__all__) <= set(dir(module))
    assert all(getattr(module, name) is getattr(module, name) for name in module.__all__)
    namespace: dict[str, object] = {}
    exec(f"from {package} import *", namespace)
    assert late <= set(namespace)


@pytest.mark.parametrize("package", PACKAGES)
def test_another_name_is_an_attribute_error(package: str) -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        importlib.import_module(package).no_such_name  # noqa: B018  # its lookup is the test


def test_a_late_module_is_copied_and_pickled() -> None:
    module = late_module("json.tool")
    assert copy.deepcopy(module).main is module.main
    assert pickle.loads(pickle.dumps(module)).main is module.main


def test_a_module_that_another_thread_imports_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "imported_slowly.py").write_text("import time\ntime.sleep(0.3)\nvalue = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    module = late_module("imported_slowly")
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: module.value, range(4)))
    assert found == [1] * 4
