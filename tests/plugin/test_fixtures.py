"""What a test gets: a sandbox of its own behind a real server, set up by markers, options and ini keys."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import Run

pytest_plugins = ["pytester"]


def test_each_provider_has_a_sandbox_at_its_own_base_path(run: Run) -> None:
    result = run("""
        import pytest
        import requests

        def test_nhs(nhs_sandbox):
            assert nhs_sandbox.url.endswith("/immunisation-fhir-api/FHIR/R4")
            assert requests.get(nhs_sandbox.url + "/_ping").status_code == 200

        def test_redox(redox_sandbox, payloads):
            payload = payloads("redox/immunizationWrite")[0].request
            got = requests.post(redox_sandbox.url + payload.path, data=payload.body, headers=dict(payload.headers.pairs))
            assert got.status_code == 200
            redox_sandbox.assert_called("immunizationWrite", times=1)

        def test_clinikapi(clinikapi_sandbox, payloads):
            payload = payloads("clinikapi")[0].request
            got = requests.post(clinikapi_sandbox.url + payload.path, data=payload.body, headers=dict(payload.headers.pairs))
            assert got.status_code == 201

        def test_evaluation(evaluation_sandbox):
            assert requests.get(evaluation_sandbox.url + "/metadata").json()["resourceType"] == "CapabilityStatement"

        @pytest.mark.mocksandbox("clinikapi")
        def test_by_marker(mocksandbox):
            assert mocksandbox.provider.name == "clinikapi"

        def test_by_default(mocksandbox, payloads):
            assert mocksandbox.provider.name == "nhs"
            assert payloads.body()["resourceType"] == "Immunization"

        def test_several(nhs_sandbox, redox_sandbox, mocksandbox):
            assert nhs_sandbox.origin == redox_sandbox.origin == mocksandbox.origin
            requests.get(nhs_sandbox.url + "/_ping")
            assert (len(nhs_sandbox.journal), len(redox_sandbox.journal), len(mocksandbox.journal)) == (1, 0, 1)
    """)
    result.assert_outcomes(passed=7)


OWN = """
from datetime import timedelta
import client
import pytest

SEEN = []

@pytest.mark.parametrize("number", range(4))
def test_own(nhs_sandbox, payloads, number):
    url = nhs_sandbox.url
    SEEN.append(url.partition("/tenants/")[0])
    assert len(set(SEEN)) == 1
    assert len(nhs_sandbox.journal) == 0
    assert client.create(url, payloads.body("nhs")).status_code == 201
    assert abs(nhs_sandbox.clock.offset) == timedelta()
    nhs_sandbox.travel(days=400)
    nhs_sandbox.fault("500", times=None)
    nhs_sandbox.stub("readImmunization", status=404)
    assert client.search(url).status_code == 500
    assert len(nhs_sandbox.journal) == 2
"""


def test_each_test_has_its_own_records_journal_faults_stubs_and_clock(run: Run) -> None:
    run(OWN).assert_outcomes(passed=4)


def test_a_url_of_a_test_that_has_ended_still_answers_from_its_own_records(run: Run) -> None:
    result = run("""
        import client

        KEPT = {}

        def test_first(nhs_sandbox, payloads):
            KEPT["url"] = nhs_sandbox.url
            KEPT["id"] = client.create(nhs_sandbox.url, payloads.body("nhs")).headers["Location"].rpartition("/")[2]

        def test_second(nhs_sandbox):
            assert client.read(KEPT["url"], KEPT["id"]).status_code == 200
            assert client.read(nhs_sandbox.url, KEPT["id"]).status_code == 404
    """)
    result.assert_outcomes(passed=2)


def test_a_client_that_builds_its_own_path_reaches_the_same_records(run: Run) -> None:
    result = run("""
        import client

        def test_it(nhs_sandbox, payloads):
            short = nhs_sandbox.url.partition("/tenants/")[0] + nhs_sandbox.provider.base_path
            body = payloads.body("nhs")
            assert [client.create(url, body).status_code for url in (nhs_sandbox.url, short)] == [201, 422]
            nhs_sandbox.assert_called("createImmunization", times=2)
    """)
    result.assert_outcomes(passed=1)


def test_the_server_answers_several_at_once(run: Run) -> None:
    result = run("""
        import threading
        import time
        import client

        def test_parallel(nhs_sandbox):
            nhs_sandbox.fault("latency:600ms", times=5)
            threads = [threading.Thread(target=client.search, args=(nhs_sandbox.url,)) for _ in range(5)]
            started = time.monotonic()
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert time.monotonic() - started < 2.7
            nhs_sandbox.assert_called("searchImmunizationGet", times=5)
    """)
    result.assert_outcomes(passed=1)


def test_a_fixture_of_a_wider_scope_can_have_a_sandbox_too(run: Run) -> None:
    result = run("""
        import client
        import pytest

        @pytest.fixture(scope="module")
        def base(mocksandbox_session):
            return mocksandbox_session("nhs").url

        def test_one(base, payloads):
            assert client.create(base, payloads.body("nhs")).status_code == 201

        def test_two(base, payloads):
            assert client.create(base, payloads.body("nhs")).status_code == 422

        def test_broken(base, payloads):
            client.create(base, {**payloads.body("nhs"), "status": "complete"})

        def test_after(base):
            assert client.search(base).status_code == 200
    """)
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["*test_broken*", "*Immunization.status*", "nhs: 2 of 6 operations*"])


def test_a_fixture_of_a_wider_scope_is_told_what_to_ask_for(run: Run) -> None:
    result = run("""
        import pytest

        @pytest.fixture(scope="module")
        def base(nhs_sandbox):
            return nhs_sandbox.url

        def test_it(base):
            pass
    """)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*ScopeMismatch*nhs_sandbox*", "*Captured mocksandbox setup*", "*mocksandbox_session(*"])
    run("", "--fixtures").stdout.fnmatch_lines(["nhs_sandbox*", "*A fixture of a wider scope takes `mocksandbox_session`."])


def test_markers_say_profile_scenario_fault_and_authorisation(run: Run) -> None:
    result = run("""
        import client
        import pytest
        import requests

        pytestmark = pytest.mark.mocksandbox(profile="documented")

        def test_module(nhs_sandbox):
            assert nhs_sandbox.sandbox.profile.name == "documented"

        @pytest.mark.mocksandbox(profile="sandbox")
        class TestNearer:
            def test_class(self, nhs_sandbox):
                assert nhs_sandbox.sandbox.profile.name == "sandbox"

            @pytest.mark.mocksandbox(profile="integration")
            def test_function(self, nhs_sandbox):
                assert nhs_sandbox.sandbox.profile.name == "integration"

            @pytest.mark.mocksandbox("redox", profile="integration")
            def test_another_provider(self, nhs_sandbox, redox_sandbox):
                assert nhs_sandbox.sandbox.profile.name == "sandbox"
                assert redox_sandbox.sandbox.profile.name == "integration"

        @pytest.mark.mocksandbox(fault="429:7")
        def test_fault(nhs_sandbox):
            first, second = client.search(nhs_sandbox.url), client.search(nhs_sandbox.url)
            assert (first.status_code, first.headers["Retry-After"], second.status_code) == (429, "7", 200)

        @pytest.mark.mocksandbox(fault=["500", {"fault": "429", "operation": "searchImmunizationGet", "times": 2}])
        def test_faults(nhs_sandbox):
            assert [client.search(nhs_sandbox.url).status_code for _ in range(3)] == [429, 429, 200]

        @pytest.mark.mocksandbox(auth="token", profile="integration")
        def test_auth(nhs_sandbox):
            assert client.search(nhs_sandbox.url).status_code == 401
            assert requests.post(nhs_sandbox.origin + "/oauth2/token", data={}).status_code == 400
    """)
    result.assert_outcomes(passed=7)


def test_options_and_ini_keys_say_the_same(run: Run, pytester: pytest.Pytester) -> None:
    source = """
        def test_it(mocksandbox):
            assert mocksandbox.provider.name == "clinikapi" and mocksandbox.sandbox.profile.name == "documented"
    """
    run(source, "--mocksandbox-provider", "clinikapi", "--mocksandbox-profile", "documented").assert_outcomes(passed=1)
    pytester.makeini("[pytest]\nmocksandbox_provider = clinikapi\nmocksandbox_profile = documented\n")
    run(source).assert_outcomes(passed=1)
    run(source, "--mocksandbox-profile", "sandbox").assert_outcomes(failed=1)


MISTAKES = {
    "mocksandbox(profil='sandbox')": "*no argument 'profil'. Did you mean 'profile'?*",
    "mocksandbox('nhss')": "*No provider 'nhss'. Did you mean 'nhs'?*",
    "mocksandbox(profile='sandboxx')": "*nhs has no profile 'sandboxx'. Did you mean 'sandbox'?*",
    "mocksandbox(scenario='create-vlid')": "*nhs has no scenario 'create-vlid'. Did you mean 'create-valid'?*",
    "mocksandbox(fault='429:x')": "*The fault '429:x' has wrong parameters*",
    "mocksandbox(fault={'fault': '429', 'tims': 2})": "*A fault of a marker has no 'tims'. Did you mean 'times'?*",
    "mocksandbox(fault={'fault': '429', 'operation': 'create'})": "*No operation 'create'*",
    "mocksandbox(strict='eror')": "*Did you mean 'error'?*",
    "mocksandbox('nhs', 'redox')": "*takes one provider and named arguments*",
}


@pytest.mark.parametrize("marker", MISTAKES)
def test_a_mistake_in_a_marker_is_named_in_one_line(run: Run, marker: str) -> None:
    result = run(f"import pytest\n@pytest.mark.{marker}\ndef test_it(mocksandbox): pass\n")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([MISTAKES[marker]])
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*site-packages*")


def test_a_contract_folder_of_ones_own(run: Run, pytester: pytest.Pytester) -> None:
    folder = pytester.mkdir("clinic")
    (folder / "openapi.yaml").write_text(
        """
openapi: 3.0.3
info: {title: My clinic, version: "1"}
servers: [{url: "https://clinic.example/v1"}]
paths:
  /slots/{id}:
    get:
      operationId: readSlot
      parameters: [{in: path, name: id, required: true, schema: {type: integer}}]
      responses:
        "200":
          description: A slot.
          content:
            application/json:
              schema: {type: object, required: [id, free], properties: {id: {type: integer}, free: {type: boolean}}}
              example: {id: 7, free: true}
""",
        "utf-8",
    )
    result = run(
        """
        import pytest
        import requests
        from mocksandbox.consumer import StubError

        pytestmark = pytest.mark.mocksandbox("./clinic")

        def test_right(mocksandbox):
            assert requests.get(mocksandbox.url + "/slots/7").json() == {"id": 7, "free": True}
            mocksandbox.stub("readSlot", {"id": 8, "free": False})
            assert requests.get(mocksandbox.url + "/slots/8").json()["free"] is False
            with pytest.raises(StubError, match="free"):
                mocksandbox.stub("readSlot", {"id": 8, "free": "no"})

        def test_wrong(mocksandbox):
            requests.get(mocksandbox.url + "/slots/seven")
        """
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["1 request broke the contract of clinic*", "*path:id*", "clinic: 1 of 1 operations, 1 of 2 answers*"]
    )


def test_payloads_are_the_same_for_the_same_seed_and_go_on_within_a_test(run: Run) -> None:
    source = """
        from mocksandbox.generators import payloads as made

        def test_seeded(payloads, pytestconfig):
            seed = int(pytestconfig.getoption("mocksandbox_seed") or 0)
            expected = [each.request.body for each in made("nhs", 3, seed)]
            assert [each.request.body for each in [*payloads("nhs", 2), *payloads("nhs", 1)]] == expected
            assert payloads("nhs", 1, style="minimal")[0].seed == seed

        def test_again(payloads, pytestconfig):
            seed = int(pytestconfig.getoption("mocksandbox_seed") or 0)
            assert payloads("nhs")[0].request.body == next(made("nhs", 1, seed)).request.body

        def test_broken(broken_payloads):
            found = broken_payloads("nhs/createImmunization", 3, rule="nhs/bad-nhs-number")
            assert found and all("nhs/bad-nhs-number" in each.broken for each in found)
            assert broken_payloads.body("nhs")
    """
    run(source).assert_outcomes(passed=3)
    run(source, "--mocksandbox-seed", "42").assert_outcomes(passed=3)


def test_help_and_markers_say_what_there_is(run: Run) -> None:
    helped = run("", "--help")
    for option in ("strict", "min-coverage", "url", "profile", "scenario", "fault", "seed", "pact", "har", "report"):
        helped.stdout.fnmatch_lines([f"*--mocksandbox-{option}*"])
        helped.stdout.fnmatch_lines([f"*mocksandbox_{option.replace('-', '_')} (*"])
    run("", "--markers").stdout.fnmatch_lines(
        ["@pytest.mark.mocksandbox(provider, *, profile, scenario, fault, auth, strict):*"]
    )
