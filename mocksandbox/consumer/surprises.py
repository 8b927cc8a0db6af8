"""Ways to make an answer surprising: each may be legal or not, which the contract decides for each answer anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from itertools import cycle, islice
from typing import Any

from mocksandbox import codec
from mocksandbox.exchange import Response
from mocksandbox.rules.places import Path, change, drop, fhirpath, get, put, walk

_EXTENSION = {"url": "https://example.org/fhir/StructureDefinition/never-heard-of", "valueString": "a surprise"}
SHORTER = "shorter"
"""The sort of the ways that leave something out."""

EMPTY = "empty"
"""The sort of the ways in which nothing was found."""

_FOUND = ("entry", "data")
"""What the lists are called that hold what a search has found."""

_LONG = (10, 50)
"""How many entries a long list has."""


@dataclass(frozen=True)
class Way:
    """One way: of what sort it is, its name, and what it makes of an answer; the same where there is nothing to change."""

    sort: str
    name: str
    apply: Callable[[Response], Response]


def ways(answer: Response) -> list[Way]:
    """The ways that there are to change an answer, the plainest first."""
    body = _json(answer)
    if not isinstance(body, dict):
        return list(_headers())
    return [*_shorter(body), *_lists(body), *_larger(body), *_warnings(body), *_spellings(), *_headers()]


def _json(answer: Response) -> Any:
    try:
        return answer.json() if answer.body else None
    except ValueError:
        return None


def _edited(sort: str, name: str, edit: Callable[[Any], Any]) -> Way:
    def apply(answer: Response) -> Response:
        try:
            return replace(answer, body=codec.dumps(edit(_json(answer))))
        except (LookupError, TypeError, AttributeError):
            return answer  # another way has taken away what this one changes

    return Way(sort, name, apply)


def _firsts(body: Any) -> Iterator[tuple[Path, Any]]:
    """The places of a body, of each list its first item only."""
    for path, value in walk(body):
        if path and all(key == 0 for key in path if isinstance(key, int)):
            yield path, value


def _shorter(body: Any) -> Iterator[Way]:
    for path, _ in _firsts(body):
        if isinstance(path[-1], str) and path != ("resourceType",):
            yield _edited(SHORTER, f"without {fhirpath(path)}", partial(_dropped, path))


def _lists(body: Any) -> Iterator[Way]:
    for path, value in _firsts(body):
        if isinstance(value, list) and len(path) <= 2 and all(isinstance(item, dict) for item in value):
            sort = EMPTY if path and path[-1] in _FOUND else "lists"
            yield _edited(sort, f"{fhirpath(path)} empty", _with_items(path, lambda _: []))
            yield _edited(sort, f"no {fhirpath(path)}", _without_items(path))
            for number in _LONG if value else ():
                yield _edited("lists", f"{number} items in {fhirpath(path)}", _with_items(path, _repeated(number)))


def _with_items(path: Path, edit: Callable[[list[Any]], list[Any]]) -> Callable[[Any], Any]:
    """A body with another list; a number in it that said how many matches there were says so again."""

    def apply(whole: Any) -> Any:
        items = get(whole, path)
        made = put(whole, path, edit(items))
        for at, value in list(walk(whole)):
            if at and at[-1] in _COUNTS and type(value) is int and value in (len(items), len(_matches(items))):
                made = put(made, at, len(_matches(get(made, path))))
        return made

    return apply


_COUNTS = ("total", "count", "totalCount")


def _without_items(path: Path) -> Callable[[Any], Any]:
    emptied = _with_items(path, lambda _: [])
    return lambda whole: drop(emptied(whole), path)


def _matches(items: list[Any]) -> list[Any]:
    """The items that a search was for, where it says so; else all."""
    return [item for item in items if get(item, ("search", "mode")) == "match"] or items


def _repeated(number: int) -> Callable[[list[Any]], list[Any]]:
    def many(items: list[Any]) -> list[Any]:
        matches = _matches(items)
        others = [item for item in items if not any(item is match for match in matches)]
        repeated = islice(cycle(matches), number)
        return [*(_another(match, index) for index, match in enumerate(repeated)), *others]

    return many


def _another(item: Any, index: int) -> Any:
    """An item under an id of its own."""
    copy = deepcopy(item)
    for path in (("id",), ("resource", "id")):
        id = get(copy, path)
        if isinstance(id, str):
            fresh = f"{id[:-4]}{index:04}" if len(id) > 8 else f"{id}{index}"
            copy = put(copy, path, fresh)
            if isinstance(copy.get("fullUrl"), str):
                copy["fullUrl"] = copy["fullUrl"].replace(id, fresh)
    return copy


def _larger(body: Any) -> Iterator[Way]:
    """What a client has never heard of: an extension in every FHIR element, a new member in every other object."""
    for path, value in [((), body), *_firsts(body)]:
        if not isinstance(value, dict):
            continue
        place = fhirpath(path) or "the top"
        yield _edited("larger", f"an unknown extension in {place}", partial(_changed, path, _extended))
        yield _edited("larger", f"an unknown member in {place}", partial(_changed, path, _newer))


def _dropped(path: Path, whole: Any) -> Any:
    return drop(whole, path)


def _changed(path: Path, edit: Callable[[Any], Any], whole: Any) -> Any:
    return change(whole, path, edit)


def _extended(element: Any) -> Any:
    return {**element, "extension": [*element.get("extension", ()), _EXTENSION]}


def _newer(element: Any) -> Any:
    return {**element, "addedInTheNextVersion": {"since": "2027"}}


def _warnings(body: Any) -> Iterator[Way]:
    if body.get("resourceType") == "Bundle":
        yield _edited(
            "warnings", "a warning beside the matches", lambda whole: _warned(whole, {"search": {"mode": "outcome"}})
        )
        yield _edited("warnings", "a warning beside the matches, without a mode", lambda whole: _warned(whole, {}))


def _warned(whole: Any, more: dict[str, Any]) -> Any:
    issue = {"severity": "warning", "code": "informational", "diagnostics": "Some of what was asked for was left out."}
    outcome = {"resourceType": "OperationOutcome", "issue": [issue]}
    entry = {"fullUrl": "urn:uuid:6ba7b810-9dad-41d1-80b4-00c04fd430c8", "resource": outcome, **more}
    return {**whole, "entry": [*whole.get("entry", ()), entry]}


def _spellings() -> Iterator[Way]:
    yield _edited("spelling", "members in another order", _reversed)
    yield Way("spelling", "indented", lambda answer: replace(answer, body=codec.dumps(_json(answer), indented=True)))
    yield Way("spelling", "a line end after it", lambda answer: replace(answer, body=answer.body + b"\r\n"))


def _reversed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _reversed(item) for key, item in reversed(value.items())}
    return [_reversed(item) for item in value] if isinstance(value, list) else value


def _headers() -> Iterator[Way]:
    yield Way("headers", "a header that nobody knows", lambda answer: answer.with_header("X-Added-In-The-Next-Version", "1"))
    yield Way("headers", "a media type with a charset", _with_charset)


def _with_charset(answer: Response) -> Response:
    media_type = answer.headers.get("Content-Type", "")
    if not media_type or ";" in media_type:
        return answer
    return answer.with_header("Content-Type", f"{media_type}; charset=utf-8")
