"""The generated pages are what the code says now."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from scripts import docs

ROOT = Path(__file__).parents[2]
PAGES = docs.pages()


def test_the_rules_and_the_command_line_are_among_them() -> None:
    assert {"docs/rules-nhs.md", "docs/cli.md"} <= set(PAGES)


@pytest.mark.parametrize("page", sorted(PAGES))
def test_a_generated_page_is_current(page: str) -> None:
    assert (ROOT / page).read_text("utf-8") == PAGES[page], "run `python3 scripts/check.py write-docs`"


def test_the_check_of_the_script_agrees() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/docs.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_every_command_is_on_its_page() -> None:
    from mocksandbox.cli.main import group

    page = (ROOT / "docs" / "cli.md").read_text("utf-8")
    assert [name for name in group.list_commands(None) if f"### mocksandbox {name}\n" not in page] == []  # type: ignore[arg-type]
