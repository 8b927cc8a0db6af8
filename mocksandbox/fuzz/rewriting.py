"""Writing other ids and identifiers into a request that is already made, however it is spelled or broken."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from mocksandbox.exchange import Headers, Request

Exchanged = tuple[tuple[str, str], ...]
"""Texts with the texts that take their place."""

_ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
_TOKEN = 12


def fresh(identifier: str, token: str) -> tuple[str, str]:
    """The part of an identifier that is exchanged for a token, and what it becomes. The first and the last character stay, so
    that an identifier which was changed there is made new as well.
    """
    inner = identifier[1:-1]
    if len(inner) <= _TOKEN:
        return inner, inner + token[:_TOKEN]
    return inner, inner[:-_TOKEN] + token[:_TOKEN]


def spellings(exchanged: Iterable[tuple[str, str]]) -> Exchanged:
    """The same exchanges, in capitals too."""
    pairs = [(old, new) for old, new in exchanged if old]
    return tuple(dict.fromkeys([*pairs, *((old.upper(), new.upper()) for old, new in pairs)]))


def rewritten(request: Request, exchanged: Exchanged) -> Request:
    """A request with these texts exchanged in its path, its query, its headers and its body."""
    if not exchanged:
        return request
    path, query, headers, body = request.path, request.query, request.headers.pairs, request.body
    for old, new in exchanged:
        path = path.replace(old, new)
        query = tuple((name, value.replace(old, new)) for name, value in query)
        headers = tuple((name, value.replace(old, new)) for name, value in headers)
        if not body.isascii() or b"\0" in body:
            for encoding in _ENCODINGS:
                body = body.replace(old.encode(encoding), new.encode(encoding))
        else:
            body = body.replace(old.encode("ascii", "replace"), new.encode("ascii", "replace"))
    return replace(request, path=path, query=query, headers=Headers(headers), body=body)


def mentions(request: Request, text: str) -> bool:
    """Whether a text stands in the body of a request."""
    return bool(text) and any(text.encode(encoding, "replace") in request.body for encoding in _ENCODINGS)
