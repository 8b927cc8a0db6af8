"""Mistakes in options: one error before any test runs, which names the option and the remedy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mocksandbox.consumer.checked import check
from mocksandbox.consumer.options import read_options
from mocksandbox.errors import UsageError
from tests.plugin.conftest import Run

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]

MISTAKES = {
    ("provider", "nhss"): "mocksandbox-provider: No provider 'nhss'. Did you mean 'nhs'?",
    ("profile", "documentd"): "mocksandbox-profile: nhs has no profile 'documentd'. Did you mean 'documented'?",
    ("scenario", "create-vlid"): "mocksandbox-scenario: nhs has no scenario 'create-vlid'. Did you mean 'create-valid'?",
    ("fault", "nope"): "mocksandbox-fault: No fault 'nope'. Known: 429, ",
    ("fault", "429:x"): "mocksandbox-fault: The fault '429:x' has wrong parameters; write 429[:SECONDS].",
    ("auth", "tokn"): "mocksandbox-auth: 'tokn' is no way to tell callers apart. Did you mean 'token'?",
    ("strict", "eror"): "mocksandbox-strict is 'eror'. Did you mean 'error'?",
    ("seed", "many"): "mocksandbox-seed must be a number, and is 'many'.",
    ("late", "x"): "mocksandbox-late must be a number, and is 'x'.",
    ("late", "-1"): "mocksandbox-late: -1 is no time to wait; give seconds, 0 or more.",
    ("min_coverage", "all"): "mocksandbox-min-coverage must be a number, and is 'all'.",
    ("min_coverage", "500"): "mocksandbox-min-coverage: 500 is no percentage; give a number from 0 to 100.",
    ("min_coverage", "nan"): "mocksandbox-min-coverage: nan is no percentage; give a number from 0 to 100.",
    ("report", "cov.xml"): "mocksandbox-report: 'cov.xml' is neither JSON nor HTML; end its name with .json or .html.",
    ("operations", "nhs/creat"): "mocksandbox-operations: 'nhs/creat' fits no operation. Did you mean 'nhs/creat*'?",
    ("xfail", "nhs/bad-nhs-numbr"): "'nhs/bad-nhs-numbr' fits no rule and no check. Did you mean 'nhs/bad-nhs-number'?",
    ("authorization", "secret"): "--mocksandbox-authorization must be env:VAR",
    ("url", "foo"): "--mocksandbox-url 'foo' is no URL such as http://127.0.0.1:8080/fhir; the base path of an application",
    ("url", "ftp://127.0.0.1/"): "--mocksandbox-url 'ftp://127.0.0.1/' is no URL",
    ("url", "http://[::1"): "--mocksandbox-url 'http://[::1' is no URL",
    (
        "url",
        "https://fhir.example/v1",
    ): "mocksandbox-url: fhir.example is not this machine. To fire at it, add --mocksandbox-allow",
}
SEVERAL = ("operations", "report", "xfail")


@pytest.mark.parametrize(("name", "value"), MISTAKES)
def test_a_mistake_names_the_option_and_the_remedy(name: str, value: str) -> None:
    given = [value] if name in SEVERAL else value
    with pytest.raises(UsageError) as caught:
        check(read_options({name: given}.get))
    assert MISTAKES[name, value] in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("profile", each) for each in ("integration", "documented", "sandbox")),
        ("scenario", "create-valid"),
        ("scenario", "create-evaluation"),  # another provider's than the default one
        ("fault", "latency:200ms"),
        ("auth", "token"),
        ("min_coverage", "100"),
        ("late", "0"),
        ("report", ["out/cov.json", "cov.html"]),
        ("operations", ["nhs/read*", "createImmunization", "clinic/*", "*/read*"]),
        ("xfail", ["nhs/bad-nhs-number", "createImmunization-*", "redox/*", "takes-a-valid-request"]),
        ("authorization", "env:NOT_SET_YET"),
        ("url", "/fhir"),
        ("url", "http://127.0.0.1:1/fhir"),
    ],
)
def test_what_there_is_is_taken(name: str, value: str | list[str]) -> None:
    check(read_options({name: value}.get))


@pytest.mark.parametrize("fixture", ["nhs_sandbox", "payloads", "tmp_path"])
def test_it_is_told_once_and_before_any_test_runs(run: Run, fixture: str) -> None:
    result = run(f"def test_one({fixture}): pass\ndef test_two({fixture}): pass\n", "--mocksandbox-profile", "documentd")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert [line for line in result.errlines if line] == [
        "ERROR: mocksandbox-profile: nhs has no profile 'documentd'. Did you mean 'documented'? "
        "Known: documented, integration, sandbox."
    ]
    assert [line for line in result.outlines if line] == []


def test_in_the_ini_file_too(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nmocksandbox_min_coverage = 500\n")
    result = run("def test_it(): pass")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: mocksandbox-min-coverage: 500 is no percentage*"])


def test_of_two_processes_one_looks(run: Run) -> None:
    result = run("def test_it(nhs_sandbox): pass", "-n", "1", "--mocksandbox-profile", "documentd")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert sum("documentd" in line for line in [*result.errlines, *result.outlines]) == 1


def test_no_contract_is_loaded_for_options_that_name_nothing_in_one() -> None:
    program = """
import sys
from mocksandbox.consumer.checked import check
from mocksandbox.consumer.options import Options
check(Options(strict="warn", seed=3, min_coverage=80.0, report=("cov.json",), consumer="me", pact="pact.json"))
print(sorted(name for name in sys.modules if name.startswith("mocksandbox")))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    named = "mocksandbox,mocksandbox.consumer,mocksandbox.consumer.checked,mocksandbox.consumer.options,mocksandbox.errors"
    assert done.stdout.strip() == str(named.split(","))
