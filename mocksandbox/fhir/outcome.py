"""OperationOutcome: the body of every refusal of a FHIR API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mocksandbox.exchange import Response
from mocksandbox.provider.model import Told
from mocksandbox.rules.values import new_uuid


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
    return {"resourceType": "OperationOutcome", "id": id or new_uuid(), **meta, "issue": list(issues)}


def outcome_told(response: Response) -> Told | None:
    """What the first error of an OperationOutcome says; None when the answer is no OperationOutcome with an issue."""
    try:
        body = response.json()
    except ValueError:
        return None
    issues = body.get("issue") if isinstance(body, dict) and body.get("resourceType") == "OperationOutcome" else None
    listed = [each for each in issues if isinstance(each, dict)] if isinstance(issues, list) else []
    if not listed:
        return None
    codings = [coding for each in listed for coding in _codings(each.get("details"))]
    places = [place for each in listed for place in each.get("expression") or () if isinstance(place, str)]
    text = "; ".join(str(each.get("diagnostics", "")) for each in listed)
    error = str(codings[0].get("code", "")) if codings else ""
    return Told(str(listed[0].get("code", "")), error, frozenset(places), text)


def _codings(details: Any) -> list[dict[str, Any]]:
    codings = details.get("coding") if isinstance(details, dict) else None
    return [coding for coding in codings if isinstance(coding, dict)] if isinstance(codings, list) else []
