"""kill -9 under load: every write that was acknowledged is there, and every rule of versions holds.

Clients create, update and delete records of their own, and all of them update one record together; then all processes of the
server are killed at once, and on PostgreSQL every second time the database crashes too. `make full` does it 20 times.
"""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from itertools import pairwise
from pathlib import Path

import pytest

from mocksandbox.exchange import Request, Response
from mocksandbox.provider import open_provider
from mocksandbox.rules.attempt import Record
from tests.conformance.test_concurrency import asking, create, id_of, update
from tests.stores import postgres
from tests.stores.living import Living, living

FULL = os.environ.get("MOCKSANDBOX_FULL") == "1"
KILLS = 20 if FULL else 2
CLIENTS = 6
LOAD = 1.2  # seconds


@dataclass
class Known:
    """What its only writer knows of a record: the newest version that was acknowledged, and the one that is in doubt."""

    identifier: str
    version: int
    lot: str
    live: bool = True
    doubt: tuple[int, str, bool] | None = None

    def fits(self, record: Record | None) -> bool:
        """Whether what is stored is what was acknowledged, or what was asked for last and never answered."""
        if record is None:
            return False
        found = (record.version, json.loads(record.body)["lotNumber"], record.live)
        return found in ((self.version, self.lot, self.live), self.doubt)


@dataclass
class Clients:
    """What the clients have been told. `shared` has the versions of the record that all update, each with its lot."""

    records: dict[str, Known] = field(default_factory=dict)
    shared: dict[int, str] = field(default_factory=dict)
    lost: list[Known] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    acknowledged: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


def work(server: Living, clients: Clients, number: int, shared: str, over: threading.Event, round: int) -> None:
    """One client, until the server is gone."""
    chance = random.Random(f"{round}/{number}")
    mine: list[str] = []
    step = 0
    with suppress(OSError, HTTPException):
        while not over.is_set():
            step += 1
            lot = f"L{round}-{number}-{step}"
            kind = chance.choice(("create", "update", "update", "delete", "shared"))
            if kind == "shared":
                read = server.handle(asking("GET", shared))
                version = int(read.headers.get("E-Tag", "0"))
                answer = server.handle(update(shared, "shared", str(version), lot=lot))
                if answer.status == 200:
                    told(clients, clients.shared, int(answer.headers["E-Tag"]), version + 1, lot)
                elif answer.status != 400:
                    clients.wrong.append(f"update of the shared record: {answer.status}")
            elif kind == "create" or not mine:
                known = Known(f"r{round}-{number}-{step}", 0, "", live=False, doubt=(1, lot, True))
                with clients.lock:
                    clients.lost.append(known)
                answer = server.handle(create(known.identifier, lot=lot))
                settle(clients, known, answer, 201)
                with clients.lock:
                    clients.lost.remove(known)
                    clients.records[id_of(answer)] = known
                mine.append(id_of(answer))
            else:
                id = chance.choice(mine)
                known = clients.records[id]
                if kind == "update":
                    known.doubt = (known.version + 1, lot, True)
                    settle(clients, known, server.handle(update(id, known.identifier, str(known.version), lot=lot)), 200)
                else:
                    known.doubt = (known.version, known.lot, False)
                    settle(clients, known, server.handle(asking("DELETE", id)), 204)
                    mine.remove(id)


def told(clients: Clients, shared: dict[int, str], version: int, wanted: int, lot: str) -> None:
    """A version of the record that all update was acknowledged."""
    with clients.lock:
        clients.acknowledged += 1
        if version in shared or version != wanted:
            clients.wrong.append(f"version {version} of the shared record was told twice, or is not {wanted}")
        shared[version] = lot


def settle(clients: Clients, known: Known, answer: Response, wanted: int) -> None:
    """What was in doubt was acknowledged."""
    if answer.status != wanted:
        clients.wrong.append(f"{known}: {answer.status} {answer.body[:200]!r}")
        return
    assert known.doubt is not None
    known.version, known.lot, known.live = known.doubt
    known.doubt = None
    with clients.lock:
        clients.acknowledged += 1


def broken_versions(records: list[Record]) -> bool:
    """Whether the versions of a record leave the rules: each is one more than the one before, only a deletion keeps it."""
    steps = ((after.version - before.version, after.state) for before, after in pairwise(records))
    return records[0].version != 1 or any(step != (0 if state == "deleted" else 1) for step, state in steps)


def look(server: Living, clients: Clients, shared: str) -> None:
    """Compare the store with what the clients were told."""
    partition = server.store.partition()
    with partition.steady():
        every: dict[str, list[Record]] = {}
        for record in partition.snapshot():
            if record.id not in _SEEDS:
                every.setdefault(record.id, []).append(record)
        assert [id for id, records in every.items() if broken_versions(records)] == []
        missing = {id: known for id, known in clients.records.items() if not known.fits(partition.get("Immunization", id))}
        assert missing == {}
        for known in clients.lost:
            found = partition.find("Immunization", "identifier", f"{_SYSTEM}#{known.identifier}")
            assert [record.version for record in found] in ([], [1])
        lots = {record.version: json.loads(record.body)["lotNumber"] for record in every[shared]}
        assert {version: lots.get(version) for version in clients.shared} == clients.shared
    for id, known in clients.records.items():  # from now on what was in doubt is known
        kept = every[id][-1]
        known.version, known.lot, known.live, known.doubt = kept.version, json.loads(kept.body)["lotNumber"], kept.live, None


_SEEDS = {seed.id for seed in open_provider("nhs").seeds()}
_SYSTEM = create("x").json()["identifier"][0]["system"]


def asked_again(server: Living, clients: Clients) -> None:
    """The restarted server answers with what was acknowledged."""
    sampled = random.Random(0).sample(sorted(clients.records.items()), min(60, len(clients.records)))
    for id, known in sampled:
        answer = server.handle(asking("GET", id))
        if known.live:
            assert (answer.status, answer.headers["E-Tag"], answer.json()["lotNumber"]) == (200, str(known.version), known.lot)
        else:
            assert answer.status == 404
        again = server.handle(Request("PUT", f"/Immunization/{id}", base_url=server.base))
        assert again.status >= 400


def killed_again_and_again(url: str, crash: object = None) -> Clients:
    """Load, kill, look, and the same again on the same store."""
    clients, shared = Clients(), ""
    for round in range(KILLS + 1):
        with living(url) as server:
            if not shared:
                made = server.handle(create("shared"))
                shared = id_of(made)
            asked_again(server, clients)
            if round == KILLS:
                break
            over = threading.Event()
            threads = [
                threading.Thread(target=work, args=(server, clients, number, shared, over, round)) for number in range(CLIENTS)
            ]
            before = clients.acknowledged
            for thread in threads:
                thread.start()
            time.sleep(LOAD + random.Random(round).random() / 2)
            server.kill()
            over.set()
            for thread in threads:
                thread.join(60)
            if callable(crash) and round % 2:
                crash()
            assert clients.wrong == []
            assert clients.acknowledged > before + CLIENTS
            look(server, clients, shared)
    return clients


def say(store: str, clients: Clients) -> None:
    print(f"{store}: {KILLS} kills, {clients.acknowledged} writes acknowledged, {len(clients.records)} records, none lost")


@pytest.mark.heavy
def test_nothing_acknowledged_is_lost_on_sqlite(tmp_path: Path) -> None:
    say("SQLite", killed_again_and_again(f"sqlite:///{tmp_path / 'records.db'}"))


@pytest.fixture
def cluster() -> Iterator[postgres.Cluster]:
    with postgres.cluster() as made:
        if made is None:
            pytest.skip(postgres.NEEDED)
        yield made


@pytest.mark.heavy
def test_nothing_acknowledged_is_lost_on_postgresql(cluster: postgres.Cluster) -> None:
    def crash() -> None:
        cluster.stop(signal.SIGQUIT)
        cluster.start()

    say("PostgreSQL", killed_again_and_again(postgres.new_database(cluster.url("postgres")), crash))
