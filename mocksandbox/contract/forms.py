"""A form of plain texts, read as openapi-core reads it and without working out again how for each of its fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from jsonschema_path import SchemaPath

from mocksandbox.exchange import FORM

_ALTERNATIVES = ("oneOf", "anyOf", "allOf")


def form_reader(mime_type: str, media: SchemaPath) -> Callable[[bytes], Mapping[str, str]] | None:
    """What reads the fields that a form's schema has, the first value of each, or its default. None for what is no form, or
    not one of texts only, each said once and in the usual way. It raises UnicodeDecodeError for what is not UTF-8.
    """
    if mime_type != FORM or "schema" not in media or "encoding" in media:
        return None
    schema = media / "schema"
    if any(name in schema for name in _ALTERNATIVES):
        return None
    fields = dict((schema / "properties").str_items()) if "properties" in schema else {}
    if any((field / "type").read_str("") != "string" for field in fields.values()):
        return None
    if any(name in field for field in fields.values() for name in (*_ALTERNATIVES, "nullable")):
        return None
    defaults: dict[str, Any] = {name: (field / "default").read_value() for name, field in fields.items() if "default" in field}

    def read(body: bytes) -> Mapping[str, str]:
        sent = dict(reversed(parse_qsl(body.decode("utf-8"), keep_blank_values=True)))
        return {name: sent[name] if name in sent else defaults[name] for name in fields if name in sent or name in defaults}

    return read
