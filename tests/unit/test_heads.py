"""Headers that have come before are not read again: what is answered must be what the parser would have read."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mocksandbox.exchange import Headers, Response
from mocksandbox.server import heads
from mocksandbox.server.heads import Heads
from mocksandbox.server.message import Sent
from mocksandbox.server.reading import Reading

MOST = 1000


class Reader(Reading):
    """Keeps what it reads: requests, and "refused" for what is none."""

    def __init__(self, known: Heads) -> None:
        self.read: list[Any] = []
        listener = SimpleNamespace(heads=known, place=lambda _: None, most_of=lambda _: MOST)
        super().__init__(cast("Any", listener))

    def _take(self, sent: Sent, place: object) -> None:
        self.read.append((sent._replace(headers=Headers()), sent.headers.pairs))
        self._over = not sent.keep

    def _end_early(self, *, late: bool) -> None:
        self.read.append("early")
        self._over = True

    def _refuse(self, response: Response) -> None:
        self.read.append("refused")
        self._over = True

    def sends(self, *pieces: bytes) -> list[Any]:
        """What is read when these come one after the other."""
        for piece in pieces:
            if not self._over:
                self._read(piece)
        return self.read


class Forgetful(Heads):
    """Knows nothing, so that the parser reads everything."""

    def find(self, data: bytes) -> Sent | None:
        return None


def told(known: Heads, *pieces: bytes) -> list[Any]:
    """What one connection reads."""
    return Reader(known).sends(*pieces)


def request(line: str, *headers: str, body: bytes = b"", end: str = "\r\n") -> bytes:
    return end.join([line, *headers, "", ""]).encode("latin-1", "replace") + body


READ = request("GET /Immunization/1?a=b HTTP/1.1", "Host: a", "Accept: */*")
CREATE = request("POST /Immunization HTTP/1.1", "Host: a", "Content-Length: 5", body=b"12345")


@pytest.mark.parametrize("sent", [READ, CREATE], ids=["read", "create"])
def test_headers_are_known_when_they_come_for_the_third_time(sent: bytes) -> None:
    known = Heads()
    assert told(known, sent, sent, sent) == told(Forgetful(), sent, sent, sent)
    found = known.find(sent)
    assert found is not None
    assert known.find(sent.replace(b"/Immunization", b"/Patient")).headers is found.headers, "for any path"  # type: ignore[union-attr]


UNLIKE = {
    "a connection that is to end": request("GET / HTTP/1.1", "Connection: close"),
    "an upgrade": request("GET / HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket"),
    "HTTP/1.0": request("GET / HTTP/1.0", "Host: a"),
    "chunks": request("POST / HTTP/1.1", "Transfer-Encoding: chunked", body=b"3\r\nabc\r\n0\r\n\r\n"),
    "an expectation": request("POST / HTTP/1.1", "Expect: 100-continue", "Content-Length: 1", body=b"1"),
    "two lengths": request("POST / HTTP/1.1", "Content-Length: 1", "Content-Length: 1", body=b"1"),
    "a spelled length": request("POST / HTTP/1.1", "Content-Length: 01", body=b"1"),
    "lines that end otherwise": request("GET / HTTP/1.1", "Host: a", end="\n"),
    "a folded header": request("GET / HTTP/1.1", "Host: a", " b"),
    "a long head": request("GET / HTTP/1.1", f"X-Long: {'a' * heads.MOST_BYTES}"),
    "a target that is encoded": request("GET /%41 HTTP/1.1", "Host: a"),
    "a whole URL": request("GET http://a/ HTTP/1.1", "Host: a"),
    "a fragment": request("GET /?a#b HTTP/1.1", "Host: a"),
    "a method that is none of HTTP's": request("BREW / HTTP/1.1", "Host: a"),
}


@pytest.mark.parametrize("sent", UNLIKE.values(), ids=UNLIKE)
def test_what_says_more_than_headers_is_left_to_the_parser(sent: bytes) -> None:
    known = Heads()
    for _ in range(4):
        assert told(known, sent) == told(Forgetful(), sent)
    assert known.find(sent) is None


def test_a_length_that_is_not_the_bodys_is_left_to_the_parser() -> None:
    known = Heads()
    told(known, CREATE, CREATE, CREATE)
    for pieces in ((CREATE + READ,), (CREATE[:-2], CREATE[-2:]), (CREATE[:20], CREATE[20:]), (CREATE + b"GET /", READ[5:])):
        assert told(known, *pieces) == told(Forgetful(), *pieces)


def test_a_body_above_the_limit_is_ended_early_every_time() -> None:
    body = b"1" * (MOST + 1)
    sent = request("POST / HTTP/1.1", f"Content-Length: {len(body)}", body=body)
    known = Heads()
    for _ in range(4):
        assert told(known, sent) == told(Forgetful(), sent) == ["early"]


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "MOST_HEADS", 3)
    monkeypatch.setattr(heads, "_MOST_SEEN", 5)
    known = Heads()
    for number in range(20):
        told(known, *[request("GET / HTTP/1.1", f"X-Id: {number}")] * 2)
        assert (len(known._known), len(known._seen)) <= (3, 5)
    assert known.find(request("GET / HTTP/1.1", "X-Id: 19")), "the newest are kept"


NAMES = st.sampled_from(
    ["Host", "Accept", "content-length", "Content-Length", "Connection", "Transfer-Encoding", "X-A", "x a", ""]
)
VALUES = st.sampled_from(
    ["", "0", "3", "03", "+3", "3, 3", "close", "keep-alive", "chunked", "a\tb", "é", "a\nb", "a\r\n b", "a: b"]
)
LINES = st.sampled_from(
    [
        *(
            "GET / HTTP/1.1",
            "POST /a?b=c HTTP/1.1",
            "HEAD /~a HTTP/1.1",
            "GET  / HTTP/1.1",
            "GET / HTTP/1.2",
            "get / HTTP/1.1",
        ),
        *("PUT /a?é HTTP/1.1", "CONNECT a:1 HTTP/1.1", "GET / HTTP/1.1 ", "OPTIONS * HTTP/1.1", "GET /\x00 HTTP/1.1"),
    ]
)
BODIES = st.sampled_from([b"", b"abc", b"0\r\n\r\n", b"3\r\nabc\r\n0\r\n\r\n", READ, b"\r\n", b"\n\n"])
TARGETS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x100), max_size=6)
REQUESTS = st.builds(
    lambda line, headers, body, end: request(line, *[f"{name}:{value}" for name, value in headers], body=body, end=end),
    LINES | TARGETS.map(lambda text: f"GET /{text} HTTP/1.1"),
    st.lists(st.tuples(NAMES, VALUES), max_size=3),
    BODIES,
    st.sampled_from(["\r\n"] * 8 + ["\n", "\r"]),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(REQUESTS, min_size=1, max_size=3))
def test_whatever_comes_is_read_as_the_parser_reads_it(several: list[bytes]) -> None:
    known = Heads()
    for _ in range(4):
        for sent in several:
            assert told(known, sent) == told(Forgetful(), sent)
        assert told(known, *several) == told(Forgetful(), *several)
        assert told(known, b"".join(several)) == told(Forgetful(), b"".join(several))
