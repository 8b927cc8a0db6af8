"""Between WSGI and the package's own HTTP values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, unquote_plus

from mocksandbox.exchange import Headers, Pairs, Request, Response

Environ = Mapping[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], object]
WsgiApp = Callable[[Any, Any], Iterable[bytes]]

_PLAIN_PATH = re.compile(r"[A-Za-z0-9/_.$~:@!&'()*+,;=-]*")
_SAFE = "/_.$~:@!&'()*+,;=-"
_HOST = re.compile(r"[A-Za-z0-9.\-_]+(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?")
_HOSTS: set[str] = set()
"""Hosts that were found to be well formed."""

_PHRASES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


def path_of(environ: Environ) -> str:
    """The path of a request, percent-encoded as in a URL (WSGI gives it decoded, as latin-1)."""
    path: str = environ.get("PATH_INFO", "")
    return path if _PLAIN_PATH.fullmatch(path) else quoted(path.encode("latin-1", "replace"))


def is_plain(path: str) -> bool:
    """Whether a path has nothing that is percent-encoded or would have to be."""
    return _PLAIN_PATH.fullmatch(path) is not None


def quoted(path: bytes) -> str:
    """A path of any bytes, percent-encoded."""
    return quote(path, safe=_SAFE)


def origin_of(environ: Environ, *, trust_proxy: bool = False) -> str:
    """Scheme and host as the client used them; a proxy's `X-Forwarded-*` headers count only when they are to be trusted."""
    here = f"{environ.get('SERVER_NAME', 'localhost')}:{environ.get('SERVER_PORT', '80')}"
    forwarded = (lambda name: str(environ.get(f"HTTP_{name.upper().replace('-', '_')}", ""))) if trust_proxy else None
    scheme, host = environ.get("wsgi.url_scheme", "http"), environ.get("HTTP_HOST", "")
    return origin(scheme, host, here, forwarded, environ.get("SCRIPT_NAME", ""))


def origin(scheme: str, host: str, here: str, forwarded: Callable[[str], str] | None, root: str = "") -> str:
    """The same from its parts: `here` stands for a host that is none, `forwarded` gives a trusted proxy's headers, and `root`
    is the path below which the application stands.
    """
    if forwarded is not None:
        told = [forwarded(f"X-Forwarded-{name}").partition(",")[0].strip() for name in ("Proto", "Host", "Prefix")]
        scheme, host, root = told[0] or scheme, told[1] or host, root + told[2].rstrip("/")
    return f"{scheme}://{host if is_host(host) else here}{root}"


def is_host(text: str) -> bool:
    """Whether a text is a host as a URL has it, with or without a port."""
    if text in _HOSTS:
        return True
    if not _HOST.fullmatch(text):
        return False
    if len(_HOSTS) < _MOST_NAMES:
        _HOSTS.add(text)
    return True


def headers_of(environ: Environ) -> Headers:
    """The request's headers. WSGI keeps neither their case nor repeats."""
    pairs: list[tuple[str, str]] = []
    for key, value in environ.items():
        if key[:5] == "HTTP_":
            pairs.append((_NAMES.get(key) or _name_of(key), value))
        elif key == "CONTENT_TYPE" and value:
            pairs.append(("Content-Type", value))
    return Headers(pairs)


_NAMES: dict[str, str] = {}
_MOST_NAMES = 1000
"""How many headers' names are remembered: a client can send any number of them."""


def _name_of(key: str) -> str:
    name = key[5:].replace("_", "-").title()
    if len(_NAMES) < _MOST_NAMES:
        _NAMES[key] = name
    return name


def query_of(environ: Environ) -> Pairs:
    """The query's parameters in order, repeats and empty values kept."""
    return pairs_of(environ.get("QUERY_STRING", ""))


def pairs_of(text: str) -> Pairs:
    """The same of a query's text."""
    return tuple(
        (_unquoted(name), _unquoted(value)) for name, _, value in (pair.partition("=") for pair in text.split("&") if pair)
    )


def _unquoted(text: str) -> str:
    return unquote_plus(text, errors="replace") if "%" in text or "+" in text else text


def body_of(environ: Environ, most: int) -> bytes:
    """The body, up to one byte more than the most that is read, so that the caller can tell that it is too large."""
    length = environ.get("CONTENT_LENGTH") or ""
    wanted = int(length) if length.isdecimal() else most + 1 if environ.get("wsgi.input_terminated") else 0
    read: bytes = environ["wsgi.input"].read(min(wanted, most + 1)) if wanted else b""
    return read


def request_of(environ: Environ, path: str, base_url: str, most: int) -> Request:
    """The request at a path below a base URL."""
    method = environ["REQUEST_METHOD"].upper()
    return Request(method, path, query_of(environ), headers_of(environ), body_of(environ, most), base_url)


def written(response: Response) -> tuple[str, list[tuple[str, str]]]:
    """The status line and the headers of an answer, with the body's length."""
    headers = list(response.headers.pairs)
    if response.status not in (204, 304):
        headers.append(("Content-Length", str(len(response.body))))
    return status_line(response.status), headers


def status_line(status: int) -> str:
    """The status with its phrase."""
    return _PHRASES.get(status) or f"{status} Unknown"


def send(response: Response, start_response: StartResponse) -> list[bytes]:
    """Give an answer to the WSGI server."""
    start_response(*written(response))
    return [response.body]
