"""What the control API offers: its routes, with their parameters and an example of each body."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_CHOICE = ("tenant", "provider")
FILTERS = ("provider", "operation", "status", "tenant", "rule", "fault", "since", "limit", "bodies")
"""The parameters that choose among the exchanges of the journal."""


@dataclass(frozen=True)
class Route:
    """One route: its method, its path below the control API, what it does, the parameters that it takes in the query, and
    examples of its body.
    """

    method: str
    path: str
    does: str
    parameters: tuple[str, ...] = ()
    bodies: tuple[Any, ...] = ()


ROUTES = (
    Route("GET", "", "This list."),
    Route("GET", "/health", "That the server answers, what it serves, and how much its memory holds."),
    Route("GET", "/scenarios", "The documented scenarios, and the header by which each is forced.", ("provider",)),
    Route(
        "GET",
        "/journal",
        "The exchanges that meet the filters, newest last, with the rules that each broke. `limit` keeps the newest of them, "
        "`count` counts them all; `status` may be 404 or 4xx, `since` the number of an entry; `bodies=1` shows headers and "
        "bodies.",
        FILTERS,
    ),
    Route("GET", "/journal/near-misses", "The requests that were for no operation, and what they came near to.", FILTERS),
    Route("DELETE", "/journal", "Forget the exchanges of a tenant, or all.", ("tenant",)),
    Route("GET", "/faults", "The faults that are set, and all that there are, each with its usage.", _CHOICE),
    Route(
        "PUT",
        "/faults",
        "Set these faults and no others; with `?tenant=NAME` for that tenant, and leave the others' alone. A fault may be for "
        "one operation, for so many requests (`count`), for a share of them; `seed` repeats the draws.",
        _CHOICE,
        (
            {"fault": "429:3"},
            {"faults": [{"fault": "500", "operation": "createImmunization", "count": 2}, {"fault": "latency:200ms"}]},
            {"faults": [{"fault": "latency:lognormal:80ms:0.5", "share": 0.2}], "seed": 1},
        ),
    ),
    Route("DELETE", "/faults", "Take back the faults of a tenant, or all.", _CHOICE),
    Route("GET", "/clock", "The sandbox's time.", ("tenant",)),
    Route(
        "PUT",
        "/clock",
        "Go to a time (`set`), move by a time (`move`: seconds, or a duration), stop or start (`freeze`); for one tenant, or "
        "for all who have no time of their own.",
        ("tenant",),
        ({"set": "2026-01-01T00:00:00Z"}, {"move": "P1D"}, {"freeze": True}),
    ),
    Route("DELETE", "/clock", "Go back to the real time; a tenant, to everybody's time.", ("tenant",)),
    Route("GET", "/records", "The newest version of each record, and what else an API keeps.", (*_CHOICE, "kind")),
    Route(
        "POST",
        "/seed",
        "Create records, each a body as the API's own POST takes it: all of them, or none when one is refused. Where several "
        "APIs are served, `provider` names the one that is meant.",
        _CHOICE,
        ({"provider": "nhs", "records": []},),
    ),
    Route("POST", "/snapshot", "Every version of every record, of one tenant or of all, as restore takes it.", ("tenant",)),
    Route(
        "POST",
        "/restore",
        "Hold the records of a snapshot and no others. `?tenant=NAME` puts a snapshot of one tenant into that tenant.",
        ("tenant",),
        ({"records": []},),
    ),
    Route(
        "POST",
        "/reset",
        "Start afresh, one tenant or all: records, journal, faults, clock and counts of requests.",
        ("tenant",),
    ),
)
"""Every route of the control API."""


def told(prefix: str) -> Iterator[dict[str, Any]]:
    """The routes as JSON values; `prefix` is the control API's own path."""
    for route in ROUTES:
        yield {
            "method": route.method,
            "path": f"{prefix}{route.path}",
            "does": route.does,
            "parameters": list(route.parameters),
            "bodies": list(route.bodies),
        }
