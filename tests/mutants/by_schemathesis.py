"""What `st run` finds in the server of our own: schemathesis as it comes, on the published document, without our hooks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.mutants.target import BASE
from tests.mutants.target import Target as Server

DOCUMENT = Path(__file__).parents[2] / "contracts" / "nhs" / "openapi.json"
_PATH = "/document.json"


@dataclass(frozen=True)
class Found:
    """What one run found: the identity of each failure (check, operation, title, status), and how many requests it took."""

    failures: frozenset[str]
    requests: int


class _Served:
    """The server with the document beside it; an exception is a 500, as any server would have it."""

    def __init__(self, *bugs: str) -> None:
        self.server = Server(*bugs)
        self.requests = 0
        document = json.loads(DOCUMENT.read_bytes())
        self.document = json.dumps({**document, "servers": [{"url": BASE}]}).encode()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        if environ["PATH_INFO"] == _PATH:
            start_response("200 OK", [("Content-Type", "application/json")])
            return [self.document]
        self.requests += 1
        try:
            return [b"".join(self.server(environ, start_response))]
        except Exception:
            start_response("500 Internal Server Error", [("Content-Type", "text/plain")])
            return [b"failed"]


def st_run(*bugs: str, seed: int = 0, go_on: bool = False) -> Found:
    """One `st run` of the server with these bugs: the default run, or with --continue-on-failure."""
    import schemathesis
    from schemathesis.config import CacheConfig, SchemathesisConfig
    from schemathesis.engine import events, from_schema

    served = _Served(*bugs)
    failures: set[str] = set()
    with TemporaryDirectory() as folder:
        config = SchemathesisConfig(seed=seed, cache=CacheConfig(enabled=False, directory=folder))
        schema = schemathesis.openapi.from_wsgi(_PATH, served, config=config)
        schema.config.update(continue_on_failure=go_on, workers=1)
        schema.config.generation.update(database="none")
        for event in from_schema(schema).execute():
            if not isinstance(event, events.ScenarioFinished):
                continue
            for id, checks in event.recorder.checks.items():
                operation = event.recorder.cases[id].value.operation
                interaction = event.recorder.interactions.get(id)
                status = interaction.response.status_code if interaction and interaction.response else 0
                failures |= {
                    f"{check.name}|{operation.label}|{check.failure_info.failure.title}|{status}"
                    for check in checks
                    if check.failure_info is not None
                }
    return Found(frozenset(failures), served.requests)


@cache
def clean(go_on: bool, seeds: tuple[int, ...]) -> frozenset[str]:
    """What is found in the server without bugs: false findings all."""
    return frozenset().union(*(st_run(seed=seed, go_on=go_on).failures for seed in seeds))
