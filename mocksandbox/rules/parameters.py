"""Parameters that the document does not know, of a query or of a form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from mocksandbox.errors import shortened
from mocksandbox.exchange import FORM

if TYPE_CHECKING:
    from mocksandbox.contract import Operation
    from mocksandbox.rules.attempt import Attempt
    from mocksandbox.rules.rule import Hit


def undeclared_parameters(attempt: Attempt) -> Iterable[Hit]:
    """Every parameter of the query, or field of the form, that the operation does not have."""
    operation, request = attempt.operation, attempt.request
    if operation is None:
        return ()
    in_query, in_form = _declared(operation)
    query = [name for name, _ in request.query if name not in in_query] if in_query is not None else ()
    if in_form is None or request.media_type != FORM:
        return [*_unknown("query", query, in_query)] if query else ()
    sent = parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    form = [name for name, _ in sent if name not in in_form]
    return [*_unknown("query", query, in_query), *_unknown("form", form, in_form)] if query or form else ()


def _unknown(place: str, names: Iterable[str], known: Sequence[str] | None) -> Iterator[Hit]:
    for name in dict.fromkeys(names):
        short = shortened(name)
        close = get_close_matches(short, known or (), 1)
        near = f" Did you mean {close[0]}?" if close else f" There are {', '.join(known)}." if known else ""
        yield f"{place}:{short}", "http.unknown-parameter", {"name": short, "near": near}


_Names = Sequence[str] | None


def _declared(operation: Operation) -> tuple[_Names, _Names]:
    """The names of the query and those of the form; None where any name may come. Kept with the operation."""
    kept: tuple[_Names, _Names] | None = operation.__dict__.get("_declared")
    if kept is None:
        kept = operation.__dict__["_declared"] = _query(operation), _form(operation)
    return kept


def _query(operation: Operation) -> _Names:
    declared = [parameter for parameter in operation.parameters if parameter.place == "query"]
    any_name = any(parameter.schema.get("type") == "object" for parameter in declared)
    return None if any_name else [parameter.name for parameter in declared]


def _form(operation: Operation) -> _Names:
    if FORM not in operation.bodies:
        return None
    schema = operation.bodies[FORM].schema
    known = list(schema.get("properties", ()))
    return known if known and "additionalProperties" not in schema else None


def add_undeclared(attempt: Attempt) -> Attempt:
    """The attempt with a parameter that no document has, where the operation looks for its parameters."""
    if attempt.operation is not None and FORM in attempt.operation.bodies:
        body = attempt.request.body + b"&" * bool(attempt.request.body) + b"no-such-parameter=1"
        return attempt.with_raw(body, FORM)
    return attempt.with_query((*attempt.request.query, ("no-such-parameter", "1")))
