"""A baseline: the findings that are known, each with a reason and the day until which it is put up with. A run fails only on
what is new or expired.

```json
{"version": 1, "provider": "nhs", "entries": [
  {"identity": "createImmunization|accepted-invalid|nhs/lot-too-long|201",
   "reason": "our database has no such limit", "expires": "2026-12-31", "ticket": "IMM-123"}]}
```
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from mocksandbox.errors import UsageError
from mocksandbox.fuzz.model import Finding, Report
from mocksandbox.fuzz.reports.outline import ordered

VERSION = 1


@dataclass(frozen=True)
class Entry:
    """One known finding: its identity, why it is put up with, the last day on which it is, and where it is worked on."""

    identity: str
    reason: str
    expires: date
    ticket: str = ""

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules that it is about."""
        parts = self.identity.split("|")
        return tuple(rule for rule in (parts[2] if len(parts) > 2 else "").split(",") if rule)


@dataclass(frozen=True)
class Comparison:
    """A run beside a baseline: findings that it does not know, that it knows, and whose day is past; entries that the run did
    not find again; and those of which it cannot tell, because it did not get so far.
    """

    new: tuple[Finding, ...] = ()
    known: tuple[Finding, ...] = ()
    expired: tuple[tuple[Finding, Entry], ...] = ()
    fixed: tuple[Entry, ...] = ()
    unseen: tuple[Entry, ...] = ()

    @property
    def fails(self) -> bool:
        """Whether a run should fail."""
        return bool(self.new or self.expired)

    @property
    def _counts(self) -> str:
        parts = (("new", self.new), ("known", self.known), ("expired", self.expired), ("fixed", self.fixed))
        return ", ".join(f"{len(each)} {name}" for name, each in parts)

    def text(self) -> str:
        """What a person should know of it."""
        lines = [f"baseline: {self._counts}"]
        lines += [f"  new: {finding.flaw.identity}" for finding in self.new]
        for finding, entry in self.expired:
            ticket = f", {entry.ticket}" if entry.ticket else ""
            lines.append(f"  expired on {entry.expires}: {finding.flaw.identity} ({entry.reason}{ticket})")
        lines += [f"  fixed, can be pruned: {entry.identity}" for entry in self.fixed]
        lines += [f"  not reached by this run: {entry.identity}" for entry in self.unseen]
        return "\n".join(lines)


@dataclass(frozen=True)
class Baseline:
    """The known findings of one provider's target."""

    provider: str
    entries: tuple[Entry, ...] = ()

    def compare(self, report: Report, today: date | None = None) -> Comparison:
        """A run beside this baseline.

        Raises:
            UsageError: the run is of another provider.
        """
        if report.provider != self.provider:
            raise UsageError(f"The baseline is of {self.provider}, the run of {report.provider}.")
        today = today or date.today()
        known = {entry.identity: entry for entry in self.entries}
        found = ordered(report.findings)
        here = {finding.flaw.identity for finding in found}
        expired = [(each, known[each.flaw.identity]) for each in found if each.flaw.identity in known]
        gone = [entry for entry in self.entries if entry.identity not in here]
        return Comparison(
            new=tuple(each for each in found if each.flaw.identity not in known),
            known=tuple(each for each, entry in expired if today <= entry.expires),
            expired=tuple((each, entry) for each, entry in expired if today > entry.expires),
            fixed=tuple(entry for entry in gone if _looked(entry, report)),
            unseen=tuple(entry for entry in gone if not _looked(entry, report)),
        )

    def updated(self, report: Report, reason: str, expires: date, ticket: str = "") -> Baseline:
        """With an entry for every finding of a run that it does not know; what it knows keeps its reason and its day.

        Raises:
            UsageError: the run is of another provider, or no reason is given.
        """
        if not reason.strip():
            raise UsageError("A baseline entry needs a reason.")
        new = self.compare(report).new
        added = tuple(Entry(finding.flaw.identity, reason, expires, ticket) for finding in new)
        return Baseline(self.provider, (*self.entries, *added))

    def pruned(self, report: Report) -> Baseline:
        """Without the entries that a run has shown to be fixed.

        Raises:
            UsageError: the run is of another provider.
        """
        fixed = set(self.compare(report).fixed)
        return Baseline(self.provider, tuple(entry for entry in self.entries if entry not in fixed))

    def text(self) -> str:
        """The baseline as its file, in the order of identities, so that changes to it read well."""
        entries = [
            {"identity": each.identity, "reason": each.reason, "expires": each.expires.isoformat()}
            | ({"ticket": each.ticket} if each.ticket else {})
            for each in sorted(self.entries, key=lambda entry: entry.identity)
        ]
        return json.dumps({"version": VERSION, "provider": self.provider, "entries": entries}, indent=2) + "\n"


def _looked(entry: Entry, report: Report) -> bool:
    """Whether a run would have found it: its rules were reached; of what is about no rule, that nothing was left out."""
    if entry.rules:
        return all(report.rules.get(rule) != "not reached" for rule in entry.rules) and not report.stopped
    return not report.stopped and all(report.reached.get(source, 0) >= number for source, number in report.planned.items())


def read_baseline(path: Path) -> Baseline:
    """The baseline in a file.

    Raises:
        UsageError: there is no such file, or it is no baseline; the message names the entry.
    """
    try:
        told = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise UsageError(f"{path} is no JSON: {error}.") from error
    if not isinstance(told, dict) or told.get("version") != VERSION or not isinstance(told.get("provider"), str):
        raise UsageError(f'{path} is no baseline: it needs "version": {VERSION}, "provider" and "entries".')
    entries = told.get("entries")
    if not isinstance(entries, list):
        raise UsageError(f"{path}: entries must be a list.")
    read = tuple(_entry(each, f"{path}: entries[{number}]") for number, each in enumerate(entries))
    twice = _twice([entry.identity for entry in read])
    if twice:
        raise UsageError(f"{path} has two entries for {twice!r}.")
    return Baseline(told["provider"], read)


def _entry(told: Any, where: str) -> Entry:
    if not isinstance(told, dict):
        raise UsageError(f"{where} must be an object.")
    for name in ("identity", "reason", "expires"):
        if not isinstance(told.get(name), str) or not told[name].strip():
            raise UsageError(f"{where} needs {name!r}, a text.")
    try:
        expires = date.fromisoformat(told["expires"])
    except ValueError:
        raise UsageError(f"{where}.expires is {told['expires']!r}; write a day as YYYY-MM-DD.") from None
    return Entry(told["identity"], told["reason"], expires, str(told.get("ticket") or ""))


def _twice(names: Sequence[str]) -> str:
    return next((name for name in names if names.count(name) > 1), "")
