"""Noticing that a URL is not the API's at all: whatever is sent there, the same answer comes, and it is none of an API's."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from mocksandbox.exchange import Response

LEAST = 3
"""How many answers it takes to say that they are all the same."""


def sort_of(response: Response) -> tuple[int, str]:
    """What answers are compared by: the status and the media type, "" when there is none."""
    return response.status, response.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def suspicion(sorts: Iterable[tuple[int, str]], what: str, option: str) -> str:
    """One line that asks whether the URL given with an option is the API's base path; empty when the answers to `what` differ,
    or are what an API says.
    """
    answers = list(sorts)
    if len(answers) < LEAST or len(set(answers)) > 1 or _is_an_api(*answers[0]):
        return ""
    status, kind = answers[0]
    return f"every {what} got {status} ({kind or 'no content type'}): is {option} the API's base path?"


_NOWHERE: Collection[int] = (301, 302, 303, 307, 308, 404, 405)
"""What servers answer where there is nothing, or only the way to somewhere else."""


def _is_an_api(status: int, kind: str) -> bool:
    return status not in _NOWHERE and (kind.endswith("json") or (not kind and status == 204))
