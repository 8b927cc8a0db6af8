"""The end of a session: what is said on the terminal, what is written, and whether it has failed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mocksandbox import codec
from mocksandbox.consumer.coverage import Coverage, as_json, coverages, misspelt, percent
from mocksandbox.consumer.ledger import Ledger, empty, merge
from mocksandbox.consumer.options import Options
from mocksandbox.consumer.telling import shortened

_NOT_WRITTEN = "cannot write"

_MOST = 10
"""How many of a kind are listed."""


@dataclass(frozen=True)
class Summary:
    """The lines for the terminal, and whether the session has failed by what they say."""

    lines: list[str]
    failed: bool


def sum_up(ledgers: Sequence[Mapping[str, Any]], options: Options, root: Path) -> Summary:
    """The sum of what all tests have left, with the reports written; their paths are below `root` unless they are absolute."""
    whole = empty()
    for ledger in ledgers:
        merge(whole, ledger)
    found = coverages(whole, options.operations)
    covered = percent(found)
    too_little = covered < options.min_coverage
    late = [f"after {test} had been reported, {words}" for test, _, words in whole["late"]]
    lines = [line for coverage in found for line in _of(coverage)]
    lines += [f"stub never asked for: {stub} ({test})" for test, stub in whole["unused"][:_MOST]]
    lines += [f"… and {len(whole['unused']) - _MOST} more" for _ in whole["unused"][_MOST : _MOST + 1]]
    lines += [line for text in late for line in text.splitlines()]
    unknown = misspelt(whole, options.operations)
    lines += unknown
    if too_little:
        lines.append(f"coverage {covered:.0f} % is below --mocksandbox-min-coverage {options.min_coverage:g}")
    written = list(_written(whole, options, root, found))
    lines += written
    unwritten = any(line.startswith(_NOT_WRITTEN) for line in written)
    broken = whole["broken"]
    asked = f"{whole['requests']} request{'' if whole['requests'] == 1 else 's'}"
    lines.insert(0, f"{asked}, {broken} of them broke the contract" if broken else asked)
    misspelled = any(unknown.values()) or (bool(unknown) and not found)
    failed = too_little or unwritten or misspelled or any(level == "error" for _, level, _ in whole["late"])
    return Summary(lines, failed)


def _of(coverage: Coverage) -> Iterator[str]:
    got, of = coverage.answers
    operations = f"{len(coverage.exercised)} of {len(coverage.operations)} operations"
    yield f"{coverage.provider}: {operations}, {got} of {of} answers ({coverage.percent:.0f} %)"
    width = max((len(each.id) for each in coverage.exercised), default=0)
    for each in coverage.exercised[:_MOST]:
        beyond = f" (and {', '.join(each.beyond)})" if each.beyond else ""
        yield f"  {each.id:{width}}  {' '.join(each.exercised) or '-'}{beyond}; never: {' '.join(each.missing) or '-'}"
    if coverage.never:
        yield f"  never exercised: {shortened(', '.join(coverage.never), 160)}"


def _written(whole: Ledger, options: Options, root: Path, found: Sequence[Coverage]) -> Iterator[str]:
    for name in options.report:
        if name.endswith(".html"):
            from mocksandbox.consumer.page import page

            yield _write(root / name, page(found, whole))
        else:
            yield _write(root / name, codec.dumps(as_json(whole, options.operations), indented=True))
    if options.har:
        from mocksandbox.consumer.har import har

        yield _write(root / options.har, codec.dumps(har(whole["recorded"]), indented=True))
    if options.pact:
        from mocksandbox.consumer.pact import pacts

        for name, pact in pacts(whole["recorded"], options.consumer).items():
            yield _write(_named(root / options.pact, name, len(whole["providers"])), codec.dumps(pact, indented=True))


def _named(path: Path, provider: str, providers: int) -> Path:
    """A Pact is about one provider: where the tests use several, each has a file of its own."""
    return path if providers < 2 else path.with_name(f"{path.stem}-{provider}{path.suffix}")


def _write(path: Path, content: bytes) -> str:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        return f"{_NOT_WRITTEN} {path}: {error.strerror}"
    return f"written: {path}"
