"""What is wrong with an installation; nothing is imported to find out.

The older distribution `langchain-aimlapi` has the same import name `langchain_aimlapi` as this one.
Installers write the files of both into one folder, and uninstalling either takes shared files from
the other.

LlamaIndex reads data files of its own by nltk, which refuses links, and uv makes links.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution, version
from importlib.util import find_spec

_SHARED = "langchain_aimlapi"
_OLDER = "langchain-aimlapi"
# Modules that each version of the older distribution has one of, and this one none.
OLDER_FILES = ("llms.py", "constants.py")

# `nltk/pathsec.py` refuses `st_nlink > 1` from this version on.
_REFUSES_LINKS = (3, 10, 3)
# What LlamaIndex's splitters read; the files beside it are installed alike.
_DATA = "nltk_cache/corpora/stopwords/english"

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


def refused_data() -> str | None:
    """Which data file of LlamaIndex nltk will not read and how to mend it; None when there is none.

    To be removed once LlamaIndex reads linked files, or copies them:
    https://github.com/run-llama/llama_index/issues/22839
    """
    try:
        nltk, llama_index = version("nltk"), distribution("llama-index-core")
    except PackageNotFoundError:
        return None
    elsewhere = os.environ.get("NLTK_DATA")  # LlamaIndex then reads there
    if elsewhere or tuple(map(int, re.findall(r"\d+", nltk)[:3])) < _REFUSES_LINKS:
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
    """Whether a file has another name too, or is a symbolic link."""
    try:
        found = os.lstat(path)
    except OSError:  # listed as installed, and gone
        return False
    return stat.S_ISLNK(found.st_mode) or found.st_nlink > 1
