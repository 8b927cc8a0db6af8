"""Beside other plugins, other styles of tests, and suites that want nothing of it."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import ALONE, Run

pytest_plugins = ["pytester"]

ASYNC = """
import asyncio
import httpx
import pytest

MARK
async def test_over_the_socket(nhs_sandbox, payloads):
    async with httpx.AsyncClient(base_url=nhs_sandbox.url, headers={"Content-Type": "application/fhir+json"}) as client:
        bodies = [payload.request.body for payload in payloads("nhs", 5)]
        answers = await asyncio.gather(*(client.post("/Immunization", content=body) for body in bodies))
    assert [answer.status_code for answer in answers] == [201] * 5
    nhs_sandbox.assert_called("createImmunization", times=5)

MARK
async def test_swallowed(nhs_sandbox, payloads):
    async with httpx.AsyncClient(base_url=nhs_sandbox.url, headers={"Content-Type": "application/fhir+json"}) as client:
        await client.post("/Immunization", json={**payloads.body("nhs"), "status": "complete"})

MARK
async def test_in_the_process(nhs_sandbox):
    async with nhs_sandbox.async_client() as client:
        assert (await client.get("/_ping")).status_code == 200
"""


def test_anyio(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeconftest("import pytest\n@pytest.fixture\ndef anyio_backend(): return 'asyncio'\n")
    result = run(ASYNC.replace("MARK", "@pytest.mark.anyio"))
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*Immunization.status*[[]nhs/bad-status]*"])


def test_pytest_asyncio(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    pytester.makepyfile(test_it=ASYNC.replace("MARK", "@pytest.mark.asyncio"))
    result = pytester.runpytest_subprocess("-p", "no:schemathesis", "-p", "no:cacheprovider", "-p", "no:anyio")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*Immunization.status*[[]nhs/bad-status]*"])


OWN = """
import pytest

@pytest.fixture
def payloads():
    return "my own"

@pytest.fixture
def mocksandbox():
    return "mine too"

def test_it(payloads, mocksandbox):
    assert (payloads, mocksandbox) == ("my own", "mine too")
"""


def test_fixtures_of_ones_own_with_the_same_names_win(run: Run) -> None:
    result = run(OWN, "--strict-markers", "--strict-config", "-W", "error")
    result.assert_outcomes(passed=1)


def test_it_can_be_left_out(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_it=OWN)
    without = [*ALONE, "-p", "no:mocksandbox", "-W", "error", "--strict-markers"]
    pytester.runpytest_subprocess(*without).assert_outcomes(passed=1)
    refused = pytester.runpytest_subprocess(*without, "--mocksandbox-seed", "1")
    assert refused.ret == pytest.ExitCode.USAGE_ERROR


def test_its_entry_point_loads_it_once(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_it="def test_it(nhs_sandbox): assert nhs_sandbox.url\ndef test_other(payloads): assert payloads('nhs')"
    )
    silenced = ("-W", "error", "-W", "ignore::mocksandbox.pytest_plugin.ContractWarning")
    pytester.runpytest_subprocess(*ALONE, *silenced).assert_outcomes(passed=2, warnings=0)


def test_a_suite_that_does_not_use_it_loads_none_of_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_it="""
        import sys

        def test_it():
            assert [name for name in sys.modules if name.startswith("mocksandbox.")] == ["mocksandbox.pytest_plugin"]

        class TestMore:
            def test_more(self):
                pass
        """
    )
    pytester.makeconftest("""
        import sys

        def pytest_unconfigure():
            loaded = sorted(name for name in sys.modules if name.partition(".")[0] in ("mocksandbox", "flask", "openapi_core"))
            print("loaded:", loaded)
    """)
    result = pytester.runpytest_subprocess(*ALONE, "-s")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*loaded: [[]'mocksandbox', 'mocksandbox.pytest_plugin']"])


def test_it_leaves_no_thread_and_no_socket(run: Run) -> None:
    result = run(
        """
        import client

        def test_it(nhs_sandbox):
            assert client.search(nhs_sandbox.url).status_code == 200
        """,
        "-W",
        "error",
        "-s",
        "-p",
        "looks_after",
        apart=True,
    )
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*threads left: [[]]"])


@pytest.fixture(autouse=True)
def _looks_after(request: pytest.FixtureRequest) -> None:
    pytester: pytest.Pytester = request.getfixturevalue("pytester")
    pytester.makepyfile(
        looks_after="""
        import gc
        import threading

        def pytest_unconfigure():
            gc.collect()
            print("threads left:", [each.name for each in threading.enumerate() if each.name.startswith("mocksandbox")])
        """
    )


def test_a_test_that_is_run_again_has_a_sandbox_of_its_own_again(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeconftest("""
        import pytest
        from _pytest.runner import runtestprotocol

        @pytest.hookimpl(tryfirst=True)
        def pytest_runtest_protocol(item, nextitem):
            # As plugins do that run a failed test once more.
            runtestprotocol(item, nextitem=nextitem, log=False)
            for report in runtestprotocol(item, nextitem=nextitem, log=False):
                item.ihook.pytest_runtest_logreport(report=report)
            return True
    """)
    result = run("""
        import client

        def test_it(nhs_sandbox, payloads):
            assert client.create(nhs_sandbox.url, payloads.body("nhs")).status_code == 201
    """)
    result.assert_outcomes(passed=1)


def test_junit_reports_have_the_verdict(run: Run, pytester: pytest.Pytester) -> None:
    run(
        """
        import client

        def test_it(nhs_sandbox, payloads):
            client.create(nhs_sandbox.url, {**payloads.body("nhs"), "status": "complete"})
        """,
        "--junit-xml",
        "report.xml",
    ).assert_outcomes(failed=1)
    assert "nhs/bad-status" in (pytester.path / "report.xml").read_text("utf-8")
