"""Checking records in files: lines, sources, and what is said."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pytest

from mocksandbox.checking import Judge, Problem, documents
from mocksandbox.checking.judge import path_of
from mocksandbox.checking.lines import lines_of, parted
from mocksandbox.errors import UsageError
from mocksandbox.generators import payloads
from mocksandbox.provider import open_provider

TEN = Path(__file__).parent / "ten-mistakes.json"


def problems(path: Path, **options: Any) -> list[Problem]:
    judge = Judge(open_provider("nhs"), **options)
    return [problem for document in documents([str(path)]) for problem in judge.problems(document)]


def written(folder: Path, value: Any, name: str = "record.json") -> Path:
    path = folder / name
    path.write_text(value if isinstance(value, str) else json.dumps(value, indent=2), "utf-8")
    return path


def valid_record() -> dict[str, Any]:
    body: dict[str, Any] = next(payloads("nhs", style="typical")).body
    return body


def test_lines_are_those_of_the_keys_and_items() -> None:
    text = '{\n "a": [1,\n  {"b":\n   null}],\n "c\\"d": "x\\n{[",\n "e": {}\n}'
    lines = lines_of(text)
    wanted = {(): 1, ("a",): 2, ("a", 0): 2, ("a", 1): 3, ("a", 1, "b"): 3, ('c"d',): 5, ("e",): 6}
    assert lines.of == wanted
    assert lines.nearest(("a", 1, "b", "nothing")) == 3
    assert lines_of(text, 10).of[("e",)] == 15


def test_texts_as_deep_as_a_parser_goes_are_walked() -> None:
    deep = "[" * 3000 + "]" * 3000
    assert len(lines_of(deep).of) == 3000


def test_keys_that_come_twice_and_numbers_that_are_none_are_found() -> None:
    lines = lines_of('{"a": 1,\n"b": {"c": NaN,\n"c": -Infinity},\n"a": 2}')
    assert lines.twice == [(("b", "c"), 3), (("a",), 4)]
    assert lines.no_numbers == [(("b", "c"), 2), (("b", "c"), 3)]


@pytest.mark.parametrize(
    ("at", "path"),
    [
        ("Immunization.contained[1].name[0].family", ("contained", 1, "name", 0, "family")),
        ("patientId", ("patientId",)),
        ("Immunization", ()),
        ("header:E-Tag", None),
        ("body", None),
    ],
)
def test_places_are_read_as_paths(at: str, path: Any) -> None:
    assert path_of(at) == path


def test_ten_mistakes_are_all_named_with_their_lines_and_what_was_meant() -> None:
    found = {problem.line: problem for problem in problems(TEN) if problem.severity == "error"}
    wanted = {
        8: ("nhs/bad-nhs-number", "9990000018"),
        11: ("nhs/bad-gender", "female"),
        12: ("nhs/bad-birth-date", "1965-02-28"),
        22: ("nhs/bad-procedure-code", "1324681000000101"),
        28: ("nhs/bad-status", "completed"),
        31: ("nhs/bad-occurrence", "2021-02-07T13:28:17+00:00"),
        33: ("nhs/bad-primary-source", True),
        36: ("nhs/unknown-element", "lotNumber"),
        37: ("nhs/bad-dose-value", 0.5),
        46: ("nhs/bad-dose-number", 9),
    }
    assert {line: (problem.rule, problem.nearest) for line, problem in found.items()} == wanted


def test_a_valid_record_has_no_problem(tmp_path: Path) -> None:
    assert problems(written(tmp_path, valid_record())) == []


def test_a_record_with_an_id_is_one_to_update(tmp_path: Path) -> None:
    assert problems(written(tmp_path, {**valid_record(), "id": "4ff607e0-c6e9-4fe0-a2b6-3bcd7fdc44c9"})) == []


def test_each_line_of_ndjson_is_a_record(tmp_path: Path) -> None:
    bad = {**valid_record(), "status": "done"}
    text = "\n".join([json.dumps(valid_record()), json.dumps(bad), "", json.dumps(bad), '{"broken'])
    found = problems(written(tmp_path, text, "records.ndjson"))
    assert [(problem.line, problem.rule) for problem in found] == [
        (2, "nhs/bad-status"),
        (4, "nhs/bad-status"),
        (5, "json/unreadable"),
    ]


def test_the_resources_of_a_bundle_are_records(tmp_path: Path) -> None:
    bad = {**valid_record(), "recorded": "yesterday"}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": valid_record()}, {"resource": bad}]}
    path = written(tmp_path, bundle)
    (problem,) = problems(path)
    assert problem.at == "Bundle.entry[1].resource > Immunization.recorded"
    assert '"recorded": "yesterday"' in path.read_text("utf-8").splitlines()[problem.line - 1]


def test_what_generate_writes_is_checked_as_the_request_that_it_is(tmp_path: Path) -> None:
    lines = b"\n".join(payload.line() for payload in payloads("nhs/updateImmunization", 20)).decode()
    assert problems(written(tmp_path, lines, "made.ndjson")) == []


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", 1, "is empty"),
        (" \n", 1, "is empty"),
        ("{", 1, "is not JSON"),
        ('{\n"a": 1,\n}', 3, "is not JSON"),
        ("[" * 200_000, 1, "nested too deep"),
    ],
)
def test_what_is_no_json_is_said_with_its_line(tmp_path: Path, text: str, line: int, says: str) -> None:
    (problem,) = problems(written(tmp_path, text))
    assert (problem.line, problem.rule) == (line, "json/unreadable")
    assert says in problem.message


def test_bytes_that_are_no_text_are_said(tmp_path: Path) -> None:
    path = tmp_path / "latin.json"
    path.write_bytes('{"a": "Zoë"}'.encode("latin-1"))
    (problem,) = problems(path)
    assert "not UTF-8" in problem.message


def test_a_duplicate_key_is_said(tmp_path: Path) -> None:
    text = json.dumps(valid_record(), indent=1).replace(
        '"status": "completed"', '"status": "completed",\n"status": "completed"'
    )
    (problem,) = [each for each in problems(written(tmp_path, text)) if each.rule.startswith("json/")]
    assert problem.at == "Immunization.status"


def test_what_only_the_document_or_fhir_forbids_is_a_warning(tmp_path: Path) -> None:
    record = valid_record()
    record["identifier"][0]["use"] = "bogus"
    path = written(tmp_path, record)
    assert {problem.severity for problem in problems(path)} == {"warning"}
    assert "error" in {problem.severity for problem in problems(path, profile="documented")}
    assert "error" in {problem.severity for problem in problems(path, strict_fhir=True)}


@pytest.mark.parametrize("value", [[], None, 5, "x", {}, {"resourceType": "Patient"}, {"resourceType": 5, "id": []}, [[]]])
def test_anything_can_be_checked(tmp_path: Path, value: Any) -> None:
    assert problems(written(tmp_path, value))


def test_a_pattern_names_files_and_nothing_is_an_error(tmp_path: Path) -> None:
    written(tmp_path, valid_record(), "a.json")
    written(tmp_path, valid_record(), "b.json")
    assert len(list(documents([str(tmp_path / "*.json")]))) == 2
    for name in ("none.json", "*.xml"):
        with pytest.raises(UsageError, match="No file"):
            list(documents([str(tmp_path / name)]))
    with pytest.raises(UsageError, match="is a folder"):
        list(documents([str(tmp_path)]))


@pytest.mark.parametrize("operation", ["readImmunization", "searchImmunizationGet", "deleteImmunization"])
def test_an_operation_that_is_sent_no_record_is_told_with_those_that_are(tmp_path: Path, operation: str) -> None:
    with pytest.raises(UsageError, match=f"{operation} takes no record. Known: createImmunization, updateImmunization"):
        problems(written(tmp_path, valid_record()), operation=operation)


def test_the_items_of_an_array_are_records(tmp_path: Path) -> None:
    path = written(tmp_path, [valid_record(), {**valid_record(), "status": "done"}, 5])
    bad, none = problems(path)
    assert bad.at == "[1] > Immunization.status"
    assert '"status": "done"' in path.read_text("utf-8").splitlines()[bad.line - 1]
    assert (none.at, none.rule) == ("[2] > body", "nhs/not-an-object")


def test_of_an_answer_to_a_search_only_what_the_api_is_sent_is_judged(tmp_path: Path) -> None:
    patient, outcome = {"resourceType": "Patient"}, {"resourceType": "OperationOutcome"}
    misspelt, deleted = {**valid_record(), "resourceType": "Imunization"}, {"request": {"method": "DELETE", "url": "x"}}
    entries = [{"resource": each} for each in (valid_record(), patient, outcome, misspelt)] + [deleted]
    path = written(tmp_path, {"resourceType": "Bundle", "type": "searchset", "entry": entries})
    judge = Judge(open_provider("nhs"))
    assert [judge.left_out(each) for each in documents([str(path)])] == [None, "Patient", "OperationOutcome", None, ""]
    alone = written(tmp_path, patient)
    assert [judge.left_out(each) for each in documents([str(alone)])] == [None]


def test_an_entry_that_holds_nothing_is_said(tmp_path: Path) -> None:
    path = written(tmp_path, {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": valid_record()}, {}, 5]})
    found = [(problem.at, problem.message) for problem in problems(path)]
    assert found == [(f"Bundle.entry[{index}]", "must be an object with a resource") for index in (1, 2)]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_called_by_its_name(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "wide.json"
    path.write_bytes(json.dumps(valid_record()).encode(encoding))
    (problem,) = problems(path)
    assert problem.message == "is UTF-16: save it as UTF-8"


def test_records_of_a_day_to_come_are_right_on_that_day(tmp_path: Path) -> None:
    day = date(2999, 12, 31)
    bodies = b"\n".join(payload.request.body for payload in payloads("nhs", 20, as_of=day)).decode()
    path = written(tmp_path, bodies, "records.ndjson")
    assert problems(path)
    assert problems(path, as_of=datetime.combine(day, time.max, UTC)) == []


def test_the_parts_of_many_records_are_found_in_one_walk() -> None:
    lines = lines_of('[{"a": 1,\n"b": 2},\n{"a": NaN,\n"a": 3}]')
    part = parted(lines, 1)
    assert part((0,)).of == {(): 1, ("a",): 1, ("b",): 2}
    second = part((1,))
    assert (second.first, second.twice, second.no_numbers) == (3, [(("a",), 4)], [(("a",), 3)])
