"""What an import costs: fresh interpreters, and what they have loaded."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = {
    *("flask", "werkzeug", "httptools", "openapi_core", "jsonschema_path", "jsonschema", "jsonschema_rs", "pydantic", "yaml"),
    *("fhir", "faker", "hypothesis", "pytest", "schemathesis", "requests", "rich", "jsonpath", "joserfc"),
}


def loaded_after(statement: str) -> set[str]:
    """The top-level modules of a fresh interpreter after a statement."""
    program = (
        f"import sys, json\n{statement}\njson.dump(sorted({{name.partition('.')[0] for name in sys.modules}}), sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    return set(json.loads(done.stderr))


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert loaded_after("import mocksandbox").isdisjoint({*HEAVY, "click"})


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_loads_no_server_and_no_validator(arguments: list[str]) -> None:
    run = f"from mocksandbox.cli.main import group\ngroup.main({arguments!r}, standalone_mode=False)"
    assert loaded_after(run).isdisjoint(HEAVY)


@pytest.mark.parametrize("command", ["serve", "scenarios", "rules"])
def test_help_of_a_command_loads_no_server(command: str) -> None:
    run = f"from mocksandbox.cli.main import group\ngroup.main([{command!r}, '--help'], standalone_mode=False)"
    assert loaded_after(run).isdisjoint({"flask", "httptools", "openapi_core"})


def test_every_public_name_can_be_loaded() -> None:
    import mocksandbox

    assert [name for name in mocksandbox.__all__ if getattr(mocksandbox, name, None) is None] == []
    with pytest.raises(AttributeError, match="nothing_of_the_sort"):
        _ = mocksandbox.nothing_of_the_sort


def _sources() -> list[Path]:
    return sorted([*(ROOT / "mocksandbox").rglob("*.py"), *(ROOT / "generators").rglob("*.py")])


@pytest.mark.parametrize("path", _sources(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_module_imports_the_top_level_folders(path: Path) -> None:
    # `generators` and `mocksandbox.generators` would be two modules; a wheel has only the second.
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        found = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        found += [node.module or ""] if isinstance(node, ast.ImportFrom) and node.level == 0 else []
        tops = {name.partition(".")[0] for name in found}
        assert tops.isdisjoint({"contracts", "generators", "tests", "scripts"}), f"line {node.lineno}"
