"""The journal of several processes: in their store, numbered and bounded as one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from mocksandbox import codec
from mocksandbox.errors import StoreError
from mocksandbox.exchange import Exchange, Headers, Request, Response
from mocksandbox.journal import Entry, Journal, weight_of
from mocksandbox.rules import ALL, Finding, Rule
from mocksandbox.store import Database
from mocksandbox.store.database import Row, Section
from mocksandbox.store.rows import written

_log = logging.getLogger("mocksandbox")

_COUNTED = """UPDATE mocksandbox_journal_count SET counted = counted + 1, entries = entries + 1, bytes = bytes + :weight
    RETURNING counted, entries, bytes, dropped"""
_ADDED = """INSERT INTO mocksandbox_journal (number, tenant, weight, elapsed, told, request, response)
    VALUES (:number, :tenant, :weight, :elapsed, :told, :request, :response)"""
# Both in one, for a database that is far away. What happened last may be missing from the journal, and from nothing else,
# when the database's machine fails: no request waits for a disk because it was only written down.
_ADDED_AT_ONCE = """WITH hurried AS (SELECT set_config('synchronous_commit', 'off', true) AS told),
    counted AS (UPDATE mocksandbox_journal_count
        SET counted = counted + 1, entries = entries + 1, bytes = bytes + :weight
        FROM hurried WHERE hurried.told = 'off' RETURNING counted, entries, bytes, dropped),
    added AS (INSERT INTO mocksandbox_journal (number, tenant, weight, elapsed, told, request, response)
        SELECT counted, :tenant, :weight, :elapsed, :told, :request, :response FROM counted)
    SELECT counted, entries, bytes, dropped FROM counted"""
_OLDEST = "SELECT number, weight FROM mocksandbox_journal ORDER BY number LIMIT :some"
_OLDEST_GONE = "DELETE FROM mocksandbox_journal WHERE number <= :number"
_GONE = "DELETE FROM mocksandbox_journal WHERE number = :number"
_ALL_GONE = "DELETE FROM mocksandbox_journal WHERE CAST(:tenant AS TEXT) IS NULL OR tenant = :tenant"
_DROPPED = """UPDATE mocksandbox_journal_count
    SET entries = entries - :gone, bytes = bytes - :weight, dropped = dropped + :gone
    RETURNING counted, entries, bytes, dropped"""
# Once more, and locked: others may have dropped some meanwhile.
_COUNTED_NOW = "UPDATE mocksandbox_journal_count SET entries = entries RETURNING counted, entries, bytes, dropped"
_COUNTED_ANEW = """UPDATE mocksandbox_journal_count SET
    entries = (SELECT count(*) FROM mocksandbox_journal),
    bytes = (SELECT coalesce(sum(weight), 0) FROM mocksandbox_journal)"""
_COUNT = "SELECT entries, dropped FROM mocksandbox_journal_count"
_FOUND = """ FROM mocksandbox_journal WHERE number > :since AND (CAST(:tenant AS TEXT) IS NULL OR tenant = :tenant)
    ORDER BY number"""
_ENTRIES = f"SELECT number, elapsed, told, request, response{_FOUND}"
_ENTRIES_WITHOUT_BODIES = f"SELECT number, elapsed, told{_FOUND}"

_PART = 64
"""When there are too many entries, this part of what may be goes with those that must."""
_AT_ONCE = 500
"""How many entries are forgotten with one statement."""


class SharedJournal(Journal):
    """The newest exchanges of all processes that share a store; they outlive the processes."""

    def __init__(self, database: Database, most_entries: int, most_bytes: int) -> None:
        super().__init__(most_entries, most_bytes)
        self._database = database
        self._lost = 0  # exchanges in a row that could not be written

    def record(self, **details: Any) -> Entry:
        """Add an exchange; `details` are the fields of `Entry` other than its number, which is 0 when the store has failed."""
        entry = Entry(number=0, **details)
        exchange = entry.exchange
        values = {
            "tenant": written(entry.tenant),
            "weight": weight_of(entry),
            "elapsed": exchange.elapsed,
            "told": codec.dumps(_told(entry)),
            "request": exchange.request.body,
            "response": exchange.response.body,
        }
        try:
            number = self._add(values)
        except StoreError:
            self._lost += 1
            if self._lost == 1:
                _log.error("exchanges cannot be written into the journal: the store fails")
            return entry
        if self._lost:
            _log.warning("exchanges are written into the journal again; it lacks %d", self._lost)
            self._lost = 0
        return Entry(number=number, **details)

    def _add(self, values: dict[str, Any]) -> int:
        if self._database.nests:
            counted = self._database.at_once(_ADDED_AT_ONCE, values)[0]
            if self._has_too_many(counted):
                with self._database.section(writes=True) as section:
                    self._drop(section, section.rows(_COUNTED_NOW, {})[0])
        else:
            with self._database.section(writes=True) as section:
                counted = section.rows(_COUNTED, {"weight": values["weight"]})[0]
                section.run(_ADDED, {**values, "number": counted[0]})
                self._drop(section, counted)
        return int(counted[0])

    def _has_too_many(self, counted: Row) -> bool:
        _, entries, size, self.dropped = counted
        return bool(entries > self.most_entries or (size > self.most_bytes and entries > 1))

    def _drop(self, section: Section, counted: Row) -> None:
        """Forget the oldest entries when there are too many: some more than must go, so that few requests wait for it."""
        entries_left = self.most_entries - self.most_entries // _PART
        bytes_left = self.most_bytes - self.most_bytes // _PART
        while self._has_too_many(counted):
            _, entries, size, _ = counted
            last = gone = weight = 0
            for number, each in section.rows(_OLDEST, {"some": _AT_ONCE}):
                if entries - gone <= 1 or (entries - gone <= entries_left and size - weight <= bytes_left):
                    break
                last, gone, weight = number, gone + 1, weight + each
            section.run(_OLDEST_GONE, {"number": last})
            counted = section.rows(_DROPPED, {"weight": weight, "gone": gone})[0]

    def exchanges(
        self,
        where: Callable[[Entry], bool] = lambda entry: True,
        *,
        tenant: str | None = None,
        since: int = 0,
        bodies: bool = True,
    ) -> list[Entry]:
        """The entries that meet a condition, oldest first: of one tenant where one is named, those after a number. Without
        `bodies` they have none.
        """
        values = {"since": since, "tenant": None if tenant is None else written(tenant)}
        with self._database.section(writes=False) as section:
            _, self.dropped = section.rows(_COUNT, {})[0]
            rows = section.rows(_ENTRIES if bodies else _ENTRIES_WITHOUT_BODIES, values)
        return [entry for entry in map(_entry, rows) if where(entry)]

    def clear(self, where: Callable[[Entry], bool] | None = None, *, tenant: str | None = None) -> None:
        """Forget all entries, or those that meet a condition, or those of a tenant."""
        with self._database.section(writes=True) as section:
            # Before anything is looked at: whoever adds an entry changes this row too, and waits.
            section.rows(_COUNTED_NOW, {})
            if where is None:
                section.run(_ALL_GONE, {"tenant": None if tenant is None else written(tenant)})
            else:
                found = self.exchanges(where, tenant=tenant)
                section.run_each(_GONE, [{"number": entry.number} for entry in found])
            section.run(_COUNTED_ANEW, {})

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.exchanges())

    def __len__(self) -> int:
        return int(self._database.at_once(_COUNT, {})[0][0])


def _told(entry: Entry) -> dict[str, Any]:
    """An entry without its number, its time taken and its bodies, as JSON values."""
    request, response = entry.exchange.request, entry.exchange.response
    return {
        "at": entry.at.isoformat(),
        "provider": entry.provider,
        "operation": entry.operation,
        "tenant": entry.tenant,
        "request": [request.method, request.path, request.query, request.headers.pairs, request.base_url],
        "response": [response.status, response.headers.pairs],
        "findings": [_finding_told(finding) for finding in entry.findings],
        "differences": list(entry.differences),
        "bugs": [_finding_told(finding) for finding in entry.bugs],
        "near": list(entry.near),
        "scenario": entry.scenario,
        "fault": entry.fault,
    }


def _entry(row: Row) -> Entry:
    try:
        return _read_entry(row)
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise StoreError(f"the store: entry {row[0]} of the journal is damaged") from error


def _read_entry(row: Row) -> Entry:
    number, elapsed, told = row[:3]
    asked, answered = (bytes(body) for body in row[3:]) if len(row) > 3 else (b"", b"")
    it = codec.loads(bytes(told))
    method, path, query, headers, base_url = it["request"]
    status, sent = it["response"]
    request = Request(method, path, tuple(map(tuple, query)), Headers(map(tuple, headers)), asked, base_url)
    return Entry(
        number,
        datetime.fromisoformat(it["at"]),
        it["provider"],
        it["operation"],
        Exchange(request, Response(status, Headers(map(tuple, sent)), answered), elapsed),
        it["tenant"],
        [_finding(each) for each in it["findings"]],
        it["differences"],
        [_finding(each) for each in it["bugs"]],
        it["near"],
        it["scenario"],
        it["fault"],
    )


def _finding_told(finding: Finding) -> Sequence[Any]:
    rule = finding.rule
    told = [rule.id, rule.title, rule.why, rule.source, rule.stage, rule.status, rule.issue, rule.error, rule.severity]
    return [told, finding.at, finding.message, finding.prefix]


def _finding(told: Sequence[Any]) -> Finding:
    """A finding as it was, with what is told of its rule; how to find and to break it, its own process knows."""
    (id, title, why, source, stage, status, issue, error, severity), at, message, prefix = told
    rule = Rule[Any](id, title, why, source, frozenset(), stage, status, issue, error, _nothing, (), ALL, severity)
    return Finding(rule, at, message, prefix)


def _nothing(_: Any) -> Sequence[Any]:
    return ()
