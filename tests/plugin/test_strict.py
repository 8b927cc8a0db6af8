"""A test fails by itself, in its own phase, when one of its requests breaks the contract; and for no other reason."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import Run

pytest_plugins = ["pytester"]

SWALLOWED = """
import client

def test_swallowed(nhs_sandbox, payloads):
    client.create(nhs_sandbox.url, {**payloads.body("nhs"), "status": "complete"})
"""


def block(result: pytest.RunResult, test: str) -> list[str]:
    """What pytest shows of one failed test."""
    lines = result.outlines
    start = next(index for index, line in enumerate(lines) if line.strip("_ ") == test and line.startswith("_"))
    ends = (index for index, line in enumerate(lines) if index > start and line[:3] in ("___", "---", "==="))
    return [line for line in lines[start + 1 : next(ends)] if line]


def test_a_swallowed_refusal_fails_the_test_and_names_the_field_and_the_rule(run: Run) -> None:
    result = run(SWALLOWED)
    result.assert_outcomes(failed=1)
    shown = block(result, "test_swallowed")
    assert len(shown) <= 8
    result.stdout.fnmatch_lines(
        [
            "1 request broke the contract of nhs*",
            "#1 POST /Immunization -> 400  (createImmunization)",
            '     Immunization.status  *completed*[[]nhs/bad-status]  nearest: "completed"',
        ]
    )


def test_however_much_is_wrong_it_is_told_in_eight_lines(run: Run) -> None:
    result = run("""
        import client

        def test_much(nhs_sandbox):
            for _ in range(5):
                client.create(nhs_sandbox.url, {"resourceType": "Immunization", "status": "x", "occurrenceDateTime": 5})
    """)
    result.assert_outcomes(failed=1)
    shown = block(result, "test_much")
    assert len(shown) == 8
    assert shown[0].startswith("5 requests broke the contract of nhs")
    assert "more; the fixture's `breaches()` has them all" in shown[-1]


def test_the_clients_own_failure_keeps_its_traceback(run: Run) -> None:
    result = run("""
        import client

        def test_raises(nhs_sandbox, payloads):
            client.create(nhs_sandbox.url, {**payloads.body("nhs"), "status": "complete"}).raise_for_status()
    """)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            ">*raise_for_status()",
            "E *HTTPError: 400 Client Error*",
            "*Captured mocksandbox call*",
            "1 request broke the contract of nhs*",
            "*Immunization.status*[[]nhs/bad-status]*",
        ]
    )


def test_a_fixture_that_fails_is_told_what_it_had_sent(run: Run) -> None:
    result = run("""
        import client
        import pytest

        @pytest.fixture
        def recorded(nhs_sandbox, payloads):
            client.create(nhs_sandbox.url, {**payloads.body("nhs"), "status": "complete"}).raise_for_status()

        def test_it(recorded):
            pass
    """)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["E *HTTPError: 400*", "*Captured mocksandbox setup*", "*[[]nhs/bad-status]*"])
    result.stdout.no_fnmatch_line("*had been reported*")


def test_what_is_for_no_operation_or_no_api_fails(run: Run) -> None:
    result = run("""
        from urllib.parse import urljoin
        import requests

        def test_misspelt(nhs_sandbox):
            requests.get(nhs_sandbox.url + "/Imunization")

        def test_joined_wrongly(nhs_sandbox):
            requests.get(urljoin(nhs_sandbox.url, "/Immunization/1"))

        def test_wrong_method(clinikapi_sandbox):
            requests.put(clinikapi_sandbox.url + "/immunizations/1")
    """)
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(
        [
            "*[[]nhs/unknown-route]  nearest: searchImmunizationGet (GET /Immunization)*",
            "#1 GET /Immunization/1 -> 404",
            "*[[]http/no-api]  nearest: nhs is at http://127.0.0.1:*/tenants/*/immunisation-fhir-api/FHIR/R4",
            "*[[]http/method-not-allowed]*",
        ]
    )


def test_refusals_for_other_reasons_are_no_mistakes_of_the_client(run: Run) -> None:
    result = run("""
        import client
        import pytest

        def test_duplicate(nhs_sandbox, payloads):
            body = payloads.body("nhs")
            assert [client.create(nhs_sandbox.url, body).status_code for _ in range(2)] == [201, 422]

        def test_unknown_record(nhs_sandbox):
            assert client.read(nhs_sandbox.url, "00000000-0000-4000-8000-000000000000").status_code == 404

        def test_rights(nhs_sandbox):
            id = "191f288a-17f3-4cd5-a33c-a52aade6473c"
            assert client.read(nhs_sandbox.url, id, SupplierSystem="MAVIS").status_code == 403

        @pytest.mark.mocksandbox(auth="token")
        def test_no_token(nhs_sandbox):
            assert client.read(nhs_sandbox.url, "00000000-0000-4000-8000-000000000000").status_code == 401

        @pytest.mark.mocksandbox(auth="token")
        def test_no_key(clinikapi_sandbox):
            import requests
            assert requests.get(clinikapi_sandbox.url + "/immunizations", params={"patientId": "pat_1"}).status_code == 401

        def test_fault(nhs_sandbox):
            nhs_sandbox.fault("429:3")
            assert client.search(nhs_sandbox.url).status_code == 429

        def test_asked_for(nhs_sandbox):
            id = "12a33650-6f94-4e8f-a971-1c5c41da5b22"
            assert client.read(nhs_sandbox.url, id, Prefer="code=403").status_code == 403

        @pytest.mark.mocksandbox(scenario="read-forbidden-vaccine")
        def test_scenario(nhs_sandbox):
            assert client.read(nhs_sandbox.url, "12a33650-6f94-4e8f-a971-1c5c41da5b22").status_code == 403

        def test_status(nhs_sandbox):
            import requests
            assert requests.get(nhs_sandbox.url + "/_ping").status_code == 200

        def test_unknown_destination(redox_sandbox):
            import requests
            url = redox_sandbox.url + "/somebody/Development/Immunization/_search"
            assert requests.post(url, data={"patient": "Patient/1"}).status_code == 404

        def test_changed_by_somebody_else(clinikapi_sandbox):
            import requests
            assert requests.delete(clinikapi_sandbox.url + "/immunizations/imm_unknown").status_code == 404
    """)
    result.assert_outcomes(passed=11)


def test_a_broken_request_fails_although_a_fault_or_a_stub_answered_it(run: Run) -> None:
    result = run("""
        import client

        def test_fault(nhs_sandbox, payloads):
            nhs_sandbox.fault("500")
            client.create(nhs_sandbox.url, {**payloads.body("nhs"), "status": "complete"})

        def test_stub(nhs_sandbox, payloads):
            nhs_sandbox.stub("createImmunization")
            assert client.create(nhs_sandbox.url, {**payloads.body("nhs"), "status": "complete"}).status_code == 201
    """)
    result.assert_outcomes(failed=2)


EXPECTED = """
import client
import pytest
import requests

def broken(payloads):
    return {**payloads.body("nhs"), "status": "complete"}

def test_met(nhs_sandbox, payloads):
    with nhs_sandbox.expect_violation("Immunization.status", rule="bad-status") as expected:
        assert client.create(nhs_sandbox.url, broken(payloads)).status_code == 400
    assert [breach.rule for breach in expected.met] == ["nhs/bad-status"]

def test_any_rule_any_place(nhs_sandbox, payloads):
    with nhs_sandbox.expect_violation("Immunization.*"):
        client.create(nhs_sandbox.url, broken(payloads))

def test_not_met(nhs_sandbox, payloads):
    with nhs_sandbox.expect_violation("Immunization.status"):
        client.create(nhs_sandbox.url, payloads.body("nhs"))

def test_other_place(nhs_sandbox, payloads):
    with nhs_sandbox.expect_violation("Immunization.lotNumber"):
        client.create(nhs_sandbox.url, broken(payloads))

def test_other_rule(nhs_sandbox, payloads):
    with nhs_sandbox.expect_violation("Immunization.status", rule="nhs/bad-nhs-number"):
        client.create(nhs_sandbox.url, broken(payloads))

def test_one_more(nhs_sandbox, payloads):
    with nhs_sandbox.expect_violation("Immunization.status"):
        client.create(nhs_sandbox.url, {**broken(payloads), "primarySource": "yes"})

def test_client_raises(nhs_sandbox, payloads):
    with pytest.raises(requests.HTTPError), nhs_sandbox.expect_violation("Immunization.status"):
        client.create(nhs_sandbox.url, broken(payloads)).raise_for_status()

def test_outside(nhs_sandbox, payloads):
    with nhs_sandbox.expect_violation("Immunization.status"):
        client.create(nhs_sandbox.url, broken(payloads))
    client.create(nhs_sandbox.url, broken(payloads))
"""


def test_expected_violations_are_met_exactly(run: Run) -> None:
    result = run(EXPECTED, "-rA")
    result.assert_outcomes(passed=3, failed=5)
    result.stdout.fnmatch_lines(
        [
            "*No request broke the contract at Immunization.status.",
            "*No request broke the contract at Immunization.lotNumber, but:*",
            "*No request broke the contract at Immunization.status by nhs/bad-nhs-number, but:*",
            "*Immunization.primarySource*",
        ]
    )
    assert "test_outside" in result.stdout.str().partition("short test summary")[2]
    assert "#2 POST" in "\n".join(block(result, "test_outside"))


def test_it_is_loosened_by_option_ini_key_and_marker_the_nearest_wins(run: Run, pytester: pytest.Pytester) -> None:
    run(SWALLOWED, "--mocksandbox-strict", "off").assert_outcomes(passed=1)
    pytester.makeini("[pytest]\nmocksandbox_strict = off\n")
    run(SWALLOWED).assert_outcomes(passed=1)
    run(SWALLOWED, "--mocksandbox-strict", "error").assert_outcomes(failed=1)
    marked = SWALLOWED.replace("def test", "import pytest\n@pytest.mark.mocksandbox(strict='error')\ndef test")
    run(marked, "--mocksandbox-strict", "off").assert_outcomes(failed=1)
    elsewhere = marked.replace("strict=", "provider='redox', strict=")
    run(elsewhere, "--mocksandbox-strict", "off").assert_outcomes(passed=1)


def test_a_warning_is_a_warning_with_a_class_of_its_own(run: Run) -> None:
    result = run(SWALLOWED, "--mocksandbox-strict", "warn", apart=True)
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(["*ContractWarning: 1 request broke the contract of nhs*", "*[[]nhs/bad-status]*"])
    silenced = run(
        SWALLOWED, "--mocksandbox-strict", "warn", "-W", "ignore::mocksandbox.pytest_plugin.ContractWarning", apart=True
    )
    silenced.assert_outcomes(passed=1, warnings=0)


def test_what_strict_cannot_be_is_refused_before_anything_runs(run: Run) -> None:
    result = run(SWALLOWED, "--mocksandbox-strict", "very", apart=True)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: mocksandbox-strict is 'very'. Known: error, off, warn."])


THREADS = """
import threading
import time
import client

GO = threading.Event()
SENDING = []

def later(url, body, wait):
    def send():
        wait()
        client.create(url, body)
    SENDING.append(threading.Thread(target=send, daemon=True))
    SENDING[-1].start()

def test_soon(nhs_sandbox, payloads):
    later(nhs_sandbox.url, {**payloads.body("nhs"), "status": "complete"}, lambda: time.sleep(0.1))

def test_late(nhs_sandbox, payloads):
    later(nhs_sandbox.url, {**payloads.body("nhs"), "status": "complete"}, GO.wait)

def test_innocent(nhs_sandbox):
    client.search(nhs_sandbox.url)
    GO.set()
    for thread in SENDING:
        thread.join()
"""


def test_requests_of_background_threads_are_waited_for_and_told_of_the_right_test(run: Run) -> None:
    result = run(THREADS, "--mocksandbox-late", "5")
    result.assert_outcomes(passed=2, failed=1)
    assert "Immunization.status" in "\n".join(block(result, "test_soon"))
    result.stdout.fnmatch_lines(
        ["after test_it.py::test_late had been reported, 1 request broke the contract of nhs", "*[[]nhs/bad-status]*"]
    )


def test_what_comes_after_its_test_has_been_reported_fails_the_session(run: Run) -> None:
    result = run(THREADS, "-k", "late or innocent")
    result.assert_outcomes(passed=2, deselected=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    loosened = run(THREADS, "-k", "late or innocent", "--mocksandbox-strict", "off")
    assert loosened.ret == pytest.ExitCode.OK


def test_a_pool_that_has_nothing_to_do_is_not_waited_for(run: Run) -> None:
    result = run(
        """
        from concurrent.futures import ThreadPoolExecutor
        import client

        POOL = ThreadPoolExecutor(2)

        def test_pool(nhs_sandbox):
            assert POOL.submit(client.search, nhs_sandbox.url).result().status_code == 200

        def test_quick(nhs_sandbox, request):
            import time
            from mocksandbox.consumer.threads import running, wait_for
            started = time.monotonic()
            wait_for(set(), 5)
            assert time.monotonic() - started < 4
        """,
        apart=True,
    )
    result.assert_outcomes(passed=2)


def test_a_test_that_is_known_to_fail_fails_as_known(run: Run) -> None:
    result = run(SWALLOWED.replace("def test", "import pytest\n@pytest.mark.xfail(strict=True)\ndef test"))
    result.assert_outcomes(xfailed=1)


def test_unittest_style(run: Run) -> None:
    result = run("""
        import unittest
        import client
        import pytest

        class TestRecords(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def _sandbox(self, nhs_sandbox, payloads):
                self.nhs, self.body = nhs_sandbox, payloads.body("nhs")

            def test_right(self):
                self.assertEqual(client.create(self.nhs.url, self.body).status_code, 201)
                self.nhs.assert_called("createImmunization", times=1)

            def test_swallowed(self):
                client.create(self.nhs.url, {**self.body, "status": "complete"})

            def test_own_failure(self):
                self.assertEqual(client.create(self.nhs.url, {**self.body, "status": "complete"}).status_code, 201)
    """)
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(
        ["*AssertionError: 400 != 201", "*Captured mocksandbox call*", "1 request broke the contract*"]
    )
    assert len(block(result, "TestRecords.test_swallowed")) <= 8


def test_a_violation_is_expected_at_a_place_or_by_a_rule_that_there_is(run: Run) -> None:
    result = run("""
        import client
        import pytest
        from mocksandbox.errors import UsageError

        def send(sandbox, payloads):
            client.create(sandbox.url, {**payloads.body("nhs"), "status": "complete"})

        @pytest.mark.parametrize("rule", ["nhs/bad-status", "bad-status"])
        def test_by_a_rule_alone(nhs_sandbox, payloads, rule):
            with nhs_sandbox.expect_violation(rule=rule):
                send(nhs_sandbox, payloads)

        @pytest.mark.parametrize(
            ("asked", "says"),
            [
                ({"at": "Immunization.status", "rule": "bad-statu"}, "nhs has no rule 'bad-statu'. Did you mean 'bad-status'"),
                ({"rule": "nhs/bad-statu"}, "nhs has no rule 'nhs/bad-statu'. Did you mean 'nhs/bad-status'"),
                ({"rule": "xyzzy"}, "nhs has no rule 'xyzzy'.$"),
                ({}, "needs a place, such as 'Immunization.status', or a rule"),
            ],
        )
        def test_mistakes(nhs_sandbox, asked, says):
            with pytest.raises(UsageError, match=says), nhs_sandbox.expect_violation(**asked):
                pytest.fail("it went on")

        def test_not_met(nhs_sandbox, payloads):
            with pytest.raises(AssertionError, match="^No request broke the contract by bad-status.$"):
                with nhs_sandbox.expect_violation(rule="bad-status"):
                    pass
            with pytest.raises(AssertionError, match="^No request broke the contract at x by http/schema.$"):
                with nhs_sandbox.expect_violation("x", rule="http/schema"):
                    pass
    """)
    result.assert_outcomes(passed=7)
