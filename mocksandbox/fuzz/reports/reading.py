"""Reading reports back from where campaigns wrote them: `report.json`, or what an NDJSON still says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mocksandbox import codec
from mocksandbox.errors import UsageError
from mocksandbox.fuzz.model import Report
from mocksandbox.fuzz.reports.plain import VERSION, read_report

WHOLE, LINES = "report.json", "report.ndjson"


def read_reports(places: Sequence[Path]) -> list[Report]:
    """The reports in these folders, and in the folders below them, or in these files. Where a folder has both, the JSON.

    Raises:
        UsageError: a place does not exist or has no report, what is there is none, or a report is named twice.
    """
    reports = []
    read: set[Path] = set()
    for place in places:
        found = list(_files(place))
        if not found:
            raise UsageError(f"{place} has no {WHOLE} or {LINES}; write one with `mocksandbox fuzz --report json`.")
        for path in found:
            if path.resolve() in read:
                raise UsageError(f"{path} is named twice: its findings would be counted twice. Name each report once.")
            read.add(path.resolve())
            reports.append(_read(path))
    return reports


def _files(place: Path) -> Iterator[Path]:
    if not place.exists():
        raise UsageError(f"{place} does not exist.")
    if place.is_file():
        yield place
        return
    whole = sorted(place.rglob(WHOLE))
    yield from whole
    yield from (path for path in sorted(place.rglob(LINES)) if path.with_name(WHOLE) not in whole)


def _read(path: Path) -> Report:
    try:
        text = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    return read_lines(text, str(path)) if path.suffix == ".ndjson" else read_report(text, str(path))


def read_lines(text: bytes, where: str) -> Report:
    """What an NDJSON says: the findings and the numbers of its last line. Of the rules it knows only the broken ones.

    Raises:
        UsageError: a line is no finding, or the last line is no summary; the line is named.
    """
    findings: list[Any] = []
    summary: Any = None
    for number, line in enumerate(text.splitlines(), 1):
        try:
            told = codec.loads(line) if line.strip() else {}
        except ValueError as error:
            raise UsageError(f"{where}:{number} is no JSON: {error}.") from error
        if not isinstance(told, dict):
            raise UsageError(f"{where}:{number} is no finding.")
        findings += [told["finding"]] if "finding" in told else []
        summary = told.get("summary", summary)
    if not isinstance(summary, dict):
        raise UsageError(f"{where} has no summary in its last line: the run was not finished.")
    broken = {rule for finding in findings if isinstance(finding, dict) for rule in finding.get("rules", ())}
    unsaid = {"planned": {}, "reached": {}, "matrix": {}, "seconds": 0, "errors": [], "accepted_valid": [0, 0], "stopped": ""}
    known = {"version": VERSION, "findings": findings, "rules": dict.fromkeys(sorted(broken), "broken")}
    whole = {**unsaid, **summary, **known}
    return read_report(codec.dumps(whole), where)
