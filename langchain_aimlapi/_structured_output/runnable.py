"""A model with structured output, whatever the model is: an object, a binding, configurable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.language_models import LanguageModelInput
from langchain_core.runnables import Runnable

from langchain_aimlapi._request.tool_functions import ToolLike
from langchain_aimlapi._structured_output.methods import Method
from langchain_aimlapi._structured_output.plan import (
    check_conflicts,
    default_method,
    make_plan,
)
from langchain_aimlapi._structured_output.raw_output import include_raw as with_raw_output
from langchain_aimlapi.errors import translate_errors


def structured_output(
    model: Any,
    bound: Mapping[str, Any],
    schema: Mapping[str, Any] | type | None,
    /,
    *,
    method: Method | None = None,
    include_raw: bool = False,
    strict: bool | None = None,
    tools: Sequence[ToolLike] | None = None,
    **kwargs: Any,
) -> Runnable[LanguageModelInput, Any]:
    """`model`, to which the arguments `bound` are bound already, followed by a parser.

    Raises InvalidRequestError for an argument that the schema needs for itself.
    """
    if method is None:
        method = default_method(_model_id(model, {**bound, **kwargs}))
    with translate_errors():
        plan = make_plan(schema, method, strict)
        check_conflicts(plan, method, {**bound, **kwargs})
    trace: dict[str, Any] = {}
    if plan.traced_schema:
        how = {"method": method, "strict": strict}
        trace["ls_structured_output_format"] = {"kwargs": how, "schema": plan.traced_schema}
    llm = model.bind_tools(
        [*plan.tools, *(tools or ())],
        **{**plan.arguments, **trace, **kwargs},
    )
    return with_raw_output(llm, plan.parser) if include_raw else llm | plan.parser


def _model_id(model: Any, given: Mapping[str, Any]) -> str:
    """The id that a call of `model` has, which bindings and configurable fields hold."""
    while "model" not in given and not isinstance(getattr(model, "model", None), str):
        model = getattr(model, "bound", None) or model.default
    return str(given.get("model") or model.model)
