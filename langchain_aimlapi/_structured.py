"""Structured answers: what to bind for a schema, and how to read what comes back.

An answer that is no instance of the schema is a typed error that says why: refused, cut, empty
or invalid. Objects for dict schemas are given out while they grow.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.output_parsers.transform import BaseTransformOutputParser
from langchain_core.outputs import ChatGeneration, Generation
from langchain_core.utils.function_calling import convert_to_json_schema
from langchain_core.utils.pydantic import is_basemodel_subclass
from pydantic import Field, TypeAdapter
from typing_extensions import is_typeddict, override

from aimlapi_core import InvalidRequestError, drop_added_nulls, nearest, strict_schema
from langchain_aimlapi._growth import Growth
from langchain_aimlapi._schemas import json_schema
from langchain_aimlapi._tools import wire_name
from langchain_aimlapi.errors import (
    CutAnswerError,
    EmptyAnswerError,
    InvalidAnswerError,
    RefusedAnswerError,
    UnusableAnswerError,
)

logger = logging.getLogger("aimlapi")

Method = Literal["json_schema", "function_calling", "json_mode"]

_CUT_REASONS = frozenset({"length", "content_filter"})


class AnswerParser(BaseTransformOutputParser[Any]):
    """Reads a message as an instance of `target`.

    `target` is a class, or None for a plain dict. `own_schema` is the caller's schema before
    it was made strict: the nulls that strictness added are taken out by it. `tool_name` is the
    forced tool whose arguments are the answer, None when the text is.
    """

    target: Any = None
    own_schema: Mapping[str, Any] = Field(default_factory=dict)
    tool_name: str | None = None

    @property
    @override
    def OutputType(self) -> Any:
        """The class, or dict."""
        return self.target or dict[str, Any]

    def parse(self, text: str) -> Any:
        """The object of an answer's text."""
        return self.parse_result([ChatGeneration(message=AIMessage(content=text))])

    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        """The object of a whole message. Raises UnusableAnswerError."""
        generation = result[0]
        if isinstance(generation, ChatGeneration):
            return self._object(generation.message)
        return self.parse(generation.text)

    def _transform(self, input: Iterator[str | BaseMessage]) -> Iterator[Any]:
        growth = Growth(self)
        for piece in input:
            yield from growth.feed(piece)
        yield from growth.close()

    async def _atransform(self, input: AsyncIterator[str | BaseMessage]) -> AsyncIterator[Any]:
        growth = Growth(self)
        async for piece in input:
            for value in growth.feed(piece):
                yield value
        for value in growth.close():
            yield value

    def _object(self, message: BaseMessage) -> Any:
        refusal = message.additional_kwargs.get("refusal")
        if refusal:
            said = f"The model refused: {refusal}"
            raise RefusedAnswerError(said, llm_output=str(refusal), raw_message=message)
        text = self._answer(message)
        if not text.strip():
            if self.tool_name is None and getattr(message, "tool_calls", None):
                return None  # tools were bound too, and the model wants their results first
            raise self._nothing(message)
        try:
            data = drop_added_nulls(json.loads(text), self.own_schema)
            return self._validated(data)
        except ValueError as exc:
            raise self._broken(message, text, exc) from exc

    def _answer(self, message: BaseMessage) -> str:
        """The JSON text of the object: the message's text, or the forced call's arguments."""
        if self.tool_name is None:
            return str(message.text)
        if not isinstance(message, AIMessage):
            return ""
        for call in message.tool_calls:
            if call["name"] == self.tool_name:
                return json.dumps(call["args"])
        return next(
            (c["args"] or "" for c in message.invalid_tool_calls if c["name"] == self.tool_name), ""
        )

    def _validated(self, data: Any) -> Any:
        if self.target is None:
            if not isinstance(data, dict):
                raise ValueError(f"a JSON object was expected, not {type(data).__name__}")
            return data
        if hasattr(self.target, "parse_obj") and not hasattr(self.target, "model_validate"):
            return self.target.parse_obj(data)  # a class of pydantic.v1
        # As JSON: a strict model takes a date, an Enum or a tuple from JSON only.
        return TypeAdapter(self.target).validate_json(json.dumps(data))

    def _nothing(self, message: BaseMessage) -> UnusableAnswerError:
        reason = message.response_metadata.get("finish_reason")
        if reason in _CUT_REASONS:
            return CutAnswerError(_cut(reason), llm_output="", raw_message=message)
        text = str(message.text)
        wanted = f"no call of {self.tool_name!r}" if self.tool_name else "no text"
        instead = f"; it says: {text[:200]!r}" if text else ""
        said = f"The answer holds {wanted}{instead}."
        return EmptyAnswerError(said, llm_output=text, raw_message=message)

    def _broken(self, message: BaseMessage, text: str, exc: ValueError) -> UnusableAnswerError:
        reason = message.response_metadata.get("finish_reason")
        if reason in _CUT_REASONS:
            return CutAnswerError(_cut(reason), llm_output=text, raw_message=message)
        said = f"The answer does not fit the schema: {exc}"
        return InvalidAnswerError(said, llm_output=text, raw_message=message)


def _cut(reason: str) -> str:
    remedy = "raise max_tokens" if reason == "length" else "the service's filter stopped it"
    return f"The answer was cut before the object was whole (finish_reason {reason!r}): {remedy}."


@dataclass(frozen=True)
class Plan:
    """What `with_structured_output` binds, and the parser that follows. `traced`: the schema."""

    parser: AnswerParser
    arguments: Mapping[str, Any]
    tools: tuple[Mapping[str, Any], ...] = ()
    traced: Mapping[str, Any] | None = None


def plan(schema: Any, method: str, strict: bool | None) -> Plan:
    """How to get an instance of `schema`. Raises InvalidRequestError for what cannot be."""
    if method not in get_args(Method):
        near = nearest(method, get_args(Method))
        hint = f"; did you mean {near!r}?" if near else f"; known are {', '.join(get_args(Method))}"
        raise InvalidRequestError(f"Unknown method {method!r} of with_structured_output{hint}")
    if method == "json_mode":
        if strict is not None:
            raise InvalidRequestError('strict has no meaning with method="json_mode".')
        own = json_schema(schema) if schema is not None else {}
        parser = AnswerParser(target=target_of(schema), own_schema=own)
        return Plan(parser, {"response_format": {"type": "json_object"}}, traced=_traced(schema))
    if schema is None:
        raise InvalidRequestError(f"method={method!r} needs a schema.")
    own = json_schema(schema)
    name = wire_name(own.get("title"))
    if method == "json_schema":
        parser = AnswerParser(target=target_of(schema), own_schema=own)
        wire = _for_wire(own, name, strict)
        return Plan(parser, {"response_format": wire}, traced=_traced(schema))
    parser = AnswerParser(target=target_of(schema), own_schema=own, tool_name=name)
    choice = {"tool_choice": name, "parallel_tool_calls": False}
    return Plan(parser, choice, (_forced_tool(own, name, strict),), traced=_traced(schema))


def check_clash(plan: Plan, method: str, given: Mapping[str, Any]) -> None:
    """Raise InvalidRequestError for an argument that says other than what the plan must bind."""
    for name, value in plan.arguments.items():
        if name in given and given[name] != value:
            raise InvalidRequestError(
                f"with_structured_output sets {name} itself for method={method!r}: leave it out."
            )


def _traced(schema: Any) -> Mapping[str, Any] | None:
    """The schema as LangChain's traces show it; None where LangChain cannot convert it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of defaults that JSON cannot show
            return convert_to_json_schema(schema)
    except Exception:  # None, a recursive class, or what else it cannot read
        return None


def _for_wire(own: dict[str, Any], name: str, strict: bool | None) -> dict[str, Any]:
    """The response format. Nulls that strictness adds are taken out again by the parser."""
    schema, is_strict = _fitted(own, name, strict is not False, warn=bool(strict))
    described = {"description": own["description"]} if own.get("description") else {}
    inner = {"name": name, "schema": schema, "strict": is_strict, **described}
    return {"type": "json_schema", "json_schema": inner}


def _forced_tool(own: dict[str, Any], name: str, strict: bool | None) -> dict[str, Any]:
    parameters = {key: own[key] for key in own if key not in ("title", "description")}
    parameters, is_strict = _fitted(parameters, name, bool(strict), warn=True)
    function: dict[str, Any] = {"name": name, "parameters": parameters}
    if own.get("description"):
        function["description"] = own["description"]
    if strict is not None:
        function["strict"] = is_strict
    return {"type": "function", "function": function}


def _fitted(
    schema: dict[str, Any], name: str, strict: bool, *, warn: bool
) -> tuple[dict[str, Any], bool]:
    if not strict:
        return schema, False
    closed, reason = strict_schema(schema)
    if closed is not None:
        return closed, True
    sentence = f"strict=False is sent for {name!r}: {reason}."
    if warn:
        warnings.warn(sentence, stacklevel=2)
    else:
        logger.info(sentence)
    return schema, False


def target_of(schema: Any) -> Any:
    """The class that answers become instances of; None when they stay dicts."""
    if not isinstance(schema, type) or is_typeddict(schema):
        return None
    is_model = is_basemodel_subclass(schema)
    return schema if is_model or hasattr(schema, "__dataclass_fields__") else None
