"""What the plugin loads, for those who do not use it and those who do, seen in fresh interpreters. What that takes is measured
by tests/benchmarks/plugin.py.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

DENIED = {
    *("flask", "werkzeug", "httptools", "openapi_core", "jsonschema_path", "jsonschema", "jsonschema_rs", "pydantic", "yaml"),
    *("fhir", "faker", "hypothesis", "schemathesis", "requests", "httpx", "rich", "orjson", "click", "joserfc", "jsonpath"),
}

PROGRAM = """
import json, sys
import pytest
before = set(sys.modules)
import mocksandbox.pytest_plugin
json.dump(sorted(set(sys.modules) - before), sys.stdout)
"""
VARIABLES = {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def imported() -> list[str]:
    """The modules that the import loads beyond pytest, in a fresh interpreter."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, env=VARIABLES)
    loaded: list[str] = json.loads(done.stdout)
    return loaded


def test_it_loads_nothing_but_itself_and_the_standard_library(imported: list[str]) -> None:
    assert {name.partition(".")[0] for name in imported}.isdisjoint(DENIED)
    ours = [name for name in imported if name.partition(".")[0] not in sys.stdlib_module_names]
    assert ours == ["mocksandbox", "mocksandbox.pytest_plugin"]


def test_a_suite_that_gives_no_option_loads_nothing_else(tmp_path: Path) -> None:
    source = "import sys\ndef test_it(): assert [n for n in sys.modules if n.startswith('mocksandbox.')] == EXPECTED\n"
    (tmp_path / "test_it.py").write_text(source.replace("EXPECTED", "['mocksandbox.pytest_plugin']"))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:schemathesis", "-p", "no:cacheprovider", "--rootdir", "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, env=VARIABLES)
    assert done.returncode == 0, done.stdout


def test_the_consumers_face_loads_nothing_by_itself() -> None:
    program = "import sys, mocksandbox.consumer; print(sorted(n for n in sys.modules if n.startswith('mocksandbox')))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env=VARIABLES,
    )
    assert done.stdout.strip() == "['mocksandbox', 'mocksandbox.consumer']"


def test_every_name_that_it_offers_can_be_loaded() -> None:
    import mocksandbox.consumer as consumer

    assert [name for name in consumer.__all__ if getattr(consumer, name, None) is None] == []
    # A function must not become its module when that is imported.
    assert callable(consumer.responses)
    assert callable(consumer.checks)
    with pytest.raises(AttributeError, match="nothing_of_the_sort"):
        _ = consumer.nothing_of_the_sort


def test_a_suite_without_sockets_needs_no_server() -> None:
    program = """
import sys
from mocksandbox.consumer.options import Options
from mocksandbox.consumer.plugged import Plugged
view = Plugged(Options()).shared("nhs")
list(view.app({"REQUEST_METHOD": "GET", "PATH_INFO": view.provider.base_path + "/_ping", "HTTP_HOST": "x"}, lambda *_: None))
print(sorted({"requests", "httpx", "hypothesis", "faker", "mocksandbox.generators", "httptools"} & set(sys.modules)))
print("mocksandbox.consumer.serving" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env=VARIABLES,
    )
    assert done.stdout.splitlines() == ["[]", "False"]
