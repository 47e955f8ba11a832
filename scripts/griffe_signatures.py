"""The constructors of the model classes as they are at run time, for the API pages of the site.

LangChain's classes take `**kwargs: Unpack[Arguments]` in the source: neither names nor defaults are
there. LlamaIndex's have constants as defaults. `inspect.signature` has the values.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import griffe

import langchain_aimlapi
import llama_index_aimlapi


def _has_init(model: type) -> type:
    """The class that defines the constructor: the model's own or a base of it."""
    return next(one for one in model.__mro__ if "__init__" in vars(one))


_CLASSES = {
    f"{_has_init(one).__module__}.{_has_init(one).__name__}": one
    for one in (
        langchain_aimlapi.ChatAIMLAPI,
        langchain_aimlapi.AIMLAPIEmbeddings,
        llama_index_aimlapi.AIMLAPI,
        llama_index_aimlapi.AIMLAPIEmbedding,
    )
}
_KINDS: dict[object, Any] = {
    inspect.Parameter.POSITIONAL_OR_KEYWORD: griffe.ParameterKind.positional_or_keyword,
    inspect.Parameter.KEYWORD_ONLY: griffe.ParameterKind.keyword_only,
    inspect.Parameter.VAR_KEYWORD: griffe.ParameterKind.var_keyword,
}
_PLAIN = (str, int, float, bool, type(None))


def at_run_time(
    read: griffe.Parameters, found: Mapping[str, inspect.Parameter]
) -> griffe.Parameters:
    """`read` from the source, with the names and the plain defaults of `found`.

    A name that the source does not have gets no type: the docstring names it in short.
    """
    own = griffe.Parameter("self", kind=griffe.ParameterKind.positional_or_keyword)
    parameters = [own]
    for name, argument in found.items():
        known = read[name] if name in read else griffe.Parameter(name)
        known.kind = _KINDS[argument.kind]
        if isinstance(argument.default, _PLAIN):
            known.default = repr(argument.default)
        parameters.append(known)
    return griffe.Parameters(*parameters)


class RuntimeSignatures(griffe.Extension):  # type: ignore[misc]  # griffe is Any to mypy
    """Puts the arguments of `inspect.signature` into `__init__` of the model classes."""

    def on_class(self, *, cls: griffe.Class, **kwargs: Any) -> None:
        """griffe's event: a class was read, with its members."""
        init = cls.members.get("__init__")
        if cls.path in _CLASSES and isinstance(init, griffe.Function):
            found = inspect.signature(_CLASSES[cls.path]).parameters
            init.parameters = at_run_time(init.parameters, found)
