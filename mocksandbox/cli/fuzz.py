"""`mocksandbox fuzz`."""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any

import click

from mocksandbox.cli.files import check_place, write_files
from mocksandbox.cli.main import FINE, FOUND, NOTHING_RAN, STOPPED, settled
from mocksandbox.cli.progress import progress
from mocksandbox.errors import UsageError

if TYPE_CHECKING:
    from mocksandbox.fuzz import Report, Settings, Target
    from mocksandbox.fuzz.reports.baseline import Comparison
    from mocksandbox.fuzz.stock import Stock
    from mocksandbox.provider import Provider

_FORMATS = ["terminal", "json", "ndjson", "junit", "sarif", "html", "har", "github"]


@click.command(
    epilog="""\b
Examples:
  mocksandbox fuzz nhs --url http://127.0.0.1:8080/immunisation-fhir-api/FHIR/R4
  mocksandbox fuzz nhs --app shop.api:app --max-time 60       an application in process (WSGI or ASGI)
  mocksandbox fuzz nhs --url URL --report html --report junit --report-dir out
  mocksandbox fuzz nhs --url URL --cell 137 --seed 42         one cell of a plan once more
  mocksandbox fuzz nhs --url URL --report-dir out --resume    go on where a killed run stopped
  mocksandbox fuzz nhs --url URL --dry-run                    what would be sent

\b
Exit codes: 0 nothing found, 1 findings, 2 usage, 4 the target does not answer, 5 nothing ran, 130 stopped by Ctrl-C:
what was found by then is reported.
"""
)
@click.argument("provider_name", metavar="PROVIDER")
@click.option("--url", metavar="URL", help="The base URL of the target, down to the API's base path.")
@click.option("--app", "app", metavar="MODULE:APP", help="A WSGI or ASGI application, called in this process.")
@click.option("--app-path", metavar="PATH", default="", help="With --app: the path below which it has the API.")
@click.option("--auth", metavar="env:VAR", help="The environment variable with the secret (Authorization, or the API key).")
@click.option("--caller", "callers", multiple=True, metavar="HEADER=VALUE", help="Also ask as this caller (repeatable).")
@click.option("--profile", metavar="NAME", help="The profile that the target is to behave as. Default: the provider's.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="The same seed plans the same cells.")
@click.option("--budget", type=click.IntRange(min=1), metavar="N", help="At most N requests; the plan is cut from its end.")
@click.option("--max-time", type=click.FloatRange(min=0, min_open=True), metavar="S", help="At most S seconds.")
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), metavar="N", help="At most N requests a second.")
@click.option("--baseline", type=click.Path(path_type=Path, dir_okay=False), help="Known findings: fail on new ones alone.")
@click.option("--report", "reports", multiple=True, type=click.Choice(_FORMATS), help="Also write this report (repeatable).")
@click.option("--report-dir", type=click.Path(path_type=Path, file_okay=False), help="Where reports and the diary go.")
@click.option("--allow-host", "hosts", multiple=True, metavar="HOST", help="Fire at this host, which is not this machine.")
@click.option("--yes", is_flag=True, help="Confirm --allow-host.")
@click.option("--keep", is_flag=True, help="Leave the records that were made on another host there.")
@click.option("--cell", type=click.IntRange(min=0), metavar="N", help="Run one cell of the plan alone.")
@click.option("--resume", is_flag=True, help="Go on with the run whose diary is in --report-dir.")
@click.option("--shard", metavar="I/N", help="Run part I of N (1/4 to 4/4); join them with `mocksandbox report merge`.")
@click.option(
    "--stock/--no-stock",
    default=None,
    help="End with schemathesis' own phases. Default: where it is installed (pip install 'mocksandbox[fuzz]').",
)
@click.option("--dry-run", is_flag=True, help="Say what would be sent, and send nothing.")
def command(provider_name: str, **options: Any) -> int:
    """Fire labelled requests at a target, and learn which rules of an API it breaks.

    Valid requests must be accepted, broken ones refused as the API refuses; records are created, read, changed, deleted and
    searched, and each answer is compared with what the mock, which knows the rules, answers to the same.
    """
    from mocksandbox.fuzz.reference import as_profile
    from mocksandbox.provider import open_provider

    if (options["url"] is None) is (options["app"] is None) and not options["dry_run"]:
        raise UsageError("Name one target: --url URL or --app MODULE:APP.")
    check_place(options["reports"], options["report_dir"])
    provider = as_profile(open_provider(provider_name), options["profile"] or "")
    here = _guarded(options)
    settings = _settings(options, here)
    if options["dry_run"]:
        return _print_plan(provider, settings)
    return _fire(provider, _target(provider, options), settings, options)


def _guarded(options: dict[str, Any]) -> bool:
    """Whether the target is this machine; others must be allowed, before anything else is done."""
    from mocksandbox.fuzz.guard import allow

    return options["url"] is None or allow(options["url"], options["hosts"], confirmed=options["yes"])


def _settings(options: dict[str, Any], here: bool) -> Settings:
    from mocksandbox.fuzz import Settings
    from mocksandbox.fuzz.guard import MOST_REQUESTS, RATE

    folder: Path | None = options["report_dir"]
    if options["resume"] and folder is None:
        raise UsageError("--resume needs the --report-dir of the run that is to go on.")
    shard = _shard(options["shard"])
    return Settings(
        seed=options["seed"],
        profile=options["profile"] or "",
        budget=options["budget"] or (None if here else MOST_REQUESTS),
        max_time=options["max_time"],
        cell=options["cell"],
        shard=shard,
        rate=options["rate"] or (None if here else RATE),
        clean_up=not here and not options["keep"],
        diary=folder / "diary.ndjson" if folder is not None else None,
        resume=options["resume"],
        callers=tuple(_caller(text) for text in options["callers"]),
        # Of several shards one does what is not divided into cells.
        stock=_stock(options["stock"]) if options["cell"] is None and shard[0] + 1 == shard[1] else None,
    )


def _stock(wanted: bool | None) -> Stock | None:
    """Schemathesis' phases, where they are wanted and installed.

    Raises:
        UsageError: they are asked for, and it is not installed.
    """
    if wanted is False or (wanted is None and find_spec("schemathesis") is None):
        return None
    try:
        from mocksandbox.schemathesis_bridge import stock
    except UsageError:
        if wanted:
            raise
        return None
    return stock


def _caller(text: str) -> tuple[str, str]:
    header, equals, value = text.partition("=")
    if not equals or not re.fullmatch(r"[A-Za-z0-9-]+", header) or not value.isprintable():
        raise UsageError(f"--caller {text!r} is not HEADER=VALUE, like SupplierSystem=RAVS.")
    return header, value


def _shard(text: str | None) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,4})/(\d{1,4})", text or "1/1")
    part, parts = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= part <= parts:
        raise UsageError(f"--shard {text!r} is not I/N: write 1/4, 2/4, 3/4 or 4/4 for four parts.")
    return part - 1, parts


def _target(provider: Provider, options: dict[str, Any]) -> Target:
    from mocksandbox.fuzz import UrlTarget
    from mocksandbox.fuzz.in_process import load_app
    from mocksandbox.fuzz.secrets import secret_from
    from mocksandbox.fuzz.transport import Authorised

    target = UrlTarget(options["url"]) if options["url"] else load_app(options["app"], options["app_path"])
    return Authorised(target, secret_from(options["auth"], provider)) if options["auth"] else target


def _print_plan(provider: Provider, settings: Settings) -> int:
    from mocksandbox.fuzz.campaign import chosen

    cells = chosen(provider, settings)
    for cell in cells:
        click.echo(f"{cell.number:6} {cell.source:12} {cell.operation:28} {cell.name}")
    counts = ", ".join(f"{number} {source}" for source, number in Counter(cell.source for cell in cells).items())
    click.echo(f"{len(cells)} cells: {counts}. Nothing was sent.", err=True)
    return FINE if cells else NOTHING_RAN


def _fire(provider: Provider, target: Target, settings: Settings, options: dict[str, Any]) -> int:
    from mocksandbox.fuzz import run
    from mocksandbox.fuzz.reports.baseline import read_baseline

    baseline = read_baseline(options["baseline"]) if options["baseline"] else None
    if options["auth"]:
        from mocksandbox.fuzz.secrets import secret_header

        # Cells about the secret itself would be about ours, which the target does not know.
        settings = replace(settings, without=(f"header:{secret_header(provider)}/",))
    with ExitStack() as stack:
        report = run(provider, target, settings, progress(stack, target.name))
    compared = baseline.compare(report) if baseline is not None and report.reached else None
    code = settled(_code(report, compared))
    _write(report, options)
    if compared is not None:
        click.echo(compared.text(), err=bool(options["reports"]) and options["report_dir"] is None)
    if code == STOPPED:
        folder = options["report_dir"]
        remedy = f"go on with --report-dir {folder} --resume" if folder else "a run with --report-dir DIR can go on (--resume)"
        click.echo(f"mocksandbox: stopped by Ctrl-C; {remedy}.", err=True)
    return code


def _code(report: Report, compared: Comparison | None) -> int:
    from mocksandbox.fuzz.model import BY_HAND

    if report.stopped == BY_HAND:
        return STOPPED
    if not report.reached:
        return NOTHING_RAN
    return FOUND if (compared.fails if compared is not None else report.findings) else FINE


def _write(report: Report, options: dict[str, Any]) -> None:
    from mocksandbox.fuzz.reports import FILES, written
    from mocksandbox.fuzz.reports.terminal import terminal

    folder: Path | None = options["report_dir"]
    forms: list[str] = list(dict.fromkeys(options["reports"]))
    if folder is not None:
        write_files(folder, {FILES[form]: written(report, form) for form in forms})
    printed = forms if folder is None and forms else ["terminal"]
    for form in printed:
        text = terminal(report, colour=sys.stdout.isatty(), width=min(get_terminal_size().columns, 120))
        click.echo(text if form == "terminal" else written(report, form), nl=False)
    _in_actions(report, printed)


def _in_actions(report: Report, printed: list[str]) -> None:
    """Annotations and the job's summary, within GitHub Actions."""
    from mocksandbox.fuzz.reports.github import github, summary

    if os.environ.get("GITHUB_ACTIONS") == "true" and "github" not in printed:
        click.echo(github(report), nl=False)
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        try:
            with Path(path).open("ab") as file:
                file.write(summary(report))
        except OSError as error:
            click.echo(f"{path} cannot be written: {error.strerror}.", err=True)
