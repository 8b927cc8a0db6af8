"""Verification of what was sent, and what a test can let happen: stubs, faults, scenarios, time."""

from __future__ import annotations

from tests.plugin.conftest import Run

pytest_plugins = ["pytester"]


def test_what_was_called_can_be_asserted(run: Run) -> None:
    result = run("""
        import client

        def test_it(nhs_sandbox, payloads):
            body = payloads.body("nhs")
            client.create(nhs_sandbox.url, body)
            client.search(nhs_sandbox.url)
            called = nhs_sandbox.assert_called("createImmunization", times=1, json={"status": "completed"}, status=201)
            assert called[0].json["lotNumber"] == body["lotNumber"]
            nhs_sandbox.assert_called("createImmunization", json={"doseQuantity": body["doseQuantity"]})
            nhs_sandbox.assert_called("createImmunization", headers={"content-type": "application/fhir+json"})
            nhs_sandbox.assert_called("searchImmunizationGet", query={"-immunization.target": "FLU"})
            nhs_sandbox.assert_not_called("deleteImmunization")
            nhs_sandbox.assert_sequence("createImmunization", "searchImmunizationGet")
            nhs_sandbox.assert_sequence("searchImmunizationGet")
            assert nhs_sandbox.last().operation == "searchImmunizationGet"
            assert nhs_sandbox.last("searchImmunizationGet").answer["resourceType"] == "Bundle"
            assert [call.number for call in nhs_sandbox.journal] == [1, 2]
            assert nhs_sandbox.journal.last("createImmunization").status == 201
    """)
    result.assert_outcomes(passed=1)


WRONG = """
import client
import pytest

@pytest.fixture
def sent(nhs_sandbox, payloads):
    client.create(nhs_sandbox.url, {**payloads.body("nhs"), "lotNumber": "AB12"})
    client.read(nhs_sandbox.url, "00000000-0000-4000-8000-000000000000")

def test_field(nhs_sandbox, sent):
    wanted = {"lotNumber": "AB123", "status": "completed", "note": [{"text": "x"}]}
    nhs_sandbox.assert_called("createImmunization", json=wanted)

def test_times(nhs_sandbox, sent):
    nhs_sandbox.assert_called("createImmunization", times=2)

def test_never(nhs_sandbox, sent):
    nhs_sandbox.assert_called("deleteImmunization")

def test_not(nhs_sandbox, sent):
    nhs_sandbox.assert_not_called("createImmunization")

def test_last(nhs_sandbox, sent):
    nhs_sandbox.last("updateImmunization")

def test_order(nhs_sandbox, sent):
    nhs_sandbox.assert_sequence("readImmunization", "createImmunization")

def test_exactly(nhs_sandbox, sent):
    nhs_sandbox.assert_sequence("createImmunization", exact=True)
"""


def test_what_was_not_called_so_is_told_with_the_fields_that_differ(run: Run) -> None:
    result = run(WRONG)
    result.assert_outcomes(failed=7)
    result.stdout.fnmatch_lines(
        [
            "E *createImmunization was never called as described, expected at least once.",
            "E *#1 POST /Immunization -> 201",
            'E *lotNumber is "AB12", expected "AB123"',
            'E *note is missing, expected [[]{"text":"x"}]',
            "E *createImmunization was called once as described, expected 2 times.",
            "E *deleteImmunization was not called; what was: #1 POST /Immunization -> 201 (createImmunization); #2 GET*",
            "E *createImmunization was called: #1 POST /Immunization -> 201*",
            "E *updateImmunization was not called; what was:*",
            "E *The order was createImmunization -> readImmunization, not readImmunization -> createImmunization.*",
            "E *The order was createImmunization -> readImmunization, not createImmunization.*",
        ]
    )
    # The tests' own line is where the traceback ends.
    assert "consumer/calls.py" not in result.stdout.str()


def test_near_misses_say_what_a_request_came_near_to(run: Run) -> None:
    result = run("""
        import requests

        def test_it(nhs_sandbox):
            with nhs_sandbox.expect_violation("path", rule="unknown-route"):
                requests.get(nhs_sandbox.url + "/Imunization")
            missed = nhs_sandbox.journal.near_misses()
            assert [call.status for call in missed] == [404]
            assert missed[0].entry.near[0].startswith("searchImmunizationGet (GET /Immunization)")
    """)
    result.assert_outcomes(passed=1)


def test_stubs_answer_in_place_of_the_operation_and_keep_the_contract(run: Run) -> None:
    result = run("""
        import client
        import pytest
        from mocksandbox.consumer import StubError
        from mocksandbox.errors import UsageError

        ID = "12a33650-6f94-4e8f-a971-1c5c41da5b22"

        def test_sequence(nhs_sandbox):
            nhs_sandbox.stub("readImmunization", status=404, times=2)
            nhs_sandbox.stub("readImmunization", status=500, times=1)
            assert [client.read(nhs_sandbox.url, ID).status_code for _ in range(4)] == [404, 404, 500, 200]

        def test_own_answer(nhs_sandbox):
            record = {**client.read(nhs_sandbox.url, ID).json(), "lotNumber": "STUBBED"}
            stub = nhs_sandbox.stub("readImmunization", record, headers={"E-Tag": "7"})
            got = client.read(nhs_sandbox.url, ID)
            assert (got.json()["lotNumber"], got.headers["E-Tag"], stub.used) == ("STUBBED", "7", 1)

        def test_where(nhs_sandbox, payloads):
            first, second = (each.body for each in payloads("nhs", 2))
            nhs_sandbox.stub("createImmunization", status=422, where={"identifier": first["identifier"]})
            got = [client.create(nhs_sandbox.url, each).status_code for each in (payloads.body("nhs"), )]
            import json
            assert client.create(nhs_sandbox.url, json.loads(json.dumps(first, default=float))).status_code == 422
            assert client.create(nhs_sandbox.url, json.loads(json.dumps(second, default=float))).status_code == 201

        @pytest.mark.parametrize(("how", "says"), [
            ({"status": 418}, "documents no answer 418"),
            ({"json": {"resourceType": "Patient", "id": ID}}, "vaccineCode is required"),
            ({"change": {"occurrenceDateTime": 5}}, "occurrenceDateTime"),
            ({"status": 404, "json": {"error": "nope"}}, "nhs/refusal-not-an-outcome"),
            ({"headers": {"E-Tag": "new"}}, "E-Tag"),
            ({"body": b"<html>"}, "body"),
        ])
        def test_refused(nhs_sandbox, how, says):
            if "change" in how:
                how = {"json": {**client.read(nhs_sandbox.url, ID).json(), **how["change"]}}
            with pytest.raises((StubError, UsageError), match=says):
                nhs_sandbox.stub("readImmunization", **how)
            assert client.read(nhs_sandbox.url, ID).status_code == 200

        def test_unknown_operation(nhs_sandbox):
            for ask in (nhs_sandbox.stub, nhs_sandbox.assert_called, nhs_sandbox.assert_not_called, nhs_sandbox.last):
                with pytest.raises(UsageError, match="Did you mean 'readImmunization'"):
                    ask("readImunization")

        def test_unchecked(nhs_sandbox):
            nhs_sandbox.stub("readImmunization", body=b"<html>", headers={"Content-Type": "text/html"}, checked=False)
            assert client.read(nhs_sandbox.url, ID).text == "<html>"
    """)
    result.assert_outcomes(passed=11)


def test_every_documented_answer_of_every_provider_can_be_stubbed(run: Run) -> None:
    result = run("""
        import pytest
        from mocksandbox.provider import open_provider
        from mocksandbox.consumer import StubError

        @pytest.mark.parametrize("name", ["nhs", "redox", "clinikapi"])
        def test_it(request, name):
            sandbox = request.getfixturevalue(f"{name}_sandbox")
            refused = []
            for operation in open_provider(name).contract.operations:
                for status in operation.answers:
                    try:
                        sandbox.stub(operation.id, status=int(status))
                    except StubError as error:
                        refused.append((operation.id, status, str(error)))
            assert refused == []
            sandbox.reset()
    """)
    result.assert_outcomes(passed=3)


def test_faults_happen_to_the_requests_that_they_are_set_for(run: Run) -> None:
    result = run("""
        import client
        import pytest
        import requests
        from mocksandbox.errors import UsageError

        def test_timeout_after_write(nhs_sandbox, payloads):
            nhs_sandbox.fault("timeout-after-write", operation="createImmunization")
            body = payloads.body("nhs")
            assert [client.create(nhs_sandbox.url, body).status_code for _ in range(2)] == [504, 422]

        def test_times(nhs_sandbox):
            nhs_sandbox.fault("429", times=2)
            assert [client.search(nhs_sandbox.url).status_code for _ in range(3)] == [429, 429, 200]
            nhs_sandbox.fault("500", times=None)
            assert {client.search(nhs_sandbox.url).status_code for _ in range(4)} == {500}

        def test_reset(nhs_sandbox, payloads):
            nhs_sandbox.fault("reset")
            body = payloads.body("nhs")
            with pytest.raises(requests.ConnectionError) as caught:
                client.create(nhs_sandbox.url, body)
            assert "reset" in str(caught.value).lower()
            assert client.create(nhs_sandbox.url, body).status_code == 422

        def test_truncate(nhs_sandbox):
            nhs_sandbox.fault("truncate")
            with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
                client.search(nhs_sandbox.url)

        def test_too_slow(nhs_sandbox):
            nhs_sandbox.fault("latency:400ms")
            with pytest.raises(requests.ReadTimeout):
                requests.get(nhs_sandbox.url + "/_ping", timeout=5)
                requests.get(nhs_sandbox.url + "/Immunization/" + "0" * 8, timeout=0.1)
                client.search(nhs_sandbox.url)

        def test_unknown(nhs_sandbox):
            with pytest.raises(UsageError, match="No fault 'tiemout'"):
                nhs_sandbox.fault("tiemout")
            with pytest.raises(UsageError, match="No operation"):
                nhs_sandbox.fault("429", operation="create")
    """)
    result.assert_outcomes(passed=6)


def test_time_moves_with_the_test(run: Run) -> None:
    result = run(r"""
        from datetime import UTC, datetime, timedelta
        import client
        import pytest
        from mocksandbox.errors import UsageError

        def test_future(nhs_sandbox, payloads):
            body = {**payloads.body("nhs"), "occurrenceDateTime": "2031-05-01T10:00:00+00:00"}
            with nhs_sandbox.expect_violation("Immunization.occurrenceDateTime"):
                client.create(nhs_sandbox.url, body)
            now = nhs_sandbox.travel("2031-06-01")
            assert (now.year, now.month) == (2031, 6)
            assert client.create(nhs_sandbox.url, body).status_code == 201

        def test_frozen(nhs_sandbox):
            nhs_sandbox.travel(datetime(2030, 1, 1, tzinfo=UTC), freeze=True)
            assert nhs_sandbox.travel(hours=1) == nhs_sandbox.clock.now() == datetime(2030, 1, 1, 1, tzinfo=UTC)
            assert client.search(nhs_sandbox.url).status_code == 200
            assert nhs_sandbox.last().entry.at == nhs_sandbox.clock.now()

        def test_no_time(nhs_sandbox):
            for bad, says in (
                ({"to": "tomorrow", "hours": 1}, r"travel\('tomorrow', hours=1\) leads to no time"),
                ({"days": 1e12}, r"travel\(days=1000000000000.0\) leads to no time"),
                ({"day": 3}, "no travelling by 'day'. Did you mean 'days'"),
                ({"fortnights": 1}, "no travelling by 'fortnights'. Known: days, hours"),
            ):
                with pytest.raises(UsageError, match=says):
                    nhs_sandbox.travel(**bad)
    """)
    result.assert_outcomes(passed=3)


def test_a_reset_starts_anew_and_forgives_nothing(run: Run) -> None:
    result = run("""
        import client

        def test_anew(nhs_sandbox, payloads):
            body = payloads.body("nhs")
            for _ in range(3):
                assert client.create(nhs_sandbox.url, body).status_code == 201
                nhs_sandbox.assert_called("createImmunization", times=1)
                nhs_sandbox.fault("500", times=None)
                nhs_sandbox.stub("readImmunization", status=404)
                nhs_sandbox.travel(days=9)
                nhs_sandbox.reset()
                assert nhs_sandbox.clock.offset.days == 0
                nhs_sandbox.assert_not_called()

        def test_nothing_forgiven(nhs_sandbox, payloads):
            client.create(nhs_sandbox.url, {**payloads.body("nhs"), "status": "complete"})
            nhs_sandbox.reset()
    """)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*test_nothing_forgiven*", "*Immunization.status*"])


def test_stubs_that_nobody_asked_for_are_named(run: Run) -> None:
    result = run(
        """
        def test_it(nhs_sandbox):
            nhs_sandbox.stub("readImmunization", status=404)
        """
    )
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["stub never asked for: stub readImmunization 404 (test_it.py::test_it)"])
