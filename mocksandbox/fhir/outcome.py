"""OperationOutcome: the body of every refusal of a FHIR API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4


def issue(
    code: str,
    diagnostics: str,
    expression: Sequence[str] = (),
    *,
    severity: str = "error",
    error: str | None = None,
    system: str = "",
) -> dict[str, Any]:
    """One issue. `code` is FHIR's IssueType; `error` the API's own code, from `system`; `expression` the places."""
    made: dict[str, Any] = {"severity": severity, "code": code}
    if error is not None:
        made["details"] = {"coding": [{"system": system, "code": error} if system else {"code": error}]}
    made["diagnostics"] = diagnostics
    places = [place for place in dict.fromkeys(expression) if place]
    if places:
        made["expression"] = places
    return made


def operation_outcome(issues: Sequence[dict[str, Any]], *, id: str | None = None, profile: str = "") -> dict[str, Any]:
    """An OperationOutcome with these issues; a fresh UUID as its id unless one is given."""
    meta = {"meta": {"profile": [profile]}} if profile else {}
    return {"resourceType": "OperationOutcome", "id": id or str(uuid4()), **meta, "issue": list(issues)}
