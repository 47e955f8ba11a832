"""Values of request parameters that misspell a documented one, such as an effort of "hgih"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aimlapi_core.models import nearest
from aimlapi_core.request_params import REQUEST_PARAMS

_DOCUMENTED = {row.argument: row.documented for row in REQUEST_PARAMS.values() if row.documented}


def find_misspelled_value(arguments: Mapping[str, Any]) -> str | None:
    """A sentence about the first value that is near to a documented one; None without one.

    With `unsupported_params="send"` every value is the service's to judge.
    """
    if arguments.get("unsupported_params") == "send":
        return None
    for name, documented in _DOCUMENTED.items():
        value = arguments.get(name)
        if isinstance(value, str) and value not in documented:
            near = nearest(value.strip().lower(), documented)
            if near:
                return (
                    f"{name}={value!r} is not known: did you mean {near!r}? Documented are "
                    f'{", ".join(documented)}; unsupported_params="send" sends any other.'
                )
    return None
