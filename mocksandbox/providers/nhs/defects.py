"""Ways to break a request to the NHS service: edits of the body at a field, of headers, of the query, of the path."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

from mocksandbox.providers.nhs.checks import Spoiler
from mocksandbox.providers.nhs.fields import fields
from mocksandbox.rules.attempt import Attempt, Caller, Refusal
from mocksandbox.rules.places import MISSING, Path, change, drop
from mocksandbox.rules.rule import Defect


def at_field(
    field_id: str,
    spoilers: Iterable[Spoiler],
    also: Mapping[str, Iterable[str]],
    prepare: Callable[[Any], Any] = lambda body: body,
) -> tuple[Defect[Attempt], ...]:
    """A defect for each spoiler, applied where the field first stands; a record without the field is left as it is. `also`
    are the rules that the spoilers break too, by the spoiler's name or, for all, under `*`. `prepare` makes room for a field
    that the record has another in place of.
    """
    return tuple(
        Defect(
            spoiler.name,
            _editing(field_id, spoiler.edit, prepare),
            spoiler.also.union(also.get(spoiler.name, ()), also.get("*", ())),
        )
        for spoiler in spoilers
    )


def _editing(field_id: str, edit: Callable[[Any], Any], prepare: Callable[[Any], Any]) -> Callable[[Attempt], Attempt]:
    def apply(attempt: Attempt) -> Attempt:
        body = prepare(attempt.body)
        found = fields()[field_id].present(body)
        return attempt.with_body(change(body, found[0].path, edit)) if found else attempt

    return apply


def absent(field_id: str, *also: str) -> Defect[Attempt]:
    """The field is taken out."""

    def apply(attempt: Attempt) -> Attempt:
        found = fields()[field_id].present(attempt.body)
        return attempt.with_body(drop(attempt.body, found[0].path)) if found else attempt

    return Defect("absent", apply, frozenset(also))


def body(name: str, path: Path, edit: Callable[[Any], Any], *also: str) -> Defect[Attempt]:
    """An edit at a fixed path of the body."""
    return Defect(name, lambda attempt: attempt.with_body(change(attempt.body, path, edit)), frozenset(also))


def without(name: str, path: Path, *also: str) -> Defect[Attempt]:
    """What stands at a path of the body is taken out."""
    return Defect(name, lambda attempt: attempt.with_body(drop(attempt.body, path)), frozenset(also))


def set_to(name: str, path: Path, value: Any, *also: str) -> Defect[Attempt]:
    """A value at a fixed path of the body."""
    return body(name, path, lambda _: value, *also)


def header(name: str, header_name: str, value: str | None, *also: str) -> Defect[Attempt]:
    """A header set, or removed when the value is None."""
    return Defect(name, lambda attempt: attempt.with_header(header_name, value), frozenset(also))


def query(name: str, parameter: str, *values: str, also: Iterable[str] = (), without: Iterable[str] = ()) -> Defect[Attempt]:
    """A search with these values of a parameter (none: without it), and without some others; in the form of a POST."""
    return Defect(name, lambda attempt: searching(attempt, parameter, *values, without=without), frozenset(also))


def searching(attempt: Attempt, parameter: str, *values: str, without: Iterable[str] = ()) -> Attempt:
    """The search with a parameter set to these values."""
    dropped = {parameter, *without}
    posted = attempt.request.method == "POST"
    pairs = parse_qsl(attempt.request.body.decode()) if posted else attempt.request.query
    changed = (*(pair for pair in pairs if pair[0] not in dropped), *((parameter, value) for value in values))
    return attempt.with_raw(urlencode(changed).encode()) if posted else attempt.with_query(changed)


def refused(key: str) -> Defect[Attempt]:
    """The caller is not let in."""
    return Defect(key, lambda attempt: replace(attempt, refusal=Refusal(key)))


def path_id(name: str, id: str, *also: str) -> Defect[Attempt]:
    """Another id in the path, and in the body where there is one."""

    def apply(attempt: Attempt) -> Attempt:
        moved = attempt.at_path(f"/Immunization/{id}")
        return moved.with_body({**moved.body, "id": unquote(id)}) if isinstance(moved.body, dict) else moved

    return Defect(name, apply, frozenset(also))


def as_caller(name: str, rights: Iterable[str], *also: str) -> Defect[Attempt]:
    """Asked by somebody with only these rights."""
    caller = Caller(name, frozenset(rights))
    return Defect(name, lambda attempt: replace(attempt, caller=caller), frozenset(also))


def contained_index(body: Any, resource_type: str) -> int:
    """Where a contained resource of this type stands; -1 when there is none."""
    contained = body.get("contained", ()) if body is not MISSING else ()
    return next((i for i, item in enumerate(contained) if item.get("resourceType") == resource_type), -1)


def in_contained(name: str, resource_type: str, edit: Callable[[dict[str, Any]], Any], *also: str) -> Defect[Attempt]:
    """An edit of the contained resource of a type; `MISSING` takes it out. A record without one is left as it is."""

    def apply(attempt: Attempt) -> Attempt:
        index = contained_index(attempt.body, resource_type)
        return attempt.with_body(change(attempt.body, ("contained", index), edit)) if index >= 0 else attempt

    return Defect(name, apply, frozenset(also))
