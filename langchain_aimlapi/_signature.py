"""The run-time signature of the model classes' constructors, made from their TypedDicts.

Pydantic makes one of the fields: without the order of use, and with another after each rebuild.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, get_type_hints

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined


class ConstructorSignature:
    """A descriptor: the `__signature__` of the class that it is read from.

    `arguments` is the TypedDict of the constructor's keyword arguments.
    """

    def __init__(self, arguments: type[Any]) -> None:
        self._arguments = arguments

    def __get__(self, instance: object, owner: type[Any]) -> inspect.Signature:
        if instance is not None:  # an object is called like what its `__call__` says
            raise AttributeError("__signature__")
        _, *own = inspect.signature(owner.__init__).parameters.values()
        named = [one for one in own if one.kind is not inspect.Parameter.VAR_KEYWORD]
        if len(named) < len(own):  # it hands the rest on
            taken = {one.name for one in named}
            fields = _of_fields(owner.model_fields, _types(self._arguments))
            named += [one for one in fields if one.name not in taken]
        return inspect.Signature(named)


def _of_fields(
    fields: Mapping[str, FieldInfo], types: Mapping[str, Any]
) -> list[inspect.Parameter]:
    """The arguments in the TypedDict's order, then the fields that a subclass adds."""
    names = [*(name for name in types if name in fields), *(n for n in fields if n not in types)]
    return [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=_default(fields[name]),
            annotation=types.get(name, fields[name].annotation),
        )
        for name in names
    ]


def _default(field: FieldInfo) -> Any:
    value = field.get_default()
    if value is PydanticUndefined:
        return inspect.Parameter.empty if field.is_required() else None
    return value


def _types(arguments: type[Any]) -> Mapping[str, Any]:
    """The TypedDict's types. Its module imports their names for type checkers alone."""
    import httpx
    from langchain_core import caches, callbacks, rate_limiters
    from langchain_core.language_models import model_profile

    import aimlapi_core
    from aimlapi_core.types import request

    names: dict[str, Any] = {"httpx": httpx, "SecretStr": SecretStr}
    for module in (caches, callbacks, rate_limiters, model_profile, aimlapi_core, request):
        names |= vars(module)
    return get_type_hints(arguments, localns=names)
