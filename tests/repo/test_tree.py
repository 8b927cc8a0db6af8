"""The files of the repository themselves: what they are called, how long they are, what must not be in them."""

from __future__ import annotations

import re
import statistics
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

BANNED_NAMES = re.compile(r"(^|_)(utils?|helpers?|common|base|managers?|processors?|misc|info)($|_)")
MOST_LINES, MEDIAN_LINES = 300, 100

TABLES = {
    "mocksandbox/providers/nhs/body_rules.py": "one entry for each rule of a record",
    "mocksandbox/providers/nhs/request_rules.py": "one entry for each rule of a request",
    "mocksandbox/rules/http.py": "one entry for each rule of every HTTP API",
}
"""The modules that may be longer, because they are tables; each with what it is a table of."""

WRITTEN_OUT = {"contracts/nhs/openapi.json", "tests/conformance/nhs-recorded.jsonl", "contracts/fhir/r4b-elements.json"}
"""Files that others wrote: they are as they are."""


def tracked() -> list[Path]:
    """The files that git knows or would add; all files when this is no clone (a source archive)."""
    listing = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(listing, capture_output=True, text=True, check=True)
        names = [name for name in done.stdout.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        names = [p.relative_to(ROOT).as_posix() for p in ROOT.rglob("*") if ".venv" not in p.relative_to(ROOT).parts]
    return [ROOT / name for name in names if (ROOT / name).is_file() and "__pycache__" not in name]


FILES = tracked()
MODULES = [path for path in FILES if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in ("mocksandbox", "generators")]


def of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_there_are_files_to_look_at() -> None:
    assert len(FILES) > 80
    assert len(MODULES) > 60


def _lines_with(pattern: str, paths: list[Path]) -> list[str]:
    """The places where a pattern is, but for this file."""
    found = []
    wanted = re.compile(pattern)
    for path in paths:
        text = path.read_text("utf-8", errors="replace")
        if path != Path(__file__).resolve() and wanted.search(text):
            found += [
                f"{of(path)}:{n}: {line.strip()[:120]}" for n, line in enumerate(text.splitlines(), 1) if wanted.search(line)
            ]
    return found


def test_no_path_of_somebodys_machine() -> None:
    assert _lines_with(r"(?<![\w.:/])/(work|root|home|Users|tmp)/\w", FILES) == []


def test_no_registry_is_named() -> None:
    # An index URL or a proxy in a file would decide for everyone where packages come from.
    hosts = r"pypi\.org|pythonhosted\.org|registry\.npmjs\.org|npmjs\.com|index-url|--registry"
    assert _lines_with(hosts, FILES) == []


def test_no_lock_file() -> None:
    # A lock file names the hosts that its packages came from.
    locks = {
        "uv.lock",
        "poetry.lock",
        "Pipfile.lock",
        "pdm.lock",
        "pylock.toml",
        "package-lock.json",
        "yarn.lock",
        "pnpm-lock.yaml",
    }
    assert [of(path) for path in FILES if path.name in locks] == []


def test_nothing_is_left_to_do_in_the_code() -> None:
    marks = r"\b(TO" + "DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b"
    assert _lines_with(marks, [path for path in FILES if of(path) not in WRITTEN_OUT]) == []


def test_no_private_key_is_kept() -> None:
    assert _lines_with(r"-----BEGIN [A-Z ]*PRIVATE KEY", FILES) == []


@pytest.mark.parametrize("path", MODULES, ids=of)
def test_a_module_is_called_what_it_is(path: Path) -> None:
    parts = [*path.relative_to(ROOT).parts[:-1], path.stem]
    assert [part for part in parts if BANNED_NAMES.search(part)] == []


@pytest.mark.parametrize("path", MODULES, ids=of)
def test_a_module_is_short_unless_it_is_a_table(path: Path) -> None:
    lines = len(path.read_text("utf-8").splitlines())
    assert lines <= MOST_LINES or of(path) in TABLES, f"{lines} lines"


def test_modules_are_short_on_the_whole() -> None:
    assert statistics.median(len(path.read_text("utf-8").splitlines()) for path in MODULES) <= MEDIAN_LINES


def test_the_list_of_tables_is_current() -> None:
    long = {of(path) for path in MODULES if len(path.read_text("utf-8").splitlines()) > MOST_LINES}
    assert {name for name in TABLES if name not in long} == set()


@pytest.mark.parametrize("path", [p for p in MODULES if p.read_text("utf-8").strip()], ids=of)
def test_a_module_says_what_it_is(path: Path) -> None:
    assert path.read_text("utf-8").startswith('"""')


SOURCES = [of(path) for path in FILES if path.name == "SOURCES.md"]
"""The pages that say where facts come from."""


@pytest.mark.parametrize("page", ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", *SOURCES])
def test_a_page_links_to_what_is_there(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    links = [link for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text) if "://" not in link]
    assert [link for link in links if not ((ROOT / page).parent / link).exists()] == []


def test_every_contract_says_where_it_is_from() -> None:
    folders = [path for path in (ROOT / "contracts").iterdir() if path.is_dir()]
    for folder in folders:
        told = (folder / "SOURCES.md").read_text("utf-8")
        files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {"SOURCES.md"}
        assert {name for name in files if name.rpartition("/")[2] not in told} == set()


def test_contracts_are_data() -> None:
    assert [of(path) for path in (ROOT / "contracts").rglob("*.py")] == []
