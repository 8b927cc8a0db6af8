"""The clock over HTTP: recorded times, token expiry and date rules move with it."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint

from mocksandbox.errors import StoreFullError, shortened
from mocksandbox.sandbox import Clock
from mocksandbox.server.control.asking import (
    SECONDS,
    TEXT,
    TRUTH,
    answer,
    arguments,
    each_once,
    json_body,
    members,
    mistake,
    sandboxes,
)

routes = Blueprint("times", __name__)

_MEMBERS = {"set": TEXT, "now": TEXT, "move": SECONDS, "freeze": TRUTH}
_DURATION = re.compile(
    r"([+-]?)P(?=.)(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?=.)(?:(\d{1,7})H)?(?:(\d{1,8})M)?(?:(\d{1,9}(?:\.\d{1,6})?)S)?)?",
    re.ASCII,
)
MOST_CLOCKS = 10_000
"""How many tenants may have a time of their own."""

_YEARS = range(1900, 2200)
"""The years to which the clock goes: beyond them, records' dates could not be compared with it."""


@routes.get("/clock")
def clock() -> Any:
    """The sandbox's time."""
    return _told(arguments("tenant").get("tenant"))


def _told(tenant: str | None) -> Any:
    found = _clock(tenant)
    return answer({"now": found.now().isoformat(), "frozen": found.frozen is not None, "tenant": tenant})


def _clock(tenant: str | None) -> Clock:
    box = next(iter(sandboxes().values()))
    return box.clock if tenant is None else box.clock_of(tenant)


@routes.put("/clock")
def change() -> Any:
    """Go to a time (`set`), move by a time (`move`), stop or start (`freeze`); for one tenant, or for all who have no time of
    their own.
    """
    tenant = arguments("tenant").get("tenant")
    said = members(json_body(), "", _MEMBERS)
    if not said or ("set" in said and "now" in said):
        raise mistake('must be one of {"set": "2026-01-01T00:00:00Z"}, {"move": "P1D"}, {"freeze": true}.', "body")
    clocks = next(iter(sandboxes().values())).clocks
    if tenant is not None and tenant not in clocks and len(clocks) >= MOST_CLOCKS:
        raise StoreFullError(
            f"{MOST_CLOCKS} tenants have a time of their own, which are the most: "
            "DELETE /__mocksandbox/clock?tenant=NAME takes one back."
        )
    before = _clock(tenant)
    changed = _changed(Clock(before.offset, before.frozen), said)
    if tenant is None:
        for shared in each_once(box.clock for box in sandboxes().values()):
            shared.follow(changed.offset, changed.frozen)
    else:
        for several in each_once(box.clocks for box in sandboxes().values()):
            several[tenant] = changed
    return _told(tenant)


@routes.delete("/clock")
def reset() -> Any:
    """Go back to the real time; a tenant, to everybody's time."""
    tenant = arguments("tenant").get("tenant")
    reset_clocks(tenant)
    return _told(tenant)


def reset_clocks(tenant: str | None) -> None:
    """Forget how a tenant's clock was moved, or every clock."""
    if tenant is None:
        for shared in each_once(box.clock for box in sandboxes().values()):
            shared.reset()
    for several in each_once(box.clocks for box in sandboxes().values()):
        if tenant is None:
            several.clear()
        else:
            several.pop(tenant, None)


def _changed(clock: Clock, said: dict[str, Any]) -> Clock:
    at = "set" if "set" in said else "now" if "now" in said else "move" if "move" in said else "freeze"
    try:
        moment = _moment(said[at], at) if at in ("set", "now") else clock.now()
        if "move" in said:
            moment += _span(said["move"])
        if moment.astimezone(UTC).year not in _YEARS:
            raise OverflowError
    except OverflowError as error:
        raise mistake(f"the clock goes from {_YEARS[0]} to {_YEARS[-1]}.", at) from error
    clock.set(moment, freeze=said.get("freeze", clock.frozen is not None))
    return clock


def _moment(text: str, at: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise mistake(f"must be a time such as 2026-01-01T00:00:00Z, and is {shortened(text)!r}.", at) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _span(move: Any) -> timedelta:
    if not isinstance(move, str):
        if not math.isfinite(move):
            raise OverflowError
        return timedelta(seconds=float(move))
    found = _DURATION.fullmatch(move)
    if found is None:
        raise mistake(
            f"must be a number of seconds, or a duration such as P1D, P2W or -PT2H30M, and is {shortened(move)!r}.", "move"
        )
    weeks, days, hours, minutes, seconds = (float(part or 0) for part in found.groups()[1:])
    span = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    return -span if found[1] == "-" else span
