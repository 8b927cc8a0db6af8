"""The README's blocks that can be run, run: each shell block after `<!-- runs -->` against a server of its own, compared with
the output that it shows (`...` stands for anything); each Python block as it is.

`<!-- serves NAME -->` marks how a server is started; `<!-- runs NAME -->` a block that is for that server.
`<!-- writes FILE -->` marks a file of tests, `<!-- pytest -->` what pytest says of it.
"""

from __future__ import annotations

import doctest
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mocksandbox.pytest_plugin import _OPTIONS  # pyright: ignore[reportPrivateUsage]

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
BLOCK = re.compile(
    r"<!-- (?P<does>runs|serves|writes|pytest)(?: (?P<server>[\w.-]+))? -->\n```(?P<kind>\w+)\n(?P<text>.*?)```", re.DOTALL
)
PATIENCE = 60.0
PORT = "8080"


@dataclass(frozen=True)
class Block:
    """One marked block: what it does, for which server (or into which file), its language, its text."""

    does: str
    server: str
    kind: str
    text: str


BLOCKS = [Block(found["does"], found["server"] or "", found["kind"], found["text"]) for found in BLOCK.finditer(README)]


def steps(text: str) -> list[tuple[str, str]]:
    """The commands of a console block (a here-document included), each with the output that is shown."""
    found: list[tuple[str, str]] = []
    ending = ""
    for line in text.splitlines(keepends=True):
        if ending:
            found[-1] = (found[-1][0] + line, "")
            ending = "" if line.strip() == ending else ending
        elif line.startswith("$ "):
            found.append((line[2:], ""))
            heredoc = re.search(r"<<'(\w+)'", line)
            ending = heredoc[1] if heredoc else ""
        else:
            found[-1] = (found[-1][0], found[-1][1] + line)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the README's commands refer to."""
    made = tmp_path_factory.mktemp("readme")
    shutil.copytree(ROOT / "docs", made / "docs")
    shutil.copytree(ROOT / "contracts", made / "contracts")
    programs = made / ".venv" / "bin"
    programs.mkdir(parents=True)
    runs = {"mocksandbox": "-c 'from mocksandbox.cli import main; main()'", "pytest": "-m pytest"}
    for name, arguments in runs.items():
        program = programs / name
        program.write_text(f"#!/bin/sh\nexec '{sys.executable}' {arguments} \"$@\"\n", "utf-8")
        program.chmod(0o755)
    return made


def variables(folder: Path) -> dict[str, str]:
    path = f"{folder / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "COLUMNS": "160"}


def shell(command: str, folder: Path) -> str:
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=variables(folder),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert PROGRESS.sub("", done.stderr) == ""
    return done.stdout


PROGRESS = re.compile(r"(?m)^(Firing \d+ cells at| +\d+ s: ).*\n")
"""What a campaign says in a log of how far it is; no reader need see that."""


def agrees(shown: str, came: str) -> bool:
    """Whether an output is as the README shows it; lines may be broken there, and `...` stands for anything."""
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    joined = [re.sub(r",\n(?=\")", ",", text.replace("\r\n", "\n")) for text in (shown, came)]
    return doctest.OutputChecker().check_output(*(f"{text.rstrip()}\n" for text in joined), flags)


def serve(block: Block, folder: Path) -> Iterator[str]:
    """Run a block that serves, on a free port; gives that port once all that the block shows has been said."""
    [(command, shown)] = steps(block.text)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    process = subprocess.Popen(
        ["bash", "-c", f"exec {command.strip()} --port {port}"],
        cwd=folder,
        env=variables(folder),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        deadline = time.monotonic() + PATIENCE
        said = [process.stdout.readline() for _ in shown.splitlines() if time.monotonic() < deadline]
        assert agrees(shown, "".join(said).replace(port, PORT)), said
        yield port
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)


def _run(block: Block, port: str, folder: Path, before: str = "") -> str:
    """Run the steps of a block and compare; gives the assignments of variables, which hold for the blocks after it."""
    for command, shown in steps(block.text):
        own = command.replace(f":{PORT}", f":{port}")
        came = shell(before + own, folder).replace(f":{port}", f":{PORT}")
        assert agrees(shown, came), f"$ {command}shown:\n{shown}\ncame:\n{came}"
        if re.match(r"\w+=\S+$", own.strip()):
            before += own
    return before


needs_tools = pytest.mark.skipif(not (shutil.which("bash") and shutil.which("curl")), reason="needs bash and curl")


@needs_tools
@pytest.mark.parametrize("server", sorted({block.server for block in BLOCKS if block.does == "serves"}))
def test_what_the_readme_shows_is_what_comes(server: str, folder: Path) -> None:
    of_it = [block for block in BLOCKS if block.server == server and block.kind == "console"]
    [serving] = [block for block in of_it if block.does == "serves"]
    if server:  # a folder that the README makes in a block before
        shutil.rmtree(folder / server, ignore_errors=True)
        for making in (block for block in BLOCKS if f"mkdir {server}" in block.text):
            _run(making, PORT, folder)
    served = serve(serving, folder)
    port = next(served)
    try:
        before = ""
        for block in of_it:
            if block.does == "runs" and "mkdir" not in block.text:
                before = _run(block, port, folder, before)
    finally:
        served.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("number", range(sum(block.kind == "python" and block.does == "runs" for block in BLOCKS)))
def test_python_runs(number: int) -> None:
    running = [block.text for block in BLOCKS if block.kind == "python" and block.does == "runs"]
    exec(compile(running[number], "README.md", "exec"), {})


@needs_tools
def test_pytest_says_what_the_readme_shows(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Only what the README speaks of, on a terminal as wide as its lines.
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:schemathesis -p no:asyncio -p no:pact -p no:cacheprovider")
    files = [block for block in BLOCKS if block.does == "writes"]
    for block in files:
        (folder / block.server).write_text(block.text, "utf-8")
    shown = [block for block in BLOCKS if block.does == "pytest"]
    assert len(shown) == len(files) == 3
    for block in shown:
        _run(block, PORT, folder, "export COLUMNS=80\n")


def test_every_block_is_marked() -> None:
    assert README.count("```") == 2 * len(BLOCKS)
    assert {block.kind for block in BLOCKS} == {"console", "python"}


def test_the_two_commands_name_scripts_that_are_there() -> None:
    commands = re.findall(r"^    python3 (\S+)$", README, re.MULTILINE)
    assert commands == ["scripts/quickstart.py", "scripts/check.py"]
    assert [name for name in commands if not (ROOT / name).is_file()] == []


def test_every_option_that_the_readme_names_exists() -> None:
    known = (ROOT / "docs" / "cli.md").read_text("utf-8") + "".join(f"--mocksandbox-{name}\n" for name, *_ in _OPTIONS)
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", replace_curl(README)))
    assert {option for option in named - {"--help", "--markers"} if option not in known} == set()


def replace_curl(text: str) -> str:
    """The text without the lines of other programs."""
    return "\n".join(line for line in text.splitlines() if "curl " not in line)
