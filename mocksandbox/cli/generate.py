"""`mocksandbox generate`."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from shutil import copyfileobj, copymode
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING

import click

from mocksandbox.cli.main import FINE, NOTHING_RAN
from mocksandbox.errors import UsageError

if TYPE_CHECKING:
    from mocksandbox.generators import Payload, Source

# Spelled out, so that --help need not import the generators; a test holds them against the generators' own.
_SOURCES = ["rules", "edits", "parameters", "bytes", "pairs"]
_STYLES = ["mixed", "minimal", "typical", "full", "unusual"]
_HISTORIES = ["life", "school-day", "clinic-day", "campaign"]
_FORMATS = ["ndjson", "json", "bodies", "bundle", "transaction", "counts"]


@click.command(
    epilog="""\b
Examples:
  mocksandbox generate nhs --format bodies                      one valid record
  mocksandbox generate nhs --count 1000 --seed 7 -o valid.ndjson
  mocksandbox generate nhs --broken --rule nhs/bad-nhs-number   each way to break one rule
  mocksandbox generate nhs --broken --count 50                  fifty broken requests of all sorts
  mocksandbox generate nhs --history life --format bundle       a patient's vaccinations
  mocksandbox generate nhs+redox+clinikapi+evaluation           one vaccination, told to each
"""
)
@click.argument("reference", metavar="PROVIDER[/OPERATION][+...]")
@click.option("--count", type=click.IntRange(min=1), help="How many. Default: 1; with --broken and --history all there are.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="The same seed gives the same bytes.")
@click.option("--as-of", metavar="DATE", help="The day on which records are made up, YYYY-MM-DD. Default: 2026-01-01.")
@click.option("--style", type=click.Choice(_STYLES), help="How valid requests look. Default: mixed.")
@click.option("--broken", is_flag=True, help="Broken requests, each labelled with the rules that it breaks.")
@click.option("--rule", metavar="ID", help="With --broken: only those that break this rule by its own defects.")
@click.option("--source", "sources", multiple=True, type=click.Choice(_SOURCES), help="With --broken: only from here.")
@click.option("--history", type=click.Choice(_HISTORIES), help="Vaccinations that belong together.")
@click.option("--format", "form", default="ndjson", type=click.Choice(_FORMATS), show_default=True)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="A file. Default: standard output.")
def command(
    reference: str,
    count: int | None,
    seed: int,
    as_of: str | None,
    style: str | None,
    broken: bool,
    rule: str | None,
    sources: tuple[str, ...],
    history: str | None,
    form: str,
    output: Path | None,
) -> int:
    """Make up requests: valid ones, unusual ones, or broken ones with the answer that each must get.

    Nobody in them exists. Each line of ndjson is one request with its truth: what it breaks, whether it must be taken or
    refused, and how.
    """
    if (rule or sources) and not broken:
        raise UsageError("--rule and --source go with --broken.", "--broken", ())
    if style and broken:
        raise UsageError("--style goes with valid requests: broken ones are made of what has everything in it.", "--style", ())
    if history and (broken or style):
        raise UsageError("--history goes with neither --broken nor --style.", "--history", ())
    from mocksandbox.generators.writing import FORMATS, PARTIAL

    write = FORMATS[form]
    made = _payloads(reference, count, seed, as_of, style, broken, rule, sources, history)
    watched = sys.stderr.isatty() and (output is not None or not sys.stdout.isatty())
    written = 0
    with ExitStack() as stack:
        out = stack.enter_context(_whole(output, unsure=broken and form in PARTIAL))
        if watched:
            total = count or (None if broken or history else 1)
            bar = click.progressbar(made, length=total, label="Writing", file=sys.stderr, show_pos=True, update_min_steps=500)
            made = iter(stack.enter_context(bar))
        for piece in write(made):
            written += out.write(piece)
        out.flush()
    return FINE if written else NOTHING_RAN


def _payloads(
    reference: str,
    count: int | None,
    seed: int,
    as_of: str | None,
    style: str | None,
    broken: bool,
    rule: str | None,
    sources: tuple[str, ...],
    history: str | None,
) -> Iterator[Payload]:
    from mocksandbox import generators
    from mocksandbox.generators.days import day_of

    day = day_of(as_of) if as_of else generators.AS_OF
    if "+" in reference:
        if broken or history or style:
            raise UsageError("Several APIs are told of plain, valid vaccinations: no --broken, --history or --style.", "+", ())
        return generators.dialects(reference.split("+"), count or 1, seed, as_of=day)
    if history:
        return generators.history(reference, history, count, seed, as_of=day)
    if broken:
        chosen: list[Source] = [generators.SOURCES[_SOURCES.index(name)] for name in sources or _SOURCES]
        return generators.broken_payloads(reference, count, seed, rule=rule, sources=chosen, as_of=day)
    chosen_style = generators.STYLES[_STYLES.index(style or "mixed")]
    return generators.payloads(reference, count or 1, seed, style=chosen_style, as_of=day)


@contextmanager
def _whole(path: Path | None, *, unsure: bool) -> Generator[IO[bytes], None, None]:
    """Where to write: a file that takes the place of the one at the path when all is written and not before, or standard
    output; that too gets all or nothing where it is not sure that all can be written.

    Raises:
        UsageError: the file cannot be written.
    """
    if path is None and not unsure:
        yield sys.stdout.buffer
    elif path is None:
        with SpooledTemporaryFile(max_size=_IN_MEMORY) as kept:
            yield kept
            kept.seek(0)
            copyfileobj(kept, sys.stdout.buffer)
            sys.stdout.buffer.flush()
    else:
        try:
            # A pipe or a device stays what it is.
            with path.open("wb") if path.exists() and not path.is_file() else _replacing(path.resolve()) as file:
                yield file
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}.") from error


_IN_MEMORY = 16_000_000


@contextmanager
def _replacing(path: Path) -> Generator[IO[bytes], None, None]:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("xb") as file:
            yield file
        if path.exists():
            copymode(path, beside)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
