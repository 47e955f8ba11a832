"""Whether two distributions lie over one another in the import package `langchain_aimlapi`.

The older distribution `langchain-aimlapi` has the same import name as this one. Installers write
the files of both into one folder, and uninstalling either takes shared files from the other.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

_SHARED = "langchain_aimlapi"
_OLDER = "langchain-aimlapi"
# Modules that each version of the older distribution has one of, and this one none.
OLDER_FILES = ("llms.py", "constants.py")

_REMEDY = (
    f"Remove both and install the one that you want: pip uninstall -y {_OLDER} "
    "aimlapi-integrations && pip install 'aimlapi-integrations[langchain]'"
)


def trouble(*, metadata: bool = False) -> str | None:
    """What is wrong with `langchain_aimlapi` and how to mend it; None when nothing is.

    It is looked up as Python would import it, not imported, and two files are looked for.
    `metadata=True` also asks whether the older distribution is installed, which reads every
    folder of `sys.path`.
    """
    try:
        spec = find_spec(_SHARED)
    except ValueError:  # a stand-in without a spec, as tests put into sys.modules
        return None
    if spec is None:
        return None
    found = judged(spec.submodule_search_locations or (), has_code=spec.origin is not None)
    return found or (_of_metadata() if metadata else None)


def check() -> None:
    """Raise ImportError where two distributions lie over one another."""
    found = trouble()
    if found is not None:
        raise ImportError(found)


def judged(folders: Iterable[str], *, has_code: bool) -> str | None:
    """What is wrong with the package in `folders`; `has_code`: whether it has an `__init__`."""
    for folder in folders:
        if any(os.path.exists(os.path.join(folder, name)) for name in OLDER_FILES):
            return (
                f"{folder!r} holds files of the older distribution {_OLDER}, which has the import "
                f"name {_SHARED} too. {_REMEDY}"
            )
    return None if has_code else lost("__init__", next(iter(folders), _SHARED))


def lost(module: str, folder: str) -> str:
    """The sentence for a package that lacks a module, as an uninstall of the other leaves it."""
    return (
        f"{folder!r} has lost {module!r}, as when the older distribution {_OLDER} is uninstalled "
        f"from over this one. {_REMEDY}"
    )


def _of_metadata() -> str | None:
    try:
        found = version(_OLDER)
    except PackageNotFoundError:
        return None
    return f"{_OLDER} {found} is installed beside aimlapi-integrations: one import name. {_REMEDY}"
