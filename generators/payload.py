"""A payload: a request to send, and the truth about it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from mocksandbox import codec
from mocksandbox.exchange import Request

Verdict = Literal["must-accept", "must-reject", "either"]
"""What a right server does: take it, refuse it, or as it likes, where the service takes what its document or FHIR does not
allow."""


@dataclass(frozen=True, slots=True)
class Expected:
    """How a right server refuses: the HTTP status, the FHIR issue code, the API's own error code, and the places that it
    names.
    """

    status: int
    issue: str = ""
    error: str = ""
    places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Payload:
    """A request with its truth.

    `operation` is the provider's name and the operation's id (`nhs/createImmunization`). `broken` are the ids of all rules
    that the request breaks; `defect` names how it was broken, None when it was not; `expected` how it must be refused, None
    when it need not be. `needs` are the steps (`create`, `update`, `delete`) after which the verdict holds; most payloads
    need none. `seed` makes the same payload again; None when Hypothesis drew it.
    """

    operation: str
    request: Request
    seed: int | None
    verdict: Verdict = "must-accept"
    broken: frozenset[str] = frozenset()
    defect: str | None = None
    expected: Expected | None = None
    needs: tuple[str, ...] = ()

    @property
    def body(self) -> Any:
        """The JSON body, freshly parsed.

        Raises:
            ValueError: the body is no JSON.
        """
        return self.request.json()

    def line(self) -> bytes:
        """The payload as one line of NDJSON: its body under `body`, or its bytes in base64 under `raw` where they are no JSON,
        or are broken as bytes.
        """
        request = self.request
        told: dict[str, Any] = {
            "operation": self.operation,
            "method": request.method,
            "path": request.path,
            "query": [list(pair) for pair in request.query],
            "headers": dict(request.headers.pairs),
            **self._sent(),
            "broken": sorted(self.broken),
            "defect": self.defect,
            "verdict": self.verdict,
            "expect": _expectation(self.expected),
            "seed": self.seed,
        }
        if self.needs:
            told["needs"] = list(self.needs)
        return codec.dumps(told)

    def _sent(self) -> dict[str, Any]:
        body = self.request.body
        if not body:
            return {"body": None}
        if self.defect is None and self.request.method != "GET" and body[:1] == b"{" and b"\n" not in body:
            return {"body": orjson.Fragment(body)}  # ours, whole and on one line: it is JSON
        if self.defect is None or not self.defect.startswith(BYTES):
            try:
                return {"body": self.request.json()}
            except ValueError:
                pass
        return {"raw": base64.b64encode(body).decode()}


BYTES = "bytes/"
"""What the names of defects begin with that are about the bytes of a body."""


def _expectation(expected: Expected | None) -> Mapping[str, Any] | None:
    if expected is None:
        return None
    told = {"status": expected.status, "issue": expected.issue, "error": expected.error, "at": list(expected.places)}
    return {name: value for name, value in told.items() if value}
