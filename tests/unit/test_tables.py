"""Tables on a terminal, and numbers beside them."""

from __future__ import annotations

import pytest

from mocksandbox.cli.progress import counted
from mocksandbox.cli.table import NARROWEST, table

HEAD = ("where", "place", "what is wrong", "nearest")
ROWS = [
    ("records/a.json:12", "Immunization.contained[1].birthDate", "must be a day, and is none, " * 4, '"2020-01-01"'),
    ("records/b.json:3", "Immunization.status", "is unknown", ""),
]


def test_where_there_is_no_terminal_columns_are_as_wide_as_they_like() -> None:
    lines = table(HEAD, ROWS, wide=46, whole={"where"}).splitlines()
    assert max(map(len, lines)) == 17 + 35 + 46 + 12 + 3 * 2


@pytest.mark.parametrize("width", [80, 90, 100, 115])
def test_columns_fit_the_terminal_and_lose_no_word(width: int) -> None:
    text = table(HEAD, ROWS, wide=46, whole={"where"}, width=width)
    lines = text.splitlines()
    assert lines[0].split()[0] == "where"
    assert max(map(len, lines)) <= width
    assert max(map(len, lines)) > width - NARROWEST
    assert any(line.startswith("records/a.json:12  ") for line in lines), "in one piece"
    assert text.count("must") == 4


def test_what_is_too_narrow_for_columns_has_records() -> None:
    lines = table(HEAD, ROWS, wide=46, whole={"where"}, width=50).splitlines()
    assert max(map(len, lines)) <= 50
    assert lines[0] == "records/a.json:12"
    assert lines[1] == "  place          Immunization.contained[1].birthDa"
    assert lines[-3:] == ["records/b.json:3", "  place          Immunization.status", "  what is wrong  is unknown"]


def test_many_records_are_counted_on_the_last_line_and_few_are_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(counted(range(1_250), patience=0)) == list(range(1_250))
    told = capsys.readouterr().err
    assert "\rChecking: 1,200 records" in told
    assert told.endswith("\r"), "and nothing is left of it"
    assert list(counted(range(99), patience=0)) == list(range(99))
    assert capsys.readouterr().err == ""


def test_a_table_without_rows_is_its_head() -> None:
    assert table(("a", "b"), []).splitlines() == ["a  b", "-  -"]
