"""The fuzzer's score: of all bugs, how many it finds; and what it finds in a server that has none, which must be nothing.

`python -m tests.mutants.score` measures it all; `--provider NAME` takes the mock of a provider with one rule left out at a
time in place of the server of our own; `--beside EVERY` puts `st run` beside it, on every so manyth bug, in one run.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from mocksandbox.fuzz import SandboxTarget, Settings, Target, run
from mocksandbox.fuzz.execute import execute
from mocksandbox.fuzz.in_process import WsgiTarget
from mocksandbox.fuzz.pair import Pair
from mocksandbox.fuzz.plan import Planned, plan
from mocksandbox.fuzz.reference import AHEAD, Reference, as_profile
from mocksandbox.journal import Journal
from mocksandbox.provider import Provider, open_provider
from mocksandbox.rules import Catalogue
from mocksandbox.sandbox import Sandbox
from tests.mutants import by_schemathesis
from tests.mutants.bugs import BUGS, EQUIVALENT, OFF, SAME_ANSWER
from tests.mutants.target import BASE
from tests.mutants.target import Target as Server

URL = f"http://app.invalid{BASE}"
SEEDS = (0, 1, 2)
KILLABLE = tuple(bug for bug in OFF if bug not in EQUIVALENT)


@dataclass(frozen=True)
class Kill:
    """What became of one bug: the first finding that clean runs did not have (empty: none), and after how many requests."""

    bug: str
    finding: str
    requests: int
    seconds: float


@cache
def cells(name: str, seed: int) -> tuple[Planned, ...]:
    """The plan of a provider, whose payloads are made once for all bugs."""
    return tuple(
        replace(each, make=lru_cache(1)(each.make)) if each.make is not None else each
        for each in plan(as_profile(open_provider(name), ""), seed)
    )


def hunt(name: str, target: Target, clean: frozenset[str] = frozenset(), seed: int = 0, most: int | None = None) -> Kill:
    """Run the plan until something is found that clean runs did not have."""
    provider = as_profile(open_provider(name), "")
    pair, twin = Pair(provider, target, seed, f"hunt-{seed}"), Reference(provider, AHEAD)
    started = time.monotonic()
    for planned in cells(name, seed):
        for flaw in execute(pair, planned, twin).verdict.flaws:
            if flaw.identity not in clean:
                return Kill("", flaw.identity, pair.requests, time.monotonic() - started)
        if most is not None and pair.requests >= most:
            break
    return Kill("", "", pair.requests, time.monotonic() - started)


def clean_findings(seeds: tuple[int, ...] = SEEDS, most: int | None = None) -> frozenset[str]:
    """What is found in the server without bugs: false findings all."""
    found: set[str] = set()
    for seed in seeds:
        report = run("nhs", WsgiTarget(Server(), URL), Settings(seed=seed, budget=most, shrink=False))
        assert not report.errors, report.errors
        found.update(finding.flaw.identity for finding in report.findings)
    return frozenset(found)


def kills(bugs: tuple[str, ...], clean: frozenset[str] = frozenset(), most: int | None = None) -> Iterator[Kill]:
    """What becomes of each of these bugs of the server of our own."""
    for bug in bugs:
        yield replace(hunt("nhs", WsgiTarget(Server(bug), URL), clean, most=most), bug=bug)


def without_rule(provider: Provider, rule: str) -> Provider:
    """A provider that does not look at one of its rules."""
    catalogue = provider.catalogue
    kept = tuple(each for each in catalogue if each.id != rule)
    return replace(provider, catalogue=Catalogue(kept, catalogue.messages, catalogue.order))


def rules_sent(name: str) -> tuple[str, ...]:
    """The rules of a provider that requests alone can break, and that answer otherwise than any other."""
    sent = dict.fromkeys(each.rule for each in cells(name, 0) if each.rule and each.source == "rules")
    return tuple(rule for rule in sent if rule not in SAME_ANSWER)


def rule_kills(name: str, rules: tuple[str, ...], most: int | None = None) -> Iterator[Kill]:
    """What becomes of the mock of a provider with one rule left out, for each of these rules."""
    provider = as_profile(open_provider(name), "")
    for rule in rules:
        sandbox = Sandbox(without_rule(provider, rule), journal=Journal(most_entries=1))
        yield replace(hunt(name, SandboxTarget(sandbox), most=most), bug=rule)


@dataclass(frozen=True)
class Tool:
    """One tool's runs: what it found in the clean server, and for each bug the requests of its run and whether it found it."""

    name: str
    false: int
    runs: Mapping[str, tuple[int, bool]]

    def row(self, half: Iterable[str]) -> str:
        """Found of how many."""
        found = [self.runs[bug][1] for bug in half]
        return f"{sum(found)} of {len(found)} ({100 * sum(found) / len(found):.0f} %)"


def _beside(every: int) -> None:
    """All three tools on the same bugs in one run: a table in Markdown."""
    halves = {"checks switched off": KILLABLE[::every], "other bugs": tuple(BUGS)[::every]}
    bugs = [bug for half in halves.values() for bug in half]
    clean = clean_findings()
    ours = {kill.bug: kill for kill in kills(tuple(bugs), clean)}
    found = {bug: bool(kill.finding) for bug, kill in ours.items()}
    tools = []
    for name, go_on in (("`st run`", False), ("`st run --continue-on-failure`", True)):
        known = by_schemathesis.clean(go_on, SEEDS)
        runs = {bug: by_schemathesis.st_run(bug, go_on=go_on) for bug in bugs}
        same = {bug: (run.requests, found[bug] and ours[bug].requests <= run.requests) for bug, run in runs.items()}
        tools.append(Tool(name, len(known), {bug: (run.requests, bool(run.failures - known)) for bug, run in runs.items()}))
        tools.append(Tool(f"`mocksandbox fuzz`, as many requests as {name}", len(clean), same))
    until = {bug: (kill.requests, found[bug]) for bug, kill in ours.items()}
    tools.append(Tool("`mocksandbox fuzz`, until it finds something", len(clean), until))
    print(f"| tool | {' | '.join(halves)} | false findings on the clean server | requests (median) |")
    print("|---|---|---|---|---|")
    for tool in tools:
        requests = sorted(requests for requests, _ in tool.runs.values())
        rows = " | ".join(tool.row(half) for half in halves.values())
        print(f"| {tool.name} | {rows} | {tool.false} | {requests[len(requests) // 2]:,} |", flush=True)


def _told(title: str, found: Iterator[Kill], say: Callable[[str], None] = print) -> None:
    all_of_them = list(found)
    killed = [each for each in all_of_them if each.finding]
    say(f"{title}: {len(killed)} of {len(all_of_them)} found ({100 * len(killed) / max(len(all_of_them), 1):.1f} %)")
    requests = sorted(each.requests for each in killed)
    if requests:
        say(f"  requests until found: median {requests[len(requests) // 2]}, most {requests[-1]}")
    for each in all_of_them:
        if not each.finding:
            say(f"  not found: {each.bug} ({each.requests} requests)")


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--provider", help="the mock of this provider with one rule left out at a time")
    parser.add_argument("--most", type=int, help="the most requests for each bug")
    parser.add_argument("--beside", type=int, metavar="EVERY", help="compare with schemathesis, on every so manyth bug")
    asked = parser.parse_args()
    if asked.beside:
        _beside(asked.beside)
        return
    if asked.provider:
        _told(f"{asked.provider}, one rule left out", rule_kills(asked.provider, rules_sent(asked.provider), asked.most))
        return
    clean = clean_findings(most=asked.most)
    print(f"false findings on the clean server, seeds {SEEDS}: {len(clean)}")
    for identity in sorted(clean):
        print(f"  {identity}")
    _told("checks switched off", kills(KILLABLE, clean, asked.most))
    _told("other bugs", kills(tuple(BUGS), clean, asked.most))


if __name__ == "__main__":
    main()
