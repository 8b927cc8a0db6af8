"""What of an API the tests have exercised: on the terminal, as JSON and HTML, as a condition."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest

from tests.plugin.conftest import Run

pytest_plugins = ["pytester"]

SUITE = """
import client
import pytest
import requests

ID = "12a33650-6f94-4e8f-a971-1c5c41da5b22"

def test_create(nhs_sandbox, payloads):
    body = payloads.body("nhs")
    for _ in range(2):
        client.create(nhs_sandbox.url, body)

@pytest.mark.parametrize("fault", ["429", "500", "timeout-after-write", "reset"])
def test_faults(nhs_sandbox, fault):
    nhs_sandbox.fault(fault)
    try:
        client.read(nhs_sandbox.url, ID)
    except requests.ConnectionError:
        assert fault == "reset"

def test_too_slow(nhs_sandbox):
    nhs_sandbox.fault("latency:500ms")
    with pytest.raises(requests.ReadTimeout):
        requests.get(nhs_sandbox.url + f"/Immunization/{ID}", timeout=0.1)

def test_another(clinikapi_sandbox):
    assert requests.get(clinikapi_sandbox.url + "/immunizations/imm_unknown").status_code == 404

def test_without_requests(redox_sandbox):
    redox_sandbox.stub("immunizationWrite", status=400)
"""

SAID = [
    "8 requests",
    "  createImmunization  201 422; never: 400 401 403 406 413 415 429 500 timeout",
    "  readImmunization    429 500 timeout (and cut); never: 200 400 401 403 404 406 413",
    "  never exercised: searchImmunizationGet, searchImmunizationPost, updateImmunization, deleteImmunization",
    "stub never asked for: stub immunizationWrite 400 (test_it.py::test_without_requests)",
]


def test_the_terminal_the_json_and_the_page_say_the_same(run: Run, pytester: pytest.Pytester) -> None:
    reports = ("--mocksandbox-report", "out/coverage.json", "--mocksandbox-report", "coverage.html")
    result = run(SUITE, *reports)
    result.assert_outcomes(passed=8)
    assert [line for line in SAID if line not in result.outlines] == []
    sums = ["nhs: 2 of 6 operations, 5 of ", "clinikapi: 1 of 5 operations, 1 of ", "redox: 0 of 4 operations, 0 of "]
    assert [each for each in sums if not any(line.startswith(each) for line in result.outlines)] == []

    told = json.loads((pytester.path / "out" / "coverage.json").read_text("utf-8"))
    assert (told["requests"], told["broken"]) == (8, 0)
    nhs = told["providers"]["nhs"]
    assert nhs["operations"]["createImmunization"]["got"] == {"201": 1, "422": 1}
    assert nhs["operations"]["readImmunization"]["got"] == {"429": 1, "500": 1, "cut": 1, "timeout": 2}
    assert nhs["operations"]["readImmunization"]["beyond"] == ["cut"]
    assert nhs["never_exercised"] == [
        "searchImmunizationGet",
        "searchImmunizationPost",
        "updateImmunization",
        "deleteImmunization",
    ]
    assert nhs["answers"]["got"] == 5
    assert told["unused_stubs"] == [{"test": "test_it.py::test_without_requests", "stub": "stub immunizationWrite 400"}]

    page = Page()
    page.feed((pytester.path / "coverage.html").read_text("utf-8"))
    assert page.rows["NHS", "createImmunization"].count("never") == 9
    assert page.rows["NHS", "readImmunization"].count("never") == 7
    assert sorted(cell for cell in page.rows["NHS", "readImmunization"] if cell.isdigit()) == ["1", "1", "1", "2"]
    assert page.open == []
    assert page.links == []


class Page(HTMLParser):
    """The cells of each row by its heading, what is left open, and what the page would load."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[tuple[str, str], list[str]] = {}
        self._table = ""
        self.open: list[str] = []
        self.links: list[str] = []
        self._row: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [str(value) for name, value in attrs if name in ("src", "href")]
        if tag != "meta":
            self.open.append(tag)
        if tag == "tr":
            self._row = None

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["th"] and self.open[-3:-2] == ["tbody"]:
            self._row = self.rows.setdefault((self._table, data), [])
        elif self.open[-1:] == ["caption"]:
            self._table = data.partition(" ")[0]
        elif self.open[-1:] == ["td"] and self._row is not None:
            self._row.append(data)


def test_too_little_coverage_fails_the_session(run: Run) -> None:
    passed = run(SUITE, "--mocksandbox-min-coverage", "3")
    assert passed.ret == pytest.ExitCode.OK
    failed = run(SUITE, "--mocksandbox-min-coverage", "50")
    assert failed.ret == pytest.ExitCode.TESTS_FAILED
    failed.stdout.fnmatch_lines(["coverage * % is below --mocksandbox-min-coverage 50"])
    quiet = run(SUITE, "--mocksandbox-min-coverage", "50", "-q")
    assert quiet.ret == pytest.ExitCode.TESTS_FAILED
    quiet.stdout.fnmatch_lines(["coverage * % is below --mocksandbox-min-coverage 50"])


def test_a_consumer_says_which_operations_it_uses(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeini(
        "[pytest]\nmocksandbox_operations =\n    nhs/read*\n    createImmunization\nmocksandbox_min_coverage = 40\n"
    )
    result = run(SUITE, "-k", "create or faults or slow")
    result.stdout.fnmatch_lines(["nhs: 2 of 2 operations, 5 of 21 answers (24 %)", "coverage 24 % is below*"])
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_patterns_of_operations_are_taken_at_their_word(run: Run) -> None:
    chosen = ("-k", "create", "--mocksandbox-operations", "nhs/create*", "--mocksandbox-operations")
    unused = run(SUITE, *chosen, "clinikapi/read*")
    unused.stdout.fnmatch_lines(["clinikapi: 0 of 1 operations*", "  never exercised: readImmunization"])
    assert unused.ret == pytest.ExitCode.OK


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("nhs/creat", "'nhs/creat' fits no operation. Did you mean 'nhs/creat[*]'?"),
        ("nhs/reedImmunization", "'nhs/reedImmunization' fits no operation. Did you mean 'nhs/readImmunization'?"),
    ],
)
def test_a_misspelt_operation_is_told_before_any_test_runs(run: Run, pattern: str, says: str) -> None:
    result = run(SUITE, "--mocksandbox-operations", pattern)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: mocksandbox-operations: {says}"])


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("nsh/*", "'nsh/[*]' fits no operation. Did you mean 'nhs/[*]'?"),
        ("creat", "'creat' fits no operation. Did you mean 'creat[*]'?"),
    ],
)
def test_what_fits_nothing_is_not_covered(run: Run, pattern: str, says: str) -> None:
    result = run(SUITE, "-k", "create", "--mocksandbox-operations", pattern, "--mocksandbox-min-coverage", "90")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([f"mocksandbox-operations: {says}", "coverage 0 % is below *"])
    result.stdout.no_fnmatch_line("*0 of 0*")
    alone = run(SUITE, "-k", "create", "--mocksandbox-operations", pattern)
    assert alone.ret == pytest.ExitCode.TESTS_FAILED


def test_an_api_whose_tests_did_not_run_may_be_named_beside_others(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nmocksandbox_operations =\n    nhs/create*\n    clinic/*\n")
    result = run(SUITE, "-k", "create")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["nhs: 1 of 1 operations*", "mocksandbox-operations: 'clinic/[*]' fits no operation*"])


def test_expected_violations_are_not_counted_as_broken(run: Run) -> None:
    result = run("""
        import client

        def test_it(nhs_sandbox, payloads):
            with nhs_sandbox.expect_violation("Immunization.status"):
                client.create(nhs_sandbox.url, {**payloads.body("nhs"), "status": "complete"})
    """)
    assert "1 request" in result.outlines
    result.stdout.fnmatch_lines(["  createImmunization  400; never: *"])


def test_a_report_that_cannot_be_written_is_told(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makefile("", taken="a file")
    result = run(SUITE, "-k", "create", "--mocksandbox-report", "taken/coverage.json")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["cannot write *coverage.json: *"])
    result.stderr.no_fnmatch_line("*Traceback*")


def test_tests_that_use_nothing_of_it_are_told_nothing(run: Run) -> None:
    for source in ("def test_it(): pass", "def test_it(payloads): assert payloads('nhs')"):
        result = run(source, "--mocksandbox-min-coverage", "50")
        assert result.ret == pytest.ExitCode.OK
        result.stdout.no_fnmatch_line("*- mocksandbox -*")
