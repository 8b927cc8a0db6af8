"""Bodies that are broken as bytes: what no value can say. Each is made from the bytes of a good body.

Nothing here is written through a JSON library: the point is what a server does with what a library would never write.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

DEEP = 100_000
MANY_DIGITS = 5_000


@dataclass(frozen=True)
class Raw:
    """One way to break the bytes of a body. `headers` are sent with it, None takes a header away. `legal` says that the result
    is right JSON of a right media type all the same.
    """

    name: str
    change: Callable[[bytes], bytes] = lambda body: body
    headers: Mapping[str, str | None] = field(default_factory=dict)
    legal: bool = False


def _inside(text: bytes) -> Callable[[bytes], bytes]:
    """With something put in as the first member of the object."""
    return lambda body: b"{" + text + b"," + body.lstrip()[1:]


_TEXT_OR_NUMBER = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*')


def _for_a_number(text: bytes) -> Callable[[bytes], bytes]:
    """With something put in the place of the first number; as an unknown member when there is none."""

    def change(body: bytes) -> bytes:
        number = next((found for found in _TEXT_OR_NUMBER.finditer(body) if not found[0].startswith(b'"')), None)
        if number is None:
            return _inside(b'"unknownElement": ' + text)(body)
        return body[: number.start()] + text + body[number.end() :]

    return change


def _nested(opening: bytes, closing: bytes, depth: int = DEEP) -> bytes:
    return opening * depth + closing * depth


def _as(encoding: str) -> Callable[[bytes], bytes]:
    return lambda body: body.decode("utf-8", "surrogatepass").encode(encoding, "replace")


_TYPE = "Content-Type"

RAWS: tuple[Raw, ...] = (
    Raw("empty", lambda _: b""),
    Raw("white-space", lambda _: b"  "),
    Raw("truncated", lambda body: body[:-2]),
    Raw("half", lambda body: body[: len(body) // 2]),
    Raw("first-byte-only", lambda body: body[:1]),
    Raw("closing-brace-missing", lambda body: body[:-1]),
    Raw("text-after", lambda body: body + b"x"),
    Raw("twice", lambda body: body + body),
    Raw("as-lines", lambda body: body + b"\n" + body),
    Raw("byte-order-mark", lambda body: b"\xef\xbb\xbf" + body),
    Raw("comment", lambda body: b"// a comment\n" + body),
    Raw("trailing-comma", lambda body: body[:-1] + b",}"),
    Raw("single-quotes", lambda body: body.replace(b'"', b"'")),
    Raw("no-quotes", lambda body: body.replace(b'"', b"")),
    Raw("python-literals", _inside(b'"unknownElement": None')),
    Raw("duplicate-first-key", lambda body: b"{" + _first_member(body) + b"," + body[1:]),
    Raw("duplicate-key-of-another-value", lambda body: b'{"resourceType":"Patient",' + body[1:]),
    Raw("nan", _inside(b'"unknownElement": NaN')),
    Raw("nan-for-a-number", _for_a_number(b"NaN")),
    Raw("infinity", _inside(b'"unknownElement": -Infinity')),
    Raw("infinity-for-a-number", _for_a_number(b"Infinity")),
    Raw("leading-zeros", _inside(b'"unknownElement": 007')),
    Raw("hexadecimal", _inside(b'"unknownElement": 0x1F')),
    Raw("plus-sign", _inside(b'"unknownElement": +1')),
    Raw("control-character", _inside(b'"unknownElement": "a\x01b"')),
    Raw("bad-escape", _inside(rb'"unknownElement": "\x41"')),
    Raw("lone-surrogate-key", _inside(rb'"\ud800": 1')),
    Raw("5000-digits", _inside(b'"unknownElement": ' + b"9" * MANY_DIGITS)),
    Raw("5000-digits-for-a-number", _for_a_number(b"9" * MANY_DIGITS)),
    Raw("1000-lists-deep", _inside(b'"unknownElement": ' + _nested(b"[", b"]", 1000))),
    Raw("deep-lists", _inside(b'"unknownElement": ' + _nested(b"[", b"]"))),
    Raw("deep-objects", _inside(b'"unknownElement": ' + _nested(b'{"a":', b"}").replace(b":}", b":1}", 1))),
    Raw("only-deep-lists", lambda _: _nested(b"[", b"]")),
    Raw("deep-and-unclosed", lambda _: b"[" * DEEP),
    Raw("list", lambda _: b"[]"),
    Raw("in-a-list", lambda body: b"[" + body + b"]"),
    Raw("null", lambda _: b"null"),
    Raw("true", lambda _: b"true"),
    Raw("number", lambda _: b"1"),
    Raw("text", lambda _: b'"x"'),
    Raw("empty-object", lambda _: b"{}"),
    Raw("another-resource", lambda _: b'{"resourceType":"Patient"}'),
    Raw("bundle-around", lambda body: b'{"resourceType":"Bundle","type":"message","entry":[{"resource":' + body + b"}]}"),
    Raw("as-text", lambda body: b'"' + body.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'),
    Raw("xml", lambda _: b'<Immunization xmlns="http://hl7.org/fhir"/>'),
    Raw("form", lambda _: b"a=b&c=d"),
    Raw("multipart", lambda body: b"--b\r\nContent-Disposition: form-data; name=x\r\n\r\n" + body + b"\r\n--b--"),
    Raw("not-utf-8", lambda body: body.replace(b'"', b'"\xff', 3)),
    Raw("overlong-utf-8", _inside(b'"unknownElement": "\xc0\xaf"')),
    Raw("latin-1", lambda body: _as("latin-1")(_inside('"unknownElement": "Zoë"'.encode())(body))),
    Raw("utf-16", _as("utf-16")),
    Raw("utf-16-without-mark", _as("utf-16-le")),
    Raw("utf-32", _as("utf-32")),
    Raw("compressed", lambda body: gzip.compress(body, mtime=0)),
    Raw("compressed-and-said-so", lambda body: gzip.compress(body, mtime=0), {"Content-Encoding": "gzip"}),
    Raw("said-compressed", headers={"Content-Encoding": "gzip"}),
    Raw("media-type-xml", headers={_TYPE: "application/fhir+xml"}),
    Raw("media-type-text", headers={_TYPE: "text/plain"}),
    Raw("media-type-form", headers={_TYPE: "application/x-www-form-urlencoded"}),
    Raw("media-type-json", headers={_TYPE: "application/json"}),
    Raw("media-type-garbage", headers={_TYPE: ";;;"}),
    Raw("no-media-type", headers={_TYPE: None}),
    Raw("charset-latin-1", headers={_TYPE: "application/fhir+json; charset=latin-1"}),
    Raw("charset-utf-8", headers={_TYPE: "application/fhir+json; charset=utf-8"}, legal=True),
    Raw("white-space-around", lambda body: b"\r\n\t " + body + b"\n\n", legal=True),
)
"""Every way, in the order in which they are tried."""


def _first_member(body: bytes) -> bytes:
    """The first member of an object, when it is a text: `"resourceType":"Immunization"`."""
    end = 0
    for _ in range(4):
        end = body.find(b'"', end) + 1
    return body[1:end]


def raws() -> Iterator[Raw]:
    """Every way but those that are legal."""
    yield from (raw for raw in RAWS if not raw.legal)
