"""Detects broken installations, without importing the packages.

The legacy distribution `langchain-aimlapi` has the same import name `langchain_aimlapi` as this
one. Installers write the files of both into one folder, and uninstalling either removes shared
files of the other.

LlamaIndex reads data files with nltk, which refuses hard and symbolic links, and uv creates links.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution, version
from importlib.util import find_spec

from aimlapi_core._values.warn_once import warn_once

_SHARED = "langchain_aimlapi"
_LEGACY = "langchain-aimlapi"
# Each version of the legacy distribution has one of these modules; this package has none.
LEGACY_FILES = ("llms.py", "constants.py")

# `nltk/pathsec.py` refuses `st_nlink > 1` from this version on.
_REFUSES_LINKS = (3, 10, 3)
# Read by LlamaIndex's splitters; the other data files are installed the same way.
_DATA = "nltk_cache/corpora/stopwords/english"

_REMEDY = (
    f"Remove both and install the one that you want: pip uninstall -y {_LEGACY} "
    "aimlapi-integrations && pip install 'aimlapi-integrations[langchain]'"
)


def find_conflict(*, metadata: bool = False) -> str | None:
    """Describe what is wrong with `langchain_aimlapi`, with the fix; None if nothing is.

    It is located like an import, but not imported. `metadata=True` also checks whether the legacy
    distribution is installed, which reads every folder of `sys.path`.
    """
    try:
        spec = find_spec(_SHARED)
    except ValueError:  # a stub without a spec in sys.modules
        return None
    if spec is None:
        return None
    found = inspect_package(spec.submodule_search_locations or (), has_code=spec.origin is not None)
    return found or (_find_installed_legacy() if metadata else None)


def check() -> None:
    """Raise ImportError if files of both distributions are mixed."""
    found = find_conflict()
    if found is not None:
        raise ImportError(found)


@cache
def warn_once_of_conflict() -> None:
    """Warn of what `find_conflict` describes, once in a process.

    For those who do not import `langchain_aimlapi`, and where the `__init__` that would say it is
    overwritten or lost.
    """
    found = find_conflict()
    if found is not None:
        warn_once(("package_conflict",), found, UserWarning)


def is_within(version: str, bounds: str) -> bool:
    """Whether a version is within bounds such as ">=1.7,<2". One that no number begins is not.

    A version before a release (2.0rc1) counts as the release.
    """
    return all(
        _release(version) >= _release(bound[2:])
        if bound.startswith(">=")
        else _release(version) < _release(bound[1:])
        for bound in bounds.split(",")
    )


def _release(version: str) -> tuple[int, ...]:
    """The numbers of a version, without zeros at its end."""
    found = re.match(r"\d+(\.\d+)*", version)
    numbers = [int(number) for number in found[0].split(".")] if found else []
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def inspect_package(folders: Iterable[str], *, has_code: bool) -> str | None:
    """Describe what is wrong with the package in `folders`. `has_code`: it has an `__init__`."""
    for folder in folders:
        if any(os.path.exists(os.path.join(folder, name)) for name in LEGACY_FILES):
            return (
                f"{folder!r} holds files of the older distribution {_LEGACY}, which has the import "
                f"name {_SHARED} too. {_REMEDY}"
            )
    return None if has_code else missing_module_message("__init__", next(iter(folders), _SHARED))


def explain_missing(exc: ModuleNotFoundError, folder: str) -> None:
    """Raise an ImportError that says what to do, where the error does not.

    `folder`: that of `langchain_aimlapi`, which misses something.
    """
    missing = exc.name or ""
    if missing.partition(".")[0] == "langchain_core":
        raise ImportError(
            "langchain_aimlapi needs langchain-core: pip install 'aimlapi-integrations[langchain]'"
        ) from exc
    if missing.startswith("langchain_aimlapi."):
        raise ImportError(missing_module_message(missing, folder)) from exc


def missing_module_message(module: str, folder: str) -> str:
    """The message for a package without a module, as after uninstalling the legacy one."""
    return (
        f"{folder!r} has lost {module!r}, as when the older distribution {_LEGACY} is uninstalled "
        f"from over this one. {_REMEDY}"
    )


def _find_installed_legacy() -> str | None:
    try:
        found = version(_LEGACY)
    except PackageNotFoundError:
        return None
    return f"{_LEGACY} {found} is installed beside aimlapi-integrations: one import name. {_REMEDY}"


def unreadable_nltk_data() -> str | None:
    """Describe the LlamaIndex data file that nltk refuses, with the fix; None if there is none.

    Remove this once LlamaIndex reads linked files, or copies them:
    https://github.com/run-llama/llama_index/issues/22839
    """
    try:
        nltk, llama_index = version("nltk"), distribution("llama-index-core")
    except PackageNotFoundError:
        return None
    other_folder = os.environ.get("NLTK_DATA")  # LlamaIndex then reads this one
    if other_folder or tuple(map(int, re.findall(r"\d+", nltk)[:3])) < _REFUSES_LINKS:
        return None
    data = (str(f.locate()) for f in llama_index.files or () if f.match(_DATA))
    linked = next(filter(_is_link, data), None)
    return linked and (
        f"{linked!r} is a hard or symbolic link, as uv makes them to its cache, and nltk {nltk} "
        "refuses to read it: LlamaIndex's SentenceSplitter and VectorStoreIndex.from_documents "
        "fail. Install a copy: uv pip install --link-mode copy --reinstall-package "
        f"llama-index-core llama-index-core=={llama_index.version}"
    )


def _is_link(path: str) -> bool:
    """Whether a file has several hard links, or is a symbolic link."""
    try:
        found = os.lstat(path)
    except OSError:  # listed as installed, but missing
        return False
    return stat.S_ISLNK(found.st_mode) or found.st_nlink > 1
