"""What one search, page or Bundle of a FHIR server may cost: beyond it there is a refusal or a next page, and no long wait."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import combinations
from time import process_time
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from mocksandbox.exchange import FORM, Headers, Request, Response
from mocksandbox.fhir import stored
from mocksandbox.fhir.search import parse_query, results
from mocksandbox.fhir.search.dates import Dates
from mocksandbox.fhir.search.limits import MOST_CHARACTERS, MOST_PARAMETERS, MOST_STEPS, MOST_VALUES
from mocksandbox.fhir.search.spans import COMPARE, around, span_of
from mocksandbox.fhir.server import transaction
from mocksandbox.fhir.server.transaction import MOST_ENTRIES
from mocksandbox.provider import open_provider
from mocksandbox.providers.evaluation.bodies import template
from mocksandbox.providers.evaluation.table import TYPES
from mocksandbox.rules.attempt import Record
from mocksandbox.sandbox import Sandbox

BASE = "http://test.example/evaluation/R4"
Ask = Callable[..., Response]
Answer = dict[str, Any]


@pytest.fixture
def ask() -> Ask:
    box = Sandbox(open_provider("evaluation"), "integration", strict=True)

    def send(method: str, url: str, body: Any = None, **headers: str) -> Response:
        parts = urlsplit(url.removeprefix(BASE))
        sent = [(name.replace("_", "-"), value) for name, value in headers.items()]
        sent += [("Content-Type", FORM if isinstance(body, str) else "application/fhir+json")] if body is not None else []
        data = b"" if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
        query = tuple(parse_qsl(parts.query, keep_blank_values=True))
        answer = box.handle(Request(method, parts.path, query, Headers(sent), data, BASE))
        entry = box.journal.last()
        assert entry is not None
        assert not entry.bugs, [(bug.rule.id, bug.at, bug.message) for bug in entry.bugs]
        return answer

    return send


def get(url: str) -> Answer:
    return {"request": {"method": "GET", "url": url}}


def post(resource: Answer, **request: str) -> Answer:
    return {"resource": resource, "request": {"method": "POST", "url": resource["resourceType"], **request}}


def bundle(kind: str, entries: list[Answer]) -> Answer:
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


def patient(value: str, **more: Any) -> Answer:
    return {"resourceType": "Patient", "identifier": [{"system": "urn:p", "value": value}], **more}


def immunization(**changes: Any) -> Answer:
    return {**template("Immunization")["bodies"][0], **changes}


def fill(ask: Ask, resources: list[Answer]) -> None:
    assert ask("POST", "/", bundle("transaction", [post(each) for each in resources]), Prefer="return=minimal").status == 200


def told(answer: Response) -> tuple[int, str, str]:
    issue = answer.json()["issue"][0]
    return answer.status, issue["code"], issue["diagnostics"]


def statuses(answer: Response) -> list[str]:
    assert answer.status == 200, answer.body
    return [entry["response"]["status"][:3] for entry in answer.json()["entry"]]


# --- What a search asks for -------------------------------------------------------------------------------------------------

EXCESSIVE = {
    "parameters": "&".join(["_tag=x"] * (MOST_PARAMETERS + 1)),
    "values": "_tag=" + ",".join(["x"] * (MOST_VALUES + 1)),
    "characters": "_tag=" + "x" * MOST_CHARACTERS,
    "parts-of-an-order": "_sort=" + ",".join(["_id"] * (MOST_VALUES + 1)),
}


@pytest.mark.parametrize("query", EXCESSIVE.values(), ids=EXCESSIVE)
def test_what_asks_for_too_much_is_refused_however_it_is_asked(ask: Ask, query: str) -> None:
    answers = [
        ask("GET", f"/Patient?{query}"),
        ask("POST", "/Patient/_search", query),
        ask("GET", f"/Patient/_history?{query}"),
    ]
    for answer in answers:
        status, code, says = told(answer)
        assert (status, code) == (400, "too-costly")
        assert says.startswith("The query ")
        assert says.endswith("are the most: ask in several searches.")
    status, _, says = told(ask("POST", "/Patient", patient("1"), If_None_Exist=query))
    assert status == 400
    assert says.startswith("If-None-Exist cannot be used: the query ")
    assert statuses(ask("POST", "/", bundle("batch", [get(f"Patient?{query}")]))) == ["400"]
    referring = immunization(patient={"reference": f"Patient?{query}"})
    assert ask("POST", "/", bundle("transaction", [post(referring)])).status == 400


def test_as_much_as_may_be_asked_is_answered(ask: Ask) -> None:
    assert ask("GET", "/Patient?" + "&".join(["_tag=x"] * MOST_PARAMETERS)).status == 200
    assert ask("POST", "/Patient/_search", "_id=" + ",".join(["patient-1"] * MOST_VALUES)).json()["total"] == 1


def test_a_form_of_many_fields_is_refused_at_once(ask: Ask) -> None:
    form = "a=1&" * 1_400_000
    start = process_time()
    assert told(ask("POST", "/Patient/_search", form))[:2] == (400, "too-costly")
    assert process_time() - start < 0.4


def test_what_is_said_twice_is_looked_for_once() -> None:
    asked = [("date", "ge2024"), ("_sort", "date,-date,date"), ("_include", "*"), ("_include", "Immunization:patient")] * 2
    asked = [pair for index, pair in enumerate(asked) if pair[0] != "_sort" or index < 4]
    query = parse_query(asked, TYPES["Immunization"], TYPES)
    assert not query.problems
    assert len(query.criteria) == 1
    assert [(parameter.name, down) for parameter, down in query.sort] == [("date", False), ("date", True)]
    assert len(query.includes) == len(set(query.includes))
    assert query.used == asked  # the links say it as it was sent


CHAIN = "partof." * 480 + "name"


def test_a_chain_comes_to_an_end(ask: Ask) -> None:
    for answer in (ask("GET", f"/Organization?{CHAIN}=x"), ask("POST", "/Organization/_search", f"{CHAIN}=x")):
        status, _, says = told(answer)
        assert status == 400
        assert says == f"{CHAIN[:40]}... is a chain of more than {MOST_STEPS} references, which are the most."
    organization = {"resourceType": "Organization", "name": "x"}
    assert told(ask("POST", "/Organization", organization, If_None_Exist=f"{CHAIN}=x"))[0] == 400
    below = {**organization, "partOf": {"reference": f"Organization?{CHAIN}=x"}}
    assert told(ask("POST", "/", bundle("transaction", [post(below)])))[0] == 400
    assert ask("GET", f"/Organization?{'partof.' * MOST_STEPS}name=x").status == 200
    assert told(ask("GET", f"/Organization?{'partof.' * (MOST_STEPS + 1)}name=x"))[0] == 400


def test_many_dates_are_compared_as_each_alone() -> None:
    now = datetime(2024, 7, 1, tzinfo=UTC)
    texts = ("0001", "2023", "2024", "2024-02", "2024-02-29", "2024-02-29T10:20Z", "2024-03-01", "9999-12-31")
    spans = [span for span in map(span_of, texts) if span is not None]
    each = [(prefix, span) for prefix in ("", *COMPARE) for span in spans]
    for asked in [*([one] for one in each), *map(list, combinations(each, 2)), each[::7], each[3::11]]:
        dates = Dates(asked, now)
        for have in spans:
            expected = any(
                COMPARE[prefix or "eq"](around(span, now) if prefix == "ap" else span, have) for prefix, span in asked
            )
            assert dates.match(have) is expected, (asked, have)


@pytest.fixture
def crowd(ask: Ask) -> Ask:
    """With 500 immunizations of one patient, who has a thousand names."""
    assert (
        ask("PUT", "/Patient/many", patient("many", id="many", name=[{"given": [f"g{i}" for i in range(1000)]}])).status == 201
    )
    who = {"reference": "Patient/many"}
    fill(ask, [immunization(patient=who, occurrenceDateTime=f"2024-01-{day % 28 + 1:02d}") for day in range(500)])
    return ask


LONG = [
    "Immunization?date=" + ",".join(str(1000 + year) for year in range(999)),
    "Immunization?date=" + ",".join(f"ap{1000 + year}" for year in range(999)),
    "Immunization?_count=1&patient=" + ",".join(f"http://nowhere.example/{number}" for number in range(999)),
    "Immunization?_count=1&identifier=" + ",".join(f"x{number}" for number in range(999)),
    "Patient?name=" + ",".join(f"q{number}" for number in range(999)),
    "Patient?name:contains=" + "q" * 60_000,
    "Patient?_id=many&_revinclude=Immunization:patient" + "&_revinclude=Immunization:patient" * 90,
]


@pytest.mark.parametrize("url", LONG, ids=lambda url: url[:40])
def test_many_values_take_no_longer_than_few(crowd: Ask, url: str) -> None:
    path, _, query = url.partition("?")
    start = process_time()
    assert crowd("POST", f"/{path}/_search", query).status == 200
    assert process_time() - start < 0.6


# --- Pages ------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (stored, results):
        monkeypatch.setattr(module, "MOST_PAGE", 1500)


def pages(ask: Ask, url: str) -> Iterator[Answer]:
    following: str | None = url
    while following:
        page: Answer = ask("GET", following).json()
        yield page
        following = next((link["url"] for link in page["link"] if link["relation"] == "next"), None)


@pytest.mark.usefixtures("small_pages")
def test_a_page_ends_by_bytes_and_the_next_goes_on(ask: Ask) -> None:
    fill(ask, [patient(f"{number}", name=[{"text": "x" * 400}]) for number in range(10)])
    fill(ask, [patient("large", name=[{"text": "x" * 5000}])])
    given = list(pages(ask, "/Patient?identifier=urn:p|&_sort=-identifier&_count=100"))
    found = [entry["resource"]["identifier"][0]["value"] for page in given for entry in page["entry"]]
    assert found == ["large", *(str(number) for number in range(9, -1, -1))]
    assert [len(page["entry"]) for page in given][:2] == [1, 2]
    assert {page["total"] for page in given} == {11}


@pytest.mark.usefixtures("small_pages")
def test_a_history_ends_by_bytes_too(ask: Ask) -> None:
    for number in range(5):
        ask("PUT", "/Patient/p", patient(f"{number}", id="p", name=[{"text": "x" * 700}]))
    ask("DELETE", "/Patient/p")
    given = list(pages(ask, "/Patient/p/_history?_count=100"))
    assert [len(page["entry"]) for page in given] == [2, 1, 1, 1, 1]
    versions = [entry["response"]["etag"] for page in given for entry in page["entry"]]
    assert versions == [f'W/"{number}"' for number in range(6, 0, -1)]


@pytest.mark.usefixtures("small_pages")
def test_what_is_included_has_an_end(ask: Ask) -> None:
    ask("PUT", "/Organization/o", {"resourceType": "Organization", "id": "o", "name": "x" * 5000})
    fill(ask, [patient("member", managingOrganization={"reference": "Organization/o"})])
    url = "Patient?identifier=member&_include=Patient:organization"
    status, code, says = told(ask("GET", f"/{url}"))
    assert (status, code) == (413, "too-costly")
    assert "_count" in says
    assert statuses(ask("POST", "/", bundle("batch", [get(url), get("Patient/patient-1")]))) == ["413", "200"]


# --- Bundles ----------------------------------------------------------------------------------------------------------------


def test_a_batch_is_answered_to_so_many_bytes(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transaction, "MOST_ANSWERED", 3000)
    entries = [*[get("Immunization?_count=1000")] * 5, post(patient("late"))]
    answer = ask("POST", "/", bundle("batch", entries))
    assert statuses(answer)[0] == "200"
    assert statuses(answer)[-2:] == ["413", "413"]
    assert answer.json()["entry"][-1]["response"]["outcome"]["issue"][0]["code"] == "too-costly"
    assert ask("GET", "/Patient?identifier=late").json()["total"] == 0


def test_a_transaction_that_costs_too_much_is_taken_back(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transaction, "MOST_ANSWERED", 3000)
    entries = [post(patient("early")), *[get("Immunization?_count=1000")] * 5]
    status, code, says = told(ask("POST", "/", bundle("transaction", entries)))
    assert (status, code) == (413, "too-costly")
    assert says.startswith("Bundle.entry[")
    assert ask("GET", "/Patient?identifier=early").json()["total"] == 0


def test_the_searches_of_a_bundle_come_to_an_end_and_those_for_identifiers_cost_nothing(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(ask, [*(patient(f"{number}") for number in range(100)), patient("named", name=[{"family": "Only"}])])
    monkeypatch.setattr(transaction, "MOST_LOOKED", 300)
    by_name = ask("POST", "/", bundle("batch", [get("Patient?name=nobody")] * 10))
    assert statuses(by_name) == ["200"] * 3 + ["413"] * 7
    by_identifier = ask("POST", "/", bundle("batch", [get(f"Patient?identifier=urn:p|{number}") for number in range(50)]))
    assert statuses(by_identifier) == ["200"] * 50
    assert {entry["resource"]["total"] for entry in by_identifier.json()["entry"]} == {1}
    referring = [post(immunization(patient={"reference": "Patient?family=only"})) for _ in range(5)]
    assert statuses(ask("POST", "/", bundle("transaction", referring[:2]))) == ["201"] * 2
    assert told(ask("POST", "/", bundle("transaction", referring)))[:2] == (413, "too-costly")
    waiting = [post(patient("new"), ifNoneExist=f"name=x{number}") for number in range(5)]
    assert told(ask("POST", "/", bundle("transaction", waiting)))[:2] == (413, "too-costly")


@pytest.mark.parametrize("path", ["a/" * 200_000, "Patient/" + "x" * 400_000])
def test_a_path_without_end_leads_nowhere_at_once(ask: Ask, path: str) -> None:
    start = process_time()
    assert statuses(ask("POST", "/", bundle("batch", [get(path)]))) in (["404"], ["400"])
    assert process_time() - start < 0.4


def test_references_that_lead_nowhere_are_told_up_to_a_number(ask: Ask) -> None:
    nowhere = [{"reference": "urn:uuid:00000000-0000-4000-8000-00000000ffff"}] * (transaction.MOST_UNRESOLVED + 100)
    answer = ask("POST", "/", bundle("transaction", [post(patient("x", generalPractitioner=nowhere))]))
    assert answer.status == 400
    assert len(answer.json()["issue"]) == transaction.MOST_UNRESOLVED


def test_a_bundle_has_so_many_entries(ask: Ask) -> None:
    for kind in ("batch", "transaction"):
        status, code, _ = told(ask("POST", "/", bundle(kind, [get("Patient/patient-1")] * (MOST_ENTRIES + 1))))
        assert (status, code) == (413, "too-costly")


def test_a_transaction_reads_each_record_once(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(ask, [patient(f"{number}") for number in range(100)])
    read: list[Record] = []
    whole = Record.json
    monkeypatch.setattr(Record, "json", lambda record: (read.append(record), whole(record))[1])
    entries = [post(patient(f"new{number}"), ifNoneExist=f"identifier=urn:p|new{number}") for number in range(50)]
    entries += [get(f"Patient?identifier=urn:p|{number}&name:missing=true") for number in range(50)]
    assert statuses(ask("POST", "/", bundle("transaction", entries))) == ["201"] * 50 + ["200"] * 50
    assert len(read) < 100 + 50 + 50 + 50


def test_a_search_in_a_bundle_finds_what_one_alone_does(ask: Ask) -> None:
    fill(ask, [patient("same", active=number % 2 == 0) for number in range(6)])
    ids = [entry["resource"]["id"] for entry in ask("GET", "/Patient?identifier=same").json()["entry"]]
    changes = [
        {"request": {"method": "DELETE", "url": f"Patient/{ids[0]}"}},
        {"resource": patient("other", id=ids[1]), "request": {"method": "PUT", "url": f"Patient/{ids[1]}"}},
        {"resource": patient("SAME", id=ids[2]), "request": {"method": "PUT", "url": f"Patient/{ids[2]}"}},
        {"resource": patient("same", id="put"), "request": {"method": "PUT", "url": "Patient/put"}},
        post(patient("same"), ifNoneExist="identifier=urn:p|none"),
        post(patient("fresh"), ifNoneExist="identifier=urn:p|fresh"),
        post(patient("fresh"), ifNoneExist="identifier=urn:p|fresh"),
    ]
    queries = ["identifier=same", "identifier=urn:p|", "identifier=urn:p|other,|same", "active=true", "identifier:not=same"]
    asked = [get(f"Patient?{query}&_count=50") for query in queries]
    first = bundle("batch", [*asked, *changes, *asked])
    answer = ask("POST", "/", first)
    assert statuses(answer) == ["200"] * 5 + ["204", "200", "200", "201", "201", "201", "200"] + ["200"] * 5
    inside = [entry["resource"] for entry in answer.json()["entry"][-5:]]
    for query, got in zip(queries, inside, strict=True):
        alone = ask("GET", f"/Patient?{query}&_count=50").json()
        assert got["total"] == alone["total"], query
        assert found_in(got) == found_in(alone), query


def found_in(page: Answer) -> set[str]:
    return {entry["resource"]["id"] for entry in page.get("entry", ())}
