"""How a person does it again: a curl line or script, and a test."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from mocksandbox import codec
from mocksandbox.exchange import Request
from mocksandbox.fuzz.model import Flaw, Step
from mocksandbox.fuzz.records import IDENTIFIER, new_id
from mocksandbox.fuzz.transport import IN_PROCESS, Target
from mocksandbox.provider import Provider
from mocksandbox.rules.places import get

SECRET_HEADERS = frozenset({"authorization", "x-api-key", "apikey", "cookie", "proxy-authorization"})
_VARIABLE = "$MOCKSANDBOX_AUTH"
_TOKEN = 12


def curl_of(steps: Sequence[Step]) -> str:
    """The steps as a line of curl, or as a script when there are several. Each time that it runs, the records that it makes
    have new identifiers; the ids that the target gives them are taken from its answers.
    """
    exchanged = _new_identifier(steps)
    lines = [_SERVED] if any(step.request.base_url.startswith(IN_PROCESS) for step in steps) else []
    lines += [_NEW] if exchanged else []
    made = 0
    for index, step in enumerate(steps):
        line = _curl(step.request, exchanged)
        id = new_id(step.response) if step.response is not None and step.request.method == "POST" else ""
        if id and any(_mentions(later.request, id) for later in steps[index + 1 :]):
            made += 1
            exchanged[id] = f"ID{made}"
            located = "Location" in step.response.headers if step.response is not None else False
            line = f"ID{made}=$({line} | tee /dev/stderr | {_LOCATED if located else _IN_BODY})"
        lines.append(line)
    if len(steps) < 2:
        return "; ".join(lines)
    return "\n".join(["#!/bin/sh", *lines])


_NEW = "NEW=$(date +%s%N | cut -c 8-19)"
"""Digits that no earlier run had."""

_SERVED = ': "${APP_URL:?serve the application, and give its URL, such as http://127.0.0.1:8000}"'
"""What stops where the URL of an application, which was called in process, is not given."""

_LOCATED = r"sed -n 's,^[Ll]ocation: *,,p' | sed 's,/_history/.*,,; s,.*/,,' | tr -d '\r'"
_IN_BODY = """grep -o '"id" *: *"[^"]*"' | head -n 1 | cut -d '"' -f 4"""


def _new_identifier(steps: Sequence[Step]) -> dict[str, str]:
    """The part of the identifier of a record to be created that is new in each run, with the name of the shell's variable."""
    for step in steps:
        if step.request.method == "POST":
            value = get(_body(step.request), IDENTIFIER)
            if isinstance(value, str) and len(value) > _TOKEN + 2 and value.isascii():
                return {value[-_TOKEN - 1 : -1]: "NEW"}
    return {}


def _body(request: Request) -> Any:
    try:
        return codec.loads(request.body) if request.body else None
    except ValueError:
        return None


def _mentions(request: Request, id: str) -> bool:
    return id in request.url or id.encode() in request.body or any(id in value for value in request.headers.values())


def _curl(request: Request, exchanged: Mapping[str, str]) -> str:
    words = ["curl", "-sS", "-i", "--path-as-is", "-X", request.method]
    for name, value in request.headers.pairs:
        if name.lower() in SECRET_HEADERS:
            words += ["-H", f'"{name}: {_VARIABLE}"']
        else:
            # curl leaves a header out that has nothing after its colon; with a semicolon it sends it empty.
            words += ["-H", _quoted(f"{name}: {value}" if value else f"{name};", exchanged)]
    url = _quoted(request.url.removeprefix(IN_PROCESS), exchanged)
    if request.url.startswith(IN_PROCESS):
        url = f'"$APP_URL"{url}'
    if not request.body:
        return " ".join([*words, url])
    if _is_text(request.body):
        return " ".join([*words, "--data-binary", _quoted(request.body.decode(), exchanged), url])
    escaped = "".join(f"\\{byte:03o}" for byte in request.body)
    return f"printf '{escaped}' | " + " ".join([*words, "--data-binary", "@-", url])


def _quoted(text: str, exchanged: Mapping[str, str]) -> str:
    """A text as the shell takes it, with the shell's variables in the places of the exchanged texts."""
    parts = re.split(f"({'|'.join(map(re.escape, exchanged))})", text) if exchanged else [text]
    return "".join(f'"${exchanged[part]}"' if part in exchanged else shlex.quote(part) for part in parts if part) or "''"


def _is_text(body: bytes) -> bool:
    try:
        return not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", body.decode("utf-8")) and not body.startswith(b"@")
    except UnicodeDecodeError:
        return False


def pytest_of(provider: Provider, target: Target, number: int, seed: int, flaw: Flaw) -> str:
    """A test that fails while the flaw is there."""
    url, path = target.base_url, target.base_url.removeprefix(IN_PROCESS)
    where = f'"{url}"'
    if path != url:
        # One that was handed over as it is has no name by which it could be found again.
        app = target.name if ":" in target.name else "MODULE:APP"
        where = f'app="{app}"' + (f', app_path="{path}"' if path else "")
    name = re.sub(r"\W+", "_", f"{flaw.operation}_{flaw.kind}").strip("_").lower()
    return (
        "from mocksandbox.fuzz import replay\n\n\n"
        f"def test_{name}_{number}() -> None:\n"
        f'    found = replay("{provider.name}", {where}, cell={number}, seed={seed}, profile="{provider.default_profile}")\n'
        f"    assert {flaw.identity!r} not in found\n"
    )
