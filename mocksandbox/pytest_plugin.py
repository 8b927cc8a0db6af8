"""The pytest plugin: a sandbox of an immunization API in each test that asks for one, and a test that fails by itself when one
of its requests breaks the contract.

It imports nothing but the standard library and pytest: a suite without it pays for this module only (PYTEST_DONT_REWRITE).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

if TYPE_CHECKING:
    from mocksandbox.consumer.options import Wish
    from mocksandbox.consumer.payload_source import PayloadSource
    from mocksandbox.consumer.plugged import Plugged
    from mocksandbox.consumer.run import Run
    from mocksandbox.consumer.view import SandboxView

__all__ = ["ContractWarning"]
T = TypeVar("T")


class ContractWarning(UserWarning):
    """A request that breaks the contract, where that is to be no more than a warning (`strict = warn`)."""


_OPTIONS: tuple[tuple[str, str, str], ...] = (
    ("provider", "NAME", "what `mocksandbox` is: nhs (the default), redox, clinikapi, evaluation, a contract folder"),
    ("profile", "NAME", "how it behaves: integration (the default), documented, sandbox"),
    ("scenario", "ID", "the documented scenario that every test plays in"),
    ("fault", "FAULT", "the fault that the first request of every test meets, such as 429:3"),
    ("auth", "MODE", "off (the default) lets everybody in, token asks for a token"),
    ("strict", "off|warn|error", "what becomes of a request that breaks the contract; error (the default) fails its test"),
    ("seed", "N", "the seed of made-up payloads and of what faults draw by chance (0)"),
    ("late", "SECONDS", "how long the end of a test waits for what its threads still send (0.25)"),
    ("operations", "PATTERN", "an operation that the consumer uses, such as nhs/read*, for its coverage; may be repeated"),
    ("min-coverage", "PERCENT", "fail when less of the documented answers has been exercised"),
    ("report", "FILE.json|FILE.html", "write the coverage of the consumer; may be repeated"),
    ("pact", "FILE", "write the recorded interactions as a Pact (version 4)"),
    ("har", "FILE", "write the recorded interactions as HAR 1.2"),
    ("consumer", "NAME", "the consumer's name in the Pact"),
    ("url", "URL", "the provider that `mocksandbox_check` verifies; /BASE is the base path of the fixture `mocksandbox_app`"),
    ("allow-host", "HOST", "a host other than this machine that may be verified; may be repeated"),
    ("authorization", "env:VAR", "the variable with the Authorization header for that provider"),
    ("xfail", "ID", "a check of `mocksandbox_check` that is known to fail, such as nhs/bad-nhs-number; may be repeated"),
)
_SEVERAL = frozenset({"operations", "report", "allow-host", "xfail"})

_MARKER = (
    "mocksandbox(provider, *, profile, scenario, fault, auth, strict): what the sandbox of this test is. provider: nhs, "
    "redox, clinikapi, evaluation or a contract folder; scenario: the id of a documented scenario; fault: what the first "
    "request meets, such as '429:3', or a list; auth: off or token; strict: off, warn or error. Without a provider it is for "
    "all that the test uses; the nearest marker wins."
)

_RUN: pytest.StashKey[Run] = pytest.StashKey()
_LEDGER: pytest.StashKey[dict[str, Any]] = pytest.StashKey()
_PLUGGED: pytest.StashKey[Plugged] = pytest.StashKey()
_UNCALLED: pytest.StashKey[bool] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, on the command line and as ini keys."""
    group = parser.getgroup("mocksandbox", "mocksandbox: sandboxes of immunization APIs")
    for name, metavar, says in _OPTIONS:
        dest = f"mocksandbox_{name.replace('-', '_')}"
        action: Any = "append" if name in _SEVERAL else "store"
        kind: Any = "linelist" if name in _SEVERAL else "string"
        group.addoption(f"--mocksandbox-{name}", dest=dest, metavar=metavar, default=None, help=says, action=action)
        parser.addini(dest, says, type=kind)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known, and refuse options that ask for what there is not before anything runs."""
    config.addinivalue_line("markers", _MARKER)
    # Who gives no option loads nothing for it; xdist's workers have those of who has started them.
    if not hasattr(config, "workerinput") and any(_asked(config, name) for name, *_ in _OPTIONS):
        _check(config)
    config.pluginmanager.register(_Accounts(), "mocksandbox_accounts")


def _check(config: pytest.Config) -> None:
    from mocksandbox.consumer.checked import check
    from mocksandbox.consumer.options import read_options
    from mocksandbox.errors import MocksandboxError

    try:
        check(read_options(lambda name: _asked(config, name)))
    except MocksandboxError as error:
        raise pytest.UsageError(str(error)) from None


def _asked(config: pytest.Config, name: str) -> Any:
    dest = f"mocksandbox_{name.replace('-', '_')}"
    given = config.getoption(dest)
    return config.getini(dest) if given is None else given


def _or_fail(make: Callable[[], T]) -> T:
    """What a function gives; a mistake in names or options fails what asks for it, in one line."""
    from mocksandbox.errors import MocksandboxError

    try:
        return make()
    except MocksandboxError as error:
        problem = str(error)
    # Not where it is caught: pytest would show it twice.
    pytest.fail(problem, pytrace=False)


def _plugged(config: pytest.Config) -> Plugged:
    """What this process has for its tests, made when it is first needed."""
    if _PLUGGED not in config.stash:
        from mocksandbox.consumer.options import read_options
        from mocksandbox.consumer.plugged import Plugged

        options = _or_fail(lambda: read_options(lambda name: _asked(config, name)))
        config.stash[_PLUGGED] = Plugged(options)
    return config.stash[_PLUGGED]


def _wish(item: pytest.Item) -> Wish:
    marks = [(mark.args, mark.kwargs) for mark in item.iter_markers("mocksandbox")]
    return _or_fail(lambda: _plugged(item.config).wish(marks))


@pytest.fixture
def _mocksandbox_run(request: pytest.FixtureRequest) -> Iterator[Run]:
    """The share of the sandbox that this test has."""
    plugged = _plugged(request.config)
    run = plugged.suite.open(request.node.nodeid, _wish(request.node))
    request.node.stash[_RUN] = run
    yield run
    request.node.stash[_LEDGER] = plugged.close(run)


def _sandbox(name: str, provider: str, api: str) -> Any:
    """The fixture of one provider's sandbox."""

    def view(request: pytest.FixtureRequest, _mocksandbox_run: Run) -> SandboxView:
        return _or_fail(lambda: _plugged(request.config).view(_mocksandbox_run, provider))

    view.__doc__ = f"A sandbox of {api}, at `.url`; this test's alone. A fixture of a wider scope takes `mocksandbox_session`."
    return pytest.fixture(name=name)(view)


mocksandbox = _sandbox("mocksandbox", "", "the provider that the marker `mocksandbox` names")
nhs_sandbox = _sandbox("nhs_sandbox", "nhs", "the NHS Immunisation FHIR API")
redox_sandbox = _sandbox("redox_sandbox", "redox", "the Redox FHIR API")
clinikapi_sandbox = _sandbox("clinikapi_sandbox", "clinikapi", "ClinikAPI")
evaluation_sandbox = _sandbox("evaluation_sandbox", "evaluation", "a FHIR R4 server for ImmunizationEvaluation")


@pytest.fixture(scope="session")
def mocksandbox_session(request: pytest.FixtureRequest) -> Callable[[str], SandboxView]:
    """Sandboxes that all tests share, `mocksandbox_session("nhs")`, for fixtures of a wider scope. Nothing is reset between
    tests; a request that breaks the contract fails the test during which it comes.
    """
    plugged = _plugged(request.config)
    return lambda provider="": _or_fail(lambda: plugged.shared(provider))  # type: ignore[misc]


def _payloads(name: str, *, broken: bool, says: str) -> Any:
    """The fixture of made-up requests."""

    def source(request: pytest.FixtureRequest) -> PayloadSource:
        return _plugged(request.config).payloads(_wish(request.node), broken=broken)

    source.__doc__ = says
    return pytest.fixture(name=name)(source)


payloads = _payloads("payloads", broken=False, says="Made-up valid requests: `payloads('nhs/createImmunization', 3)`.")
broken_payloads = _payloads("broken_payloads", broken=True, says="Requests broken on purpose, each labelled with its truth.")


@pytest.fixture
def mocksandbox_app() -> Any:
    """The WSGI or ASGI application that `mocksandbox_check` verifies where no --mocksandbox-url is given: yours to define."""
    pytest.fail("No provider to verify: give --mocksandbox-url URL, or define a fixture `mocksandbox_app`.", pytrace=False)


@pytest.fixture
def mocksandbox_check(request: pytest.FixtureRequest) -> Callable[[], None]:
    """One check of a provider: call it. A test that asks for it is run once for each rule and operation of its provider."""
    plugged = _plugged(request.config)
    app = None if plugged.has_url else request.getfixturevalue("mocksandbox_app")
    ask = _or_fail(lambda: plugged.asking(request.param, app))
    request.node.stash[_UNCALLED] = True

    def run() -> None:
        __tracebackhide__ = True
        request.node.stash[_UNCALLED] = False
        if problem := _or_fail(ask):
            pytest.fail(problem, pytrace=False)

    return run


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One item for each rule and operation where a test asks for `mocksandbox_check`."""
    if "mocksandbox_check" in metafunc.fixturenames:
        found = _or_fail(lambda: _plugged(metafunc.config).checks(_wish(metafunc.definition)))
        known = pytest.mark.xfail(reason="known (mocksandbox_xfail)", strict=True)
        items = [pytest.param(check, id=check.id, marks=[known] if is_known else []) for check, is_known in found]
        metafunc.parametrize("mocksandbox_check", items, indirect=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Run the test, then judge what it sent: in this phase, so that the test itself fails and not its teardown."""
    run = item.stash.get(_RUN, None)
    if run is not None:
        run.watch()
    try:
        result = yield
    except (KeyboardInterrupt, SystemExit, pytest.exit.Exception, pytest.skip.Exception):
        raise
    except BaseException:
        _judge(item, "call", failed=True)
        raise
    # A test of unittest's own kind keeps what went wrong until its report is made.
    _judge(item, "call", failed=bool(getattr(item, "_excinfo", None)))
    if item.stash.get(_UNCALLED, False):
        pytest.fail("mocksandbox_check was never called, so nothing was checked: call it, mocksandbox_check().", pytrace=False)
    return result


def _judge(item: pytest.Item, phase: str, *, failed: bool) -> None:
    """Fail the test for what it has sent; where it has failed already, say so beside its own traceback."""
    if _PLUGGED not in item.config.stash:
        return
    verdict = item.config.stash[_PLUGGED].verdict(item.stash.get(_RUN, None))
    if verdict.warning:
        item.warn(ContractWarning(verdict.warning))
    if verdict.error and failed:
        item.add_report_section(phase, "mocksandbox", verdict.error)
    elif verdict.error:
        pytest.fail(verdict.error, pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Say beside a fixture's failure what it had sent. Give the teardown's report what the test has exercised: a report finds
    its way from xdist's workers by itself.
    """
    if call.when == "setup" and call.excinfo is not None and not call.excinfo.errisinstance(pytest.skip.Exception):
        _judge(item, "setup", failed=True)
        if all(words in str(call.excinfo.value) for words in ("ScopeMismatch", "sandbox with a ")):
            item.add_report_section("setup", "mocksandbox", 'For a wider scope: mocksandbox_session("nhs"), a fixture too.')
    report = yield
    if call.when == "teardown" and _LEDGER in item.stash:
        report.mocksandbox = item.stash[_LEDGER]
        del item.stash[_LEDGER]
    return report


class _Accounts:
    """What all tests have exercised, in this process and in xdist's workers, and what is said of it in the end."""

    def __init__(self) -> None:
        self.ledgers: list[dict[str, Any]] = []
        self.lines: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a test has exercised."""
        self._keep(getattr(report, "mocksandbox", None))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Keep what one of xdist's workers has left."""
        self._keep(getattr(node, "workeroutput", {}).get("mocksandbox"))

    def _keep(self, ledger: Any) -> None:
        if ledger:
            self.ledgers.append(ledger)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Stop the server and sum up; a worker of xdist passes on what is left, and no more."""
        config = session.config
        left = config.stash[_PLUGGED].end() if _PLUGGED in config.stash else None
        if hasattr(config, "workerinput"):
            config.workeroutput["mocksandbox"] = left  # type: ignore[attr-defined]  # xdist's own
            return
        self._keep(left)
        if self.ledgers:
            summary = _plugged(config).sum_up(self.ledgers, config.rootpath)
            self.lines = summary.lines
            if summary.failed and session.exitstatus == pytest.ExitCode.OK:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
        """Say what was exercised."""
        if self.lines and config.get_verbosity() >= -1:
            terminalreporter.section("mocksandbox", sep="-")
            for line in self.lines:
                terminalreporter.line(line)
