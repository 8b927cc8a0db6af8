"""Answers that are legal and surprising: they find where a client breaks, and none of them breaks the contract."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings

from mocksandbox.consumer import Surprise, responses
from mocksandbox.consumer.origins import grounds
from mocksandbox.errors import UsageError
from mocksandbox.exchange import Exchange
from mocksandbox.provider import open_provider
from tests.plugin.conftest import Run

pytest_plugins = ["pytester"]

REFERENCES = (
    "nhs/searchImmunizationGet",
    "nhs/readImmunization",
    "nhs/createImmunization",
    "redox/immunizationSearch",
    "clinikapi/searchImmunizations",
    "evaluation/searchImmunizationEvaluationGet",
)
UNLOADED = settings(max_examples=30, deadline=None, database=None, suppress_health_check=list(HealthCheck), derandomize=True)


def drawn(reference: str, examples: int = 30, **how: bool) -> list[Surprise]:
    found: list[Surprise] = []

    @settings(UNLOADED, max_examples=examples)
    @given(responses(reference, **how))
    def draw(answer: Surprise) -> None:
        found.append(answer)

    draw()
    return found


@pytest.mark.parametrize("reference", REFERENCES)
def test_every_answer_keeps_the_contract(reference: str) -> None:
    provider = open_provider(reference.partition("/")[0])
    operation = reference.partition("/")[2]
    asked = {ground.response.status: ground.request for ground in grounds(provider.name, operation, provider.default_profile)}
    assert provider.valid is not None
    for answer in drawn(reference):
        documented = provider.contract.operation(operation).answer(answer.status)
        assert documented is not None, answer
        if answer.status >= 400 or operation.startswith("search"):
            request = asked[answer.status]
            found = provider.responses.all(Exchange(request, answer.response), operation, provider.default_profile)
            assert [each for each in found if each.rule.id != "http/server-error"] == [], answer


@pytest.mark.parametrize("reference", REFERENCES)
def test_every_documented_error_is_among_them(reference: str) -> None:
    name, _, operation = reference.partition("/")
    documented = {status for status in open_provider(name).contract.operation(operation).answers if status >= "4"}
    profile = open_provider(name).default_profile
    assert {str(ground.response.status) for ground in grounds(name, operation, profile)} >= documented


def test_answers_are_plain_shorter_larger_empty_long_and_warned() -> None:
    how = Counter(way for answer in drawn("nhs/searchImmunizationGet", 150, errors=False) for way in answer.how or ["plain"])
    assert how["plain"] > 0
    assert how["entry empty"] > 0
    assert how["10 items in entry"] + how["50 items in entry"] > 0
    assert how["a warning beside the matches, without a mode"] > 0
    assert sum(1 for way in how if way.startswith("without ")) > 10
    assert sum(1 for way in how if way.startswith("an unknown extension in ")) > 0
    assert how["members in another order"] > 0


def test_what_is_said_of_an_answer_is_true_of_it() -> None:
    for answer in drawn("nhs/searchImmunizationGet", 60, errors=False):
        entries = answer.json["entry"]
        matches = [entry for entry in entries if entry.get("search", {}).get("mode") == "match"]
        if "entry empty" in answer.how:
            assert not matches
        elif "10 items in entry" in answer.how:
            assert len(matches) >= 9  # the first may have lost its mode
            assert len({entry["fullUrl"] for entry in matches if "fullUrl" in entry}) >= 9
        if any("warning" in way for way in answer.how) and "entry empty" not in answer.how:
            assert any(entry["resource"]["resourceType"] == "OperationOutcome" for entry in entries)


def test_without_errors_there_are_none() -> None:
    assert {answer.status for answer in drawn("nhs/readImmunization", errors=False)} == {200}


def test_an_operation_may_be_named_without_its_method(run: Run) -> None:
    result = run("""
        import requests
        from hypothesis import HealthCheck, given, settings
        from mocksandbox.consumer import responses

        @settings(max_examples=5, deadline=None, database=None, derandomize=True,
                  suppress_health_check=[HealthCheck.function_scoped_fixture])
        @given(drawn=responses("nhs/searchImmunization"))
        def test_it(nhs_sandbox, drawn):
            asked = {"patient.identifier": "https://fhir.nhs.uk/Id/nhs-number|9449310475", "-immunization.target": "FLU"}
            with nhs_sandbox.answering(drawn) as stub, nhs_sandbox.session() as session:
                got = session.get(nhs_sandbox.local_url + "/Immunization", params=asked)
                found = session.post(nhs_sandbox.local_url + "/Immunization/_search", data=asked)
                read = session.get(nhs_sandbox.local_url + "/Immunization/12a33650-6f94-4e8f-a971-1c5c41da5b22")
            assert got.status_code == found.status_code == drawn.status
            assert (read.status_code, stub.used) == (200, 2)
    """)
    result.assert_outcomes(passed=1)


def test_what_there_is_not_is_named() -> None:
    with pytest.raises(UsageError, match="Did you mean 'searchImmunizationGet'"):
        responses("nhs/searchImunizationGet")
    with pytest.raises(UsageError, match="Did you mean 'nhs'"):
        responses("nhss/readImmunization")
    with pytest.raises(UsageError, match="profile"):
        responses("nhs/readImmunization", profile="x")


FRAGILE = """
import requests
from hypothesis import HealthCheck, given, settings
from mocksandbox.consumer import responses

PERSON = {"patient.identifier": "https://fhir.nhs.uk/Id/nhs-number|9449310475", "-immunization.target": "FLU"}
QUICK = settings(max_examples=50, deadline=None, database=None, derandomize=True,
                 suppress_health_check=[HealthCheck.function_scoped_fixture])

def lots(url):
    with requests.Session() as session:
        return read(session.get(url + "/Immunization", params=PERSON))

def read(answer):
    READ

@QUICK
@given(drawn=responses("nhs/searchImmunizationGet"))
def test_my_client(nhs_sandbox, drawn):
    with nhs_sandbox.answering(drawn) as stub:
        lots(nhs_sandbox.url)
    assert stub.used == 1
"""

NAIVE = """if answer.status_code != 200:
        return []
    resources = [entry["resource"] for entry in answer.json()["entry"]]
    return [each["lotNumber"] for each in resources if each["resourceType"] == "Immunization"]"""
CAREFUL = """if answer.status_code != 200:
        return []
    resources = [entry.get("resource", {}) for entry in answer.json().get("entry", [])]
    return [each.get("lotNumber", "") for each in resources if each.get("resourceType") == "Immunization"]"""


def test_a_client_that_believes_too_much_is_found_out(run: Run) -> None:
    result = run(FRAGILE.replace("READ", NAIVE))
    result.assert_outcomes(failed=1)
    # It shrinks to the plain answer with the one surprise that matters.
    shown = "*drawn=<nhs/searchImmunizationGet 200: without entry[[]0].resource.lotNumber {*"
    result.stdout.fnmatch_lines(["*KeyError: 'lotNumber'", shown])


def test_a_careful_client_is_not(run: Run) -> None:
    run(FRAGILE.replace("READ", CAREFUL)).assert_outcomes(passed=1)


def test_an_answer_can_be_given_without_hypothesis_too(run: Run) -> None:
    result = run("""
        import client
        from mocksandbox.consumer.origins import grounds
        from mocksandbox.exchange import Headers, Response

        ID = "12a33650-6f94-4e8f-a971-1c5c41da5b22"

        def test_it(nhs_sandbox):
            error = next(each for each in grounds("nhs", "readImmunization", "integration") if each.response.status == 429)
            with nhs_sandbox.answering(error.response):
                assert client.read(nhs_sandbox.url, ID).status_code == 429
                assert client.search(nhs_sandbox.url).status_code == 429
            assert client.read(nhs_sandbox.url, ID).status_code == 200
    """)
    result.assert_outcomes(passed=1)
