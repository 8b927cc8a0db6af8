"""`mocksandbox scenarios`."""

from __future__ import annotations

import json
import os
from typing import Any

import click

from mocksandbox.cli.main import FINE, FOUND, NOTHING_RAN, settled
from mocksandbox.cli.table import table
from mocksandbox.errors import UsageError
from mocksandbox.provider import Provider, Scenario, open_provider
from mocksandbox.sandbox.elsewhere import sort_of, suspicion
from mocksandbox.sandbox.replay import FAILED, Outcome, replay

_TITLES = {"operations": "Tables of the operations", "errors": "Error tables of the responses"}


@click.command()
@click.argument("provider_name", metavar="PROVIDER")
@click.option("--run", "url", metavar="URL", help="Replay the scenarios against the API at this base URL.")
@click.option("--auth", metavar="env:VAR", help="The environment variable with the value of the header Authorization.")
@click.option("--allow-host", "hosts", multiple=True, metavar="HOST", help="Replay against this host, not this machine's.")
@click.option("--yes", is_flag=True, help="Confirm --allow-host.")
@click.option("--table", "tables", multiple=True, type=click.Choice(list(_TITLES)), help="Only this table (may be repeated).")
@click.option("--format", "form", default="table", type=click.Choice(["table", "json"]), show_default=True)
def command(
    provider_name: str,
    url: str | None,
    auth: str | None,
    hosts: tuple[str, ...],
    yes: bool,
    tables: tuple[str, ...],
    form: str,
) -> int:
    """List the documented scenarios of an API, or replay them against any target.

    With --run, each row says what is documented, what came, and the verdict: `ok`, `as observed` (the real service differs
    from its document there, and so does the target) or `FAILED`. Exit code 1 when a row failed. Records are created, changed
    and deleted, so other hosts than this machine have to be allowed, and services in production never are.
    """
    provider = open_provider(provider_name)
    chosen = [scenario for scenario in provider.scenarios if not tables or scenario.table in tables]
    if not chosen:
        _say_that_there_are_none(provider, tables)
    if url is None:
        settled(FINE if chosen else NOTHING_RAN)
        _list(chosen, form)
        return FINE if chosen else NOTHING_RAN
    if provider.valid is None:
        raise UsageError(f"{provider_name} has no scenarios that can be replayed.")
    outcomes = _replayed(provider, chosen, url, auth, hosts, yes)
    failed = any(outcome.verdict == FAILED for outcome in outcomes)
    code = settled(NOTHING_RAN if not outcomes else FOUND if failed else FINE)
    doubt = suspicion(provider.contract, (sort_of(outcome.got) for outcome in outcomes), "request", "--run")
    if doubt:
        click.echo(f"mocksandbox: {doubt}", err=True)
    if form == "json":
        click.echo(json.dumps([_as_json(outcome) for outcome in outcomes], indent=2))
    else:
        _report(provider, outcomes)
    return code


def _say_that_there_are_none(provider: Provider, tables: tuple[str, ...]) -> None:
    if provider.scenarios:
        told = f" in the table of {' and '.join(tables)}: leave --table out, there are {len(provider.scenarios)}."
    else:
        told = f": write them into {provider.contract.folder / 'scenarios.yaml'}."
    click.echo(f"mocksandbox: {provider.name} has no scenarios{told}", err=True)


def _replayed(
    provider: Provider, chosen: list[Scenario], url: str, auth: str | None, hosts: tuple[str, ...], yes: bool
) -> list[Outcome]:
    # Imported here: they bring the fuzzer's transport, which a list of scenarios does not need.
    from mocksandbox.cli.client import Client
    from mocksandbox.fuzz.guard import allow

    allow(url, hosts, confirmed=yes)
    return list(replay(provider, Client(url, _authorization(auth)), chosen))


def _authorization(auth: str | None) -> str:
    if auth is None:
        return ""
    kind, _, name = auth.partition(":")
    if kind != "env" or name not in os.environ:
        raise UsageError(f"--auth {auth}: name a variable that is set, as env:VAR.")
    return os.environ[name]


def _list(chosen: list[Scenario], form: str) -> None:
    if form == "json":
        click.echo(json.dumps([_described(scenario) for scenario in chosen], indent=2))
        return
    for kind, title in _TITLES.items():
        rows = [(s.id, s.operation, s.row, _documented(s)) for s in chosen if s.table == kind]
        if rows:
            click.echo(f"{title}\n\n{table(('scenario', 'operation', 'row', 'documented'), rows)}\n")


def _documented(scenario: Scenario) -> str:
    return f"{scenario.documented.status} {scenario.documented.error}".strip()


def _described(scenario: Scenario) -> dict[str, Any]:
    return {
        "id": scenario.id,
        "operation": scenario.operation,
        "table": scenario.table,
        "row": scenario.row,
        "source": scenario.source,
        "documented": {"status": scenario.documented.status, "error": scenario.documented.error or None},
        "observed": {"status": scenario.observed.status} if scenario.observed else None,
    }


def _as_json(outcome: Outcome) -> dict[str, Any]:
    return {
        **_described(outcome.scenario),
        "got": {"status": outcome.got.status, "body": outcome.got.body.decode("utf-8", "replace")},
        "verdict": outcome.verdict,
        "why": outcome.why or None,
    }


def _report(provider: Provider, outcomes: list[Outcome]) -> None:
    for kind, title in _TITLES.items():
        own = [outcome for outcome in outcomes if outcome.scenario.table == kind]
        if not own:
            continue
        rows = [(o.scenario.id, o.scenario.row, _documented(o.scenario), str(o.got.status), o.verdict, o.why) for o in own]
        head = ("scenario", "row", "documented", "got", "verdict", "why")
        failed = sum(1 for outcome in own if outcome.verdict == FAILED)
        click.echo(f"{title}\n\n{table(head, rows, wide=44)}\n")
        click.echo(f"{len(own) - failed} of {len(own)} checks right, {failed} failed\n")
