"""Edits of what stands outside the body: the query, a search's form, headers, the id in the path."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from urllib.parse import parse_qsl, quote, urlencode

from mocksandbox.generators.build import FORM
from mocksandbox.generators.operators import on_day, on_digits, on_text
from mocksandbox.rules.attempt import Attempt

Edited = tuple[str, Callable[[], Attempt]]
Pairs = Sequence[tuple[str, str]]


def parameter_edits(base: Attempt) -> Iterator[Edited]:
    """Every edit of a request's parameters and headers, with a name: `query:patient.identifier/absent`."""
    posted = base.request.method == "POST" and base.request.media_type == FORM
    pairs = parse_qsl(base.request.body.decode()) if posted else list(base.request.query)
    for index, (name, value) in enumerate(pairs):
        for way, changed in _pair_edits(pairs, index, name, value):
            yield f"query:{name}/{way}", _searching(base, changed, posted)
    if pairs:
        yield "query/nothing", _searching(base, (), posted)
        yield "query:no-such-parameter/added", _searching(base, [*pairs, ("no-such-parameter", "x")], posted)
        yield "query/reversed", _searching(base, pairs[::-1], posted)
    for name, value in base.request.headers.pairs:
        for way, new in _header_edits(value):
            yield f"header:{name}/{way}", _with_header(base, name, new)
    for name in _headers_left_out(base):
        for way, new in _ADDED_HEADERS:
            yield f"header:{name}/{way}", _with_header(base, name, new)
    if base.operation is not None and "{id}" in base.operation.path:
        for way, id in _IDS:
            yield f"path:id/{way}", _at(base, quote(id, safe=""))


def _pair_edits(pairs: Pairs, index: int, name: str, value: str) -> Iterator[tuple[str, Pairs]]:
    before, after = list(pairs[:index]), list(pairs[index + 1 :])
    yield "absent", [*before, *after]
    yield "twice", [*pairs, (name, value)]
    yield "twice-and-different", [*pairs, (name, f"{value}0")]
    yield "name-in-capitals", [*before, (name.upper(), value), *after]
    yield "two-values", [*before, (name, f"{value},{value}x"), *after]
    yield "other-separator", [*before, (name, value.replace("|", " ")), *after]
    texts: list[tuple[str, object]] = [("empty", ""), *on_text(value)]
    if value[:4].isdigit() and value[4:5] == "-":
        texts += on_day(value)
    head, bar, tail = value.rpartition("|")
    if tail.isdigit() and len(tail) >= 6:
        texts += [(way, f"{head}{bar}{new}") for way, new in on_digits(tail)]
    for way, new in texts:
        # A lone surrogate cannot be written in a URL, and 10,000 characters are a question of the server, not of the API.
        if isinstance(new, str) and new != value and len(new) < 2000 and "\ud800" not in new:
            yield way, [*before, (name, new), *after]


def _header_edits(value: str) -> Iterator[tuple[str, str | None]]:
    yield "absent", None
    yield "empty", ""
    yield "garbage", ";;;"
    yield "quoted", f'"{value}"'
    yield "twice", f"{value}, {value}"
    for way, new in on_text(value):
        if isinstance(new, str) and new.isascii() and new.isprintable() and new.strip() == new and len(new) < 2000:
            yield way, new
    if value.isdigit():
        for way, number in (("zero", "0"), ("negative", "-1"), ("fraction", "1.5"), ("one-more", str(int(value) + 1))):
            yield way, number
        yield "weak", f'W/"{value}"'
        yield "many-digits", "9" * 25


def _headers_left_out(base: Attempt) -> list[str]:
    """The headers that the document has for the operation and the request does not."""
    documented = base.operation.parameters if base.operation is not None else ()
    return [each.name for each in documented if each.place == "header" and each.name not in base.request.headers]


_ADDED_HEADERS = (
    ("added-empty", ""),
    ("added-text", "abc"),
    ("added-with-dots", "a.b.c"),
    ("added-garbage", ";;;"),
    ("added-long", "a" * 300),
)

_IDS = (
    ("unknown", "00000000-0000-4000-8000-000000000000"),
    ("underscore", "not_an_id"),
    ("space", "a b"),
    ("slash", "a/b"),
    ("dots", ".."),
    ("64-characters", "a" * 64),
    ("65-characters", "a" * 65),
    ("accent", "é"),
    ("nul", "a\x00b"),
    ("percent", "%"),
    ("quote", "a'b"),
    ("semicolon", "a;b"),
)


def _searching(base: Attempt, pairs: Pairs, posted: bool) -> Callable[[], Attempt]:
    kept = tuple(pairs)
    return lambda: base.with_raw(urlencode(kept).encode()) if posted else base.with_query(kept)


def _with_header(base: Attempt, name: str, value: str | None) -> Callable[[], Attempt]:
    return lambda: base.with_header(name, value)


def _at(base: Attempt, id: str) -> Callable[[], Attempt]:
    def moved() -> Attempt:
        assert base.operation is not None
        other = base.at_path(base.operation.path.replace("{id}", id))
        return replace(other, match=base.contract.router.find(base.request.method, other.request.path))

    return moved
