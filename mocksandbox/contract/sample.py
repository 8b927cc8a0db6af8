"""A smallest value of a schema, for answers that the document gives no example of. Always the same for the same schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mocksandbox.contract.document import resolve

_DEPTH = 12
_BY_FORMAT = {
    "date": "2025-01-01",
    "date-time": "2025-01-01T00:00:00Z",
    "time": "00:00:00Z",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "uri": "https://example.org/",
    "email": "nobody@example.org",
}


def sample(document: Mapping[str, Any], schema: Any, depth: int = 0) -> Any:
    """A value that the schema describes: its example, default or first choice, else the smallest of its type. Required
    properties only; null below a depth that no real schema needs.
    """
    schema = resolve(document, schema)
    if not isinstance(schema, Mapping) or depth > _DEPTH:
        return None
    for key in ("example", "default", "const"):
        if key in schema:
            return schema[key]
    if schema.get("examples"):
        return schema["examples"][0]
    if schema.get("enum"):
        return schema["enum"][0]
    for key in ("oneOf", "anyOf"):
        if schema.get(key):
            return sample(document, schema[key][0], depth + 1)
    if schema.get("allOf"):
        parts = [sample(document, part, depth + 1) for part in schema["allOf"]]
        return {k: v for part in parts if isinstance(part, dict) for k, v in part.items()} or parts[0]
    return _of_type(document, schema, depth)


def _of_type(document: Mapping[str, Any], schema: Mapping[str, Any], depth: int) -> Any:
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) and kind else kind
    if kind == "object" or "properties" in schema:
        properties = schema.get("properties", {})
        wanted = schema.get("required") or ()
        return {name: sample(document, properties.get(name, {}), depth + 1) for name in wanted}
    if kind == "array":
        return [sample(document, schema.get("items", {}), depth + 1) for _ in range(max(1, schema.get("minItems", 1)))]
    if kind in ("integer", "number"):
        return schema.get("minimum", schema.get("maximum", 0))
    if kind == "boolean":
        return False
    if kind == "string":
        text = _BY_FORMAT.get(schema.get("format", ""), "text")
        return text.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength", 10_000)]
    return None
