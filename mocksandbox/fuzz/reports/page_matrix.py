"""The matrix on the page: each rule, and how often each answer came when a request broke it."""

from __future__ import annotations

from mocksandbox.fuzz.model import Report
from mocksandbox.fuzz.reports.markup import escaped
from mocksandbox.fuzz.reports.outline import NO_ANSWER, Told, by_rule, rules_of, short_id

_SIGNS = {"broken": "✗", "enforced": "✓", "not reached": "–"}


def matrix_markup(report: Report) -> str:
    """Every rule of the run in a table."""
    answers = sorted({answer for row in report.matrix.values() for answer in row}, key=lambda each: (each == NO_ANSWER, each))
    heads = "".join(f'<th scope="col" class="number">{escaped(answer)}</th>' for answer in answers)
    found = by_rule(report)
    rows = []
    outcomes = {id: report.rules.get(id, "broken" if found.get(id) else "not reached") for id in rules_of(report)}
    for id, told in sorted(rules_of(report).items(), key=lambda each: outcomes[each[0]] != "broken"):
        outcome = outcomes[id]
        links = "".join(
            f'<a href="#f-{short_id(each.flaw)}" title="{escaped(each.flaw.kind)}">{number}</a>'
            for number, each in enumerate(found.get(id, []), 1)
        )
        cells = "".join(_cell(report.matrix.get(id, {}).get(answer, 0), answer, told) for answer in answers)
        rows.append(
            f'<tr class="row" data-outcome="{outcome}" data-words="{escaped(f"{id} {told.title} {outcome}".lower())}">'
            f'<th scope="row"><code>{escaped(id)}</code><span class="title">{escaped(told.title)}</span></th>'
            f'<td><span class="outcome {outcome.replace(" ", "-")}">{_SIGNS[outcome]} {outcome}</span></td>'
            f'<td class="answer">{escaped(told.answer)}</td>{cells}<td class="links">{links}</td></tr>'
        )
    return f"""<section aria-labelledby="matrix-title">
<h2 id="matrix-title">Rules and answers</h2>
<p>How often each answer came when a request broke the rule.
<span class="key"><span class="cell right">✓ the rule's own</span> <span class="cell other">~ refused otherwise</span>
<span class="cell wrong">✗ accepted, failed or unanswered</span></span></p>
<div class="scroll" tabindex="0"><table class="matrix"><caption class="unseen">Rules by answer</caption>
<thead><tr><th scope="col">rule</th><th scope="col">outcome</th><th scope="col">must be</th>{heads}\
<th scope="col">findings</th></tr></thead>
<tbody>{"".join(rows)}</tbody></table></div>
<p class="none" id="no-rules" hidden>No rule is left by this filter.</p>
</section>"""


def _cell(times: int, answer: str, told: Told) -> str:
    if not times:
        return '<td class="number"></td>'
    if told.status and answer == str(told.status):
        kind, sign = "right", "✓"
    elif answer.startswith(("2", "5")) or answer == NO_ANSWER:
        kind, sign = "wrong", "✗"
    else:
        kind, sign = "other", "~"
    return f'<td class="number cell {kind}"><span aria-hidden="true">{sign}</span> {times}</td>'
