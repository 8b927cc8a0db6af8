"""`mocksandbox check`."""

from __future__ import annotations

import json
from typing import Any

import click

from mocksandbox.cli.main import FINE, FOUND, NOTHING_RAN
from mocksandbox.cli.table import table


@click.command(
    epilog="""\b
Examples:
  mocksandbox check nhs record.json
  mocksandbox check nhs 'outbox/**/*.json'
  my-export | mocksandbox check nhs -
  mocksandbox check evaluation immunization.json     any FHIR R4 Immunization or ImmunizationEvaluation
"""
)
@click.argument("reference", metavar="PROVIDER[/OPERATION]")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--profile", help="Judge as this profile does. Default: the API as it behaves, and warnings from the others.")
@click.option("--strict-fhir", is_flag=True, help="What is wrong FHIR is an error even where the API takes it.")
@click.option("--format", "form", default="table", type=click.Choice(["table", "json"]), show_default=True)
def command(reference: str, files: tuple[str, ...], profile: str | None, strict_fhir: bool, form: str) -> int:
    """Say what is wrong with records: the file and line, the place, the rule, why, and the nearest right value.

    FILE is JSON, NDJSON or a FHIR Bundle; a pattern; or - for standard input. Exit code 1 when something would be refused;
    warnings alone are 0. A row marked * is what the API itself would answer: it stops at the first stage that finds something.
    """
    from mocksandbox.checking import Judge, documents
    from mocksandbox.generators import split_reference

    provider, named = split_reference(reference)
    operation = named if reference.endswith(f"/{named}") else ""

    judge = Judge(provider, operation, provider.profile(profile).name if profile else "", strict_fhir)
    read, problems = 0, []
    for document in documents(files, whole_bundles=judge.takes_bundles):
        read += 1
        problems += judge.problems(document)
    if form == "json":
        click.echo(json.dumps([_as_json(problem) for problem in problems], indent=2, ensure_ascii=False))
    else:
        _report(problems, read)
    if not read:
        return NOTHING_RAN
    return FOUND if any(problem.severity == "error" for problem in problems) else FINE


def _as_json(problem: Any) -> dict[str, Any]:
    told = {
        "file": problem.file,
        "line": problem.line,
        "place": problem.at,
        "message": problem.message,
        "rule": problem.rule,
        "severity": problem.severity,
        "answered": problem.first,
        "why": problem.why or None,
        "nearest": problem.nearest,
    }
    return {key: str(value) if key == "nearest" and not _is_json(value) else value for key, value in told.items()}


def _is_json(value: Any) -> bool:
    return value is None or isinstance(value, (str, int, float, bool, list, dict))


def _report(problems: list[Any], read: int) -> None:
    rows = [
        (
            f"{problem.file}:{problem.line}",
            f"{problem.severity}{' *' if problem.first else ''}",
            problem.at,
            problem.message,
            problem.rule,
            "" if problem.nearest is None else json.dumps(problem.nearest, ensure_ascii=False, default=str),
        )
        for problem in problems
    ]
    if rows:
        click.echo(table(("where", "severity", "place", "what is wrong", "rule", "nearest"), rows, wide=46, whole={"where"}))
        click.echo()
    errors = sum(1 for problem in problems if problem.severity == "error")
    records = f"{read} record{'' if read == 1 else 's'}"
    click.echo(f"{records}: {errors} error{'' if errors == 1 else 's'}, {len(problems) - errors} warnings")
