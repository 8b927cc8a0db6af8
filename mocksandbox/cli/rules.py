"""`mocksandbox rules`."""

from __future__ import annotations

import json
from typing import Any

import click

from mocksandbox.cli.main import FINE
from mocksandbox.cli.table import table
from mocksandbox.provider import Provider, open_provider
from mocksandbox.rules import Rule


@click.command()
@click.argument("provider_name", metavar="PROVIDER")
@click.option("--profile", help="Only the rules of this profile.")
@click.option("--format", "form", default="table", type=click.Choice(["table", "json", "md"]), show_default=True)
def command(provider_name: str, profile: str | None, form: str) -> int:
    """List the rules of an API: what it promises, why, how a request that breaks one is refused, and where that is from."""
    provider = open_provider(provider_name)
    wanted = provider.profile(profile).name if profile else None
    rules = [rule for rule in (*provider.catalogue, *provider.responses) if wanted is None or wanted in rule.profiles]
    if form == "json":
        click.echo(json.dumps([as_json(rule) for rule in rules], indent=2))
    elif form == "md":
        click.echo(markdown(provider, rules))
    else:
        rows = [(rule.id, rule.title, _answer(rule), str(len(rule.defects)), rule.source) for rule in rules]
        click.echo(table(("rule", "promise", "refused with", "defects", "source"), rows, wide=48))
        click.echo(f"\n{len(rules)} rules, {sum(len(rule.defects) for rule in rules)} defects")
    return FINE


def _answer(rule: Rule[Any]) -> str:
    return f"{rule.status} {rule.error}" if rule.status else "(an answer's rule)"


def as_json(rule: Rule[Any]) -> dict[str, Any]:
    """A rule as JSON values."""
    return {
        "id": rule.id,
        "title": rule.title,
        "why": rule.why,
        "source": rule.source,
        "operations": sorted(rule.operations) or "all",
        "profiles": sorted(rule.profiles),
        "stage": rule.stage,
        "status": rule.status or None,
        "issue": rule.issue or None,
        "error": rule.error or None,
        "defects": [
            {"name": defect.name, "also": sorted(defect.also), "needs": list(defect.needs)} for defect in rule.defects
        ],
    }


def markdown(provider: Provider, rules: list[Rule[Any]]) -> str:
    """The reference page of a provider's rules."""
    lines = [
        f"# Rules of {provider.name}: {provider.title}",
        "",
        "Written by `mocksandbox rules " + provider.name + " --format md`; do not edit.",
        "",
        f"{len(rules)} rules, {sum(len(rule.defects) for rule in rules)} ways to break them.",
        "",
    ]
    for rule in rules:
        profiles = ", ".join(sorted(rule.profiles))
        lines += [
            f"## {rule.id}",
            "",
            f"{_text(rule.title)}.",
            "",
            f"{_text(rule.why)}",
            "",
            f"- Refused with: {_answer(rule)}" + (f", issue `{rule.issue}`" if rule.issue else ""),
            f"- Operations: {', '.join(sorted(rule.operations)) or 'all'}; profiles: {profiles}; stage: `{rule.stage}`",
            f"- Source: `{rule.source}`",
            f"- Defects: {', '.join(f'`{defect.name}`' for defect in rule.defects)}",
            "",
        ]
    return "\n".join(lines).rstrip()


def _text(words: str) -> str:
    return words.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
