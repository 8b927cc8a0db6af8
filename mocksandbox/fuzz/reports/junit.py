"""A report as JUnit XML: one test case for each rule, and one for each class of findings that is about no rule."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from mocksandbox.fuzz.model import ORACLES, Finding, Report
from mocksandbox.fuzz.reports.outline import Told, by_rule, headline, means, ordered, rules_of, visible


def junit(report: Report) -> bytes:
    """The report as JUnit XML. A rule that the target does not enforce, or with any finding, is a failure; one that was not
    reached is skipped; our own mistakes are errors.
    """
    suites = Element("testsuites", name=visible(f"mocksandbox fuzz {report.provider}"), time=f"{report.seconds:.3f}")
    _rules(_suite(suites, "rules", report), report)
    _classes(_suite(suites, "behaviour", report), report)
    if report.errors:
        own = _suite(suites, "mocksandbox", report)
        for number, problem in enumerate(report.errors, 1):
            case = _case(own, f"{report.provider}.mocksandbox", f"own error {number}")
            SubElement(case, "error", message=visible(problem)[:300], type="label").text = visible(problem)
    for suite in suites:
        _count(suite)
    _count(suites)
    indent(suites)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(suites, encoding="unicode").encode() + b"\n"


def _suite(parent: Element, name: str, report: Report) -> Element:
    suite = SubElement(parent, "testsuite", name=visible(f"{report.provider} {name}"))
    properties = SubElement(suite, "properties")
    for key, value in (("target", report.target), ("seed", report.seed), ("requests", report.requests)):
        SubElement(properties, "property", name=key, value=visible(str(value)))
    return suite


def _rules(suite: Element, report: Report) -> None:
    found = by_rule(report)
    for id, rule in rules_of(report).items():
        provider, _, name = id.rpartition("/")
        case = _case(suite, f"{report.provider}.rules.{provider}", name)
        findings = found.get(id, [])
        outcome = report.rules.get(id, "broken" if findings else "not reached")
        if findings or outcome == "broken":
            _failure(case, findings, rule)
        elif outcome == "not reached":
            SubElement(case, "skipped", message="not reached: no request of this run broke the rule")


def _classes(suite: Element, report: Report) -> None:
    for kind, says in ORACLES.items():
        case = _case(suite, f"{report.provider}.behaviour", kind)
        findings = [each for each in ordered(report.findings) if each.flaw.kind == kind and not each.flaw.rules]
        if findings:
            _failure(case, findings, Told(kind, says))


def _case(suite: Element, classname: str, name: str) -> Element:
    return SubElement(suite, "testcase", classname=visible(classname), name=visible(name), time="0")


def _failure(case: Element, findings: Sequence[Finding], rule: Told) -> None:
    message = headline(findings[0].flaw) if findings else f"{rule.id} is not enforced"
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    kind = findings[0].flaw.kind if findings else "accepted-invalid"
    failure = SubElement(case, "failure", message=visible(message + more), type=visible(kind))
    about = [line for line in (rule.title, rule.why, f"Source: {rule.source}" if rule.source else "") if line]
    failure.text = visible("\n".join([*about, *(_described(finding) for finding in findings)]))


def _described(finding: Finding) -> str:
    flaw = finding.flaw
    lines = ["", headline(flaw), means(flaw.kind), f"At: {flaw.at}" if flaw.at else "", flaw.detail]
    lines += [f"Seen {finding.times} times; cell {finding.case.number}, {finding.case.name}"]
    lines += ["Repeat it with:", finding.curl] if finding.curl else []
    return "\n".join(line for line in lines if line)


def _count(suite: Element) -> None:
    """The counts that readers show without looking into the suites."""
    cases = list(suite.iter("testcase"))
    suite.set("tests", str(len(cases)))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(attribute, str(sum(1 for case in cases if case.find(tag) is not None)))
