"""Parameters that the document does not know, of a query or of a form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from mocksandbox.rules.attempt import Attempt
    from mocksandbox.rules.rule import Hit

_FORM = "application/x-www-form-urlencoded"


def undeclared_parameters(attempt: Attempt) -> Iterator[Hit]:
    """Every parameter of the query, or field of the form, that the operation does not have."""
    for place, sent, known in (("query", *_query(attempt)), ("form", *_form(attempt))):
        for name in dict.fromkeys(sent):
            if known is not None and name not in known:
                close = get_close_matches(name, known, 1)
                near = f" Did you mean {close[0]}?" if close else f" There are {', '.join(known)}." if known else ""
                yield f"{place}:{name}", "http.unknown-parameter", {"name": name, "near": near}


def _query(attempt: Attempt) -> tuple[Sequence[str], Sequence[str] | None]:
    """The names sent in the query, and those that the operation has; None when it takes any name."""
    if attempt.operation is None:
        return (), None
    declared = [parameter for parameter in attempt.operation.parameters if parameter.place == "query"]
    any_name = any(parameter.schema.get("type") == "object" for parameter in declared)
    return [name for name, _ in attempt.request.query], None if any_name else [p.name for p in declared]


def _form(attempt: Attempt) -> tuple[Sequence[str], Sequence[str] | None]:
    """The same for the fields of a form; None when its schema names none."""
    operation, request = attempt.operation, attempt.request
    if operation is None or _FORM not in operation.bodies or request.media_type != _FORM:
        return (), None
    schema = operation.bodies[_FORM].schema
    known = list(schema.get("properties", ()))
    sent = [name for name, _ in parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)]
    return sent, known if known and "additionalProperties" not in schema else None


def add_undeclared(attempt: Attempt) -> Attempt:
    """The attempt with a parameter that no document has, where the operation looks for its parameters."""
    if attempt.operation is not None and _FORM in attempt.operation.bodies:
        body = attempt.request.body + b"&" * bool(attempt.request.body) + b"no-such-parameter=1"
        return attempt.with_raw(body, _FORM)
    return attempt.with_query((*attempt.request.query, ("no-such-parameter", "1")))
