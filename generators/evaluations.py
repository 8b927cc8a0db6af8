"""What an evaluation says of a made-up dose: whether it counts, by the table of ages and intervals of contracts/evaluation."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from typing import Any

from mocksandbox.providers.evaluation.schedule import Group, Judged, evaluate, groups

WEEKS_BETWEEN = 8
"""How far apart the earlier doses of a course are taken to have been."""


@cache
def _group_of(disease: str) -> Group | None:
    return next((group for group in groups().values() if disease in group.diseases), None)


def evaluation(values: dict[str, Any]) -> dict[str, Any]:
    """An evaluation's values by kind: of the dose's first disease that the table knows, or, where it knows none, of its first
    disease, and then the dose counts. A reason is there only for a dose that does not count.
    """
    codings = [concept["coding"][0] for concept in values["target-diseases"]]
    disease = next((coding for coding in codings if _group_of(coding["code"])), codings[0])
    group = _group_of(disease["code"])
    given = date.fromisoformat(values["occurrence-day"])
    number: int = values["dose-number"]
    judged = Judged("valid", number)
    if group is not None:
        born = date.fromisoformat(values["birth-date"])
        earlier = [given - timedelta(weeks=WEEKS_BETWEEN * back) for back in range(number - 1, 0, -1)]
        judged = evaluate(born, [day for day in earlier if day >= born], given, group)
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
