"""`st run` with our hooks, as those who already use schemathesis run it: its own program, its own engine, our rules."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from mocksandbox.exchange import Headers, Request, Response
from mocksandbox.fuzz.campaign import Settings, run
from mocksandbox.fuzz.plan import plan
from mocksandbox.fuzz.transport import SandboxTarget
from mocksandbox.provider import Provider, open_provider
from mocksandbox.sandbox import Sandbox
from mocksandbox.server.wsgi import body_of, headers_of, origin_of, path_of, query_of
from tests.e2e.live import ROOT, serving

PROGRAM = Path(sys.executable).with_name("st")
DOCUMENT = ROOT / "contracts" / "nhs" / "openapi.json"
OURS = ("smoke", "rules", "must-accept")
SEED = 11

pytestmark = pytest.mark.skipif(not PROGRAM.is_file(), reason="needs the extra `fuzz`: pip install 'mocksandbox[fuzz]'")


def st(base: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`st run` on the published document against a URL, in a folder of its own."""
    command = [str(PROGRAM), "run", str(DOCUMENT), "--url", base, "--seed", str(SEED), "--no-color", *arguments]
    hooks = {"SCHEMATHESIS_HOOKS": "mocksandbox.schemathesis_bridge", "PYTHONPATH": str(ROOT), "COLUMNS": "300"}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MOCKSANDBOX_")}
    return subprocess.run(
        command, cwd=folder, env={**environment, **hooks}, capture_output=True, text=True, timeout=600, check=False
    )


def findings(output: str) -> set[tuple[str, str]]:
    """The findings of ours that schemathesis tells: class and rules."""
    return set(re.findall(r"^- ST901 ([a-z-]+): (.+)$", output, re.MULTILINE))


@dataclass
class Served:
    """A server in this process: its base URL, and the requests that it got from schemathesis itself."""

    base: str
    cases: list[str] = field(default_factory=list)


@contextmanager
def served(handle: Callable[[Request], Response], base_path: str) -> Iterator[Served]:
    """A function from requests to answers, at a port of its own."""
    told = Served("")

    def app(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        headers = headers_of(environ)
        if "X-Schemathesis-Testcaseid" in headers:
            told.cases.append(headers["X-Schemathesis-Testcaseid"])
        path = path_of(environ).removeprefix(base_path)
        body = body_of(environ, 10**7) or b""
        request = Request(environ["REQUEST_METHOD"], path, query_of(environ), headers, body, origin_of(environ) + base_path)
        answer = handle(request)
        start_response(f"{answer.status} Answer", list(answer.headers.pairs))
        return [answer.body]

    class Silent(WSGIRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with make_server("127.0.0.1", 0, app, handler_class=Silent) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        told.base = f"http://127.0.0.1:{server.server_port}{base_path}"
        try:
            yield told
        finally:
            server.shutdown()
            thread.join()


def without(provider: Provider, *rules: str) -> Provider:
    """The provider with these rules taken out of its catalogue."""
    left = tuple(rule for rule in provider.catalogue if rule.id not in rules)
    assert len(left) == len(provider.catalogue) - len(rules)
    return replace(provider, catalogue=replace(provider.catalogue, rules=left))


def test_the_right_mock_has_no_failure_and_every_cell_goes_through_the_engine(tmp_path: Path) -> None:
    with serving() as server:
        done = st(server.base, tmp_path, "--phases", "examples")
    assert done.returncode == 0, done.stdout[-3000:]
    told = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
    assert told, done.stdout[-3000:]
    cells = [each for each in plan(open_provider("nhs"), SEED) if each.source in OURS and each.make is not None]
    assert int(told[1]) == int(told[2])
    assert int(told[1]) >= len(cells) > 1000
    sent = re.search(r"schemathesis sent (\d+) requests, (\d+) of them cells of our plan", done.stdout)
    assert sent, "the requests of each engine are told"
    assert len(cells) - 5 <= int(sent[2]) <= int(sent[1]) <= int(told[1])


def test_the_right_mock_has_no_failure_in_the_phases_that_schemathesis_makes_up(tmp_path: Path) -> None:
    with serving() as server:
        done = st(server.base, tmp_path, "--phases", "coverage,fuzzing,stateful", "--max-examples", "10")
    assert done.returncode == 0, done.stdout[-3000:]


def test_rules_that_are_not_enforced_are_told_as_our_own_runner_tells_them(tmp_path: Path) -> None:
    provider = open_provider("nhs")
    off = ("nhs/bad-nhs-number", "nhs/bad-postal-code", "nhs/duplicate-identifier")
    wrong = without(provider, *off)
    with served(Sandbox(wrong).handle, provider.base_path) as server:
        done = st(server.base, tmp_path, "--phases", "examples", "--include-operation-id", "createImmunization")
    assert done.returncode == 1, done.stdout[-3000:]
    told = findings(done.stdout)
    assert {("accepted-invalid", rule) for rule in off} <= told
    report = run("nhs", SandboxTarget(Sandbox(wrong)), Settings(seed=SEED, sources=frozenset(OURS), shrink=False))
    flaws = [each.flaw for each in report.findings if each.flaw.operation == "createImmunization"]
    assert told == {(flaw.kind, ", ".join(flaw.rules) or flaw.operation) for flaw in flaws}


def test_a_server_that_takes_everything_is_told_every_rule(tmp_path: Path) -> None:
    provider = open_provider("nhs")

    def yes(request: Request) -> Response:
        return Response(201, Headers([("Location", f"{request.base_url}/Immunization/1"), ("E-Tag", "1")]))

    with served(yes, provider.base_path) as server:
        done = st(server.base, tmp_path, "--phases", "examples", "--include-operation-id", "createImmunization")
    assert done.returncode == 1, done.stdout[-3000:]
    cells = [each for each in plan(provider, SEED) if each.operation == "createImmunization" and each.source in OURS]
    assert len(server.cases) >= len([each for each in cells if each.make is not None])
    broken = {each.rule for each in cells if each.rule and each.make is not None and each.make().verdict == "must-reject"}
    named = {rule for kind, rules in findings(done.stdout) if kind == "accepted-invalid" for rule in rules.split(", ")}
    assert len(broken) > 60
    assert broken - named == set()
