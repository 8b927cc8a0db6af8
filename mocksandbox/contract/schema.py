"""JSON Schema in Rust for OpenAPI schemas, and its errors in words that name the place and not the person."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

import jsonschema_rs

from mocksandbox.contract.violation import Violation


def compile_schema(document: Mapping[str, Any], schema: Mapping[str, Any]) -> jsonschema_rs.Validator:
    """A validator for one schema of an OpenAPI document; its references to `#/components` keep working.

    OpenAPI 3.0 schemas are JSON Schema draft 4 with `nullable`; from 3.1 on they are draft 2020-12.
    """
    if str(document.get("openapi", "")).startswith("3.0"):
        components = {"components": {"schemas": _draft4(document.get("components", {}).get("schemas", {}))}}
        return jsonschema_rs.Draft4Validator(
            {**_draft4(schema), **components}, validate_formats=True, formats=_FORMATS, offline=True
        )
    components = {"components": {"schemas": document.get("components", {}).get("schemas", {})}}
    return jsonschema_rs.Draft202012Validator({**schema, **components}, validate_formats=True, formats=_FORMATS, offline=True)


def _is_calendar_date(value: str) -> bool:
    # As openapi-core checks it: the validator's own check differs in what it takes for a year.
    try:
        return bool(_DATE.fullmatch(value) and date.fromisoformat(value))
    except ValueError:
        return False


_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


_FORMATS: dict[str, Callable[[str], bool]] = {"date": _is_calendar_date}


def _draft4(node: Any) -> Any:
    """The same schema with `nullable` written as a type union, which draft 4 understands."""
    if isinstance(node, list):
        return [_draft4(item) for item in node]
    if not isinstance(node, Mapping):
        return node
    schema = {key: _draft4(value) if key not in ("example", "default", "enum") else value for key, value in node.items()}
    if schema.pop("nullable", False) is True and isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema and None not in schema["enum"]:
            schema["enum"] = [*schema["enum"], None]
    return schema


def violations(errors: Iterable[Any], where: str, name: str = "") -> list[Violation]:
    """The differences that a validator found, alternatives (`oneOf`, `anyOf`) opened to the branch that was meant. The errors
    of openapi-core's own validator give their place and keyword only.
    """
    found = []
    for error in errors:
        if isinstance(error, jsonschema_rs.ValidationError):
            found += [_violation(leaf, where, name, path) for path, leaf in _leaves(error, ())]
        else:
            keyword = str(error.validator)
            found.append(Violation(where, f"breaks the document's {keyword!r}", keyword, name, tuple(error.absolute_path)))
    return list(dict.fromkeys(found))


def _leaves(error: Any, above: tuple[str | int, ...]) -> Iterable[tuple[tuple[str | int, ...], Any]]:
    path = (*above, *error.instance_path)
    branches = getattr(error.kind, "context", None)
    if not branches:
        return [(path, error)]
    meant = min(branches, key=_distance)
    if not meant:
        return [(path, error)]  # several alternatives hold where one must
    return [leaf for inner in meant for leaf in _leaves(inner, above)]


def _distance(branch: list[Any]) -> tuple[bool, int]:
    # A branch that names another resource type, or that lacks what the branch is about, is not the one that was meant.
    wrong_kind = any(type(error.kind).__name__ == "Enum" for error in branch)
    return wrong_kind, len(branch)


def _violation(error: Any, where: str, name: str, path: tuple[str | int, ...]) -> Violation:
    kind = type(error.kind).__name__
    if kind == "Required":
        missing = error.kind.property
        return Violation(where, "is required and was not sent", "required", name, (*path, missing))
    if kind == "AdditionalProperties":
        return Violation(
            where,
            f"has keys that the document does not allow: {', '.join(error.kind.unexpected)}",
            "additionalProperties",
            name,
            path,
        )
    wording = _WORDS.get(kind)
    problem = wording(error.kind) if wording else f"breaks the document's {kind!r}"
    return Violation(where, problem, kind[0].lower() + kind[1:], name, path)


# Phrases that follow a place; none repeats the value, which may be a person's.
_WORDS: dict[str, Callable[[Any], str]] = {
    "Type": lambda kind: f"must be of type {_types(kind)}",
    "Enum": lambda kind: f"must be one of: {', '.join(map(str, kind.options))}",
    "Format": lambda kind: f"must be a valid {kind.format}",
    "Pattern": lambda kind: f"must match {kind.pattern}",
    "MinLength": lambda kind: f"must be at least {kind.limit} characters long",
    "MaxLength": lambda kind: f"must be at most {kind.limit} characters long",
    "Minimum": lambda kind: f"must be at least {kind.limit}",
    "Maximum": lambda kind: f"must be at most {kind.limit}",
    "MinItems": lambda kind: f"must have at least {kind.limit} item(s)",
    "MaxItems": lambda kind: f"must have at most {kind.limit} item(s)",
    "UniqueItems": lambda kind: "must not have the same item twice",
    "OneOfMultipleValid": lambda kind: "must be exactly one of the alternatives, and is several",
    "OneOfNotValid": lambda kind: "is none of the alternatives",
    "AnyOf": lambda kind: "is none of the alternatives",
}


def _types(kind: Any) -> str:
    types = kind.types
    return types if isinstance(types, str) else " or ".join(types)
