"""`mocksandbox report`: what is done with the reports of campaigns after they have run."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import click

from mocksandbox.cli.files import check_place, write_files
from mocksandbox.cli.main import FINE, FOUND
from mocksandbox.errors import UsageError

_FORMATS = ["terminal", "json", "ndjson", "junit", "sarif", "html", "har", "github"]
_PLACES = click.Path(path_type=Path)


@click.group()
def command() -> None:
    """Work with the reports of `mocksandbox fuzz`."""


@command.command(
    epilog="""\b
Examples:
  mocksandbox report merge shard-1 shard-2 --report-dir merged --report html
  mocksandbox report merge shards --baseline baseline.json
"""
)
@click.argument("places", nargs=-1, required=True, metavar="DIR...", type=_PLACES)
@click.option("--report", "forms", multiple=True, type=click.Choice(_FORMATS), help="Also write this report (repeatable).")
@click.option("--report-dir", type=click.Path(path_type=Path, file_okay=False), help="Where the merged report.json goes.")
@click.option("--baseline", type=click.Path(path_type=Path, dir_okay=False), help="Known findings: fail on new ones alone.")
def merge(places: tuple[Path, ...], forms: tuple[str, ...], report_dir: Path | None, baseline: Path | None) -> int:
    """Merge the reports of shards into one.

    DIR is a folder that a run wrote its report.json (or report.ndjson) into, or a folder of such folders. Exit code 1 when
    there are findings; with a baseline, when there are new or expired ones.
    """
    from mocksandbox.fuzz.reports import FILES, written
    from mocksandbox.fuzz.reports.baseline import read_baseline
    from mocksandbox.fuzz.reports.merge import merged
    from mocksandbox.fuzz.reports.reading import read_reports

    check_place(forms, report_dir)
    known = read_baseline(baseline) if baseline is not None else None
    report = merged(read_reports(places))
    if report_dir is not None:
        write_files(report_dir, {FILES[form]: written(report, form) for form in dict.fromkeys(("json", *forms))})
    elif forms:
        for form in forms:
            click.echo(written(report, form), nl=False)
    if report_dir is not None or not forms:
        click.echo(written(report, "terminal"), nl=False)
    if known is None:
        return FOUND if report.findings else FINE
    compared = known.compare(report)
    click.echo(compared.text(), err=bool(forms) and report_dir is None)
    return FOUND if compared.fails else FINE


@command.command(
    epilog="""\b
Examples:
  mocksandbox report baseline baseline.json reports --update --reason "before release 2" --expires 2026-12-31
  mocksandbox report baseline baseline.json reports --prune
"""
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("places", nargs=-1, required=True, metavar="DIR...", type=_PLACES)
@click.option("--update", is_flag=True, help="Add an entry for every finding that the baseline does not know.")
@click.option("--prune", is_flag=True, help="Take out the entries that the run has shown to be fixed.")
@click.option("--reason", default="", help="Why the new entries are put up with.")
@click.option("--expires", type=click.DateTime(["%Y-%m-%d"]), help="Their last day. Default: 90 days from now.")
@click.option("--ticket", default="", help="Where they are worked on.")
def baseline(
    file: Path, places: tuple[Path, ...], update: bool, prune: bool, reason: str, expires: datetime | None, ticket: str
) -> int:
    """Compare a run with a baseline of known findings, or write the baseline FILE from it.

    Exit code 1 when there are new or expired findings, and they were not just written down.
    """
    from mocksandbox.fuzz.reports.baseline import Baseline, read_baseline
    from mocksandbox.fuzz.reports.merge import merged
    from mocksandbox.fuzz.reports.reading import read_reports

    report = merged(read_reports(places))
    known = Baseline(report.provider) if update and not file.exists() else read_baseline(file)
    if update and not reason.strip() and known.compare(report).new:
        raise UsageError('New entries need a reason: --reason "why".')
    changed = known.updated(report, reason, _last_day(expires), ticket) if update and reason.strip() else known
    changed = changed.pruned(report) if prune else changed
    if changed != known or (update and not file.exists()):
        write_files(file.parent, {file.name: changed.text().encode("utf-8", "backslashreplace")})
    compared = changed.compare(report)
    click.echo(compared.text())
    return FOUND if compared.fails else FINE


def _last_day(given: datetime | None) -> date:
    return given.date() if given is not None else date.today() + timedelta(days=90)
