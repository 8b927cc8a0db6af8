"""Types and layers, looked at where users have the package: in the installed wheel, outside the checkout.

At the root of the checkout the tools would see the folders `contracts` and `generators` beside the package, and not the
package as it is installed. `python scripts/static.py types|layers`.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

import installed

PROJECT = installed.ROOT / "pyproject.toml"
FEWEST = 60
"""Fewer modules than this, and the tool has not looked at the package."""


class ToolError(Exception):
    """A tool found something, or did not look."""


def mypy(python: Path, folder: Path) -> str:
    """What mypy --strict says; raises ToolError when it finds something."""
    package = str(package_of(python))
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--config-file",
        str(PROJECT),
        "--python-executable",
        str(python),
        package,
    ]
    said = passed("mypy", command, folder)
    return seen("mypy", re.search(r"no issues found in (\d+) source files", said))


def pyright(python: Path, folder: Path) -> str:
    """What pyright says, strict as pyproject.toml sets it; raises ToolError when it finds something."""
    # Pyright leaves out environments and takes relative paths only: it gets a copy of what is installed.
    shutil.copytree(package_of(python), folder / "mocksandbox")
    settings = {**tomllib.loads(PROJECT.read_text("utf-8"))["tool"]["pyright"], "include": ["mocksandbox"]}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), "utf-8")
    command = [sys.executable, "-m", "pyright", "--project", str(folder), "--pythonpath", str(python), "--outputjson"]
    done = subprocess.run(command, cwd=folder, env=installed.outside(), capture_output=True, text=True, check=False)
    try:
        told = json.loads(done.stdout)
    except ValueError:
        raise ToolError(f"pyright does not run:\n{done.stdout}{done.stderr}") from None
    lines = []
    for found in told["generalDiagnostics"]:
        line = found["range"]["start"]["line"] + 1
        lines.append(f"{found['file']}:{line}: {found['severity']}: {found['message']} [{found.get('rule', '')}]")
    if done.returncode:
        raise ToolError("\n".join([*lines, f"pyright: {told['summary']['errorCount']} errors"]))
    return seen("pyright", re.search(r"\d+", str(told["summary"]["filesAnalyzed"])))


def layers(python: Path, folder: Path) -> str:
    """What import-linter says of the layers in pyproject.toml; raises ToolError when one is broken."""
    # With the environment's Python, so that the package it imports is the installed one.
    run = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
    command = [str(python), "-c", run, "--config", str(PROJECT), "--no-cache"]
    said = passed("import-linter", command, folder, after="Analyzed")  # before it, a banner
    return seen("import-linter", re.search(r"Analyzed (\d+) files", said))


CHECKS: Mapping[str, tuple[Callable[[Path, Path], str], ...]] = {"types": (mypy, pyright), "layers": (layers,)}


def package_of(python: Path) -> Path:
    """The folder of the installed package, which is not the checkout's."""
    command = [str(python), "-c", "import mocksandbox; print(mocksandbox.__file__)"]
    done = subprocess.run(command, cwd=python.parent, env=installed.outside(), capture_output=True, text=True, check=True)
    package = Path(done.stdout.strip()).parent
    if package.is_relative_to(installed.ROOT / "mocksandbox"):
        raise ToolError(f"{package} is the checkout's package, not the installed one")
    return package


def passed(tool: str, command: list[str], folder: Path, after: str = "") -> str:
    """What a command says; of a failure, what follows a word."""
    done = subprocess.run(command, cwd=folder, env=installed.outside(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolError(f"{done.stdout[max(0, done.stdout.find(after)) :]}{done.stderr}{tool} failed")
    return done.stdout


def seen(tool: str, count: re.Match[str] | None) -> str:
    """How many files a tool has looked at; raises ToolError when that is too few to be the package."""
    number = int(count[count.lastindex or 0]) if count else 0
    if number < FEWEST:
        raise ToolError(f"{tool} looked at {number} files; the package has more than {FEWEST}")
    return f"{tool}: {number} files, nothing found"


def main(names: list[str]) -> int:
    """Build, install, look; 1 when a tool found something."""
    failed = False
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        python = installed.install(installed.build_wheel(folder / "dist"), folder / "environment")
        for name in names or CHECKS:
            for check in CHECKS[name]:
                (folder / name).mkdir(exist_ok=True)
                try:
                    print(check(python, folder / name), flush=True)
                except ToolError as found:
                    print(str(found).replace(f"{package_of(python).parent}/", ""), flush=True)
                    failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
