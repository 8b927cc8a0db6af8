"""The entries of the answer to a transaction or batch, each written as JSON as soon as it is known."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from mocksandbox import codec
from mocksandbox.exchange import Response
from mocksandbox.fhir.outcome import issue, operation_outcome
from mocksandbox.fhir.server.preferences import preferred
from mocksandbox.rules.attempt import Attempt


def bundle_of(kind: str, entries: Sequence[bytes]) -> bytes:
    """A Bundle of a kind, as JSON, with entries that are JSON already: they may be many bytes, and stay as they are."""
    bundle = codec.dumps({"resourceType": "Bundle", "id": str(uuid4()), "type": kind})
    return b"".join((bundle[:-1], b',"entry":[', b",".join(entries), b"]}")) if entries else bundle


def refused(status: HTTPStatus, code: str, says: str) -> bytes:
    """The entry that tells why one was not carried out, as JSON."""
    outcome = operation_outcome([issue(code, says)])
    return codec.dumps({"response": {"status": f"{status.value} {status.phrase}", "outcome": outcome}})


def answered(attempt: Attempt, got: Response) -> bytes:
    """The entry that tells of an answer, as JSON."""
    response: dict[str, Any] = {"status": f"{got.status} {HTTPStatus(got.status).phrase}"}
    for name, header in (("location", "Location"), ("etag", "ETag")):
        if header in got.headers:
            response[name] = got.headers[header]
    body = codec.loads(got.body) if got.body else None
    if body is not None and "meta" in body and got.status < 300 and "lastUpdated" in body["meta"]:
        response["lastModified"] = body["meta"]["lastUpdated"]
    if body is not None and body["resourceType"] == "OperationOutcome":
        return codec.dumps({"response": {**response, "outcome": body}})
    told = codec.dumps({"response": response})
    if body is None or ("location" in response and preferred(attempt, "return") != "representation"):
        return told
    return b'{"resource":' + got.body + b"," + told[1:]
