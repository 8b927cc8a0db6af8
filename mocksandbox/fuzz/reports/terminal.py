"""A report for a person at a terminal: what is broken first, each finding once, with the line that repeats it."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from mocksandbox.fuzz.model import Finding, Report
from mocksandbox.fuzz.reports.outline import (
    OUTCOMES,
    SEVERITIES,
    counts,
    encoded,
    headline,
    means,
    ordered,
    rules_of,
    short_id,
    value_text,
    visible,
)

_COLOURS = {"high": "31;1", "medium": "33", "low": "36", "good": "32", "dim": "2", "bold": "1"}
MOST_CHANGES = 8
LONGEST_CURL = 8_000


def terminal(report: Report, *, colour: bool = False, width: int = 100, curl: bool = True) -> bytes:
    """The report as text, with colours where asked for. Nothing in it is obeyed by a terminal but those colours."""
    paint = _Paint(colour)
    lines = [paint("medium", visible(report.doubt)), ""] if report.doubt else []
    for severity in SEVERITIES:
        found = [finding for finding in ordered(report.findings) if finding.severity == severity]
        if found:
            lines += [paint(severity, f"{severity.upper()} ({len(found)})"), ""]
        for first, *others in _alike(found):
            lines += [*_finding(first, paint, width, curl), *_others(others, width), ""]
    lines += _numbers(report, paint, width)
    return encoded("\n".join(lines) + "\n")


def _alike(found: Sequence[Finding]) -> list[list[Finding]]:
    """Findings in groups: of one operation and class, with the same status in the place of the same one."""
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for finding in found:
        flaw = finding.flaw
        sort = flaw.observed.split()[0] if flaw.rules and flaw.observed else flaw.identity
        groups.setdefault((flaw.operation, flaw.kind, flaw.expected, sort), []).append(finding)
    return list(groups.values())


def _others(others: Sequence[Finding], width: int) -> list[str]:
    """The rest of a group, by the rules alone."""
    if not others:
        return []
    told = ", ".join(dict.fromkeys("+".join(finding.flaw.rules) for finding in others))
    return _wrapped(f"and {_times(len(others), 'more finding')} like it: {told}", width)


class _Paint:
    def __init__(self, on: bool) -> None:
        self.on = on

    def __call__(self, name: str, text: str) -> str:
        return f"\x1b[{_COLOURS[name]}m{text}\x1b[0m" if self.on and text else text


def _finding(finding: Finding, paint: _Paint, width: int, curl: bool) -> list[str]:
    flaw = finding.flaw
    lines = [paint("bold", visible(headline(flaw))) + paint("dim", f"  #{short_id(flaw)}, {_times(finding.times, 'time')}")]
    said = [finding.title, finding.why] if finding.title else [means(flaw.kind)]
    lines += _wrapped(" ".join(part if part.endswith(".") else f"{part}." for part in said if part), width)
    facts = [("at", flaw.at), ("detail", flaw.detail), ("source", finding.source)]
    for name, text in facts:
        if text:
            lines += _wrapped(f"{name}: {text}", width)
    for place, valid, sent in finding.changed[:MOST_CHANGES]:
        lines += _wrapped(f"changed: {place}: {value_text(valid, 120)} -> {value_text(sent, 120)}", width)
    if len(finding.changed) > MOST_CHANGES:
        lines.append(f"    … and {len(finding.changed) - MOST_CHANGES} more places")
    if len(finding.curl) > LONGEST_CURL:
        lines.append(f"    (to repeat it: a curl line of {len(finding.curl):,} characters, in --report html or json)")
    elif curl and finding.curl:
        lines += [paint("dim", f"    {line}") for line in visible(finding.curl).splitlines()]
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(
        visible(text).replace("\n", " "), width, initial_indent="    ", subsequent_indent="      ", break_on_hyphens=False
    )


def _numbers(report: Report, paint: _Paint, width: int) -> list[str]:
    outcomes = counts(report)
    broken, reached, planned = len(report.findings), sum(report.reached.values()), sum(report.planned.values())
    lines = [
        paint("bold", f"{visible(report.provider)} at {visible(report.target)}, seed {report.seed}"),
        paint("high" if broken else "good", _times(broken, "finding"))
        + f" in {report.requests} requests, {report.seconds:.1f} s; {reached} of {planned} cells reached",
        "requests by " + ", ".join(f"{engine} {number}" for engine, number in report.engines.items()),
        "rules: " + ", ".join(f"{outcomes[outcome]} {outcome}" for outcome in OUTCOMES),
    ]
    accepted, valid = report.accepted_valid
    if valid:
        lines.append(f"valid requests accepted: {accepted} of {valid} ({100 * accepted / valid:.1f} %)")
    missed = {source: number - report.reached.get(source, 0) for source, number in report.planned.items()}
    if any(number > 0 for number in missed.values()):
        left = ", ".join(f"{number} of {source}" for source, number in missed.items() if number > 0)
        lines += _plain(f"not reached: {left}", width)
    unreached = [rule for rule in rules_of(report) if report.rules.get(rule) == "not reached"]
    if unreached:
        lines += _plain(f"rules not reached: {', '.join(unreached)}", width)
    if report.stopped:
        lines.append(paint("medium", f"stopped: {visible(report.stopped)}"))
    for problem in report.errors:
        lines.append(paint("high", f"our own error, not the target's: {visible(problem)}"))
    return lines


def _plain(text: str, width: int) -> Sequence[str]:
    return textwrap.wrap(visible(text), width, subsequent_indent="  ", break_on_hyphens=False)


def _times(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
