"""The life of records against an independent model: plain dicts that follow the observed facts, nothing of the provider."""

from __future__ import annotations

import os
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from mocksandbox import Request, Response
from mocksandbox.exchange import Headers
from mocksandbox.providers.nhs import provider
from mocksandbox.sandbox import Sandbox
from tests.conformance.recorded import BASE_URL, cases

FULL = os.environ.get("MOCKSANDBOX_FULL") == "1"
# The same sequences in each run, so that a build does not fail by chance; the full run goes much further.
SETTINGS = settings(
    max_examples=2000 if FULL else 100, stateful_step_count=40, derandomize=True, deadline=None, print_blob=False
)

RECORDED = next(case for case in cases() if case["name"] == "seq/update:changed-lot")["steps"][0]["json"]
NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
SNOMED = "http://snomed.info/sct"
SYSTEM = "https://supplier.example/immunisations"
PATIENTS = ("9990000018", "9990000026")
# Measles is in two of the types: a search by disease finds both.
VACCINES = {
    "COVID": ("840539006",),
    "MMR": ("14189004", "36989005", "36653000"),
    "MMRV": ("14189004", "36989005", "36653000", "38907003"),
}
SUPPORTED_DISEASES = ("840539006", "14189004", "38907003")
DAYS = ("2021-03-01", "2022-10-01", "2023-06-15")
# As sent and as given back: the service writes fractions with six digits. The day is that of the text, in its own offset.
MOMENTS = {
    "2021-03-01": "2021-03-01",
    "2022-10-01T10:00:00.123+00:00": "2022-10-01T10:00:00.123000+00:00",
    "2023-06-15T00:30:00+01:00": "2023-06-15T00:30:00+01:00",
}
INVALID_TAGS = ("0", "-1", "1.0", '"1"', 'W/"1"', "abc", "")
NO_ID = "00000000-0000-4000-8000-000000000000"

Content = dict[str, Any]
Expected = tuple[int, str, str]
"""What a refusal says: status, issue code, diagnostics."""


@dataclass
class Kept:
    """What the model knows of one record."""

    identifier: str
    version: int
    content: Content
    deleted: bool = False


@dataclass
class Model:
    """The records by id, in the order in which they were created."""

    records: dict[str, Kept] = field(default_factory=dict)
    used: int = 0

    def ids(self, *, deleted: bool) -> list[str]:
        """The ids of the records in this state."""
        return [id for id, kept in self.records.items() if kept.deleted is deleted]


contents = st.fixed_dictionaries(
    {
        "patient": st.sampled_from(PATIENTS),
        "vaccine": st.sampled_from(sorted(VACCINES)),
        "moment": st.sampled_from(sorted(MOMENTS)),
        "lot": st.sampled_from(("A1", "B2")),
        "practitioner": st.booleans(),
        "meta": st.booleans(),
    }
)
picks = st.integers(0, 7)
methods = st.sampled_from(("GET", "POST"))


def sent_body(content: Content, identifier: str, id: str | None = None) -> dict[str, Any]:
    """The record to send: a recorded one with the content in it."""
    body = deepcopy(RECORDED)
    practitioner, patient = body["contained"]
    patient["identifier"][0]["value"] = content["patient"]
    body["identifier"][0]["value"] = identifier
    body["occurrenceDateTime"] = content["moment"]
    body["recorded"] = "2024-02-07T13:30:00Z"
    body["lotNumber"] = content["lot"]
    codings = [[{"system": SNOMED, "code": code}] for code in VACCINES[content["vaccine"]]]
    body["protocolApplied"][0]["targetDisease"] = [{"coding": coding} for coding in codings]
    if not content["practitioner"]:
        body["contained"].remove(practitioner)
        body["performer"] = [item for item in body["performer"] if "reference" not in item["actor"]]
    if content["meta"]:
        body["meta"] = {"versionId": "42"}
    return body if id is None else {**body, "id": id}


def read_body(kept: Kept, id: str) -> dict[str, Any]:
    """The record as a read gives it: with its id and with normal times, the rest as sent."""
    body = sent_body(kept.content, kept.identifier, id)
    body["occurrenceDateTime"] = MOMENTS[kept.content["moment"]]
    body["recorded"] = "2024-02-07T13:30:00+00:00"
    return body


def found_body(kept: Kept, id: str, patient_url: str) -> dict[str, Any]:
    """The record as a search gives it: nothing contained, the patient by number only."""
    body = read_body(kept, id)
    body["meta"] = {"versionId": str(kept.version)}
    body["identifier"] = [{"use": "official", **body["identifier"][0]}]
    body["patient"] = {
        "reference": patient_url,
        "type": "Patient",
        "identifier": {"system": NHS_NUMBER, "value": kept.content["patient"]},
    }
    body["performer"] = [item for item in body["performer"] if "reference" not in item["actor"]]
    del body["contained"]
    return body


def tag_refused(tag: str | None, id: str, kept: Kept) -> Expected | None:
    """How an update with this E-Tag is refused, None when it is not. A deleted record's version is not compared."""
    version = "Validation errors: Immunization resource version"
    named = f"Validation errors: The requested immunization resource {id}"
    if tag is None:
        return 400, "invariant", f"{version} not specified in the request headers"
    if not tag.isdigit() or int(tag) == 0:
        return 400, "invariant", f"{version}:{tag} in the request headers is invalid."
    if kept.deleted or int(tag) == kept.version:
        return None
    if int(tag) < kept.version:
        return 400, "invariant", f"{named} has changed since the last retrieve."
    return 400, "invariant", f"{named} version is inconsistent with the existing version."


def unknown(id: str) -> Expected:
    """How a request for a record that is not there is refused."""
    return 404, "not-found", f"Immunization resource does not exist. ID: {id}"


def refused(response: Response, expected: Expected) -> None:
    """The answer is this refusal, in the service's form."""
    status, code, diagnostics = expected
    assert response.status == status
    assert response.headers["Content-Type"] == "application/fhir+json"
    outcome = response.json()
    assert outcome["resourceType"] == "OperationOutcome"
    (issue,) = outcome["issue"]
    assert (issue["severity"], issue["code"], issue["diagnostics"]) == ("error", code, diagnostics)
    (coding,) = issue["details"]["coding"]
    assert (coding["system"], coding["code"]) == ("https://fhir.nhs.uk/Codesystem/http-error-codes", code.upper())


def warned(text: str) -> dict[str, Any]:
    """The entry of a warning, without its id."""
    details = {"coding": [{"system": "https://fhir.nhs.uk/Codesystem/http-error-codes", "code": "INVALID"}]}
    return {"severity": "warning", "code": "invalid", "details": details, "diagnostics": text}


class Records(RuleBasedStateMachine):
    """Every way to write, read and find a record; each step's answer is compared with the model's."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()

    # Checking each answer against the document takes most of the time: some of the sequences are enough.
    @initialize(strict=st.sampled_from((False, False, False, False, True)))
    def open_sandbox(self, strict: bool) -> None:
        """A new sandbox with the documented records, which are of other patients."""
        self.sandbox = Sandbox(provider(), strict=strict)

    def send(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        query: list[tuple[str, str]] | None = None,
        form: list[tuple[str, str]] | None = None,
        header: tuple[str, str] = ("Accept", "application/fhir+json"),
    ) -> Response:
        """The answer to a request."""
        request = Request(method, path, tuple(query or ()), Headers([header]), b"", BASE_URL)
        if body is not None:
            request = request.with_json(body).with_header("Content-Type", "application/fhir+json")
        if form is not None:
            encoded = replace(request, body=urlencode(form).encode())
            request = encoded.with_header("Content-Type", "application/x-www-form-urlencoded")
        return self.sandbox.handle(request)

    def search(self, method: str, pairs: list[tuple[str, str]]) -> Response:
        """The answer to a search, by GET or by POST."""
        if method == "GET":
            return self.send("GET", "/Immunization", query=pairs)
        return self.send("POST", "/Immunization/_search", form=pairs)

    def pick(self, number: int, *, deleted: bool = False) -> tuple[str, Kept]:
        """One record in this state."""
        ids = self.model.ids(deleted=deleted)
        id = ids[number % len(ids)]
        return id, self.model.records[id]

    def wrote(self, response: Response, status: int, version: int) -> None:
        """A write was accepted, with this version and no body."""
        assert (response.status, response.headers["E-Tag"], response.body) == (status, str(version), b"")
        assert "Content-Type" not in response.headers

    # --- Create -------------------------------------------------------------------------------------------------------

    @rule(content=contents)
    def create(self, content: Content) -> None:
        """A new identifier makes a new record."""
        identifier = f"record-{self.model.used}"
        self.model.used += 1
        response = self.send("POST", "/Immunization", sent_body(content, identifier))
        self.wrote(response, 201, 1)
        base, _, id = response.headers["Location"].rpartition("/")
        assert base == f"{BASE_URL}/Immunization"
        assert UUID(id).version == 4
        assert id not in self.model.records
        self.model.records[id] = Kept(identifier, 1, content)

    @precondition(lambda self: self.model.ids(deleted=False))
    @rule(number=picks, content=contents)
    def create_with_a_used_identifier(self, number: int, content: Content) -> None:
        """The identifier of a live record is refused, whatever else is in the body."""
        _, kept = self.pick(number)
        response = self.send("POST", "/Immunization", sent_body(content, kept.identifier))
        refused(response, (422, "duplicate", f"The provided identifier: {SYSTEM}#{kept.identifier} is duplicated"))

    @precondition(lambda self: self.model.ids(deleted=True))
    @rule(number=picks, content=contents)
    def create_with_a_deleted_identifier(self, number: int, content: Content) -> None:
        """The identifier of a deleted record reinstates it under its old id."""
        id, kept = self.pick(number, deleted=True)
        response = self.send("POST", "/Immunization", sent_body(content, kept.identifier))
        self.wrote(response, 201, kept.version + 1)
        assert response.headers["Location"] == f"{BASE_URL}/Immunization/{id}"
        kept.version, kept.content, kept.deleted = kept.version + 1, content, False

    # --- Read ---------------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.model.ids(deleted=False))
    @rule(number=picks)
    def read(self, number: int) -> None:
        """A live record comes back as it was sent, with its version."""
        self.reads(*self.pick(number))

    def reads(self, id: str, kept: Kept) -> None:
        """A read gives what the model has."""
        response = self.send("GET", f"/Immunization/{id}")
        assert response.status == 200
        assert response.headers["Content-Type"] == "application/fhir+json"
        assert response.headers["E-Tag"] == str(kept.version)
        assert response.json() == read_body(kept, id)

    @precondition(lambda self: self.model.ids(deleted=True))
    @rule(number=picks)
    def read_deleted(self, number: int) -> None:
        """A deleted record is not there."""
        id, _ = self.pick(number, deleted=True)
        refused(self.send("GET", f"/Immunization/{id}"), unknown(id))

    @rule(method=st.sampled_from(("GET", "DELETE", "PUT")), content=contents)
    def ask_for_an_unknown_record(self, method: str, content: Content) -> None:
        """An id that nobody gave names nothing; an update does not create."""
        body = sent_body(content, "no-record", NO_ID) if method == "PUT" else None
        refused(self.send(method, f"/Immunization/{NO_ID}", body, header=("E-Tag", "1")), unknown(NO_ID))

    # --- Update -------------------------------------------------------------------------------------------------------

    def update(self, id: str, kept: Kept, content: Content, tag: str | None) -> None:
        """An update with this E-Tag, judged by the model."""
        header = ("If-Match", str(kept.version)) if tag is None else ("E-Tag", tag)
        response = self.send("PUT", f"/Immunization/{id}", sent_body(content, kept.identifier, id), header=header)
        expected = tag_refused(tag, id, kept)
        if expected is not None:
            refused(response, expected)
            return
        self.wrote(response, 200, kept.version + 1)
        assert "Location" not in response.headers
        kept.version, kept.content, kept.deleted = kept.version + 1, content, False

    @precondition(lambda self: self.model.ids(deleted=False))
    @rule(number=picks, content=contents, zero=st.sampled_from(("", "0")))
    def update_with_the_right_tag(self, number: int, content: Content, zero: str) -> None:
        """The stored version, with or without a leading zero, makes the next one."""
        id, kept = self.pick(number)
        self.update(id, kept, content, f"{zero}{kept.version}")

    @precondition(lambda self: self.model.ids(deleted=False))
    @rule(number=picks, content=contents, away=st.integers(1, 3), sign=st.sampled_from((-1, 1)))
    def update_with_a_stale_or_early_tag(self, number: int, content: Content, away: int, sign: int) -> None:
        """Another version is refused: an older one, a later one."""
        id, kept = self.pick(number)
        self.update(id, kept, content, str(kept.version + away * sign))

    @precondition(lambda self: self.model.records)
    @rule(number=picks, content=contents, tag=st.sampled_from((None, *INVALID_TAGS)), deleted=st.booleans())
    def update_with_a_bad_tag(self, number: int, content: Content, tag: str | None, deleted: bool) -> None:
        """No E-Tag, and one that is no version, are refused for a deleted record too."""
        deleted = deleted if self.model.ids(deleted=deleted) else not deleted
        id, kept = self.pick(number, deleted=deleted)
        self.update(id, kept, content, tag)

    @precondition(lambda self: self.model.ids(deleted=True))
    @rule(number=picks, content=contents, tag=st.integers(1, 9))
    def update_deleted(self, number: int, content: Content, tag: int) -> None:
        """A deleted record is reinstated whatever version is named."""
        id, kept = self.pick(number, deleted=True)
        self.update(id, kept, content, str(tag))

    @precondition(lambda self: self.model.records)
    @rule(number=picks, content=contents, tag=st.integers(1, 3), parts=st.sampled_from(("system", "value", "both")))
    def update_with_another_identifier(self, number: int, content: Content, tag: int, parts: str) -> None:
        """The identifier stays, also that of a deleted record; the version is not looked at."""
        id = list(self.model.records)[number % len(self.model.records)]
        body = sent_body(content, self.model.records[id].identifier, id)
        changed = ("system", "value") if parts == "both" else (parts,)
        body["identifier"][0] |= dict.fromkeys(changed, "urn:other")
        named = " and ".join(f"identifier[0].{part}" for part in changed)
        response = self.send("PUT", f"/Immunization/{id}", body, header=("E-Tag", str(tag)))
        refused(response, (400, "invariant", f"Validation errors: {named} doesn't match with the stored content"))

    @precondition(lambda self: self.model.records)
    @rule(number=picks, content=contents, other=st.sampled_from((None, NO_ID)))
    def update_with_another_id_in_the_body(self, number: int, content: Content, other: str | None) -> None:
        """The body names the id of the path."""
        id = list(self.model.records)[number % len(self.model.records)]
        kept = self.model.records[id]
        body = sent_body(content, kept.identifier, other)
        response = self.send("PUT", f"/Immunization/{id}", body, header=("E-Tag", str(kept.version)))
        text = f"Validation errors: The provided immunization id:{id} doesn't match with the content of the request body"
        refused(response, (400, "invariant", text))

    # --- Delete -------------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.model.ids(deleted=False))
    @rule(number=picks, tag=st.sampled_from(("1", "99", "abc", "")))
    def delete(self, number: int, tag: str) -> None:
        """A live record goes, whatever version is named; its version stays."""
        id, kept = self.pick(number)
        response = self.send("DELETE", f"/Immunization/{id}", header=("E-Tag", tag))
        assert (response.status, response.body) == (204, b"")
        kept.deleted = True

    @precondition(lambda self: self.model.ids(deleted=True))
    @rule(number=picks)
    def delete_twice(self, number: int) -> None:
        """A deleted record cannot be deleted again."""
        id, _ = self.pick(number, deleted=True)
        refused(self.send("DELETE", f"/Immunization/{id}"), unknown(id))

    # --- Search -------------------------------------------------------------------------------------------------------

    @rule(
        method=methods,
        patient=st.sampled_from(PATIENTS),
        types=st.lists(st.sampled_from((*VACCINES, "NOPE")), min_size=1, max_size=4, unique=True),
        first=st.sampled_from(("", *DAYS)),
        last=st.sampled_from(("", *DAYS)),
        include=st.booleans(),
    )
    def search_by_types(self, method: str, patient: str, types: list[str], first: str, last: str, include: bool) -> None:
        """By patient, vaccine types and days."""
        pairs = [("patient.identifier", f"{NHS_NUMBER}|{patient}"), ("-immunization.target", ",".join(types))]
        pairs += self.days(first, last) + ([("_include", "immunization:PATIENT")] if include else [])
        response = self.search(method, pairs)
        known = set(types) & set(VACCINES)
        if not known:
            listed = (
                "3IN1, 4IN1, 6IN1, BCG, COVID, FLU, HEPB, HIB, HIBMENC, HPV, MENACWY, MENB, MMR, MMRV, PERTUSSIS, "
                "PNEUMOCOCCAL, ROTAVIRUS, RSV, SHINGLES"
            )
            refused(response, (400, "invalid", f"-immunization.target must be one or more of the following: {listed}"))
            return
        warning = (
            "Your search included invalid -immunization.target value(s) that were ignored: NOPE. "
            "The search was performed using the valid value(s) only."
        )
        link = self.found(response, patient, known, first, last, [warning] if "NOPE" in types else [])
        assert link is None or set(link["-immunization.target"].split(",")) == known

    @rule(
        method=methods,
        patient=st.sampled_from(PATIENTS),
        codes=st.lists(st.sampled_from((*SUPPORTED_DISEASES, "99999")), min_size=1, max_size=4, unique=True),
        first=st.sampled_from(("", *DAYS)),
        last=st.sampled_from(("", *DAYS)),
    )
    def search_by_diseases(self, method: str, patient: str, codes: list[str], first: str, last: str) -> None:
        """By patient, target diseases and days: one disease is in every vaccine that protects from it."""
        asked = ",".join(f"{SNOMED}|{code}" for code in codes)
        pairs = [("patient.identifier", f"{NHS_NUMBER}|{patient}"), ("target-disease", asked), *self.days(first, last)]
        response = self.search(method, pairs)
        known = {name for name, diseases in VACCINES.items() if set(codes) & set(diseases)}
        warnings = []
        if "99999" in codes:
            nothing = "This service does not contain any vaccination types with the target disease requested."
            warnings = [None if known else nothing]
        link = self.found(response, patient, known, first, last, warnings)
        valid = [code for code in codes if code != "99999"] or codes
        assert link is None or link["target-disease"] == ",".join(sorted(f"{SNOMED}|{code}" for code in valid))

    def days(self, first: str, last: str) -> list[tuple[str, str]]:
        """The parameters for these days."""
        return [(name, day) for name, day in (("-date.from", first), ("-date.to", last)) if day]

    def found(
        self, response: Response, patient: str, types: set[str], first: str, last: str, warnings: list[str | None]
    ) -> dict[str, str] | None:
        """The Bundle is the model's: these records, then the patient, then the warnings (None: of any text).

        The parameters of the self link are given back; None when the search was refused.
        """
        if first and last and first > last:
            refused(response, (400, "invalid", "Search parameter -date.from must be before -date.to"))
            return None
        matches = {
            id: kept
            for id, kept in self.model.records.items()
            if not kept.deleted
            and kept.content["patient"] == patient
            and kept.content["vaccine"] in types
            and (first or "0") <= kept.content["moment"][:10] <= (last or "9")
        }
        bundle = self.bundle_of(response, len(matches))
        entries, rest = bundle["entry"][: len(matches)], bundle["entry"][len(matches) :]
        urls = {entry["resource"]["patient"]["reference"] for entry in entries}
        assert len(urls) == min(len(matches), 1)
        assert {entry["resource"]["id"] for entry in entries} == set(matches)
        for entry in entries:
            id = entry["resource"]["id"]
            assert entry["fullUrl"] == f"{BASE_URL}/Immunization/{id}"
            assert entry["search"] == {"mode": "match"}
            assert entry["resource"] == found_body(matches[id], id, *urls)
        order = [matches[entry["resource"]["id"]].content["vaccine"] for entry in entries]
        assert order == sorted(order)
        if matches:
            identifier = [{"system": NHS_NUMBER, "value": patient}]
            resource = {"resourceType": "Patient", "id": patient, "identifier": identifier}
            assert rest.pop(0) == {"fullUrl": urls.pop(), "resource": resource, "search": {"mode": "include"}}
        assert len(rest) == len(warnings)
        for entry, text in zip(rest, warnings, strict=True):
            assert set(entry) == {"resource"}
            (issue,) = entry["resource"]["issue"]
            assert issue == warned(issue["diagnostics"] if text is None else text)
        link = dict(parse_qsl(urlsplit(bundle["link"][0]["url"]).query))
        assert link["patient.identifier"] == f"{NHS_NUMBER}|{patient}"
        assert link.get("-date.from", "") == first
        assert link.get("-date.to", "") == last
        return link

    def bundle_of(self, response: Response, total: int) -> dict[str, Any]:
        """The Bundle of an answer, which has this total as its last element."""
        assert response.status == 200
        assert response.headers["Content-Type"] == "application/fhir+json"
        assert "E-Tag" not in response.headers
        bundle: dict[str, Any] = response.json()
        assert list(bundle) == ["resourceType", "type", "link", "entry", "total"]
        assert (bundle["resourceType"], bundle["type"], bundle["total"]) == ("Bundle", "searchset", total)
        assert [link["relation"] for link in bundle["link"]] == ["self"]
        return bundle

    @precondition(lambda self: self.model.records)
    @rule(number=picks, method=methods, elements=st.sampled_from(("", "id", "meta", "id,meta")))
    def search_by_identifier(self, number: int, method: str, elements: str) -> None:
        """One record by its identifier, a deleted one too, whole or in part."""
        id = list(self.model.records)[number % len(self.model.records)]
        kept = self.model.records[id]
        pairs = [("identifier", f"{SYSTEM}|{kept.identifier}")] + ([("_elements", elements)] if elements else [])
        bundle = self.bundle_of(self.search(method, pairs), 1)
        asked = f"identifier={SYSTEM}|{kept.identifier}" + (f"&_elements={elements}" if elements else "")
        assert bundle["link"][0]["url"] == f"{BASE_URL}/Immunization?{asked}"
        (entry,) = bundle["entry"]
        assert entry["fullUrl"] == f"{BASE_URL}/Immunization/{id}"
        if elements:
            parts: dict[str, Any] = {"id": id, "meta": {"versionId": kept.version}}
            assert entry["resource"] == {"resourceType": "Immunization"} | {name: parts[name] for name in elements.split(",")}
            assert "search" not in entry
        else:
            assert entry["resource"] == found_body(kept, id, entry["resource"]["patient"]["reference"])
            assert entry["search"] == {"mode": "match"}

    @rule(method=methods, elements=st.booleans())
    def search_by_unknown_identifier(self, method: str, elements: bool) -> None:
        """An identifier that nobody used finds nothing."""
        pairs = [("identifier", f"{SYSTEM}|no-record")] + ([("_elements", "id")] if elements else [])
        bundle = self.bundle_of(self.search(method, pairs), 0)
        assert bundle["entry"] == []
        assert bundle["link"][0]["url"] == f"{BASE_URL}/Immunization?identifier=None"

    def teardown(self) -> None:
        """In the end each record is as the model has it, and no answer broke a rule about answers."""
        for id, kept in self.model.records.items():
            if kept.deleted:
                refused(self.send("GET", f"/Immunization/{id}"), unknown(id))
            else:
                self.reads(id, kept)
        assert [(entry.number, entry.bugs) for entry in self.sandbox.journal if entry.bugs] == []


@pytest.mark.heavy
def test_records_live_as_the_model_says() -> None:
    run_state_machine_as_test(Records, settings=SETTINGS)
