"""What every form of a report needs: findings in order, their names, and texts that no format can choke on."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any
from urllib.parse import quote, urlencode

from mocksandbox import codec
from mocksandbox.errors import MocksandboxError
from mocksandbox.exchange import Request, Response
from mocksandbox.fuzz.model import ORACLES, Finding, Flaw, Report, RuleOutcome
from mocksandbox.provider import open_provider
from mocksandbox.rules import Rule
from mocksandbox.rules.places import MISSING

SEVERITIES = ("high", "medium", "low")
OUTCOMES: tuple[RuleOutcome, ...] = ("broken", "enforced", "not reached")
NO_ANSWER = "no answer"
REDACTED = "[redacted]"
_SECRET = re.compile(r"^(?:proxy-)?authorization$|^(?:set-)?cookie$|api-?key|token|secret|password", re.IGNORECASE)


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Findings with the worst first; the same findings always come in the same order."""
    classes = list(ORACLES)

    def rank(finding: Finding) -> tuple[int, int, str, str, str]:
        kind = classes.index(finding.flaw.kind) if finding.flaw.kind in ORACLES else len(classes)
        flaw = finding.flaw
        return SEVERITIES.index(finding.severity), kind, flaw.operation, ",".join(flaw.rules), flaw.identity

    return sorted(findings, key=rank)


def short_id(flaw: Flaw) -> str:
    """A short name of a finding, the same in every run: ten hexadecimal digits of its identity."""
    return sha256(flaw.identity.encode("utf-8", "backslashreplace")).hexdigest()[:10]


def headline(flaw: Flaw) -> str:
    """A finding in one line: `createImmunization accepted what breaks nhs/bad-nhs-number: 201, not 400 invariant`."""
    rules = f" [{', '.join(flaw.rules)}]" if flaw.rules else ""
    got = f": {flaw.observed}" if flaw.observed else ""
    wanted = f", expected {flaw.expected}" if flaw.expected else ""
    return f"{flaw.operation} {flaw.kind}{rules}{got}{wanted}"


def means(kind: str) -> str:
    """What a class of findings means; nothing for one that is not ours."""
    return ORACLES.get(kind, "")


@dataclass(frozen=True)
class Told:
    """What there is to say of a rule: empty where the catalogue does not know it. `answer` is how it must be refused."""

    id: str
    title: str = ""
    why: str = ""
    source: str = ""
    status: int = 0
    answer: str = ""


def rules_of(report: Report) -> dict[str, Told]:
    """Every rule that a report speaks of, in the order of the catalogue, those of findings alone last."""
    known = _catalogue(report.provider)
    named = [rule for finding in ordered(report.findings) for rule in finding.flaw.rules]
    found: dict[str, Told] = {}
    for id in dict.fromkeys([*(id for id in known if id in report.rules), *report.rules, *named]):
        if id in known:
            found[id] = known[id]
        else:  # a rule of a provider that is not here: what its findings say of it
            said = next((each for each in report.findings if id in each.flaw.rules), None)
            found[id] = Told(id, said.title, said.why, said.source) if said else Told(id)
    return found


@cache
def _catalogue(name: str) -> Mapping[str, Told]:
    try:
        provider = open_provider(name)
    except MocksandboxError:
        return {}  # a report may be read where its provider is not installed
    return {rule.id: _told(rule) for rule in (*provider.catalogue, *provider.responses)}


def _told(rule: Rule[Any]) -> Told:
    answer = " ".join(part for part in (str(rule.status or ""), rule.issue) if part)
    return Told(rule.id, rule.title, rule.why, rule.source, rule.status, answer)


def by_rule(report: Report) -> dict[str, list[Finding]]:
    """The findings of each rule, the worst first. A finding of several rules is under each."""
    found: dict[str, list[Finding]] = {}
    for finding in ordered(report.findings):
        for rule in finding.flaw.rules:
            found.setdefault(rule, []).append(finding)
    return found


def counts(report: Report) -> dict[str, int]:
    """How many rules have each outcome."""
    found = Counter(report.rules.values())
    return {outcome: found[outcome] for outcome in OUTCOMES}


def value_text(value: Any, most: int = 2000) -> str:
    """A JSON value for people, on one line and cut where it is very long; `(absent)` where there is none."""
    if value is MISSING:
        return "(absent)"
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except (TypeError, ValueError, RecursionError):
        text = repr(value)
    return text if len(text) <= most else f"{text[:most]}… ({len(text)} characters)"


def body_text(message: Request | Response, most: int = 20_000) -> str:
    """A body for people: JSON indented, other text as it is, bytes that are no text as their length; cut where it is long."""
    body = message.body
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return f"({len(body)} bytes that are no UTF-8)"
    if len(text) > most:
        return f"{text[:most]}… ({len(body)} bytes)"
    try:
        return json.dumps(codec.loads(body), indent=2, ensure_ascii=False, default=str) if body else ""
    except (ValueError, TypeError, RecursionError):
        return text


def url_of(request: Request) -> str:
    """The request's URL. What has no place in one, as a hostile query may, is escaped."""
    query = urlencode(request.query, errors="backslashreplace") if request.query else ""
    whole = f"{request.base_url}{request.path}{'?' if query else ''}{query}"
    return quote(encoded(whole), safe=":/?#[]@!$&'()*+,;=%-._~")


def public_headers(message: Request | Response) -> list[tuple[str, str]]:
    """The headers in order, with what is secret taken out."""
    return [(name, REDACTED if _SECRET.search(name) else value) for name, value in message.headers.pairs]


_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]")


def visible(text: str) -> str:
    r"""A text in which what a screen does not show, or obeys (escape sequences, U+2028, lone surrogates), is spelled out."""
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def encoded(text: str) -> bytes:
    """A text as UTF-8; lone surrogates, which have none, are spelled out."""
    return text.encode("utf-8", "backslashreplace")
