"""Noticing that a URL is not the API's at all: whatever is sent there, the same answer comes, and it is none of the API's."""

from __future__ import annotations

from collections.abc import Iterable

from mocksandbox.contract import Contract
from mocksandbox.exchange import Response

LEAST = 3
"""How many answers it takes to say that they are all the same."""


def sort_of(response: Response) -> tuple[int, str]:
    """What answers are compared by: the status and the media type, "" when there is none."""
    return response.status, response.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def suspicion(contract: Contract, sorts: Iterable[tuple[int, str]], what: str, option: str) -> str:
    """One line that asks whether the URL given with an option is the API's base path; empty when the answers to `what` differ,
    or are such as the API gives.
    """
    answers = list(sorts)
    if len(answers) < LEAST or len(set(answers)) > 1 or _may_be(contract, *answers[0]):
        return ""
    status, kind = answers[0]
    return f"every {what} got {status} ({kind or 'no content type'}): is {option} the API's base path?"


def _may_be(contract: Contract, status: int, kind: str) -> bool:
    """Whether an API may answer so to all that it is sent: not that there is nothing; else JSON, or what its document says."""
    if status in (404, 405):
        return False
    documented = [answer for operation in contract.operations for answer in operation.answers.values()]
    return kind.endswith("json") or any(
        answer.covers(status) and (kind in answer.content or not (kind or answer.content)) for answer in documented
    )
