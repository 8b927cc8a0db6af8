"""A report as one HTML page that stands alone: it works offline, asks no host for anything, and reads without its script.

Payloads are hostile texts, so everything is escaped here, nothing is put into the script, and the page's own policy allows no
script but the one whose hash it names.
"""

from __future__ import annotations

import base64
from hashlib import sha256
from importlib.resources import files

from mocksandbox import __version__
from mocksandbox.fuzz.model import Report
from mocksandbox.fuzz.reports.markup import escaped, plural
from mocksandbox.fuzz.reports.outline import OUTCOMES, SEVERITIES, counts, encoded, ordered
from mocksandbox.fuzz.reports.page_findings import filter_bar, finding_markup
from mocksandbox.fuzz.reports.page_matrix import matrix_markup


def page(report: Report) -> bytes:
    """The report as a page."""
    style, script = _part("page.css"), _part("page.js")
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; "
        f"style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:"
    )
    title = f"{escaped(report.provider)}: {plural(len(report.findings), 'finding')}"
    found = "".join(finding_markup(finding) for finding in ordered(report.findings))
    nothing = "" if found else '<p class="good">Nothing is wrong: every answer was as the rules say.</p>'
    return encoded(
        f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>{title} - mocksandbox fuzz</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<a class="skip" href="#findings">Skip to the findings</a>
<header>
<p class="brand">mocksandbox fuzz</p>
<h1>{escaped(report.provider)} <span class="at">at</span> <span class="target">{escaped(report.target)}</span></h1>
{_tiles(report)}
{_notes(report)}
</header>
<main>
{filter_bar(report)}
<section id="findings" aria-labelledby="findings-title">
<h2 id="findings-title">Findings</h2>
{nothing}{found}
<p class="none" id="no-findings" hidden>No finding is left by this filter.</p>
</section>
{matrix_markup(report)}
</main>
<footer><p>Written by mocksandbox {escaped(__version__)}; seed {report.seed}. Any cell replays alone:
<code>mocksandbox fuzz {escaped(report.provider)} --url URL --seed {report.seed} --cell N</code></p></footer>
<script>{script}</script>
</body>
</html>
"""
    )


def _part(name: str) -> str:
    return files("mocksandbox.fuzz.reports").joinpath(name).read_text("utf-8").strip()


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}"


def _tiles(report: Report) -> str:
    """The numbers that decide whether one reads on."""
    severities = {name: sum(1 for each in report.findings if each.severity == name) for name in SEVERITIES}
    outcomes = counts(report)
    accepted, valid = report.accepted_valid
    tiles = [
        ("Findings", str(len(report.findings)), ", ".join(f"{severities[name]} {name}" for name in SEVERITIES)),
        (
            "Rules enforced",
            f"{outcomes['enforced']} <small>of {len(report.rules)}</small>",
            f"{outcomes['broken']} broken, {outcomes['not reached']} not reached",
        ),
        (
            "Valid requests accepted",
            f"{100 * accepted / valid:.0f}&nbsp;%" if valid else "-",
            f"{accepted} of {valid}" if valid else "none sent",
        ),
        (
            "Requests",
            str(report.requests),
            f"{report.seconds:.1f} s; {sum(report.reached.values())} of {sum(report.planned.values())} cells reached",
        ),
    ]
    items = "".join(f"<div><dt>{name}</dt><dd><b>{value}</b><span>{more}</span></dd></div>" for name, value, more in tiles)
    bar = "".join(
        f'<span class="part {outcome.replace(" ", "-")}" data-share="{_share(outcomes[outcome], len(report.rules))}"></span>'
        for outcome in reversed(OUTCOMES)
        if outcomes[outcome]
    )
    return f'<dl class="tiles">{items}</dl><div class="bar" aria-hidden="true">{bar}</div>'


def _share(part: int, whole: int) -> int:
    """A share in twentieths, at least one: the widths that the style sheet knows, since the policy allows no other style."""
    return max(1, round(20 * part / whole)) if whole else 0


def _notes(report: Report) -> str:
    """What puts the numbers into question: a run that was cut short, mistakes of our own."""
    notes = [f'<p class="note">{escaped(report.doubt)}</p>'] if report.doubt else []
    if report.stopped:
        notes.append(f'<p class="note">The run was stopped: {escaped(report.stopped)}</p>')
    missed = {source: number - report.reached.get(source, 0) for source, number in report.planned.items()}
    left = [f"{number} of {escaped(source)}" for source, number in missed.items() if number > 0]
    if left:
        notes.append(f'<p class="note">Not reached: {", ".join(left)}.</p>')
    if report.errors:
        problems = "".join(f"<li>{escaped(problem)}</li>" for problem in report.errors)
        total = plural(len(report.errors), "error")
        notes.append(
            f'<details class="note"><summary>{total} of our own, not the target\'s</summary><ul>{problems}</ul></details>'
        )
    return "".join(notes)
