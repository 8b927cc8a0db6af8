"""What the control API is asked: parameters, JSON bodies, and the mistakes in them, each with its place and its remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, TypeVar

from flask import Response, current_app, request
from werkzeug.exceptions import BadRequest, HTTPException, UnsupportedMediaType

from mocksandbox import codec
from mocksandbox.errors import shortened
from mocksandbox.sandbox import Sandbox
from mocksandbox.server.front import MOST_TENANT

T = TypeVar("T")


def is_number(value: Any) -> bool:
    """Whether a JSON value is a number (a boolean is none)."""
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


Check = tuple[Callable[[Any], bool], str]
"""What a value must be: the test, and the words for it."""

TEXT: Check = (lambda value: isinstance(value, str), "a string")
TEXT_OR_NULL: Check = (lambda value: value is None or isinstance(value, str), "a string or null")
TENANT: Check = (
    lambda value: isinstance(value, str) and len(value) <= MOST_TENANT,
    f"a string of at most {MOST_TENANT} characters",
)
TENANT_OR_NULL: Check = (lambda value: value is None or TENANT[0](value), f"{TENANT[1]}, or null")
TRUTH: Check = (lambda value: isinstance(value, bool), "true or false")
WHOLE: Check = (lambda value: type(value) is int and 0 <= value < 2**53, "a whole number from 0")
FROM_ONE: Check = (lambda value: value is None or (type(value) is int and 0 < value < 2**53), "a whole number from 1, or null")
SECONDS: Check = (
    lambda value: isinstance(value, str) or is_number(value),
    "a number of seconds, or a duration such as P1D or -PT2H",
)
SHARE: Check = (lambda value: is_number(value) and 0 < value <= 1, "a number above 0 and not above 1")
LIST: Check = (lambda value: isinstance(value, list), "a list")
OBJECT: Check = (lambda value: isinstance(value, dict), "an object")


def mistake(says: str, at: str = "", kind: type[HTTPException] = BadRequest) -> HTTPException:
    """A refusal, with the place that it is about."""
    at = shortened(at)
    made = kind(f"{at}: {says}" if at else says)
    made.place = at  # type: ignore[attr-defined]  # an exception may carry more
    return made


def sandboxes() -> Mapping[str, Sandbox]:
    """The sandboxes by provider name."""
    found: Mapping[str, Sandbox] = current_app.extensions["mocksandbox"]
    return found


def each_once(found: Iterable[T]) -> list[T]:
    """The things themselves, where several sandboxes have the same one: a journal, a clock."""
    return list({id(each): each for each in found}.values())


def arguments(*known: str) -> Mapping[str, str]:
    """The query's parameters, each of which must be known."""
    for name in request.args:
        if name not in known:
            raise mistake(unknown("parameter", name, known), f"query:{name}")
    if not TENANT[0](request.args.get("tenant", "")):
        raise mistake(f"must be {TENANT[1]}.", "query:tenant")
    return request.args


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """That there is no such thing, with the nearest that there is and all the others."""
    known, name = sorted(known), shortened(name)
    near = get_close_matches(name, known, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"there is no {what} {name!r}.{hint} Known: {', '.join(known) or 'none'}."


def chosen(name: str | None = None, at: str = "query:provider") -> list[Sandbox]:
    """The sandbox of a provider (`?provider=` unless it is named), or all."""
    name = request.args.get("provider") if name is None else name
    if not name:
        return list(sandboxes().values())
    if name not in sandboxes():
        raise mistake(unknown("provider", name, sandboxes()), at)
    return [sandboxes()[name]]


def number_argument(name: str) -> int | None:
    """A parameter that is a whole number; None when it is absent."""
    text = request.args.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 16):
        raise mistake(f"must be a whole number from 0, and is {shortened(text)!r}.", f"query:{name}")
    return int(text)


def flag_argument(name: str) -> bool:
    """A parameter that is 1 or 0."""
    text = request.args.get(name, "0")
    if text not in ("0", "1", "false", "true"):
        raise mistake(f"must be 1 or 0, and is {shortened(text)!r}.", f"query:{name}")
    return text in ("1", "true")


def json_body() -> Any:
    """The request's JSON."""
    media_type = request.mimetype
    if media_type != "application/json" and not media_type.endswith("+json"):
        says = f"must be application/json, and is {shortened(media_type) or 'absent'}."
        raise mistake(says, "header:Content-Type", UnsupportedMediaType)
    body = request.get_data(cache=False)
    if not body:
        raise mistake("is empty; send JSON.", "body")
    try:
        return codec.loads(body)
    except ValueError as error:
        raise mistake(f"is not JSON: {error}.", "body") from error


def members(value: Any, at: str, known: Mapping[str, Check], required: Iterable[str] = ()) -> dict[str, Any]:
    """An object whose members are all known and of their kinds."""
    if not isinstance(value, dict):
        raise mistake(f"must be an object with {', '.join(known)}.", at or "body")
    prefix = f"{at}." if at else ""
    for name, item in value.items():
        if name not in known:
            raise mistake(unknown("member", name, known), f"{prefix}{name}")
        test, says = known[name]
        if not test(item):
            raise mistake(f"must be {says}.", f"{prefix}{name}")
    for name in required:
        if name not in value:
            raise mistake(f"is missing; it must be {known[name][1]}.", f"{prefix}{name}")
    return value


def answer(value: Any) -> Response:
    """200 with JSON."""
    return Response(codec.dumps(value), 200, mimetype="application/json")
