"""The journal over HTTP: what was asked and answered, and what came near to nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from flask import Blueprint, request

from mocksandbox.errors import shortened
from mocksandbox.journal import Entry, Journal
from mocksandbox.server.control.asking import answer, arguments, chosen, flag_argument, mistake, number_argument, sandboxes
from mocksandbox.server.control.guide import FILTERS

routes = Blueprint("journal", __name__)

_STATUS = re.compile(r"[1-5]([0-9]{2}|xx)")


def _journal() -> Journal:
    # One for all providers of a server.
    return next(iter(sandboxes().values())).journal


def _wanted() -> Callable[[Entry], bool]:
    """The condition that the query's filters make."""
    asked = arguments(*FILTERS)
    chosen()  # a provider that does not exist is a mistake, and no reason for an empty list
    status = asked.get("status", "").lower()
    if status and not _STATUS.fullmatch(status):
        raise mistake(f"must be a status such as 404 or 4xx, and is {shortened(status)!r}.", "query:status")
    plain = [(name, asked[name]) for name in ("provider", "operation") if name in asked]
    tests: list[Callable[[Entry], bool]] = [lambda entry: all(getattr(entry, name) == value for name, value in plain)]
    if status:
        tests.append(lambda entry: str(entry.exchange.response.status).startswith(status.rstrip("x")))
    if "rule" in asked:
        tests.append(lambda entry: any(finding.rule.id == asked["rule"] for finding in (*entry.findings, *entry.bugs)))
    if "fault" in asked:
        tests.append(lambda entry: asked["fault"] in (met.partition(":")[0] for met in entry.fault.split(", ")))
    return lambda entry: all(test(entry) for test in tests)


def _told(wanted: Callable[[Entry], bool]) -> Any:
    limit, since = number_argument("limit"), number_argument("since") or 0
    bodies = flag_argument("bodies")
    entries = _journal().exchanges(wanted, tenant=request.args.get("tenant"), since=since, bodies=bodies)
    shown = entries if limit is None else entries[max(len(entries) - limit, 0) :]
    listed = [entry.summary(bodies=bodies) for entry in shown]
    return answer({"entries": listed, "count": len(entries), "dropped": _journal().dropped})


@routes.get("/journal")
def journal() -> Any:
    """The exchanges that meet the filters, newest last; `limit` keeps the newest of them, `count` counts them all."""
    return _told(_wanted())


@routes.get("/journal/near-misses")
def near_misses() -> Any:
    """The requests that were for no operation; `near` says what they came near to, and why it was not that."""
    wanted = _wanted()
    return _told(lambda entry: not entry.operation and wanted(entry))


@routes.delete("/journal")
def forget() -> Any:
    """Forget the exchanges of a tenant (`?tenant=NAME`), or all."""
    tenant = arguments("tenant").get("tenant")
    _journal().clear(tenant=tenant)
    return answer({"status": "cleared"})
