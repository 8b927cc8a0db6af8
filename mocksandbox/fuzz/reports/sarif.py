"""A report as SARIF 2.1.0 (OASIS): one rule for each promise, one result for each finding, at logical locations."""

from __future__ import annotations

import re
from typing import Any

from mocksandbox import __version__, codec
from mocksandbox.fuzz.model import Finding, Report
from mocksandbox.fuzz.reports.outline import Told, headline, means, ordered, rules_of, short_id, visible

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {"high": "error", "medium": "warning", "low": "note"}


def sarif(report: Report) -> bytes:
    """The report as SARIF. A finding of no rule has its class as its rule."""
    findings = ordered(report.findings)
    known = rules_of(report)
    kinds = dict.fromkeys(finding.flaw.kind for finding in findings if not finding.flaw.rules)
    used = {**known, **{kind: Told(kind, means(kind)) for kind in kinds}}
    indices = {id: index for index, id in enumerate(used)}
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "mocksandbox",
                "version": __version__,
                "semanticVersion": __version__,
                "rules": [_rule(told) for told in used.values()],
            }
        },
        "automationDetails": {"id": visible(f"mocksandbox-fuzz/{report.provider}/")},
        "invocations": [
            {
                "executionSuccessful": not report.errors,
                "toolExecutionNotifications": [
                    {"level": "error", "message": {"text": visible(problem)}} for problem in report.errors
                ],
            }
        ],
        "results": [_result(finding, indices, report) for finding in findings],
        "columnKind": "unicodeCodePoints",
        "properties": {
            "target": visible(report.target),
            "seed": report.seed,
            "requests": report.requests,
            "seconds": round(report.seconds, 3),
            "rules": {visible(rule): outcome for rule, outcome in report.rules.items()},
            "stopped": visible(report.stopped),
        },
    }
    return codec.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule_of(finding: Finding) -> str:
    return finding.flaw.rules[0] if finding.flaw.rules else finding.flaw.kind


def _rule(told: Told) -> dict[str, Any]:
    title = visible(told.title or told.id)
    why = visible(told.why or title)
    answer = f"\n\nRefused with: {told.answer}." if told.answer else ""
    source = f"\n\nSource: {told.source}" if told.source else ""
    return {
        "id": visible(told.id),
        "name": "".join(part.capitalize() for part in re.split("[^A-Za-z0-9]+", told.id)),
        "shortDescription": {"text": title},
        "fullDescription": {"text": why},
        "help": {"text": f"{why}{answer}{visible(source)}"},
        "defaultConfiguration": {"level": "error"},
        "properties": {"source": visible(told.source), "tags": ["api", "immunization"]},
    }


def _result(finding: Finding, indices: dict[str, int], report: Report) -> dict[str, Any]:
    flaw = finding.flaw
    rule = _rule_of(finding)
    name = "/".join(part for part in (report.provider, flaw.operation, flaw.at) if part)
    locations: list[dict[str, Any]] = [
        {
            "name": visible(flaw.operation),
            "fullyQualifiedName": visible(f"{report.provider}/{flaw.operation}"),
            "kind": "function",
        }
    ]
    if flaw.at:
        locations.insert(0, {"name": visible(flaw.at), "fullyQualifiedName": visible(name), "kind": "parameter"})
    said = [headline(flaw), means(flaw.kind), flaw.detail, f"Repeat it with:\n{finding.curl}" if finding.curl else ""]
    return {
        "ruleId": visible(rule),
        "ruleIndex": indices[rule],
        "level": LEVELS[finding.severity],
        "message": {"text": visible("\n\n".join(part for part in said if part))},
        "locations": [{"logicalLocations": locations}],
        "partialFingerprints": {"mocksandboxIdentity/v1": short_id(flaw)},
        "occurrenceCount": max(finding.times, 1),
        "properties": {
            "identity": visible(flaw.identity),
            "class": visible(flaw.kind),
            "rules": [visible(each) for each in flaw.rules],
            "expected": visible(flaw.expected),
            "observed": visible(flaw.observed),
            "cell": finding.case.number,
        },
    }
