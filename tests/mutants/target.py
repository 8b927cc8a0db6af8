"""A server with the documented behaviour of the NHS Immunisation FHIR API, written without the package: the fuzzer's mark.

`Target("bug", …)` is a WSGI application with these bugs switched on (see `tests/mutants/bugs.py`); `Target()` has none.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, quote

from tests.mutants import searching
from tests.mutants.fhir import read_resource
from tests.mutants.validation import NHS, SNOMED, TYPES, faults_of, spots

BASE = "/immunisation-fhir-api/FHIR/R4"
FHIR = "application/fhir+json"
FORM = "application/x-www-form-urlencoded"
PROFILE = "https://simplifier.net/guide/UKCoreDevelopment2/ProfileUKCore-OperationOutcome"
SYSTEM = "https://fhir.nhs.uk/Codesystem/http-error-codes"
PLAIN = re.compile(r"[A-Za-z0-9/_.$~:@!&'()*+,;=-]*")


class RefusedError(Exception):
    """A refusal: status, FHIR issue code, the API's own code, the place, words."""

    def __init__(self, status: int, issue: str, error: str, at: str, says: str, *, gateway: bool = False) -> None:
        super().__init__(says)
        self.status, self.issue, self.error, self.at, self.says, self.gateway = status, issue, error, at, says, gateway


@dataclass
class Stored:
    """One record, as it is now and as it was before."""

    id: str
    version: int
    body: dict[str, Any]
    live: bool = True
    before: dict[str, Any] | None = None

    @property
    def patient(self) -> dict[str, Any]:
        return self._inside("Patient")

    @property
    def practitioner(self) -> Any:
        return self._inside("Practitioner").get("id")

    def _inside(self, kind: str) -> dict[str, Any]:
        inside = (
            each for each in self.body.get("contained", []) if isinstance(each, dict) and each.get("resourceType") == kind
        )
        return next(inside, {})

    @property
    def number(self) -> str:
        return next(
            (each.get("value", "") for each in self.patient.get("identifier", []) if each and each.get("system") == NHS), ""
        )

    @property
    def type(self) -> str:
        codes = [v for _, v in spots(self.body, f"protocolApplied[0].targetDisease[*].coding[?system={SNOMED}].code")]
        return TYPES.get(frozenset(code for code in codes if isinstance(code, str)), "")

    @property
    def day(self) -> str:
        try:
            return date.fromisoformat(self.body.get("occurrenceDateTime", "")[:10]).isoformat()
        except ValueError:
            return ""

    @property
    def key(self) -> tuple[Any, Any]:
        first = (self.body.get("identifier") or [{}])[0] or {}
        return first.get("system"), first.get("value")


class Target:
    """The application."""

    def __init__(self, *bugs: str) -> None:
        self.bugs = frozenset(bugs)
        self.records: dict[str, Stored] = {}
        self.by_key: dict[tuple[Any, Any], Stored] = {}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        # PEP 3333 gives the path decoded, in latin-1: as it was sent it is percent-encoded.
        path = environ["PATH_INFO"]
        path = (path if PLAIN.fullmatch(path) else quote(path.encode("latin-1"), safe="/_.$~:@!&'()*+,;=-")).removeprefix(BASE)
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else b""
        self.base = f"{environ['wsgi.url_scheme']}://{environ['HTTP_HOST']}{BASE}"
        try:
            status, headers, answer = self._answer(method, path, environ, body)
        except RefusedError as refused:
            status, headers, answer = self._refusal(refused, body)
        for name in ("X-Request-ID", "X-Correlation-ID"):
            value = environ.get("HTTP_" + name.upper().replace("-", "_"))
            if value is not None:
                headers.append((name, value))
        if answer is not None and not any(name == "Content-Type" for name, _ in headers):
            headers.append(("Content-Type", "text/html" if "answers-as-html" in self.bugs else FHIR))
        start_response(f"{status} Answer", headers)
        return [json.dumps(answer, default=float).encode() if answer is not None else b""]

    def _refusal(self, refused: RefusedError, body: bytes) -> tuple[int, list[tuple[str, str]], Any]:
        bugs, status, issue, error, says = self.bugs, refused.status, refused.issue, refused.error, refused.says
        if "refusals-are-422" in bugs and status == 400:
            status = 422
        if "duplicate-is-400" in bugs and error == "DUPLICATE":
            status = 400
        if "duplicate-is-409" in bugs and error == "DUPLICATE":
            status = 409
        if "missing-is-410" in bugs and status == 404:
            status = 410
        if "missing-is-400" in bugs and status == 404 and not refused.gateway:
            status = 400
        if "refusal-is-200" in bugs and status == 400:
            status = 200
        if "issue-code-processing" in bugs and issue == "invariant":
            issue = "processing"
        if "error-code-missing" in bugs:
            error = ""
        if "error-code-underscore" in bugs:
            error = error.replace("-", "_")
        if "echoes-the-patient" in bugs and body:
            says += " " + " ".join(re.findall(r"\b999\d{7}\b", body.decode("utf-8", "replace"))[:1])
        if "echoes-the-name" in bugs and body:
            says += " " + " ".join(re.findall(r'"family":\s*"([^"]+)"', body.decode("utf-8", "replace"))[:2])
        at = refused.at
        if "says-nothing" in bugs:
            says, at = "The request is wrong", ""
        coding = [{"system": SYSTEM, "code": error}] if error else []
        made: dict[str, Any] = {"severity": "error", "code": issue, "details": {"coding": coding}, "diagnostics": says}
        if at:
            made["expression"] = [at]
        outcome: Any = {
            "resourceType": "OperationOutcome",
            "id": str(uuid.uuid4()),
            "meta": {"profile": [PROFILE]},
            "issue": [made],
        }
        if "outcome-without-issues" in bugs:
            outcome["issue"] = []
        if "outcome-is-a-problem" in bugs:
            outcome = {"title": "Bad Request", "status": status, "detail": says}
        if "severity-missing" in bugs:
            del made["severity"]
        if "empty-refusals" in bugs:
            outcome = {}
        headers = [("Content-Type", "application/json")] if refused.gateway else []
        if status == 405:
            headers.append(("Allow", "GET, POST, DELETE, PUT"))
        return status, headers, outcome

    def _answer(self, method: str, path: str, environ: dict[str, Any], body: bytes) -> tuple[int, list[tuple[str, str]], Any]:
        bugs = self.bugs
        if method not in ("GET", "POST", "PUT", "DELETE"):
            raise RefusedError(405, "not-supported", "NOT_SUPPORTED", "", f"{method} is not supported", gateway=True)
        item = re.fullmatch(r"/Immunization/([^/]*)", path)
        search = (method == "GET" and path == "/Immunization") or (method == "POST" and path == "/Immunization/_search")
        create = method == "POST" and path == "/Immunization"
        known = create or search or (item is not None and item[1] and method in ("GET", "PUT", "DELETE"))
        if not known:
            raise RefusedError(404, "not-found", "NOT_FOUND", "", "Not found", gateway=True)
        accept = environ.get("HTTP_ACCEPT", "").strip()
        if (
            accept
            and not re.fullmatch(r"(application/fhir\+json(;\s*version=\d+|;)?|\*/\*)", accept, re.I)
            and "off:accept" not in bugs
        ):
            raise RefusedError(
                400, "invalid", "BAD_REQUEST", "http.Accept", "Accept must be application/fhir+json", gateway=True
            )
        if search:
            return self._search(method, environ, body)
        if create:
            return self._create(body)
        assert item is not None
        id = re.sub("%([0-9A-Fa-f]{2})", lambda found: chr(int(found[1], 16)), item[1])
        if method == "PUT":
            return self._update(id, environ.get("HTTP_E_TAG"), body)
        self._good_id(id)
        record = self.records.get(id)
        shown = record is not None and (record.live or (method, True) in self._dead_are_seen())
        if record is None or not shown:
            raise RefusedError(404, "not-found", "NOT-FOUND", "http.id", f"The record with the id {id} does not exist")
        return self._delete(record) if method == "DELETE" else self._read(record)

    def _dead_are_seen(self) -> set[tuple[str, bool]]:
        return {("GET", "reads-deleted" in self.bugs), ("DELETE", "deletes-twice" in self.bugs)}

    def _good_id(self, id: str) -> None:
        if not re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", id) and "off:id" not in self.bugs:
            raise RefusedError(400, "invalid", "INVALID", "http.id", "the id is not in the expected format")

    def _body(self, body: bytes) -> dict[str, Any]:
        if "empty-body-crashes" in self.bugs and not body:
            raise RuntimeError("no body")
        try:
            read = json.loads(body.decode("utf-8"), parse_float=Decimal)
        except (ValueError, RecursionError):
            raise RefusedError(400, "invalid", "INVALID", "", "The body is no JSON") from None
        if not isinstance(read, dict):
            if "list-body-crashes" in self.bugs:
                raise RuntimeError("no object")
            raise RefusedError(400, "invalid", "INVALID", "", "The body is no object")
        return read

    def _valid(self, body: dict[str, Any]) -> None:
        bugs = self.bugs
        if "empty-contained-crashes" in bugs and body.get("contained") == []:
            raise IndexError
        if "null-lot-crashes" in bugs and body.get("lotNumber", "") is None:
            raise TypeError
        if "long-text-crashes" in bugs and any(isinstance(v, str) and len(v) > 5000 for v in body.values()):
            raise MemoryError
        if "emoji-crashes" in bugs and any(isinstance(v, str) and "👩" in v for v in body.values()):
            raise UnicodeError
        if "two-names-refused" in bugs and any(
            len(v) > 1 for _, v in spots(body, "contained[?resourceType=Patient].name") if isinstance(v, list)
        ):
            raise RefusedError(400, "invariant", "INVARIANT", "Immunization.contained", "contained: name must be one")
        if "no-practitioner-refused" in bugs and len(body.get("contained") or []) == 1:
            raise RefusedError(400, "invariant", "INVARIANT", "Immunization.contained", "contained must have a Practitioner")
        if "second-vaccine-coding-refused" in bugs and len(spots(body, "vaccineCode.coding[*]")) > 1:
            raise RefusedError(400, "invariant", "INVARIANT", "Immunization.vaccineCode", "vaccineCode must have one coding")
        if "dose-in-words-refused" in bugs and any(
            isinstance(v, str) for _, v in spots(body, "protocolApplied[0].doseNumberString")
        ):
            raise RefusedError(400, "invariant", "INVARIANT", "Immunization.protocolApplied", "doseNumberString is not taken")
        faults = faults_of(body, bugs)
        if faults:
            at, _name = faults[0]
            said = "; ".join(dict.fromkeys(f"{place} is wrong ({check})" for place, check in faults[:20]))
            raise RefusedError(400, "invariant", "INVARIANT", f"Immunization.{at}", said)

    def _kept(self, body: dict[str, Any], id: str) -> dict[str, Any]:
        read = read_resource("Immunization", body, "Immunization", [])
        kept = {"resourceType": "Immunization", **(read if isinstance(read, dict) else {}), "id": id}
        if "loses-the-lot" in self.bugs:
            kept.pop("lotNumber", None)
        if "loses-the-second-given-name" in self.bugs:
            for _, name in spots(kept, "contained[?resourceType=Patient].name[0]"):
                name["given"] = name.get("given", [])[:1]
        if "rounds-the-dose" in self.bugs and isinstance(kept.get("doseQuantity"), dict) and "value" in kept["doseQuantity"]:
            kept["doseQuantity"]["value"] = round(float(kept["doseQuantity"]["value"])) + 1
        if "day-off-by-one" in self.bugs and isinstance(kept.get("expirationDate"), str):
            kept["expirationDate"] = kept["expirationDate"][:-1] + ("1" if kept["expirationDate"][-1] != "1" else "2")
        if "drops-the-offset" in self.bugs and isinstance(kept.get("recorded"), str):
            kept["recorded"] = kept["recorded"][:19]
        if "upper-cases-names" in self.bugs:
            for _, name in spots(kept, "contained[?resourceType=Patient].name[0]"):
                name["family"] = str(name.get("family")).upper()
        if "display-truncated" in self.bugs:
            for _, coding in spots(kept, "vaccineCode.coding[0]"):
                coding["display"] = str(coding.get("display"))[:20]
        return kept

    def _create(self, raw: bytes) -> tuple[int, list[tuple[str, str]], Any]:
        bugs, body = self.bugs, self._body(raw)
        if body.get("id") is not None and "off:id-on-create" not in bugs:
            raise RefusedError(400, "invariant", "INVARIANT", "Immunization.id", "id must not be there")
        if "stores-what-it-refuses" in bugs:
            try:
                self._valid(body)
            except RefusedError:
                self._keep_anyway(body)
                raise
        self._valid(body)
        made = Stored(str(uuid.uuid4()), 2 if "versions-from-2" in bugs else 1, {})
        made.body = self._kept(body, made.id)
        earlier = self.by_key.get(made.key)
        if earlier is not None and earlier.live and "accepts-duplicates" not in bugs:
            raise RefusedError(422, "duplicate", "DUPLICATE", "Immunization.identifier[0]", "the identifier is a duplicate")
        if earlier is not None and not earlier.live and "reinstates-nothing" in bugs:
            raise RefusedError(422, "duplicate", "DUPLICATE", "Immunization.identifier[0]", "the identifier is a duplicate")
        if earlier is not None and not earlier.live and "reinstates-as-new" not in bugs:
            made.id, made.version = earlier.id, earlier.version + 1
            made.body["id"] = made.id
        if "create-stores-nothing" not in bugs:
            self.records[made.id] = self.by_key[made.key] = made
        location = f"{self.base}/Immunization/{made.id}"
        if "location-leads-nowhere" in bugs:
            location = f"{self.base}/Immunization/{uuid.uuid4()}"
        headers = [("Location", location), ("E-Tag", str(made.version))]
        if "no-location" in bugs:
            headers = headers[1:]
        if "no-version-on-create" in bugs:
            headers = headers[:1]
        if "create-answers-the-record" in bugs:
            return 201, headers, ["made"]
        return 200 if "create-is-200" in bugs else 202 if "create-is-202" in bugs else 201, headers, None

    def _keep_anyway(self, body: dict[str, Any]) -> None:
        try:
            made = Stored(str(uuid.uuid4()), 1, {})
            made.body = self._kept(body, made.id)
            self.records[made.id] = self.by_key[made.key] = made
        except (AttributeError, TypeError, ValueError, LookupError):
            pass

    def _read(self, record: Stored | None) -> tuple[int, list[tuple[str, str]], Any]:
        assert record is not None
        body, bugs = record.body, self.bugs
        if "reads-are-stale" in bugs and record.before is not None:
            body = record.before
        if "read-without-contained" in bugs:
            body = {**body, "contained": []}
        if "read-with-another-id" in bugs:
            body = {**body, "id": str(uuid.uuid4())}
        if "read-adds-text" in bugs:
            body = {**body, "lotNumber": body.get("lotNumber", "") + " "}
        version = record.version + ("version-ahead-on-read" in bugs)
        return 200, [] if "no-version-on-read" in bugs else [("E-Tag", str(version))], body

    def _delete(self, record: Stored | None) -> tuple[int, list[tuple[str, str]], Any]:
        assert record is not None
        if "delete-does-nothing" not in self.bugs:
            record.live = False
        if "delete-forgets" in self.bugs:
            del self.records[record.id]
            self.by_key.pop(record.key, None)
        return (200, [], {"resourceType": "Immunization"}) if "delete-is-200" in self.bugs else (204, [], None)

    def _update(self, id: str, tag: str | None, raw: bytes) -> tuple[int, list[tuple[str, str]], Any]:
        bugs = self.bugs
        if tag is None and "off:version-missing" not in bugs:
            raise RefusedError(400, "invariant", "INVARIANT", "http.E-Tag", "E-Tag is missing")
        self._good_id(id)
        wanted = int(tag) if tag is not None and tag.isdecimal() and len(tag) < 20 else 0
        if wanted < 1 and tag is not None and "off:version-format" not in bugs:
            raise RefusedError(400, "invariant", "INVARIANT", "http.E-Tag", "E-Tag is not valid")
        body = self._body(raw)
        if body.get("id") != id and "off:same-id" not in bugs:
            raise RefusedError(400, "invariant", "INVARIANT", "Immunization.id", "the id is another than the path's")
        if "update-validates-nothing" not in bugs:
            self._valid(body)
        record = self.records.get(id)
        if record is None or (not record.live and "update-does-not-reinstate" in bugs):
            if record is None and "update-creates" in bugs:
                record = self.records[id] = Stored(id, 0, body)
            else:
                raise RefusedError(404, "not-found", "NOT-FOUND", "http.id", f"The record with the id {id} does not exist")
        sent = Stored(id, 0, self._kept(body, id))
        if sent.key != record.key and record.version and "off:same-identifier" not in bugs:
            raise RefusedError(400, "invariant", "INVARIANT", "Immunization.identifier[0].value", "the identifier is another")
        if record.live and wanted != record.version and record.version:
            ahead, stale = wanted > record.version, wanted < record.version
            if not (
                ("accepts-stale-versions" in bugs and stale)
                or ("accepts-versions-ahead" in bugs and ahead)
                or "off:versions" in bugs
            ):
                raise RefusedError(400, "invariant", "INVARIANT", "http.E-Tag", "E-Tag is another version")
        record.before = record.body
        if "update-merges" in bugs:
            sent.body = {**record.body, **sent.body}
        if "update-stores-nothing" not in bugs:
            record.body = sent.body
        record.live = True
        record.version += 0 if "version-does-not-rise" in bugs else 2 if "version-rises-by-2" in bugs else 1
        headers = [] if "no-version-on-update" in bugs else [("E-Tag", str(record.version))]
        return (204, headers, None) if "update-is-204" in bugs else (201 if "update-is-201" in bugs else 200, headers, None)

    def _search(self, method: str, environ: dict[str, Any], body: bytes) -> tuple[int, list[tuple[str, str]], Any]:
        bugs = self.bugs
        if method == "POST":
            kind = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
            if body and kind not in ("", FORM) and "off:form" not in bugs:
                raise RefusedError(400, "invalid", "INVALID", "http.Content-Type", "Content-Type must be a form")
            pairs = parse_qsl(body.decode("utf-8", "replace"))
        else:
            pairs = parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True, errors="replace")
        if "search-crashes-on-blank" in bugs and any(not value for _, value in pairs):
            raise RuntimeError("blank")
        try:
            asked = searching.read(pairs, bugs)
        except searching.WrongSearchError as wrong:
            raise RefusedError(400, "invalid", "INVALID", f"http.{wrong.at}", wrong.why) from None
        if "identifier" in asked:
            system, _, value = asked["identifier"][0].partition("|")
            found = self.by_key.get((system, value))
            if "identifier-search-finds-nothing" in bugs:
                found = None
            return 200, [], searching.identifier_bundle(asked, found, self.base, bugs)
        if "post-search-finds-nothing" in bugs and method == "POST":
            return 200, [], searching.bundle(f"{self.base}/Immunization", [], 0)
        made = searching.patient_bundle(asked, self.records.values(), self.base, self._warning, bugs)
        if "search-without-total" in bugs:
            del made["total"]
        if "search-is-a-collection" in bugs:
            made["type"] = "collection"
        return 200, [], made

    def _warning(self, why: str) -> Any:
        coding = [{"system": SYSTEM, "code": "INVALID"}]
        made = {"severity": "warning", "code": "invalid", "details": {"coding": coding}, "diagnostics": why}
        return {"resourceType": "OperationOutcome", "id": str(uuid.uuid4()), "meta": {"profile": [PROFILE]}, "issue": [made]}
