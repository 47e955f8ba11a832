"""What a chat model gives when something is bound to it or made configurable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import ConfigurableField, Runnable, RunnableConfig
from typing_extensions import override

from aimlapi_core._late import late_module
from langchain_aimlapi._base import MODEL_CONFIG
from langchain_aimlapi._request.build import call_arguments
from langchain_aimlapi.errors import translate_errors

if TYPE_CHECKING:
    from langchain_aimlapi import _bindings
    from langchain_aimlapi._bindings import (
        ConfigurableModel,
        ModelAlternatives,
        ModelBinding,
        ModelFallbacks,
    )
else:
    _bindings = late_module("langchain_aimlapi._bindings")


class BindableModel(BaseChatModel):
    """A chat model whose bindings keep what was bound before (`_bindings`)."""

    model_config = MODEL_CONFIG

    @override
    def bind(self, **kwargs: Any) -> ModelBinding:  # type: ignore[override]  # a private class of langchain-core's
        """The model with arguments for its calls, validated here.

        A key must be a SecretStr or a function. Bound headers are shown in the binding's repr:
        put secret ones into the constructor's `default_headers`.
        """
        with translate_errors():
            call_arguments(kwargs)
        return self._binding(kwargs)

    @override
    def with_config(self, config: RunnableConfig | None = None, **kwargs: Any) -> ModelBinding:
        """The model with a config (callbacks, tags, configurable values) for its calls."""
        return _bindings.keeping(super().with_config(config, **kwargs))

    @override
    def with_listeners(self, **kwargs: Any) -> ModelBinding:
        """The model with listeners for its calls."""
        return _bindings.keeping(super().with_listeners(**kwargs))

    @override
    def with_alisteners(self, **kwargs: Any) -> ModelBinding:
        """The model with asynchronous listeners for its calls."""
        return _bindings.keeping(super().with_alisteners(**kwargs))

    @override
    def with_types(self, **kwargs: Any) -> ModelBinding:
        """The model with other types of input and output, for schemas."""
        return _bindings.keeping(super().with_types(**kwargs))

    @override
    def configurable_fields(self, **kwargs: Any) -> ConfigurableModel:
        """The model with fields that a call's config may set."""
        made = super().configurable_fields(**kwargs)
        return _bindings.ConfigurableModel(**made.__dict__)

    @override
    def configurable_alternatives(
        self, which: ConfigurableField, **kwargs: Any
    ) -> ModelAlternatives:
        """The model with other models that a call's config may choose."""
        return _bindings.alternatives(super().configurable_alternatives(which, **kwargs))

    @override
    def with_fallbacks(
        self, fallbacks: Sequence[Runnable[Any, Any]], **kwargs: Any
    ) -> ModelFallbacks:
        """The model, and others that are called where it raises an error."""
        return _bindings.Fallible.with_fallbacks(self, fallbacks, **kwargs)  # type: ignore[arg-type]  # a method of both

    def _binding(self, kwargs: dict[str, Any]) -> ModelBinding:
        return _bindings.ModelBinding(bound=self, kwargs=kwargs, config={})
