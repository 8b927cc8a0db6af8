"""What an evaluation says of a made-up dose: whether it counts, by the table of ages and intervals of contracts/evaluation."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from typing import Any

from mocksandbox.generators.draw import Draw
from mocksandbox.providers.evaluation.schedule import Group, Judged, Reason, evaluate, groups

_TOO_SOON = Reason("toosoon", "Given before the minimum interval.")
WEEKS_BETWEEN = (8, 8, 8, 12, 26, 2)
"""How far apart the earlier doses of a course may have been; some were given too soon."""


@cache
def _group_of(disease: str) -> Group | None:
    return next((group for group in groups().values() if disease in group.diseases), None)


def evaluation(draw: Draw, values: dict[str, Any], *, complete: bool = False) -> dict[str, Any]:
    """An evaluation's values by kind: of the dose's first disease that the table knows, or, where it knows none, of its first
    disease, and then the dose counts. A reason is there only for a dose that does not count, which one that is to be
    `complete` therefore is.
    """
    codings = [concept["coding"][0] for concept in values["target-diseases"]]
    disease = next((coding for coding in codings if _group_of(coding["code"])), codings[0])
    group = _group_of(disease["code"])
    given = date.fromisoformat(values["occurrence-day"])
    number: int = values["dose-number"]
    weeks = draw.choice(WEEKS_BETWEEN)
    judged = Judged("valid", number)
    if group is not None:
        born = date.fromisoformat(values["birth-date"])
        earlier = [given - timedelta(weeks=weeks * back) for back in range(number - 1, 0, -1)]
        judged = evaluate(born, [day for day in earlier if day >= born], given, group)
    if complete and not judged.reasons:
        judged = Judged("notvalid", number, (_TOO_SOON,))
    return {
        "evaluated": values["recorded"][:10],
        "evaluated-disease": disease["code"],
        "evaluated-disease-display": disease["display"],
        "evaluated-series": group.series if group else f"{disease['display']} series",
        "series-doses": max(len(group.doses) if group else 1, number),
        "dose-status": judged.status,
        "dose-status-display": "Valid" if judged.status == "valid" else "Not valid",
        "dose-status-reason-text": " ".join(reason.text for reason in judged.reasons) or None,
    }
