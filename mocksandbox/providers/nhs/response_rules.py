"""What every answer of the NHS service keeps, beyond its document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from mocksandbox import codec
from mocksandbox.exchange import Exchange
from mocksandbox.providers.nhs.answers import FHIR_JSON
from mocksandbox.providers.nhs.outcome import ERROR_CODES
from mocksandbox.providers.nhs.promise import CREATE, READ, UPDATE
from mocksandbox.rules import ALL, Defect, Hit, Rule
from mocksandbox.rules.places import get

_PAIRS = {
    "invariant": {"INVARIANT"},
    "invalid": {"INVALID", "BAD_REQUEST"},
    "forbidden": {"FORBIDDEN", "SEND_UNAUTHORIZED"},
    "not-found": {"NOT-FOUND", "NOT_FOUND"},
    "duplicate": {"DUPLICATE"},
    "exception": {"EXCEPTION"},
    "not-supported": {"NOT_SUPPORTED", "NOT_ACCEPTABLE", "UNSUPPORTED_MEDIA_TYPE"},
    "expired": {"SEND_UNAUTHORIZED"},
    "login": {"UNAUTHORIZED"},
    "too-long": {"PAYLOAD_TOO_LARGE"},
    "throttled": {"TOO_MANY_REQUESTS"},
}
"""The service's error codes for each issue code (observed, B1)."""


def _json(body: bytes) -> Any:
    try:
        return codec.loads(body)
    except ValueError:
        return None


def _issues(exchange: Exchange) -> list[Any]:
    body = _json(exchange.response.body)
    found = body.get("issue") if isinstance(body, dict) else None
    return found if isinstance(found, list) else []


def _not_an_outcome(exchange: Exchange) -> Iterator[Hit]:
    if exchange.response.status < 400:
        return
    body = _json(exchange.response.body)
    if not isinstance(body, dict) or body.get("resourceType") != "OperationOutcome" or not _issues(exchange):
        yield "body", "response.differs", {"at": "The refusal", "problem": "is not an OperationOutcome with an issue"}


def _wrong_pair(exchange: Exchange) -> Iterator[Hit]:
    for index, issue in enumerate(_issues(exchange) if exchange.response.status >= 400 else ()):
        code, coding = get(issue, ("code",)), get(issue, ("details", "coding", 0))
        error = coding.get("code") if isinstance(coding, dict) and coding.get("system") == ERROR_CODES else None
        if error not in _PAIRS.get(code if isinstance(code, str) else "", ()):
            at = f"OperationOutcome.issue[{index}].details.coding"
            yield at, "response.differs", {"at": at, "problem": f"must be the error code of the issue code {code}"}


def _without_version(exchange: Exchange) -> Iterator[Hit]:
    version = exchange.response.headers.get("E-Tag", "")
    if exchange.response.status in (200, 201) and not (version.isdecimal() and int(version) > 0):
        yield "header:E-Tag", "response.differs", {"at": "E-Tag", "problem": "must be the record's version, from 1"}


def _other_id(exchange: Exchange) -> Iterator[Hit]:
    body = _json(exchange.response.body) if exchange.response.status == 200 else None
    if isinstance(body, dict) and body.get("id") != exchange.request.path.rpartition("/")[2]:
        at = "Immunization.id"
        yield at, "response.differs", {"at": at, "problem": "must be the id that was asked for"}


def _echoed_person(exchange: Exchange) -> Iterator[Hit]:
    """A refusal must not repeat the patient's NHS number."""
    sent = _json(exchange.request.body)
    contained = sent.get("contained") if isinstance(sent, dict) else None
    numbers = {
        get(item, ("identifier", 0, "value"))
        for item in (contained if isinstance(contained, list) else ())
        if isinstance(get(item, ("identifier", 0, "value")), str)
    }
    text = exchange.response.body.decode("utf-8", "replace") if exchange.response.status >= 400 else ""
    if any(len(number) >= 10 and number in text for number in numbers):
        yield "body", "response.differs", {"at": "The refusal", "problem": "repeats the patient's NHS number"}


def _changed(exchange: Exchange, **changes: Any) -> Exchange:
    return replace(exchange, response=replace(exchange.response, **changes))


def _refused(exchange: Exchange, body: bytes) -> Exchange:
    refused = _changed(exchange, status=400, body=body)
    return replace(refused, response=refused.response.with_header("Content-Type", FHIR_JSON))


def _edited(exchange: Exchange, edit: Callable[[Any], Any]) -> Exchange:
    return _changed(exchange, body=codec.dumps(edit(codec.loads(exchange.response.body))))


def nhs_response_rules() -> tuple[Rule[Exchange], ...]:
    """The rules, in no particular order: all are looked at."""
    body = frozenset({"http/response-body"})
    return (
        _rule(
            "refusal-not-an-outcome",
            "Every refusal is an OperationOutcome",
            "Clients read the reason from there.",
            "openapi.json#/components/schemas/OperationOutcome",
            _not_an_outcome,
            Defect("problem-json", lambda e: _refused(e, b'{"title": "Bad Request"}'), body),
        ),
        _rule(
            "wrong-error-code",
            "Issue code and error code belong together",
            "Clients tell errors apart by the error code.",
            "openapi.json#/components/responses/500-all-endpoints",
            _wrong_pair,
            Defect("other-code", lambda e: _refused(e, _OTHER_CODE)),
        ),
        _rule(
            "answer-without-version",
            "A record's answer has its version in E-Tag",
            "Without it the record cannot be updated.",
            "openapi.json#/components/headers/E-Tag",
            _without_version,
            Defect(
                "no-header",
                lambda e: replace(e, response=e.response.with_header("E-Tag", None)),
                frozenset({"http/response-header"}),
            ),
            operations=frozenset({CREATE, READ, UPDATE}),
        ),
        _rule(
            "other-record",
            "A read gives the record that was asked for",
            "Another record is another patient's.",
            "openapi.json#/paths/~1Immunization~1{id}/get",
            _other_id,
            Defect("other-id", lambda e: _edited(e, lambda read: {**read, "id": "another"})),
            operations=frozenset({READ}),
        ),
        _rule(
            "echoed-person",
            "A refusal does not repeat the patient's NHS number",
            "Refusals end in logs, where no patient belongs.",
            "openapi.json#/components/schemas/OperationOutcome/properties/issue/items/properties/diagnostics",
            _echoed_person,
            Defect("echo", _echo),
            operations=frozenset({CREATE, UPDATE}),
        ),
    )


_OTHER_CODE = codec.dumps(
    {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "error",
                "code": "invalid",
                "details": {"coding": [{"system": ERROR_CODES, "code": "DUPLICATE"}]},
                "diagnostics": "x",
            }
        ],
    }
)


def _echo(exchange: Exchange) -> Exchange:
    number = codec.loads(exchange.request.body)["contained"][-1]["identifier"][0]["value"]
    outcome = codec.loads(_OTHER_CODE)
    outcome["issue"][0]["details"]["coding"][0]["code"] = "INVALID"
    outcome["issue"][0]["diagnostics"] = f"{number} is not a valid NHS number"
    return _refused(exchange, codec.dumps(outcome))


def _rule(
    name: str,
    title: str,
    why: str,
    source: str,
    find: Callable[[Exchange], Iterator[Hit]],
    *defects: Defect[Exchange],
    operations: frozenset[str] = frozenset(),
) -> Rule[Exchange]:
    return Rule(
        id=f"nhs/{name}",
        title=title,
        why=why,
        source=source,
        operations=operations,
        stage="response",
        status=0,
        issue="",
        error="",
        find=find,
        defects=defects,
        profiles=ALL,
    )
