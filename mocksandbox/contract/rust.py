"""openapi-core's schema validators with jsonschema-rs in their place: the same verdicts, sooner."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from types import SimpleNamespace
from typing import Any, cast

from jsonschema_path import SchemaPath
from openapi_core.validation.schemas.exceptions import InvalidSchemaValue
from openapi_core.validation.schemas.factories import SchemaValidatorsFactory
from openapi_core.validation.schemas.validators import SchemaValidator
from werkzeug.datastructures import ImmutableMultiDict

from mocksandbox.contract.schema import compile_schema

MOST_ERRORS = 100
"""How many differences from a schema are told at most."""


_MANY = 5000
"""From so many values on, what is wrong is looked for in the beginnings of lists only: errors are worked out all at once, and
a list of a million wrong items has a million.
"""

_BEGINNINGS = (100, 10, 3)
"""How many items of a list are looked at then, by how many lists it is in."""

_DEEP = 50
"""So many levels down nothing is cut any more: no schema asks for as many."""

_ELSEWHERE = (SimpleNamespace(validator="items", absolute_path=()),)


def sample(value: Any) -> Any:
    """A value, or the beginnings of its lists when it is made of very many."""
    return _cut(value, 0) if _many(value) else value


def _many(value: Any) -> bool:
    seen, left = 0, [value]
    while left and seen < _MANY:
        each = left.pop()
        if isinstance(each, (dict, list)):
            seen += len(each)
            left.extend(each.values() if isinstance(each, dict) else each[:_MANY])
    return seen >= _MANY


def _cut(value: Any, lists: int, level: int = 0) -> Any:
    if level == _DEEP:
        return value
    if isinstance(value, dict):
        return {key: _cut(item, lists, level + 1) for key, item in value.items()}
    if isinstance(value, list):
        most = _BEGINNINGS[min(lists, len(_BEGINNINGS) - 1)]
        return [_cut(item, lists + 1, level + 1) for item in value[:most]]
    return value


class _RustSchemaValidator(SchemaValidator):
    """openapi-core's schema validator with jsonschema-rs where the verdict is made."""

    rust: Any

    def validate(self, value: Any) -> None:
        if isinstance(value, ImmutableMultiDict):
            value = dict(value)
        try:
            if self.rust.is_valid(value):
                return
            errors = tuple(islice(self.rust.iter_errors(sample(value)), MOST_ERRORS)) or _ELSEWHERE
        except ValueError:  # a lone surrogate, which no text in Rust can hold; or nested deeper than it goes
            super().validate(value)
            return
        raise InvalidSchemaValue(value, "any", schema_errors=cast("Any", errors))


class RustFactory(SchemaValidatorsFactory):
    """Makes each schema's validator once."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        from openapi_core.validation.schemas import oas30_write_schema_validators_factory as old
        from openapi_core.validation.schemas import oas31_schema_validators_factory as new

        stock = old if str(document.get("openapi")).startswith("3.0") else new
        super().__init__(stock.schema_validator_cls)
        self._stock = stock
        self._document = document
        self._made: dict[int, tuple[Any, SchemaValidator]] = {}

    def create(self, spec: SchemaPath, schema: SchemaPath, *args: Any, **options: Any) -> SchemaValidator:
        """The validator of a schema."""
        contents = schema.read_value()
        kept = self._made.get(id(contents))
        if kept is None:
            made = self._stock.create(spec, schema, *args, **options)
            rust = _RustSchemaValidator(made.schema, made.validator)
            rust.rust = compile_schema(self._document, contents)
            kept = self._made[id(contents)] = (contents, rust)  # holds the contents, so that its id stays its own
        return kept[1]
