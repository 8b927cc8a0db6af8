"""Many writers at once: what a request has checked stays true until it writes.

Each property is looked at twice: under the sandbox's lock, where it holds, and without the lock, where it must be seen to
fail; otherwise these tests would prove nothing.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from threading import Barrier, Thread
from time import sleep
from typing import Any

import pytest

from mocksandbox import Request, Response
from mocksandbox.exchange import Headers
from mocksandbox.providers.nhs import provider
from mocksandbox.rules.attempt import Record
from mocksandbox.sandbox import Sandbox
from mocksandbox.store import MemoryPartition
from tests.conformance.recorded import BASE_URL, cases

THREADS = 200
RECORDED = next(case for case in cases() if case["name"] == "seq/update:changed-lot")["steps"][0]["json"]


def body(identifier: str, id: str | None = None, lot: str = "A1") -> dict[str, Any]:
    """A valid record with this identifier."""
    made = deepcopy(RECORDED)
    made["contained"][1]["identifier"][0]["value"] = "9990000018"
    made["identifier"][0]["value"] = identifier
    made["lotNumber"] = lot
    return made if id is None else {**made, "id": id}


def create(identifier: str, lot: str = "A1") -> Request:
    """A request that creates a record."""
    return _writing("POST", "/Immunization", body(identifier, lot=lot))


def update(id: str, identifier: str, version: str, lot: str = "A1") -> Request:
    """A request that updates a version of a record."""
    return _writing("PUT", f"/Immunization/{id}", body(identifier, id, lot)).with_header("E-Tag", version)


def asking(method: str, id: str) -> Request:
    """A request for a record, without a body."""
    return Request(method, f"/Immunization/{id}", base_url=BASE_URL)


def _writing(method: str, path: str, value: dict[str, Any]) -> Request:
    headers = Headers([("Content-Type", "application/fhir+json"), ("Accept", "application/fhir+json")])
    return Request(method, path, headers=headers, base_url=BASE_URL).with_json(value)


def id_of(response: Response) -> str:
    """The id that a create gave."""
    return response.headers["Location"].rpartition("/")[2]


def dawdling(monkeypatch: pytest.MonkeyPatch, seconds: float) -> Sandbox:
    """A sandbox whose store takes its time before it writes: time for others to come between a check and a write."""
    put = MemoryPartition.put

    def put_late(self: MemoryPartition, record: Record) -> None:
        sleep(seconds)
        put(self, record)

    sandbox = Sandbox(provider())
    assert sandbox.store is not None
    sandbox.store.partition()  # the seeds need not wait
    monkeypatch.setattr(MemoryPartition, "put", put_late)
    return sandbox


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """A sandbox for one race: half a second before each of its few writes, so that the slowest machine sees it."""
    return dawdling(monkeypatch, 0.5)


@pytest.fixture
def busy_sandbox(monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """A sandbox for thousands of writes: a millisecond before each."""
    return dawdling(monkeypatch, 0.001)


@pytest.fixture(autouse=True)
def _hurried() -> Iterator[None]:
    """Threads take turns as often as the interpreter can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.fixture
def unlocked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Partitions whose `exclusive` keeps nobody out."""

    @contextmanager
    def nobody_waits(self: MemoryPartition) -> Iterator[None]:
        yield

    monkeypatch.setattr(MemoryPartition, "exclusive", nobody_waits)


def together(work: Callable[[int], None], threads: int = THREADS) -> None:
    """Work done by many threads that start at the same moment."""
    barrier = Barrier(threads)
    failures: list[BaseException] = []

    def run(number: int) -> None:
        try:
            barrier.wait(timeout=60)
            work(number)
        except BaseException as failure:
            failures.append(failure)

    started = [Thread(target=run, args=(number,)) for number in range(threads)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    assert failures == []


def statuses(sandbox: Sandbox, requests: Sequence[Request]) -> Counter[int]:
    """How often each status was answered to requests sent at the same moment."""
    answers: list[int] = []
    together(lambda number: answers.append(sandbox.handle(requests[number]).status), len(requests))
    return Counter(answers)


def updates(sandbox: Sandbox, threads: int = THREADS) -> Counter[int]:
    """All update version 1 of one record."""
    id = id_of(sandbox.handle(create("one")))
    return statuses(sandbox, [update(id, "one", "1", lot=f"L{number}") for number in range(threads)])


def creates(sandbox: Sandbox, threads: int = THREADS) -> Counter[int]:
    """All create one identifier."""
    return statuses(sandbox, [create("one", lot=f"L{number}") for number in range(threads)])


def reinstatements(sandbox: Sandbox, threads: int = THREADS) -> Counter[int]:
    """All create the identifier of one deleted record."""
    id = id_of(sandbox.handle(create("one")))
    sandbox.handle(asking("DELETE", id))
    return statuses(sandbox, [create("one", lot=f"L{number}") for number in range(threads)])


def deletes(sandbox: Sandbox, threads: int = THREADS) -> Counter[int]:
    """All delete one record."""
    id = id_of(sandbox.handle(create("one")))
    return statuses(sandbox, [asking("DELETE", id)] * threads)


RACES = pytest.mark.parametrize(
    ("race", "won", "lost"),
    [(updates, 200, 400), (creates, 201, 422), (reinstatements, 201, 422), (deletes, 204, 404)],
    ids=["updates of one version", "creates of one identifier", "reinstatements of one record", "deletes of one record"],
)


@RACES
def test_of_many_at_once_exactly_one_wins(
    sandbox: Sandbox, race: Callable[[Sandbox], Counter[int]], won: int, lost: int
) -> None:
    assert race(sandbox) == {won: 1, lost: THREADS - 1}


@RACES
@pytest.mark.usefixtures("unlocked")
def test_without_the_lock_more_than_one_wins(
    sandbox: Sandbox, race: Callable[[Sandbox], Counter[int]], won: int, lost: int
) -> None:
    seen = race(sandbox)
    assert seen[won] > 1
    assert set(seen) <= {won, lost}


def mixed_traffic(sandbox: Sandbox, threads: int = THREADS) -> Mapping[str, list[int]]:
    """Threads that create, read, update, delete and search the same few records; the versions that each record's writers
    were told.
    """
    identifiers = [f"record-{number}" for number in range(8)]
    told: dict[str, list[int]] = {}
    ids = {}
    for identifier in identifiers:
        ids[identifier] = id_of(sandbox.handle(create(identifier)))
        told[ids[identifier]] = [1]

    def work(number: int) -> None:
        identifier = identifiers[number % len(identifiers)]
        id = ids[identifier]
        for step in range(3):
            read = sandbox.handle(asking("GET", id))
            version = read.headers.get("E-Tag", "1")
            written = sandbox.handle(update(id, identifier, version, lot=f"L{number}"))
            again = sandbox.handle(create(identifier, lot=f"L{number}"))
            for response in (written, again):
                if response.status < 300:
                    told[id].append(int(response.headers["E-Tag"]))
            if again.status == 201:
                assert id_of(again) == id
            gone = sandbox.handle(asking("DELETE", id)).status if (number + step) % 4 == 0 else 204
            found = sandbox.handle(Request("GET", "/Immunization", _SEARCH, base_url=BASE_URL))
            assert (read.status, written.status, again.status, gone, found.status) in _EXPECTED
            bundle = found.json()
            matches = [entry for entry in bundle["entry"] if entry["search"]["mode"] == "match"]
            assert len({entry["fullUrl"] for entry in matches}) == bundle["total"] <= len(identifiers)

    together(work, threads)
    return told


_SEARCH = (("patient.identifier", "https://fhir.nhs.uk/Id/nhs-number|9990000018"), ("-immunization.target", "COVID"))
_EXPECTED = {
    (read, written, again, gone, 200)
    for read in (200, 404)
    for written in (200, 400)
    for again in (201, 422)
    for gone in (204, 404)
}


def gapless(sandbox: Sandbox, told: Mapping[str, list[int]]) -> bool:
    """Whether each version was told once and none was left out, and whether the store has just these, in order."""
    assert sandbox.store is not None
    records = sandbox.store.partition()
    for id, versions in told.items():
        kept = [record.version for record in records.versions("Immunization", id)]
        wanted = list(range(1, len(versions) + 1))
        if sorted(versions) != wanted or kept != sorted(kept) or sorted(set(kept)) != wanted:
            return False
    return True


def test_mixed_traffic_leaves_no_gap_between_versions(busy_sandbox: Sandbox) -> None:
    told = mixed_traffic(busy_sandbox)
    assert gapless(busy_sandbox, told)
    assert min(map(len, told.values())) > 2
    numbers = [entry.number for entry in busy_sandbox.journal]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > 8 + THREADS * 3 * 4


@pytest.mark.usefixtures("unlocked")
def test_without_the_lock_mixed_traffic_tells_a_version_twice(busy_sandbox: Sandbox) -> None:
    assert not gapless(busy_sandbox, mixed_traffic(busy_sandbox))
