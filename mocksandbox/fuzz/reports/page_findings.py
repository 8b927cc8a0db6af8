"""The findings on the page: each opens to its rule, what was changed, what came, and how to repeat it."""

from __future__ import annotations

from collections.abc import Iterable

from mocksandbox.fuzz.model import ORACLES, Finding, Report, Step
from mocksandbox.fuzz.reports.markup import block, escaped, plural
from mocksandbox.fuzz.reports.outline import (
    OUTCOMES,
    SEVERITIES,
    body_text,
    means,
    public_headers,
    short_id,
    url_of,
    value_text,
)


def filter_bar(report: Report) -> str:
    """The controls that choose what is shown. They are hidden where no script runs."""
    here = [kind for kind in ORACLES if any(each.flaw.kind == kind for each in report.findings)]
    operations = dict.fromkeys(finding.flaw.operation for finding in report.findings)
    choices = (
        _choice("severity", "Severity", SEVERITIES),
        _choice("kind", "Class", here),
        _choice("operation", "Operation", sorted(operations)),
        _choice("outcome", "Rule", OUTCOMES),
    )
    return f"""<form class="filter" id="filter" role="search" aria-label="Filter findings and rules" hidden>
<label class="wide">Search<input type="search" id="search" placeholder="rule, place, status, word" autocomplete="off"></label>
{"".join(choices)}
<span class="buttons"><button type="button" id="open-all">Open all</button>
<button type="button" id="close-all">Close all</button> <button type="reset">Clear</button></span>
<output id="shown" aria-live="polite"></output>
</form>"""


def _choice(name: str, title: str, options: Iterable[str]) -> str:
    made = "".join(f'<option value="{escaped(option)}">{escaped(option)}</option>' for option in options)
    return f'<label>{title}<select id="{name}"><option value="">all</option>{made}</select></label>'


def finding_markup(finding: Finding) -> str:
    """One finding."""
    flaw = finding.flaw
    words = " ".join((flaw.identity, flaw.at, flaw.detail, finding.title, finding.case.name, flaw.expected)).lower()
    marks = {
        "severity": finding.severity,
        "kind": flaw.kind,
        "operation": flaw.operation,
        "rules": " ".join(flaw.rules),
        "words": words,
    }
    data = " ".join(f'data-{name}="{escaped(text)}"' for name, text in marks.items())
    names = "".join(f"<code>{escaped(rule)}</code> " for rule in flaw.rules)
    kind = f'<span class="kind">{escaped(flaw.kind)}</span>' if flaw.rules else f"<code>{escaped(flaw.kind)}</code>"
    return f"""<details class="finding {finding.severity}" id="f-{short_id(flaw)}" {data}>
<summary><span class="badge {finding.severity}">{finding.severity}</span>
<span class="what">{names}{kind} <span class="operation">{escaped(flaw.operation)}</span>
<span class="title">{escaped(finding.title or means(flaw.kind))}</span></span>
<span class="got"><b>{escaped(flaw.observed)}</b>{_expected(flaw.expected)}
<span class="times">&times;{finding.times}</span></span></summary>
<div class="inside">
{_facts(finding)}
{_changes(finding)}
{block("Repeat it", finding.curl, copy=True)}
{block("Keep it from coming back (pytest)", finding.pytest, copy=True)}
{_exchanges(finding)}
</div></details>
"""


def _expected(expected: str) -> str:
    return f'<span class="expected">expected {escaped(expected)}</span>' if expected else ""


def _facts(finding: Finding) -> str:
    flaw = finding.flaw
    facts = [
        ("What it is", means(flaw.kind)),
        ("The rule", finding.title),
        ("Why", finding.why),
        ("Source", finding.source),
        ("Place", flaw.at),
        ("Detail", flaw.detail),
        ("Cell", f"{finding.case.number}: {finding.case.name} ({finding.case.source}); seen {plural(finding.times, 'time')}"),
        ("Identity", flaw.identity),
    ]
    rows = "".join(f"<dt>{name}</dt><dd>{escaped(text)}</dd>" for name, text in facts if text)
    return f'<dl class="facts">{rows}</dl>'


def _changes(finding: Finding) -> str:
    if not finding.changed:
        return ""
    rows = "".join(
        f'<tr><th scope="row"><code>{escaped(place)}</code></th><td><del>{escaped(value_text(valid))}</del></td>'
        f"<td><ins>{escaped(value_text(sent))}</ins></td></tr>"
        for place, valid, sent in finding.changed
    )
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("place", "valid", "sent"))
    table = f"<caption>What was changed in a valid body</caption><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody>"
    return f'<div class="scroll" tabindex="0"><table class="changes">{table}</table></div>'


def _exchanges(finding: Finding) -> str:
    if not finding.steps:
        return ""
    steps = "".join(_step(number, step) for number, step in enumerate(finding.steps, 1))
    return f'<details class="steps"><summary>{plural(len(finding.steps), "exchange")}</summary>{steps}</details>'


def _step(number: int, step: Step) -> str:
    request, response = step.request, step.response
    sent = "\n".join(
        [
            f"{request.method} {url_of(request)}",
            *(f"{name}: {value}" for name, value in public_headers(request)),
            "",
            body_text(request),
        ]
    )
    if response is None:
        got = f"no answer: {step.failure}"
    else:
        head = [f"{response.status}", *(f"{name}: {value}" for name, value in public_headers(response))]
        got = "\n".join([*head, "", body_text(response)])
    after = block(f"Got, after {step.seconds:.3f} s", got.strip())
    return f'<div class="step">{block(f"{number}. Sent", sent.strip())}{after}</div>'
