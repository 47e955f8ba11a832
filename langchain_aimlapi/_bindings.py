"""Bindings of a chat model, and configurable models, that keep what was bound before.

langchain-core's own forward `bind_tools` and `with_structured_output` to the model alone, so that
arguments, tools, callbacks and configurable fields that were bound first are lost without a word
(langchain-ai/langchain issues 30983, 35320, 24341). These add to what they hold. Imported at the
first binding, since four classes of pydantic take their time: `_bindable` makes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal, Self, TypeVar, cast, overload

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage
from langchain_core.runnables import (
    ConfigurableField,
    Runnable,
    RunnableBinding,
    RunnableConfig,
    RunnableSerializable,
    RunnableWithFallbacks,
)
from langchain_core.runnables.config import merge_configs
from langchain_core.runnables.configurable import (
    RunnableConfigurableAlternatives,
    RunnableConfigurableFields,
)
from typing_extensions import override

from aimlapi_core._adapters.pickling import check_members_picklable
from langchain_aimlapi._base import AIMLAPIBase
from langchain_aimlapi._request.argument_validation import check_types
from langchain_aimlapi._request.build import call_arguments
from langchain_aimlapi._request.tool_functions import ToolLike
from langchain_aimlapi._request.tools import ToolChoiceLike, merge_tools, to_wire_tool
from langchain_aimlapi.errors import InvalidRequestError, translate_errors

ObjectT = TypeVar("ObjectT")

_HELD = "bound kwargs config config_factories custom_input_type custom_output_type".split()


class _DumpedAsParent:
    """What dumps name as langchain-core's class that it is made from."""

    @classmethod
    def lc_id(cls) -> list[str]:
        above: Any = next(
            base for base in cls.__mro__ if base.__module__.startswith("langchain_core")
        )
        return list(above.lc_id())


class Fallible:
    """What can have fallbacks that keep what is bound to them."""

    def with_fallbacks(
        self,
        fallbacks: Sequence[Runnable[Any, Any]],
        *,
        exceptions_to_handle: tuple[type[BaseException], ...] = (Exception,),
        exception_key: str | None = None,
    ) -> ModelFallbacks:
        """The model, and others that are called where it raises an error."""
        made = Runnable.with_fallbacks(
            cast("Runnable[Any, Any]", self),
            fallbacks,
            exceptions_to_handle=exceptions_to_handle,
            exception_key=exception_key,
        )
        return ModelFallbacks(**made.__dict__)


class _Wrapper(_DumpedAsParent, Fallible):
    """What holds a chat model, or several, in place of one."""

    @overload
    def with_structured_output(
        self, schema: type[ObjectT], *, include_raw: Literal[False] = False, **kwargs: Any
    ) -> Runnable[LanguageModelInput, ObjectT]: ...
    @overload
    def with_structured_output(
        self, schema: Mapping[str, Any] | type | None = None, **kwargs: Any
    ) -> Runnable[LanguageModelInput, Any]: ...
    def with_structured_output(
        self, schema: Mapping[str, Any] | type | None = None, **kwargs: Any
    ) -> Runnable[LanguageModelInput, Any]:
        """`ChatAIMLAPI.with_structured_output`, with what is bound and configured."""
        return self._structured(schema, **kwargs)

    def _structured(self, schema: Any, **kwargs: Any) -> Runnable[Any, Any]:
        raise NotImplementedError


def keeping(binding: Runnable[Any, Any]) -> ModelBinding:
    """langchain-core's binding as one that keeps what it holds."""
    return ModelBinding(**{name: getattr(binding, name) for name in _HELD})


class ModelBinding(_Wrapper, RunnableBinding[LanguageModelInput, AIMessage]):
    """A chat model with bound arguments: what is bound later is added.

    Of an argument that is bound twice the later value counts. Tools are added; of two with the
    same name the later one counts.
    """

    def __getstate__(self) -> dict[Any, Any]:
        check_members_picklable("a binding", {**self.kwargs, **self.config})
        return super().__getstate__()

    @override
    def bind(self, **kwargs: Any) -> Self:
        if _is_ours(self.bound):
            with translate_errors():
                call_arguments(kwargs)
        return self._with(kwargs={**self.kwargs, **kwargs})

    def bind_tools(
        self,
        tools: Sequence[ToolLike],
        *,
        tool_choice: ToolChoiceLike = None,
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """`ChatAIMLAPI.bind_tools`, in addition to what is bound."""
        if not _is_ours(self.bound):
            given = _given(tool_choice=tool_choice, strict=strict, **kwargs)
            return self._with(kwargs={}, bound=self._method_of_bound("bind_tools")(tools, **given))
        with translate_errors():
            check_types({"tools": tools})
            offered = merge_tools(
                self.kwargs.get("tools") or (), [to_wire_tool(tool, strict) for tool in tools]
            )
        made: Any = self.bound.bind_tools(offered, tool_choice=tool_choice, **kwargs)  # type: ignore[attr-defined]  # ours has it
        return self._with(kwargs={**self.kwargs, **made.kwargs})

    def _structured(
        self, schema: Any, include_raw: bool = False, **kwargs: Any
    ) -> Runnable[Any, Any]:
        from langchain_aimlapi._structured_output.runnable import structured_output

        given = _given(**kwargs)
        if _is_ours(self.bound):
            return structured_output(self, self.kwargs, schema, include_raw=include_raw, **given)
        made = self._method_of_bound("with_structured_output")
        return self._with(kwargs={}, bound=made(schema, include_raw=include_raw, **given))

    @override
    def configurable_alternatives(
        self, which: ConfigurableField, **kwargs: Any
    ) -> RunnableSerializable[LanguageModelInput, AIMessage]:
        return alternatives(super().configurable_alternatives(which, **kwargs))

    @override
    def with_config(self, config: RunnableConfig | None = None, **kwargs: Any) -> Self:
        return self._with(config=_merged(self.config, config, kwargs))

    def _method_of_bound(self, name: str) -> Any:
        """The method of alternatives, each with the arguments that are bound to all."""
        bound = self.bound
        if isinstance(bound, (ModelAlternatives, ModelFallbacks)):
            bound = bound.with_arguments(self.kwargs)
        return _method(bound, name)

    def _with(self, **changes: Any) -> Self:
        return type(self)(**{name: getattr(self, name) for name in _HELD} | changes)


class _Configurable(_Wrapper):
    """What a call's config can change, also after something was bound."""

    config: RunnableConfig | None

    def with_config(self, config: RunnableConfig | None = None, **kwargs: Any) -> Self:
        return type(self)(**{**self.__dict__, "config": _merged(self.config, config, kwargs)})

    def configurable_fields(self, **kwargs: Any) -> Self:
        made = super().configurable_fields(**kwargs)  # type: ignore[misc]  # of the class beside it
        return type(self)(**{**made.__dict__, "config": self.config})


class ConfigurableModel(_Configurable, RunnableConfigurableFields):  # type: ignore[type-arg]  # pydantic would check the field with them
    """A chat model with fields that a call's config may set, also after something was bound."""

    @override
    def bind(self, **kwargs: Any) -> ModelBinding:
        with translate_errors():
            call_arguments(kwargs)
        return ModelBinding(bound=self, kwargs=kwargs, config={})

    def bind_tools(
        self, tools: Sequence[ToolLike], **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """`ChatAIMLAPI.bind_tools`, configurable."""
        made: Any = self.default.bind_tools(tools, **kwargs)  # type: ignore[attr-defined]  # ours has it
        return ModelBinding(bound=self, kwargs=made.kwargs, config={})

    def _structured(self, schema: Any, **kwargs: Any) -> Runnable[Any, Any]:
        from langchain_aimlapi._structured_output.runnable import structured_output

        return structured_output(self, {}, schema, **kwargs)

    @override
    def configurable_alternatives(
        self, which: ConfigurableField, **kwargs: Any
    ) -> RunnableSerializable[LanguageModelInput, AIMessage]:
        return alternatives(super().configurable_alternatives(which, **kwargs))


class ModelAlternatives(_Configurable, RunnableConfigurableAlternatives):  # type: ignore[type-arg]  # as above
    """Chat models of which a call's config chooses one; what is bound is bound to each."""

    @override
    def bind(self, **kwargs: Any) -> ModelBinding:
        return ModelBinding(bound=self, kwargs=kwargs, config={})

    def bind_tools(
        self, tools: Sequence[ToolLike], **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Each model with these tools."""
        return self._each("bind_tools", tools, **kwargs)

    def _structured(self, schema: Any, **kwargs: Any) -> Runnable[Any, Any]:
        return self._each("with_structured_output", schema, **kwargs)

    def with_arguments(self, bound: Mapping[str, Any]) -> Self:
        """Each model with bound arguments."""
        return self._each("bind", **bound) if bound else self

    def _each(self, name: str, *args: Any, **kwargs: Any) -> Self:
        call = partial(_call_method, name=name, args=args, kwargs=kwargs)
        return type(self)(
            which=self.which,
            default=call(self.default),
            alternatives={
                key: call(one) if isinstance(one, Runnable) else partial(_later, one, call)
                for key, one in self.alternatives.items()
            },
            default_key=self.default_key,
            prefix_keys=self.prefix_keys,
            config=self.config,
        )


class ModelFallbacks(_DumpedAsParent, RunnableWithFallbacks[LanguageModelInput, Any]):
    """A chat model with fallbacks; what is bound is bound to each."""

    @override
    def bind(self, **kwargs: Any) -> ModelBinding:
        return ModelBinding(bound=self, kwargs=kwargs, config={})

    @override
    def with_config(self, config: RunnableConfig | None = None, **kwargs: Any) -> ModelBinding:
        return ModelBinding(bound=self, kwargs={}, config=_merged(None, config, kwargs))

    @override
    def with_listeners(self, **kwargs: Any) -> ModelBinding:
        return keeping(super().with_listeners(**kwargs))

    @override
    def with_alisteners(self, **kwargs: Any) -> ModelBinding:
        return keeping(super().with_alisteners(**kwargs))

    def with_arguments(self, bound: Mapping[str, Any]) -> Self:
        """Each model with bound arguments."""
        if not bound:
            return self
        runnable, *fallbacks = (one.bind(**bound) for one in (self.runnable, *self.fallbacks))
        return type(self)(**{**self.__dict__, "runnable": runnable, "fallbacks": fallbacks})


def alternatives(made: RunnableSerializable[Any, Any]) -> ModelAlternatives:
    """langchain-core's alternatives as ones that keep what is bound."""
    return ModelAlternatives(**made.__dict__)


def _merged(
    held: RunnableConfig | None, config: RunnableConfig | None, more: Mapping[str, Any]
) -> RunnableConfig:
    """Configs in one: tags, callbacks, metadata and configurable values are added."""
    return merge_configs(held, config, cast("RunnableConfig", more))


def _later(make: Callable[[], Any], call: Callable[[Any], Any]) -> Any:
    """The result of `call` with what `make` gives, when it is chosen."""
    return call(make())


def _call_method(
    runnable: Any, *, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Any:
    return _method(runnable, name)(*args, **kwargs)


def _method(runnable: Any, name: str) -> Any:
    """The method, for what may be no chat model. Raises InvalidRequestError where it is missing."""
    found = getattr(runnable, name, None)
    if found is None:
        raise InvalidRequestError(
            f"{type(runnable).__name__} has no {name}, so what is bound would be lost: call {name} "
            "first, and with_retry, with_fallbacks and the like after it."
        )
    return found


def _is_ours(bound: Any) -> bool:
    return isinstance(bound, (AIMLAPIBase, ConfigurableModel))


def _given(**arguments: Any) -> dict[str, Any]:
    """The arguments that are not None."""
    return {name: value for name, value in arguments.items() if value is not None}
