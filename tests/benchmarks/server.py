"""How fast the mock answers, in memory and on disk, beside Prism (as it is started, and silent) and Mockoon on the same
document.

`python -m tests.benchmarks.server` starts each in turn for its start-up, then all, and loads one after the other in short
rounds (A B C A B C): rates, processor time per request, times of answers, memory. With `--write`, what it says goes to
docs/benchmark-server.md and docs/benchmark-server.svg. Needs Linux; wrk (Debian: `apt-get install wrk`) and npm make it whole.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.benchmarks import load
from tests.benchmarks.chart import bars
from tests.benchmarks.load import Measured, Task
from tests.benchmarks.peers import ROOT, Peer, Running, cpu_seconds, memory, ours, peers, running

CONNECTIONS = (1, 8)
OURS, ON_DISK = "mocksandbox", "mocksandbox, SQLite"
Key = tuple[str, int, str]
"""A row and column of what was measured: the task, the connections, the peer."""


@dataclass
class Results:
    """What was measured: runs by row, column and peer; start-ups in seconds, and memory in bytes at the start and after."""

    runs: dict[Key, list[Measured]] = field(default_factory=dict)
    starts: dict[str, list[float]] = field(default_factory=dict)
    at_start: dict[str, list[int]] = field(default_factory=dict)
    after: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def middle(self, key: Key, what: str) -> float:
        """The median of a quantity over the runs."""
        return statistics.median(getattr(run, what) for run in self.runs[key])

    def has(self, task: str, connections: int, peer: str) -> bool:
        """Whether a peer could be measured."""
        return (task, connections, peer) in self.runs

    def ratio(self, task: str, connections: int, peer: str, what: str = "rate") -> float:
        """How many times as fast ours is as a peer: the median of the rounds' own ratios, so that what slows the machine
        for a while slows both.
        """
        mine, other = self.runs[task, connections, OURS], self.runs[task, connections, peer]
        pairs = [(getattr(a, what), getattr(b, what)) for a, b in zip(mine, other, strict=True)]
        return statistics.median(a / b if what == "rate" else b / a for a, b in pairs)


def measure(chosen: list[Peer], rounds: int, seconds: float, starts: int) -> Results:
    """Start-ups first, each alone; then all peers at once, loaded one after the other."""
    results = Results()
    for _ in range(starts):
        for peer in chosen:
            with running(peer) as started:
                results.starts.setdefault(peer.name, []).append(started.started_in)
                results.at_start.setdefault(peer.name, []).append(started.memory)
    with ExitStack() as stack:
        up = [stack.enter_context(running(peer)) for peer in chosen]
        for task in load.tasks():
            able = [server for server in up if _can(server, task, results)]
            for connections in CONNECTIONS:
                for number in range(rounds + 1):
                    for server in able:
                        measured = _one(server, task, connections, seconds if number else min(seconds, 1))
                        if number:  # the first round warms up
                            results.runs.setdefault((task.name, connections, server.peer.name), []).append(measured)
                print(f"{task.name}, {connections} connections: done", file=sys.stderr, flush=True)
        results.after = {server.peer.name: memory(server.process.pid) for server in up}
    return results


def _can(server: Running, task: Task, results: Results) -> bool:
    try:
        load.check(task, server.url)
    except RuntimeError as error:
        if server.peer.name in (OURS, ON_DISK):
            raise
        results.notes.append(f"{server.peer.name}: {str(error).replace(server.url, 'it')}, so it is not measured there.")
        return False
    return True


def _one(server: Running, task: Task, connections: int, seconds: float) -> Measured:
    before = cpu_seconds(server.process.pid)
    measured = load.run(task, server.url, connections, seconds)
    return replace(measured, cpu=cpu_seconds(server.process.pid) - before)


def two_workers(folder: str, rounds: int, seconds: float) -> Iterator[str]:
    """Reads with one and with two workers on a shared store, or why they were not measured."""
    if (os.cpu_count() or 1) < 4:
        yield f"Two workers: not measured, for this machine has {os.cpu_count()} processors and the load needs its own."
        return
    store = ["--store", f"sqlite:///{folder}/workers.sqlite"]
    try:
        with ExitStack() as stack:
            one = stack.enter_context(running(ours("1 worker", *store)))
            two = stack.enter_context(running(ours("2 workers", "--workers", "2", *store)))
            read = load.tasks()[0]
            rates: dict[str, list[float]] = {}
            for _ in range(rounds):
                for server in (one, two):
                    rates.setdefault(server.peer.name, []).append(_one(server, read, 8, seconds).rate)
    except RuntimeError:
        yield "Two workers: not measured, for `serve` has no `--workers` with a shared store here."
        return
    single, double = (statistics.median(rates[name]) for name in ("1 worker", "2 workers"))
    yield f"Two workers on a shared store read {double / single:.1f} times as fast as one ({double:,.0f} to {single:,.0f})."


def table(results: Results, names: list[str], cells: Callable[[str, int], Iterator[str]], heads: list[str]) -> Iterator[str]:
    """The Markdown of one table: a line for each task and number of connections."""
    yield f"| operation | connections | {' | '.join(heads)} |"
    yield "|---" * (2 + len(heads)) + "|"
    for task in load.tasks():
        for connections in CONNECTIONS:
            yield f"| {task.name} | {connections} | {' | '.join(cells(task.name, connections))} |"


def tables(results: Results, names: list[str]) -> Iterator[str]:
    """The Markdown of the tables of rates and of costs."""
    others = [name for name in names if name != OURS]

    def rates(task: str, connections: int) -> Iterator[str]:
        for name in names:
            yield f"{results.middle((task, connections, name), 'rate'):,.0f}" if results.has(task, connections, name) else "–"
        for name in others:
            yield f"**{results.ratio(task, connections, name):.1f}**" if results.has(task, connections, name) else "–"

    def costs(task: str, connections: int) -> Iterator[str]:
        for name in names:
            if not results.has(task, connections, name):
                yield "–"
                continue
            cost, p50, p99 = (results.middle((task, connections, name), what) for what in ("cost", "p50", "p99"))
            yield f"{cost:,.0f} µs; {p50:.2f} / {p99:.2f} ms"
        for name in others:
            yield f"{results.ratio(task, connections, name, 'cost'):.1f}" if results.has(task, connections, name) else "–"

    yield "Requests per second, and how many times as many ours answers:"
    yield ""
    yield from table(results, names, rates, [*names, *(f"× {name}" for name in others)])
    yield ""
    yield "Processor time per request, with the median and the 99th percentile of the times of answers; and how many times as"
    yield "much processor time as ours the others use, which a busy machine changes less:"
    yield ""
    yield from table(results, names, costs, [*names, *(f"× {name}" for name in others)])


def starting(results: Results, names: list[str]) -> Iterator[str]:
    """The Markdown about start-up and memory."""
    yield "| server | start to first answered read, s | × ours | memory then, MB | ours has | memory after all, MB |"
    yield "|---|---|---|---|---|---|"
    mine, own = statistics.median(results.starts[OURS]), statistics.median(results.at_start[OURS])
    for name in names:
        took, held = statistics.median(results.starts[name]), statistics.median(results.at_start[name])
        after = results.after[name]
        yield f"| {name} | {took:.2f} | {took / mine:.1f} | {held / 1e6:.0f} | {own / held:.2f} of it | {after / 1e6:.0f} |"


def page(results: Results, names: list[str], options: argparse.Namespace) -> str:
    """The whole page."""
    generator = "wrk (one thread)" if load.wrk() else "a client in Python (with wrk the rates would be higher)"
    intro = [
        f"`python -m tests.benchmarks.server`, one run: {os.cpu_count()} shared processors, Python {sys.version.split()[0]},",
        f"{generator} on the same machine; {options.rounds} rounds of {options.seconds:g} s for each number, the servers in",
        "turn; medians, and for the ratios the medians of the rounds' own. Ours is `mocksandbox serve nhs`: every rule,",
        f"openapi-core and the journal on, profile `{options.profile}`, one worker, records in memory; `{ON_DISK}` keeps",
        "records and journal in a file (`--store sqlite:///…`). Each create has an identifier of its own. Prism and Mockoon",
        "store nothing; Mockoon validates nothing.",
    ]
    notes = [f"- {note}" for note in results.notes]
    chart = "![Requests per second](benchmark-server.svg)"
    parts = ["# How fast the mock answers", "", *intro, "", chart, "", *tables(results, names), "", *starting(results, names)]
    return "\n".join([*parts, "", *notes]).rstrip() + "\n"


def main() -> None:
    """Measure, print the page, and write it into docs with `--write`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--profile", default="integration")
    parser.add_argument("--without", action="append", default=[], metavar="PEER")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    if not Path("/proc/self/smaps_rollup").is_file():
        sys.exit("This benchmark reads processor time and memory from /proc: it needs Linux.")
    if load.wrk() is None:
        print(
            "wrk is missing (Debian: apt-get install wrk): a client in Python takes its place, which is slower.",
            file=sys.stderr,
        )
    found = [peer for peer in peers() if peer.name not in options.without]
    profile = ["--profile", options.profile]
    with tempfile.TemporaryDirectory() as folder:
        on_disk = ours(ON_DISK, *profile, "--store", f"sqlite:///{folder}/records.sqlite")
        chosen = [ours(OURS, *profile), on_disk, *(peer for peer in found if not peer.missing)]
        results = measure(chosen, options.rounds, options.seconds, options.starts)
        results.notes += [peer.missing for peer in found if peer.missing]
        results.notes += two_workers(folder, options.rounds, options.seconds)
    names = [peer.name for peer in chosen]
    text = page(results, names, options)
    print(text)
    if options.write:
        rates = {
            task.name: {n: results.middle((task.name, 8, n), "rate") for n in names if (task.name, 8, n) in results.runs}
            for task in load.tasks()
        }
        (ROOT / "docs" / "benchmark-server.md").write_text(text, "utf-8")
        (ROOT / "docs" / "benchmark-server.svg").write_text(bars("Requests per second, 8 connections", rates), "utf-8")


if __name__ == "__main__":
    main()
