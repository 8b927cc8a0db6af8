"""A provider verified in its own CI: one item for each rule and operation, chosen by name, known failures marked singly."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mocksandbox.consumer.options import Options
from mocksandbox.consumer.plugged import Plugged
from mocksandbox.consumer.targets import target
from mocksandbox.consumer.verification import VALID, checks
from mocksandbox.errors import UsageError
from mocksandbox.provider import open_provider
from mocksandbox.sandbox import Sandbox
from tests.plugin.conftest import Run

pytest_plugins = ["pytester"]

SUITE = """
import pytest

@pytest.mark.mocksandbox("PROVIDER")
def test_provider(mocksandbox_check):
    mocksandbox_check()
"""

FLASK = """
import pytest
from mocksandbox import create_app
from mocksandbox.server import Settings

@pytest.fixture(scope="session")
def mocksandbox_app():
    return create_app(Settings(providers=("nhs", "redox", "clinikapi", "evaluation")))
"""

BROKEN = """
import pytest
from mocksandbox import create_app

@pytest.fixture(scope="session")
def mocksandbox_app():
    inner = create_app().wsgi_app

    def app(environ, start_response):
        # A provider that forgot the check digit of NHS numbers: it answers 500.
        body = environ["wsgi.input"].read()
        from io import BytesIO
        environ["wsgi.input"] = BytesIO(body)
        told = []
        given = inner(environ, lambda status, headers, exc=None: told.append((status, headers)))
        if b"NHS number" in b"".join(given) or b"nhs-number" in b"".join(given):
            start_response("500 Oops", [("Content-Type", "text/plain")])
            return [b"Oops"]
        start_response(*told[-1])
        return given
    return app
"""


@pytest.mark.parametrize("name", ["nhs", "redox", "clinikapi", "evaluation"])
def test_our_own_sandbox_passes_every_check(name: str) -> None:
    sandbox = Sandbox(open_provider(name))
    found = checks(name)
    assert {check.operation for check in found if check.rule == VALID} == {
        operation.id for operation in open_provider(name).contract.operations
    }
    # A sample of the largest ones: every rule once.
    once = {check.rule: check for check in found}
    chosen = {*once.values(), *(check for check in found if check.rule == VALID)}
    assert [problem for check in sorted(chosen, key=lambda each: each.id) if (problem := check.problem(sandbox.handle))] == []


def test_one_item_for_each_rule_and_operation(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(FLASK)
    expected = sum(1 for check in checks("clinikapi"))
    run(SUITE.replace("PROVIDER", "clinikapi")).assert_outcomes(passed=expected)


def test_items_are_chosen_by_name(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(FLASK)
    result = run(SUITE.replace("PROVIDER", "nhs"), "-k", "bad-nhs-number", "-v")
    result.stdout.fnmatch_lines(
        [
            "*test_provider[[]createImmunization-nhs/bad-nhs-number[]] PASSED*",
            "*test_provider[[]updateImmunization-nhs/bad-nhs-number[]] PASSED*",
        ]
    )
    outcomes = result.parseoutcomes()
    assert outcomes["passed"] == 2
    assert outcomes["deselected"] > 200
    fewer = run(SUITE.replace("PROVIDER", "nhs"), "--mocksandbox-operations", "nhs/read*", "--collect-only", "-q")
    assert all("readImmunization" in line for line in fewer.outlines if "::" in line)


def test_a_provider_that_is_wrong_is_told_of_rule_defect_and_answer(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(BROKEN)
    chosen = ("-k", "createImmunization and (bad-nhs-number or bad-status or takes-a-valid)")
    result = run(SUITE.replace("PROVIDER", "nhs"), *chosen)
    outcomes = result.parseoutcomes()
    assert (outcomes["failed"], outcomes["passed"]) == (1, 2)
    result.stdout.fnmatch_lines(["nhs createImmunization: *", "  *: POST /Immunization -> 500, expected 400"])
    known = run(SUITE.replace("PROVIDER", "nhs"), *chosen, "--mocksandbox-xfail", "createImmunization-nhs/bad-nhs-number")
    outcomes = known.parseoutcomes()
    assert (outcomes["xfailed"], outcomes["passed"]) == (1, 2)
    assert known.ret == pytest.ExitCode.OK
    right = run(SUITE.replace("PROVIDER", "nhs"), *chosen, "--mocksandbox-xfail", "nhs/bad-status")
    assert right.parseoutcomes()["failed"] == 2, "what is known to fail and does not is told too"


def test_a_provider_behind_a_url(run: Run, monkeypatch: pytest.MonkeyPatch, served: str) -> None:
    chosen = ("-k", "readImmunization or takes-a-valid", "--mocksandbox-url", served)
    result = run(SUITE.replace("PROVIDER", "clinikapi"), *chosen)
    outcomes = result.parseoutcomes()
    assert outcomes["passed"] > 5
    assert "failed" not in outcomes
    monkeypatch.setenv("KEY_OF_MINE", "Bearer abc")
    run(SUITE.replace("PROVIDER", "clinikapi"), *chosen, "--mocksandbox-authorization", "env:KEY_OF_MINE").assert_outcomes(
        **{name: outcomes[name] for name in ("passed", "deselected")}
    )


@pytest.fixture
def served() -> Iterator[str]:
    """The URL of ClinikAPI on a server of this process."""
    from mocksandbox.consumer.view import SandboxView

    plugged = Plugged(Options(provider="clinikapi"))
    view: SandboxView = plugged.shared()
    yield view.url
    plugged.suite.shut()


def test_an_asgi_application(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeconftest("""
        import pytest
        from mocksandbox import Request, Sandbox, open_provider
        from mocksandbox.exchange import Headers
        from urllib.parse import parse_qsl

        @pytest.fixture(scope="session")
        def mocksandbox_app():
            sandbox = Sandbox(open_provider("clinikapi"))

            async def app(scope, receive, send):
                message = await receive()
                headers = Headers((name.decode(), value.decode()) for name, value in scope["headers"])
                query = tuple(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))
                path = scope["raw_path"].decode().removeprefix("/own")
                answer = sandbox.handle(Request(scope["method"], path, query, headers, message["body"]))
                told = [(name.lower().encode(), value.encode()) for name, value in answer.headers.pairs]
                await send({"type": "http.response.start", "status": answer.status, "headers": told})
                await send({"type": "http.response.body", "body": answer.body})
            return app
    """)
    expected = sum(1 for check in checks("clinikapi"))
    result = run(SUITE.replace("PROVIDER", "clinikapi"), "--mocksandbox-url", "/own")
    result.assert_outcomes(passed=expected)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "*give --mocksandbox-url URL, or define a fixture `mocksandbox_app`*"),
        (("--mocksandbox-url", "http://127.0.0.1:1/v1"), "*http://127.0.0.1:1/v1 does not answer: *"),
    ],
)
def test_what_cannot_be_verified_is_told(run: Run, arguments: tuple[str, ...], says: str) -> None:
    result = run(SUITE.replace("PROVIDER", "clinikapi"), "-k", "readImmunization-takes-a-valid-request", *arguments)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([says])
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*another exception occurred*")


def test_a_secret_that_is_not_there_is_told_once(run: Run) -> None:
    asked = ("--mocksandbox-url", "http://127.0.0.1:1", "--mocksandbox-authorization", "env:NO_SUCH_VAR")
    result = run(SUITE.replace("PROVIDER", "clinikapi"), *asked)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["--mocksandbox-authorization env:NO_SUCH_VAR: there is no such variable."])


def test_a_check_that_is_never_called_fails(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(FLASK)
    result = run(
        """
        import pytest

        @pytest.mark.mocksandbox("clinikapi")
        def test_forgot(mocksandbox_check):
            pass

        @pytest.mark.mocksandbox("clinikapi")
        def test_skips(mocksandbox_check):
            pytest.skip("on purpose")

        @pytest.fixture
        def checked(mocksandbox_check):
            mocksandbox_check()

        @pytest.mark.mocksandbox("clinikapi")
        def test_by_a_fixture(checked):
            pass
        """,
        *("-k", "readImmunization-takes-a-valid-request"),
    )
    outcomes = result.parseoutcomes()
    assert {name: outcomes.get(name) for name in ("failed", "skipped", "passed")} == {"failed": 1, "skipped": 1, "passed": 1}
    result.stdout.fnmatch_lines(["mocksandbox_check was never called, so nothing was checked: *"])


def test_an_application_that_was_not_returned_is_told(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeconftest("import pytest\n\n@pytest.fixture\ndef mocksandbox_app():\n    pass\n")
    result = run(SUITE.replace("PROVIDER", "clinikapi"), "-k", "readImmunization-takes-a-valid-request")
    result.stdout.fnmatch_lines(["The fixture `mocksandbox_app` gives None: let it return the application."])


def test_patterns_that_leave_nothing_to_check_are_told(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(FLASK)
    result = run(SUITE.replace("PROVIDER", "clinikapi"), "--mocksandbox-operations", "clinikpi/*")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["Nothing to check: *'clinikpi/[*]' fits no operation. Did you mean 'clinikapi/[*]'?"])
    other = run(SUITE.replace("PROVIDER", "clinikapi"), "--mocksandbox-operations", "nhs/*")
    other.assert_outcomes(skipped=1)


def test_a_host_that_is_allowed_is_asked() -> None:
    url = "https://fhir.example/v1"
    with pytest.raises(UsageError, match="not this machine"):
        target(Options(url=url), "clinikapi")
    assert callable(target(Options(url=url, allow_host=("fhir.example",)), "clinikapi"))
