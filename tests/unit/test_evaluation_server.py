"""The evaluation server without sockets: versions, conditions, pages, transactions, and what it tells of itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from mocksandbox.exchange import Headers, Request, Response
from mocksandbox.provider import open_provider
from mocksandbox.providers.evaluation.bodies import bundles, template
from mocksandbox.rules.places import drop, put
from mocksandbox.sandbox import Sandbox

BASE = "http://test.example/evaluation/R4"
MAIN = "ImmunizationEvaluation"


class Client:
    """Requests to a sandbox whose every answer is checked: against the document, and as FHIR."""

    def __init__(self, profile: str = "integration") -> None:
        self.box = Sandbox(open_provider("evaluation"), profile, strict=True)

    def __call__(self, method: str, url: str, body: Any = None, **headers: str) -> Response:
        parts = urlsplit(url.removeprefix(BASE))
        sent = [(name.replace("_", "-"), value) for name, value in headers.items()]
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        if body is not None and "Content_Type" not in headers:
            sent.append(("Content-Type", "application/fhir+json"))
        query = tuple(parse_qsl(parts.query, keep_blank_values=True))
        answer = self.box.handle(Request(method, parts.path, query, Headers(sent), data, BASE))
        entry = self.box.journal.last()
        assert entry is not None
        assert not entry.bugs, [(bug.rule.id, bug.at, bug.message) for bug in entry.bugs]
        return answer

    def found(self, url: str, **headers: str) -> list[str]:
        answer = self("GET", url, **headers)
        assert answer.status == 200, answer.body
        return [entry["resource"]["id"] for entry in answer.json().get("entry", ())]


@pytest.fixture
def client() -> Client:
    return Client()


def evaluation(**changes: Any) -> dict[str, Any]:
    return {**template(MAIN)["bodies"][0], **changes}


def links(answer: Response) -> dict[str, str]:
    return {link["relation"]: link["url"] for link in answer.json()["link"]}


def test_a_resource_has_a_life_of_versions(client: Client) -> None:
    made = client("POST", f"/{MAIN}", evaluation(id="ignored", meta={"versionId": "9", "tag": [{"code": "x"}]}))
    assert made.status == 201
    id = made.json()["id"]
    assert id != "ignored"
    assert made.headers["Location"] == f"{BASE}/{MAIN}/{id}/_history/1"
    assert made.headers["ETag"] == 'W/"1"'
    assert made.json()["meta"]["tag"] == [{"code": "x"}]

    url = f"/{MAIN}/{id}"
    updated = client("PUT", url, evaluation(id=id, series="Other"), If_Match='W/"1"')
    assert (updated.status, updated.headers["ETag"]) == (200, 'W/"2"')
    assert client("PUT", url, evaluation(id=id), If_Match='W/"1"').status == 412
    assert client("PUT", url, evaluation(id=id), If_Match="*").status == 200
    assert client("GET", f"{url}/_history/2").json()["series"] == "Other"
    assert client("GET", f"{url}/_history/9").status == 404

    assert client("DELETE", url).status == 204
    assert client("DELETE", url).status == 204
    assert client("GET", url).status == 410
    assert client("GET", f"{url}/_history/4").status == 410
    assert client("GET", f"{url}/_history/5").status == 404
    entries = client("GET", f"{url}/_history").json()["entry"]
    assert [(entry["request"]["method"], "resource" in entry) for entry in entries] == [
        ("DELETE", False),
        ("PUT", True),
        ("PUT", True),
        ("POST", True),
    ]
    back = client("PUT", url, evaluation(id=id))
    assert (back.status, back.headers["ETag"]) == (201, 'W/"5"')
    assert client("GET", f"/{MAIN}/_history?_count=2").json()["total"] == 8


def test_an_update_may_create_and_a_delete_of_nothing_does_nothing(client: Client) -> None:
    assert client("PUT", f"/{MAIN}/of-my-own", evaluation(id="of-my-own")).status == 201
    assert client("GET", f"/{MAIN}/of-my-own").json()["meta"]["versionId"] == "1"
    assert client("DELETE", f"/{MAIN}/never-there").status == 204
    assert client("GET", f"/{MAIN}/never-there").status == 404


def test_a_forecast_is_updated_by_version_only(client: Client) -> None:
    body = {"id": "recommendation-1", **template("ImmunizationRecommendation")["bodies"][0]}
    refused = client("PUT", "/ImmunizationRecommendation/recommendation-1", body)
    assert (refused.status, refused.json()["issue"][0]["expression"]) == (400, ["http.If-Match"])
    assert client("PUT", "/ImmunizationRecommendation/recommendation-1", body, If_Match='W/"1"').status == 200


def test_a_create_may_depend_on_what_is_there(client: Client) -> None:
    condition = "identifier=urn:x|1"
    body = evaluation(identifier=[{"system": "urn:x", "value": "1"}])
    first = client("POST", f"/{MAIN}", body, If_None_Exist=condition)
    again = client("POST", f"/{MAIN}", body, If_None_Exist=f"{MAIN}?{condition}")
    assert (first.status, again.status) == (201, 200)
    assert again.headers["Location"] == first.headers["Location"]
    client("POST", f"/{MAIN}", body)
    assert client("POST", f"/{MAIN}", body, If_None_Exist=condition).status == 412


def test_a_read_may_depend_on_what_the_client_has(client: Client) -> None:
    url = f"/{MAIN}/evaluation-1"
    read = client("GET", url)
    assert client("GET", url, If_None_Match=read.headers["ETag"]).status == 304
    assert client("GET", url, If_None_Match='W/"7"').status == 200
    assert client("GET", url, If_Modified_Since=read.headers["Last-Modified"]).status == 304
    assert client("GET", url, If_Modified_Since="Mon, 01 Jan 2001 00:00:00 GMT").status == 200
    assert client("GET", url, If_Modified_Since="yesterday").status == 200
    assert client("GET", f"{url}?_elements=series").json().keys() >= {"status", "series"}


def test_a_writer_gets_back_what_it_prefers(client: Client) -> None:
    assert client("POST", f"/{MAIN}", evaluation(), Prefer="return=minimal").body == b""
    assert client("POST", f"/{MAIN}", evaluation(), Prefer="return=representation").json()["status"] == "completed"
    odd = evaluation(doseStatus={"coding": [{"system": "urn:x", "code": "extraneous"}]})
    outcome = client("POST", f"/{MAIN}", odd, Prefer="return=OperationOutcome").json()
    assert [(issue["severity"], issue["expression"]) for issue in outcome["issue"]] == [("warning", [f"{MAIN}.doseStatus"])]


# What FHIR allows, however odd it is: the must-accept variations of the catalogue of defects, family `ie`.
ACCEPTED: dict[str, dict[str, Any]] = {
    "dose-greater-than-series": {"doseNumberPositiveInt": 9, "seriesDosesPositiveInt": 2},
    "dose-status-of-another-system": {"doseStatus": {"coding": [{"system": "urn:x", "code": "unknown"}]}},
    "partial-date": {"date": "2024-01"},
    "valid-with-a-reason": {
        "doseStatus": {"coding": [{"code": "valid"}]},
        "doseStatusReason": [
            {"coding": [{"system": "http://hl7.org/fhir/us/immds/CodeSystem/StatusReason", "code": "tooyoung"}]}
        ],
    },
    "evaluated-before-it-was-given": {"date": "1999-01-01"},
    "disease-not-of-the-vaccine": {"targetDisease": {"coding": [{"system": "http://snomed.info/sct", "code": "397430003"}]}},
    "patient-of-another-dose": {"patient": {"reference": "Patient/somebody-else"}},
    "reference-elsewhere": {"immunizationEvent": {"reference": "http://elsewhere.example/fhir/Immunization/1"}},
    "reference-to-nothing-held": {"immunizationEvent": {"reference": "Immunization/not-held"}},
}


@pytest.mark.parametrize("name", ACCEPTED)
@pytest.mark.parametrize("profile", ["integration", "documented", "sandbox"])
def test_what_fhir_allows_is_accepted(profile: str, name: str) -> None:
    assert Client(profile)("POST", f"/{MAIN}", evaluation(**ACCEPTED[name])).status == 201


def test_a_dose_that_is_not_valid_needs_no_reason(client: Client) -> None:
    assert client("POST", f"/{MAIN}", drop(evaluation(), ("doseStatusReason",))).status == 201


def test_a_dangling_reference_is_refused_when_the_client_is_strict(client: Client) -> None:
    body = put(evaluation(), ("patient", "reference"), "Patient/not-held")
    refused = client("POST", f"/{MAIN}", body, Prefer="handling=strict")
    assert (refused.status, refused.json()["issue"][0]["expression"]) == (422, [f"{MAIN}.patient.reference"])
    client("DELETE", "/Patient/patient-1")
    assert client("POST", f"/{MAIN}", evaluation(), Prefer="handling=strict").status == 422


def test_a_combined_vaccine_is_evaluated_once_for_each_disease(client: Client) -> None:
    asked = f"/{MAIN}?immunization-event=immunization-2&_sort=_id&_include={MAIN}:immunization-event"
    assert client.found(asked) == ["evaluation-2", "evaluation-3", "immunization-2"]


def test_get_post_and_compartment_find_the_same(client: Client) -> None:
    got = client.found(f"/{MAIN}?patient=patient-1&status=completed")
    form = b"patient=patient-1&status=completed"
    posted = client("POST", f"/{MAIN}/_search", form, Content_Type="application/x-www-form-urlencoded").json()
    both = client(
        "POST", f"/{MAIN}/_search?patient=patient-1", b"status=completed", Content_Type="application/x-www-form-urlencoded"
    )
    assert got == [entry["resource"]["id"] for entry in posted["entry"]]
    assert got == [entry["resource"]["id"] for entry in both.json()["entry"]]
    assert got == client.found(f"/Patient/patient-1/{MAIN}?status=completed")
    assert client.found(f"/Patient/nobody/{MAIN}") == []


def test_repeats_mean_and_and_commas_mean_or(client: Client) -> None:
    assert client.found(f"/{MAIN}?date=ge2024-06&date=lt2024-07&_sort=_id") == ["evaluation-2", "evaluation-3"]
    assert client.found(f"/{MAIN}?date=gt2024-06&date=lt2024-04") == []
    assert client.found(f"/{MAIN}?target-disease=14189004,40468003&_sort=_id") == ["evaluation-1", "evaluation-2"]


def test_what_leads_here_is_included(client: Client) -> None:
    asked = f"/{MAIN}?_id=evaluation-1&_revinclude=ImmunizationRecommendation:support"
    assert client.found(asked) == ["evaluation-1", "recommendation-1"]
    iterated = f"{asked}&_include={MAIN}:immunization-event&_include:iterate=Immunization:manufacturer"
    assert client.found(iterated) == ["evaluation-1", "recommendation-1", "immunization-1", "organization-2"]
    answer = client("GET", asked).json()
    assert answer["total"] == 1
    assert [entry["search"]["mode"] for entry in answer["entry"]] == ["match", "include"]


def test_only_the_total_may_be_asked_for(client: Client) -> None:
    for asked in ("_count=0", "_summary=count"):
        answer = client("GET", f"/{MAIN}?{asked}").json()
        assert (answer["total"], "entry" in answer, [each["relation"] for each in answer["link"]]) == (3, False, ["self"])
    assert "total" not in client("GET", f"/{MAIN}?_total=none").json()


def test_what_is_unknown_is_passed_over_and_the_self_link_shows_it(client: Client) -> None:
    answer = client("GET", f"/{MAIN}?colour=red&patient=patient-1")
    assert answer.json()["total"] == 3
    assert links(answer)["self"] == f"{BASE}/{MAIN}?patient=patient-1"
    refused = client("GET", f"/{MAIN}?colour=red&patient=patient-1", Prefer="handling=strict")
    assert (refused.status, refused.json()["issue"][0]["expression"]) == (400, ["http.colour"])


def test_several_mistakes_in_a_search_are_all_told(client: Client) -> None:
    refused = client("GET", f"/{MAIN}?date=xx2024&_sort=colour&patient.colour=red&status:fuzzy=x")
    assert refused.status == 400
    places = [issue["expression"][0] for issue in refused.json()["issue"]]
    assert sorted(places) == ["http._sort", "http.date", "http.patient.colour", "http.status:fuzzy"]


@pytest.mark.parametrize("asked", ["status=|||", "foo=1", "status=%00", "_count=999999999", "identifier=%F0%9F%92%89"])
def test_odd_searches_are_answered(client: Client, asked: str) -> None:
    assert client("GET", f"/{MAIN}?{asked}").status == 200


def _pages(client: Client, url: str) -> Iterator[list[str]]:
    while url:
        answer = client("GET", url)
        assert answer.status == 200
        yield [entry["resource"]["id"] for entry in answer.json().get("entry", ())]
        url = links(answer).get("next", "")


def test_pages_stay_as_they_were_when_the_first_was_read(client: Client) -> None:
    for number in range(23):
        client("PUT", f"/{MAIN}/n{number:02}", evaluation(id=f"n{number:02}", series=f"S{number:02}"))
    before = client.found(f"/{MAIN}?_sort=-_id&_count=1000")
    seen: list[str] = []
    for number, page in enumerate(_pages(client, f"/{MAIN}?_sort=-_id&_count=5")):
        seen += page
        client("POST", f"/{MAIN}", evaluation())
        client("DELETE", f"/{MAIN}/n{number:02}")
        client("PUT", f"/{MAIN}/zz{number}", evaluation(id=f"zz{number}"))
    assert seen == before
    assert len(client.found(f"/{MAIN}?_count=1000")) == 26 + 2 * 6 - 6


def test_pages_lead_to_one_another(client: Client) -> None:
    first = client("GET", f"/{MAIN}?_count=2&_sort=_id")
    assert links(first).keys() == {"self", "first", "next", "last"}
    second = client("GET", links(first)["next"])
    assert links(second).keys() == {"self", "first", "previous", "last"}
    assert client("GET", links(second)["previous"]).json()["entry"] == first.json()["entry"]
    assert links(second)["last"] == links(first)["next"]
    assert client("GET", links(second)["self"]).json()["entry"] == second.json()["entry"]


def test_a_sort_keeps_the_order_of_equals_and_puts_what_has_no_value_last(client: Client) -> None:
    client("PUT", f"/{MAIN}/undated", drop(evaluation(id="undated"), ("date",)))
    assert client.found(f"/{MAIN}?_sort=date") == ["evaluation-1", "evaluation-2", "evaluation-3", "undated"]
    assert client.found(f"/{MAIN}?_sort=-date,-_id") == ["evaluation-3", "evaluation-2", "evaluation-1", "undated"]
    assert client.found(f"/{MAIN}?_sort=target-disease") == ["evaluation-1", "undated", "evaluation-2", "evaluation-3"]


def test_validation_answers_200_and_says_what_is_wrong(client: Client) -> None:
    good = client("POST", f"/{MAIN}/$validate", evaluation()).json()
    assert [issue["severity"] for issue in good["issue"]] == ["information"]
    bad = client("POST", f"/{MAIN}/$validate", drop(evaluation(status="not-done"), ("patient",)))
    assert bad.status == 200
    assert {issue["expression"][0] for issue in bad.json()["issue"]} == {f"{MAIN}.status", f"{MAIN}.patient"}
    wrapped = {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": evaluation(colour="red")}]}
    assert client("POST", f"/{MAIN}/$validate", wrapped).json()["issue"][0]["expression"] == [f"{MAIN}.colour"]
    empty = client("POST", f"/{MAIN}/$validate", {"resourceType": "Parameters"}).json()
    assert empty["issue"][0]["code"] == "required"
    assert client("POST", f"/{MAIN}/$validate", template("Patient")["bodies"][0]).json()["issue"][0]["severity"] == "error"


def test_a_transaction_is_carried_out_as_a_whole(client: Client) -> None:
    answer = client("POST", "/", bundles()[0])
    assert answer.status == 200
    entries = answer.json()["entry"]
    assert [entry["response"]["status"] for entry in entries] == ["201 Created"] * 4 + ["200 OK"]
    patient = entries[0]["response"]["location"].removeprefix(f"{BASE}/").partition("/_history")[0]
    made = client("GET", entries[2]["response"]["location"]).json()
    assert made["patient"]["reference"] == patient
    assert made["immunizationEvent"]["reference"] == entries[1]["response"]["location"].removeprefix(f"{BASE}/")[:-11]
    assert entries[4]["resource"]["id"] == "patient-1"
    again = client("POST", "/", bundles()[0]).json()["entry"]
    assert [entry["response"]["status"] for entry in again[:2]] == ["200 OK", "201 Created"]
    assert again[0]["response"]["location"] == entries[0]["response"]["location"]


def test_a_transaction_that_fails_leaves_nothing_behind(client: Client) -> None:
    broken = drop(bundles()[0], ("entry", 3, "resource", "status"))
    before = client.box.store.partition().snapshot() if client.box.store else ()
    refused = client("POST", "/", broken)
    assert refused.status == 400
    assert refused.json()["issue"][0]["expression"] == ["Bundle.entry[3].resource.status"]
    assert client.box.store is not None
    assert client.box.store.partition().snapshot() == before


def test_a_transaction_deletes_before_it_creates_and_reads_last(client: Client) -> None:
    body = evaluation(id="evaluation-1", series="New")
    entries = [
        {"request": {"method": "GET", "url": f"{MAIN}/evaluation-1"}},
        {"resource": body, "request": {"method": "PUT", "url": f"{MAIN}/evaluation-1", "ifMatch": 'W/"1"'}},
        {"request": {"method": "DELETE", "url": f"{BASE}/Organization/organization-2"}},
        {"request": {"method": "GET", "url": "Organization?_summary=count"}},
    ]
    answer = client("POST", "/", {"resourceType": "Bundle", "type": "transaction", "entry": entries}).json()["entry"]
    assert answer[0]["resource"]["series"] == "New"
    assert answer[1]["response"]["etag"] == 'W/"2"'
    assert answer[2]["response"]["status"] == "204 No Content"
    assert answer[3]["resource"]["total"] == 1


def test_a_reference_may_be_a_search_in_a_transaction(client: Client) -> None:
    search = "Patient?identifier=https://example.org/fhir/patients|MRN-000001"
    entry = {"resource": put(evaluation(), ("patient", "reference"), search), "request": {"method": "POST", "url": MAIN}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    made = client("POST", "/", bundle, Prefer="return=representation").json()["entry"][0]
    assert made["resource"]["patient"]["reference"] == "Patient/patient-1"
    assert client("POST", f"/{MAIN}", entry["resource"]).status == 400


def test_in_a_batch_each_entry_stands_on_its_own(client: Client) -> None:
    entries = [
        {"resource": drop(evaluation(), ("status",)), "request": {"method": "POST", "url": MAIN}},
        {"resource": evaluation(), "request": {"method": "POST", "url": MAIN}},
        {"request": {"method": "GET", "url": f"{MAIN}/not-there"}},
        {"resource": {"resourceType": "Bundle", "type": "batch"}, "request": {"method": "POST", "url": "."}},
        {"request": {"method": "GET", "url": "metadata"}},
    ]
    answer = client("POST", "/", {"resourceType": "Bundle", "type": "batch", "entry": entries})
    assert answer.status == 200
    told = answer.json()["entry"]
    assert [entry["response"]["status"][:3] for entry in told] == ["400", "201", "404", "404", "200"]
    assert told[0]["response"]["outcome"]["issue"][0]["expression"] == [f"{MAIN}.status"]


def test_numbers_and_offsets_stay_as_they_were_written(client: Client) -> None:
    text = json.dumps(template("Immunization")["bodies"][0])
    text = text.replace('"value": 0.5', '"value": 0.500').replace("2024-03-01T09:30:00+00:00", "2024-03-01T09:30:00.120-05:00")
    made = client("POST", "/Immunization", text.encode())
    assert made.status == 201, made.body
    for answer in (made, client("GET", made.headers["Location"]), client("GET", "/Immunization?date=2024-03-01T14:30:00.12Z")):
        assert b'"value":0.500' in answer.body
        assert b'"2024-03-01T09:30:00.120-05:00"' in answer.body
    entry = f'{{"resource":{text},"request":{{"method":"POST","url":"Immunization"}}}}'
    wrapped = f'{{"resourceType":"Bundle","type":"batch","entry":[{entry}]}}'
    kept = client("POST", "/", wrapped.encode(), Prefer="return=representation")
    assert b'"value":0.500' in kept.body


def test_the_media_type_is_as_asked(client: Client) -> None:
    url = f"/{MAIN}/evaluation-1"
    assert client("GET", url).headers["Content-Type"] == "application/fhir+json"
    assert client("GET", url, Accept="application/json").headers["Content-Type"] == "application/json"
    assert client("GET", f"{url}?_format=json", Accept="*/*").headers["Content-Type"] == "application/fhir+json"
    assert client("GET", f"{url}?_format=application/fhir%2Bjson").status == 200
    assert client("GET", f"{url}?_format=xml").status == 406
    assert client("GET", url, Accept="application/fhir+xml").status == 406


def test_the_statement_tells_the_truth(client: Client) -> None:
    statement = client("GET", "/metadata").json()
    (rest,) = statement["rest"]
    assert {each["code"] for each in rest["interaction"]} == {"transaction", "batch"}
    common = [each["name"] for each in rest["searchParam"]]
    assert "_lastUpdated" in common
    for row in rest["resource"]:
        kind = row["type"]
        for name in (*(each["name"] for each in row["searchParam"]), *common):
            assert client("GET", f"/{kind}?{name}:missing=true", Prefer="handling=strict").status == 200
        for included in row.get("searchInclude", ()):
            assert client("GET", f"/{kind}?_include={included}", Prefer="handling=strict").status == 200
        for included in row.get("searchRevInclude", ()):
            assert client("GET", f"/{kind}?_revinclude={included}", Prefer="handling=strict").status == 200
        assert {each["code"] for each in row["interaction"]} == {
            *("create", "read", "vread", "update", "delete", "history-instance", "history-type", "search-type"),
        }
        assert client("POST", f"/{kind}/$validate", template(kind)["bodies"][0]).status == 200


def test_every_body_is_read_by_a_public_fhir_library() -> None:
    from fhir.resources.R4B import get_fhir_model_class

    provider = open_provider("evaluation")
    assert provider.templates is not None
    read = 0
    for operation in provider.contract.operations:
        for attempt in provider.templates(operation.id):
            for preference in ("return=representation", "return=OperationOutcome", "handling=strict"):
                answer = Sandbox(provider).handle(attempt.request.with_header("Prefer", preference))
                if answer.body:
                    body = answer.json()
                    get_fhir_model_class(body["resourceType"]).model_validate_json(answer.body)
                    read += 1
    client = Client()
    for asked in ("_summary=true", "_summary=text", "_summary=data", "_elements=date", f"_include={MAIN}:patient", "date=x"):
        answer = client("GET", f"/{MAIN}?{asked}")
        get_fhir_model_class(answer.json()["resourceType"]).model_validate_json(answer.body)
        read += 1
    assert read > 150


def test_a_sandbox_forgets_and_still_answers() -> None:
    client = Client("sandbox")
    made = client("POST", f"/{MAIN}", evaluation())
    assert made.status == 201
    assert client("GET", made.headers["Location"]).status == 404
    assert client("POST", "/", bundles()[0]).status == 200
    assert client("GET", "/Patient?_summary=count").json()["total"] == 1


def test_a_thousand_entries_are_enough_for_the_document() -> None:
    entry = {"request": {"method": "GET", "url": "Patient/patient-1"}}
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": [entry] * 1001}
    assert Client("documented")("POST", "/", bundle).status == 400
    assert Client()("POST", "/", bundle).status == 200


def test_a_deep_bundle_is_refused(client: Client) -> None:
    nested: dict[str, Any] = {"url": "urn:x", "valueString": "x"}
    for _ in range(200):
        nested = {"url": "urn:x", "extension": [nested]}
    bundle = put(bundles()[0], ("entry", 0, "resource", "extension"), [nested])
    assert client("POST", "/", bundle).status == 400
    assert client("POST", f"/{MAIN}", evaluation(extension=[nested])).status == 400
    assert client("POST", f"/{MAIN}/$validate", evaluation(extension=[nested])).status == 200
