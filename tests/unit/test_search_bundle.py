"""What a search gives: which entries in which order, what is changed in them, which warnings, which self link."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from mocksandbox import Request, Response
from mocksandbox.exchange import Headers, Pairs
from mocksandbox.providers.nhs import provider
from mocksandbox.sandbox import Sandbox
from tests.conformance.recorded import cases

RECORDED = next(case for case in cases() if case["name"] == "seq/update:changed-lot")["steps"][0]["json"]
BASE_URL = "https://mock.example/immunisation-fhir-api/FHIR/R4"
NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
SNOMED = "http://snomed.info/sct"
SYSTEM = "https://supplier.example/immunisations"
PATIENT = "9990000018"
COVID, MEASLES, NOTHING = f"{SNOMED}|840539006", f"{SNOMED}|14189004", f"{SNOMED}|99999"
DISEASES = {"COVID": ["840539006"], "FLU": ["6142004"], "MMR": ["14189004", "36989005", "36653000"]}
BY_PATIENT = ("patient.identifier", f"{NHS_NUMBER}|{PATIENT}")


@pytest.fixture
def sandbox() -> Sandbox:
    """A sandbox with nothing of this patient."""
    return Sandbox(provider())


def record(value: str, vaccine: str = "COVID", **changes: Any) -> dict[str, Any]:
    """A valid record of the patient."""
    body = deepcopy(RECORDED)
    body["contained"][1]["identifier"] = [{"system": NHS_NUMBER, "value": PATIENT}]
    body["identifier"] = [{"system": SYSTEM, "value": value}]
    codings = [[{"system": SNOMED, "code": code}] for code in DISEASES[vaccine]]
    body["protocolApplied"][0]["targetDisease"] = [{"coding": coding} for coding in codings]
    return {**body, **changes}


def stored(sandbox: Sandbox, body: Mapping[str, Any]) -> str:
    """The id that a record got."""
    headers = Headers([("Content-Type", "application/fhir+json")])
    response = sandbox.handle(Request("POST", "/Immunization", (), headers, base_url=BASE_URL).with_json(body))
    assert response.status == 201
    return response.headers["Location"].rpartition("/")[2]


def searched(sandbox: Sandbox, *query: tuple[str, str], base_url: str = BASE_URL, supplier: str | None = None) -> Response:
    """The answer to a search by GET."""
    request = Request("GET", "/Immunization", query, base_url=base_url)
    return sandbox.handle(request.with_header("SupplierSystem", supplier))


def posted(sandbox: Sandbox, *form: tuple[str, str], query: Pairs = ()) -> Response:
    """The answer to a search by POST."""
    headers = Headers([("Content-Type", "application/x-www-form-urlencoded")])
    return sandbox.handle(Request("POST", "/Immunization/_search", query, headers, urlencode(form).encode(), BASE_URL))


def found(sandbox: Sandbox, *query: tuple[str, str], **how: Any) -> dict[str, Any]:
    """The Bundle that a search by GET gives."""
    response = searched(sandbox, *query, **how)
    assert (response.status, response.headers["Content-Type"]) == (200, "application/fhir+json")
    bundle: dict[str, Any] = response.json()
    return bundle


def kinds(bundle: Mapping[str, Any]) -> list[str]:
    """The types of the resources in the order of the entries."""
    return [entry["resource"]["resourceType"] for entry in bundle["entry"]]


def warnings(bundle: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The code and the text of each warning."""
    issues = [e["resource"]["issue"] for e in bundle["entry"] if e["resource"]["resourceType"] == "OperationOutcome"]
    assert all(len(issue) == 1 and issue[0]["severity"] == "warning" for issue in issues)
    assert all(issue[0]["details"]["coding"][0]["code"] == issue[0]["code"].upper() for issue in issues)
    return [(issue[0]["code"], issue[0]["diagnostics"]) for issue in issues]


def said(response: Response) -> tuple[int, str, str]:
    """The status, the issue's code and the text of a refusal."""
    (issue,) = response.json()["issue"]
    return response.status, issue["code"], issue["diagnostics"]


def link(bundle: Mapping[str, Any]) -> str:
    """The only link's URL."""
    (only,) = bundle["link"]
    assert only["relation"] == "self"
    return str(only["url"])


def query(*pairs: tuple[str, str]) -> str:
    """A self link with these parameters."""
    return f"{BASE_URL}/Immunization?{urlencode(pairs)}"


# --- Entries --------------------------------------------------------------------------------------------------------------


def test_immunizations_come_first_by_type_then_the_patient_then_the_warnings(sandbox: Sandbox) -> None:
    for number, vaccine in enumerate(("MMR", "COVID", "FLU", "COVID")):
        stored(sandbox, record(f"{number}", vaccine))
    bundle = found(sandbox, BY_PATIENT, ("-immunization.target", "MMR,FLU,NOPE,COVID"))
    assert kinds(bundle) == ["Immunization"] * 4 + ["Patient", "OperationOutcome"]
    codes = [entry["resource"]["protocolApplied"][0]["targetDisease"][0]["coding"][0]["code"] for entry in bundle["entry"][:4]]
    assert codes == ["840539006", "840539006", "6142004", "14189004"]


def test_total_is_last_and_counts_immunizations_only(sandbox: Sandbox) -> None:
    stored(sandbox, record("1"))
    bundle = found(sandbox, BY_PATIENT, ("-immunization.target", "COVID,NOPE"))
    assert list(bundle) == ["resourceType", "type", "link", "entry", "total"]
    assert (len(bundle["entry"]), bundle["total"]) == (3, 1)


def test_a_search_without_matches_has_an_empty_list_of_entries(sandbox: Sandbox) -> None:
    bundle = found(sandbox, BY_PATIENT, ("-immunization.target", "COVID"))
    assert (bundle["entry"], bundle["total"]) == ([], 0)


def test_records_show_the_patient_by_number_only_and_nothing_contained(sandbox: Sandbox) -> None:
    id = stored(sandbox, record("1", meta={"versionId": "42"}))
    shown, patient = found(sandbox, BY_PATIENT, ("-immunization.target", "COVID"))["entry"]
    url, number = patient["fullUrl"], {"system": NHS_NUMBER, "value": PATIENT}
    assert url.startswith("urn:uuid:")
    assert patient == {
        "fullUrl": url,
        "resource": {"resourceType": "Patient", "id": PATIENT, "identifier": [number]},
        "search": {"mode": "include"},
    }
    assert (shown["fullUrl"], shown["search"]) == (f"{BASE_URL}/Immunization/{id}", {"mode": "match"})
    assert list(shown["resource"])[:3] == ["resourceType", "id", "meta"]
    assert shown["resource"]["meta"] == {"versionId": "1"}
    assert shown["resource"]["patient"] == {"reference": url, "type": "Patient", "identifier": number}
    assert "contained" not in shown["resource"]


def test_the_identifier_is_official_unless_it_says_otherwise(sandbox: Sandbox) -> None:
    stored(sandbox, record("1"))
    stored(sandbox, record("2", identifier=[{"use": "secondary", "system": SYSTEM, "value": "2"}]))
    entries = found(sandbox, BY_PATIENT, ("-immunization.target", "COVID"))["entry"][:2]
    uses = {entry["resource"]["identifier"][0]["value"]: entry["resource"]["identifier"][0]["use"] for entry in entries}
    assert uses == {"1": "official", "2": "secondary"}


def test_only_the_contained_practitioner_leaves_the_performers(sandbox: Sandbox) -> None:
    performers = [*RECORDED["performer"], {"actor": {"reference": "Practitioner/9", "type": "Practitioner"}}]
    stored(sandbox, record("1", performer=performers))
    shown = found(sandbox, BY_PATIENT, ("-immunization.target", "COVID"))["entry"][0]["resource"]
    assert shown["performer"] == performers[1:]


def test_the_whole_nhs_number_identifier_is_shown_with_the_record_and_a_short_one_with_the_patient(sandbox: Sandbox) -> None:
    number = {"system": NHS_NUMBER, "value": PATIENT}
    whole = {**number, "use": "official", "assigner": {"display": "x"}}
    body = record("1")
    body["contained"][1]["identifier"] = [whole]
    stored(sandbox, body)
    shown, patient = found(sandbox, BY_PATIENT, ("-immunization.target", "COVID"))["entry"]
    assert shown["resource"]["patient"]["identifier"] == whole
    assert patient["resource"]["identifier"] == [number]


@pytest.mark.parametrize(
    ("identifier", "shown"),
    [([{"system": NHS_NUMBER}], {"identifier": {"system": NHS_NUMBER}}), (None, {})],
    ids=["no value", "no identifier"],
)
def test_a_record_without_nhs_number_is_found_by_its_identifier(
    sandbox: Sandbox, identifier: list[dict[str, str]] | None, shown: dict[str, Any]
) -> None:
    body = record("1")
    patient = body["contained"][1]
    del patient["identifier"]
    if identifier is not None:
        patient["identifier"] = identifier
    id = stored(sandbox, body)
    (entry,) = found(sandbox, ("identifier", f"{SYSTEM}|1"))["entry"]
    assert entry["resource"]["id"] == id
    reference = entry["resource"]["patient"]["reference"]
    assert entry["resource"]["patient"] == {"reference": reference, "type": "Patient", **shown}
    assert found(sandbox, BY_PATIENT, ("-immunization.target", "COVID"))["total"] == 0


def test_days_are_inclusive_and_are_those_of_the_text(sandbox: Sandbox) -> None:
    # In UTC this is the evening before.
    stored(sandbox, record("1", occurrenceDateTime="2023-06-15T00:30:00+01:00"))
    target = ("-immunization.target", "COVID")
    assert found(sandbox, BY_PATIENT, target, ("-date.from", "2023-06-15"), ("-date.to", "2023-06-15"))["total"] == 1
    assert found(sandbox, BY_PATIENT, target, ("-date.to", "2023-06-14"))["total"] == 0
    assert found(sandbox, BY_PATIENT, target, ("-date.from", "2023-06-16"))["total"] == 0


# --- Warnings -------------------------------------------------------------------------------------------------------------


def test_unknown_vaccine_types_are_named_in_one_warning(sandbox: Sandbox) -> None:
    bundle = found(sandbox, BY_PATIENT, ("-immunization.target", "COVID,ZZZ,AAA"))
    ignored = "Your search included invalid -immunization.target value(s) that were ignored: AAA, ZZZ."
    assert warnings(bundle) == [("invalid", f"{ignored} The search was performed using the valid value(s) only.")]
    assert all(set(entry) == {"resource"} for entry in bundle["entry"])


def test_types_that_the_caller_may_not_search_for_are_left_out_with_a_warning(sandbox: Sandbox) -> None:
    stored(sandbox, record("1", "COVID"))
    stored(sandbox, record("2", "FLU"))
    bundle = found(sandbox, BY_PATIENT, ("-immunization.target", "COVID,FLU"), supplier="MAVIS")
    assert kinds(bundle) == ["Immunization", "Patient", "OperationOutcome"]
    text = "Your search contains details that you are not authorised to request"
    assert warnings(bundle) == [("unauthorized", text)]
    assert link(bundle) == query(("immunization.target", "FLU"), ("-immunization.target", "FLU"), BY_PATIENT)


def test_both_kinds_of_warning_come_in_this_order(sandbox: Sandbox) -> None:
    bundle = found(sandbox, BY_PATIENT, ("-immunization.target", "COVID,FLU,NOPE"), supplier="MAVIS")
    assert [code for code, _ in warnings(bundle)] == ["unauthorized", "invalid"]


def test_a_caller_without_any_of_the_types_is_refused(sandbox: Sandbox) -> None:
    response = searched(sandbox, BY_PATIENT, ("-immunization.target", "COVID"), supplier="MAVIS")
    assert said(response) == (403, "forbidden", "Unauthorized request for vaccine type")


@pytest.mark.parametrize("disease", [NOTHING, f"{COVID}|x"], ids=["unsupported", "two pipes"])
def test_a_disease_of_no_vaccine_finds_nothing_and_says_so(sandbox: Sandbox, disease: str) -> None:
    stored(sandbox, record("1"))
    bundle = found(sandbox, BY_PATIENT, ("target-disease", disease))
    text = "This service does not contain any vaccination types with the target disease requested."
    assert (warnings(bundle), kinds(bundle), bundle["total"]) == ([("invalid", text)], ["OperationOutcome"], 0)
    assert link(bundle) == query(("target-disease", disease), BY_PATIENT)


def test_each_bad_disease_beside_a_good_one_has_its_own_warning(sandbox: Sandbox) -> None:
    stored(sandbox, record("1", "MMR"))
    bundle = found(sandbox, BY_PATIENT, ("target-disease", f"{NOTHING},{MEASLES},abc"))
    assert kinds(bundle) == ["Immunization", "Patient", "OperationOutcome", "OperationOutcome"]
    (first, text), (second, other) = warnings(bundle)
    assert (first, second) == ("invalid", "invalid")
    assert "99999" in text
    assert "abc" in other
    assert link(bundle) == query(("target-disease", MEASLES), BY_PATIENT)


# --- Self link ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:8080/immunisation-fhir-api/FHIR/R4", "https://other.example/x"])
def test_links_are_below_the_url_that_the_client_used(sandbox: Sandbox, base_url: str) -> None:
    id = stored(sandbox, record("1"))
    for pairs in [(BY_PATIENT, ("-immunization.target", "COVID")), (("identifier", f"{SYSTEM}|1"),)]:
        bundle = found(sandbox, *pairs, base_url=base_url)
        assert link(bundle).partition("?")[0] == f"{base_url}/Immunization"
        assert bundle["entry"][0]["fullUrl"] == f"{base_url}/Immunization/{id}"


def test_the_self_link_has_what_was_looked_for_and_no_defaults(sandbox: Sandbox) -> None:
    target = ("-immunization.target", "COVID")
    assert link(found(sandbox, BY_PATIENT, target)) == query(("immunization.target", "COVID"), target, BY_PATIENT)
    asked = (BY_PATIENT, target, ("_include", "Immunization:patient"), ("-date.to", "2023-12-31"), ("-date.from", "2023-1-1"))
    assert link(found(sandbox, *asked)) == query(
        ("immunization.target", "COVID"),
        target,
        BY_PATIENT,
        ("-date.from", "2023-01-01"),
        ("-date.to", "2023-12-31"),
        ("_include", "Immunization:patient"),
    )


def test_include_changes_nothing_but_the_self_link(sandbox: Sandbox) -> None:
    stored(sandbox, record("1"))
    target = ("-immunization.target", "COVID")
    plain = found(sandbox, BY_PATIENT, target)
    included = found(sandbox, BY_PATIENT, target, ("_include", "immunization:PATIENT,Immunization:location"))
    assert link(included) == f"{link(plain)}&_include=immunization%3APATIENT"
    assert kinds(included) == kinds(plain) == ["Immunization", "Patient"]


def test_a_form_decides_alone_and_drops_what_is_empty(sandbox: Sandbox) -> None:
    stored(sandbox, record("1"))
    target = ("-immunization.target", "COVID")
    response = posted(sandbox, BY_PATIENT, target, ("-date.from", ""), query=(("-immunization.target", "NOPE"),))
    assert response.json()["total"] == 1
    assert "date" not in urlsplit(link(response.json())).query
    refused = searched(sandbox, BY_PATIENT, target, ("-date.from", ""))
    assert said(refused) == (400, "invalid", "Search parameter -date.from must be in format: YYYY-MM-DD")
    alone = posted(sandbox, query=(BY_PATIENT, target))
    text = "No parameter provided. Search using either identifier or patient.identifier"
    assert said(alone) == (400, "invalid", text)


# --- By identifier --------------------------------------------------------------------------------------------------------


def test_a_search_by_identifier_gives_one_record_without_a_patient_entry(sandbox: Sandbox) -> None:
    stored(sandbox, record("1"))
    bundle = found(sandbox, ("identifier", f"{SYSTEM}|1"))
    assert (kinds(bundle), bundle["total"]) == (["Immunization"], 1)
    # This link is not percent-encoded.
    assert link(bundle) == f"{BASE_URL}/Immunization?identifier={SYSTEM}|1"


def test_an_unknown_identifier_is_none_in_the_self_link(sandbox: Sandbox) -> None:
    bundle = found(sandbox, ("identifier", f"{SYSTEM}|nope"), ("_elements", "id"))
    assert (bundle["entry"], bundle["total"]) == ([], 0)
    assert link(bundle) == f"{BASE_URL}/Immunization?identifier=None"


@pytest.mark.parametrize(
    ("elements", "shown"), [("id", {"id"}), ("meta", {"meta"}), ("id,meta", {"id", "meta"}), ("meta,id", {"id", "meta"})]
)
def test_elements_give_only_these_with_the_version_as_a_number(sandbox: Sandbox, elements: str, shown: set[str]) -> None:
    id = stored(sandbox, record("1"))
    bundle = found(sandbox, ("identifier", f"{SYSTEM}|1"), ("_elements", elements))
    (entry,) = bundle["entry"]
    assert entry["fullUrl"] == f"{BASE_URL}/Immunization/{id}"
    assert set(entry) == {"fullUrl", "resource"}
    everything: dict[str, Any] = {"id": id, "meta": {"versionId": 1}}
    wanted = {name: value for name, value in everything.items() if name in shown}
    assert entry["resource"] == {"resourceType": "Immunization", **wanted}
    assert link(bundle) == f"{BASE_URL}/Immunization?identifier={SYSTEM}|1&_elements={','.join(sorted(shown))}"


def test_a_deleted_record_is_found_by_its_identifier_and_not_by_its_patient(sandbox: Sandbox) -> None:
    id = stored(sandbox, record("1"))
    assert sandbox.handle(Request("DELETE", f"/Immunization/{id}")).status == 204
    (entry,) = found(sandbox, ("identifier", f"{SYSTEM}|1"))["entry"]
    assert (entry["resource"]["id"], entry["resource"]["meta"]) == (id, {"versionId": "1"})
    assert found(sandbox, BY_PATIENT, ("-immunization.target", "COVID"))["total"] == 0


# --- Size -----------------------------------------------------------------------------------------------------------------


def test_an_answer_of_more_than_one_mebibyte_is_refused_until_the_search_is_narrower(sandbox: Sandbox) -> None:
    target, lot, most = ("-immunization.target", "COVID"), "x" * 300_000, 1024 * 1024
    for number in range(3):
        stored(sandbox, record(str(number), lotNumber=lot, occurrenceDateTime=f"2023-01-0{number + 1}"))
    room = most - len(searched(sandbox, BY_PATIENT, target).body)
    assert room > 100_000
    stored(sandbox, record("3", lotNumber="x", occurrenceDateTime="2023-01-04"))
    filled = room - (len(searched(sandbox, BY_PATIENT, target).body) - (most - room)) + 1
    exact = update_of(sandbox, "3", lotNumber="x" * filled, occurrenceDateTime="2023-01-04")
    response = searched(sandbox, BY_PATIENT, target)
    assert (exact, response.status, len(response.body)) == ("2", 200, most)

    update_of(sandbox, "3", lotNumber="x" * (filled + 1), occurrenceDateTime="2023-01-04")
    text = "Search returned too many results. Please narrow down the search"
    assert said(searched(sandbox, BY_PATIENT, target)) == (400, "invalid", text)
    assert said(posted(sandbox, BY_PATIENT, target)) == (400, "invalid", text)
    assert found(sandbox, BY_PATIENT, target, ("-date.to", "2023-01-03"))["total"] == 3


def update_of(sandbox: Sandbox, value: str, **changes: Any) -> str:
    """The version that a record has after an update."""
    (entry,) = found(sandbox, ("identifier", f"{SYSTEM}|{value}"))["entry"]
    id, version = entry["resource"]["id"], entry["resource"]["meta"]["versionId"]
    headers = Headers([("Content-Type", "application/fhir+json"), ("E-Tag", version)])
    request = Request("PUT", f"/Immunization/{id}", (), headers).with_json({**record(value, **changes), "id": id})
    return sandbox.handle(request).headers["E-Tag"]
