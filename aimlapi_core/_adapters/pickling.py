"""What can be pickled: pickle takes no lambdas, while cloudpickle and dill do."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Mapping
from typing import Any

from aimlapi_core._values.traceback_locals import clears_locals


def pickles_any_function() -> bool:
    """Whether cloudpickle (Ray, joblib, Spark) or dill is pickling, which take lambdas."""
    return _module_at_work() is not None


def _module_at_work() -> str | None:
    """Which of the two is pickling: a pickler does not tell the object, but its frame does.

    Ray and Spark have copies of cloudpickle of their own, as `ray.cloudpickle`.
    """
    frame = sys._getframe(1)
    while frame.f_back is not None:
        frame = frame.f_back
        names = frame.f_globals.get("__name__", "").split(".")
        for module in ("cloudpickle", "dill"):
            if module in names:
                return ".".join(names[: names.index(module) + 1])
    return None


def is_picklable(value: Any) -> bool:
    """Whether pickle takes the value."""
    return _refusal(value, pickle) is None


@clears_locals  # the members hold headers
def check_members_picklable(kind: str, members: Mapping[str, Any]) -> None:
    """Raise TypeError with the name of the first member that the pickler at work does not take.

    `kind`: what the members belong to.
    """
    pickler = sys.modules[_module_at_work() or "pickle"]
    for name, value in members.items():
        if isinstance(value, (str, int, float, type(None))):
            continue
        if refusal := _refusal(value, pickler):
            raise TypeError(_message(kind, name, refusal)) from refusal


def _message(kind: str, name: str, refusal: Exception) -> str:
    if name == "api_key":
        return (
            "api_key is a function that cannot be pickled: define it with def in a module, or "
            "leave it out and set AIMLAPI_API_KEY where the object is used."
        )
    return (
        f"{name} of {kind} cannot be pickled ({refusal}): define functions with def in a module, "
        "not as lambdas or inside other functions, or leave it out of objects that are sent to "
        "other processes."
    )


def _refusal(value: Any, pickler: Any) -> Exception | None:
    try:
        pickler.dumps(value)
    except Exception as exc:  # a pickler raises whatever the object's own code raises
        return exc
    return None
