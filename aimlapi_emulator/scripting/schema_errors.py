"""Validates a JSON value against a JSON Schema with `jsonschema`, leniently.

The service takes any object as a schema, so a keyword that is null or cannot be read allows
everything, as does a reference to another document: nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from aimlapi_emulator.answers.schema_reading import Schema
from aimlapi_emulator.scripting.types import RuleError

Validate = Callable[[Any, Any, Any, Schema], Iterator[Any] | None]


def schema_errors(schema: Schema, value: Any) -> list[str]:
    """The violations of a value as `JSON path: reason`; empty if it is valid.

    `value` is as `json.loads` gives it. Raises RuleError when jsonschema is not installed.
    """
    try:
        # Not at the top: it would double the time that importing the emulator takes.
        from jsonschema.exceptions import best_match
        from referencing import Registry
    except ImportError as exc:
        raise RuleError(
            "jsonschema validates scripted dicts: pip install 'aimlapi-integrations[emulator]'"
        ) from exc
    try:
        # The default registry would open the URL of a reference.
        errors = list(_validator_class()(schema, registry=Registry()).iter_errors(value))
    except Exception:  # no schema, or one that refers to itself without end
        return []
    causes = [best_match([error]) for error in errors]  # within anyOf, the option missed least
    return [f"{cause.json_path}: {cause.message}" for cause in causes]


@cache
def _validator_class() -> Any:
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    keywords = {
        name: _lenient(name, validate) for name, validate in Draft202012Validator.VALIDATORS.items()
    }
    # It divides floats: 19.99 would be no multiple of 0.01.
    keywords["multipleOf"] = lambda *_: None
    return extend(Draft202012Validator, keywords)


def _lenient(name: str, validate: Validate) -> Validate:
    """A keyword's validator that ignores a keyword that is null or invalid."""

    def checked(validator: Any, given: Any, value: Any, schema: Schema) -> Iterator[Any]:
        if given is None and name != "const":
            return
        try:
            yield from validate(validator, given, value, schema) or ()
        except RecursionError:  # going on at each level would take for ever
            raise
        except Exception:  # which ones a keyword raises is not documented
            return

    return checked
