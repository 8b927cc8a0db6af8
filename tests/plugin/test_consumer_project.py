"""A consumer's project as a team would have it: it passes, and its broken clients fail, each with the name of the field."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.installed import ROOT, build_wheel, install, outside
from tests.plugin.conftest import ALONE

PROJECT = Path(__file__).parent / "consumer"
PATIENCE = 300.0

MISTAKES = {
    "test_status": 'Immunization.status * [nhs/bad-status]  nearest: "completed"',
    "test_number": 'Immunization.contained[0].identifier[0].value * [nhs/bad-nhs-number]  nearest: "9990000018"',
    "test_british_day": 'Immunization.occurrenceDateTime * [nhs/bad-occurrence]  nearest: "2024-10-01"',
    "test_lost_base_path": "path * [http/no-api]  nearest: nhs is at http://127.0.0.1:*",
    "test_what_only_the_document_forbids": "Immunization.primarySource * [http/schema]  nearest: true",
}
"""The tests of `tests_broken` that would pass without the plugin, and what each is told."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project, outside the checkout."""
    copy = tmp_path / "vaccinations"
    shutil.copytree(PROJECT, copy, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    return copy


def pytest_in(
    folder: Path, *arguments: str, python: Path = Path(sys.executable), variables: dict[str, str] | None = None
) -> str:
    command = [str(python), "-m", "pytest", *ALONE, *arguments]
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert not done.stderr, done.stderr
    return done.stdout


def assert_passes(said: str) -> None:
    assert re.search(r"=+ 13 passed in ", said), said
    assert re.search(r"nhs: 3 of 3 operations, \d+ of 31 answers \(\d\d %\)", said)


def assert_fails_as_it_should(said: str) -> None:
    assert re.search(r"=+ 6 failed in ", said), said
    blocks = re.split(r"\n_{3,} (test_\w+) _{3,}\n", said.partition("----- mocksandbox -----")[0])
    shown = dict(zip(blocks[1::2], blocks[2::2], strict=True))
    for test, told in MISTAKES.items():
        lines = [line for line in shown[test].splitlines() if line and not line.startswith(("[gw", "---"))]
        assert len(lines) <= 8, lines
        pattern = ".*".join(map(re.escape, told.split(" * ")))
        assert re.search(pattern.replace(r"\*", ".*"), lines[-1]), lines
    own = shown["test_own_failure"]
    assert "AssertionError: the desk could not record it" in own
    assert "Captured mocksandbox call" in own
    assert "Immunization.status" in own.partition("Captured mocksandbox call")[2]


def test_it_passes(project: Path) -> None:
    assert_passes(pytest_in(project))


def test_its_mistakes_are_found(project: Path) -> None:
    assert_fails_as_it_should(pytest_in(project, "tests_broken"))


def test_without_the_plugin_the_mistakes_go_unnoticed(project: Path) -> None:
    # The proof that it is the plugin that fails them: strict = off leaves the clients' own failure alone.
    said = pytest_in(project, "tests_broken", "--mocksandbox-strict", "off", "--mocksandbox-min-coverage", "1")
    assert re.search(r"=+ 1 failed, 5 passed in ", said), said
    assert "FAILED tests_broken/test_mistakes.py::test_own_failure" in said


@pytest.fixture(scope="module", params=["newest", "8.4"])
def python(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A clean environment with the wheel, and the newest pytest or the oldest that is supported."""
    folder = tmp_path_factory.mktemp("environment")
    made = install(build_wheel(folder / "dist"), folder / "venv")
    wanted = "pytest" if request.param == "newest" else f"pytest=={request.param}.*"
    command = [sys.executable, "-m", "pip", "--python", str(made), "install", "--quiet", "--ignore-installed", wanted]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=outside())
    if done.returncode and os.environ.get("CI") != "true":
        pytest.skip(f"{wanted} cannot be installed here")
    assert done.returncode == 0, done.stderr
    yield made
    shutil.rmtree(folder)


@pytest.mark.wheel
def test_from_the_installed_wheel_on_both_versions_of_pytest(
    project: Path, python: Path, request: pytest.FixtureRequest
) -> None:
    version = subprocess.run([python, "-m", "pytest", "--version"], capture_output=True, text=True, check=True, env=outside())
    oldest = request.node.callspec.params["python"] == "8.4"
    assert ("pytest 8.4." in version.stdout) is oldest
    where = [python, "-c", "import mocksandbox.pytest_plugin as it; print(it.__file__)"]
    found = subprocess.run(where, capture_output=True, text=True, check=True, env=outside(), cwd=project).stdout
    assert not Path(found).is_relative_to(ROOT)
    workers = () if oldest else ("-n", "2")
    assert_passes(pytest_in(project, *workers, python=python, variables=outside()))
    assert_fails_as_it_should(pytest_in(project, "tests_broken", *workers, python=python, variables=outside()))
