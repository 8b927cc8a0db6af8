"""A report for GitHub Actions: workflow commands, which become annotations, and a summary of the job in Markdown."""

from __future__ import annotations

from mocksandbox.fuzz.model import Report
from mocksandbox.fuzz.reports.outline import by_rule, counts, encoded, headline, means, ordered, rules_of, visible

LEVELS = {"high": "error", "medium": "warning", "low": "notice"}
MOST = 10
"""GitHub shows no more than ten annotations of a level for one step."""


def github(report: Report) -> bytes:
    """The findings as workflow commands, the worst first; those that GitHub would not show are counted in one notice."""
    lines = []
    shown = dict.fromkeys(LEVELS.values(), 0)
    left_out = 0
    for finding in ordered(report.findings):
        level = LEVELS[finding.severity]
        if shown[level] == MOST:
            left_out += 1
            continue
        shown[level] += 1
        flaw = finding.flaw
        title = f"{', '.join(flaw.rules) or flaw.kind}: {flaw.operation}"
        said = [headline(flaw), means(flaw.kind), finding.why, finding.curl]
        lines.append(command(level, title, "\n".join(part for part in said if part)))
    lines += [command("warning", "mocksandbox", f"Our own error: {problem}") for problem in report.errors[:MOST]]
    if left_out:
        lines.append(command("notice", "mocksandbox", f"{left_out} more findings are in the report."))
    return encoded("".join(f"{line}\n" for line in lines))


def command(level: str, title: str, message: str) -> str:
    """One workflow command. Whatever ends a line or a property in it is escaped, so that no payload can write another."""
    title = _escaped(visible(title)).replace(":", "%3A").replace(",", "%2C")
    return f"::{level} title={title}::{_escaped(visible(message))}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def summary(report: Report) -> bytes:
    """What goes into the file that `GITHUB_STEP_SUMMARY` names: the numbers and the rules that are not enforced."""
    outcomes = counts(report)
    lines = [
        f"### mocksandbox fuzz {_cell(report.provider)}: {len(report.findings)} findings",
        "",
        f"{_cell(report.target)}, seed {report.seed}, {report.requests} requests in {report.seconds:.1f} s. "
        f"Rules: {', '.join(f'{number} {outcome}' for outcome, number in outcomes.items())}.",
    ]
    found = by_rule(report)
    if report.findings:
        lines += ["", "| rule | what it says | findings | expected | observed |", "|---|---|---|---|---|"]
    told = rules_of(report)
    for rule, findings in found.items():
        flaw = findings[0].flaw
        row = (rule, told[rule].title, str(len(findings)), flaw.expected, flaw.observed)
        lines.append(f"| {' | '.join(map(_cell, row))} |")
    for finding in ordered(report.findings):
        if not finding.flaw.rules:
            row = (finding.flaw.kind, means(finding.flaw.kind), "1", finding.flaw.expected, finding.flaw.observed)
            lines.append(f"| {' | '.join(map(_cell, row))} |")
    return encoded("\n".join(lines) + "\n")


def _cell(text: str) -> str:
    """A text that stays within its cell and is no markup."""
    text = visible(text).replace("\n", " ")
    return "".join(f"&#{ord(char)};" if char in "&|`*_<>[]\\" else char for char in text)
