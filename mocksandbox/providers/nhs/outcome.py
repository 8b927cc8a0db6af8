"""The service's OperationOutcome: its profile, its code system, its wording."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from mocksandbox.contract import read_mapping
from mocksandbox.fhir import issue, operation_outcome
from mocksandbox.providers.nhs.fields import FOLDER
from mocksandbox.rules import Message, messages_from
from mocksandbox.rules.http import MESSAGES

PROFILE = "https://simplifier.net/guide/UKCoreDevelopment2/ProfileUKCore-OperationOutcome"
ERROR_CODES = "https://fhir.nhs.uk/Codesystem/http-error-codes"
# Answers that do not come from the backend's own code carry this id (observed, B1).
FIXED_ID = "a5abca2a-4eda-41da-b2cc-95d48c6b791d"


@cache
def messages() -> Mapping[str, Message]:
    """Every wording of the provider: the service's own, and ours where it has none."""
    return {**MESSAGES, **messages_from(read_mapping(FOLDER / "messages.yaml"))}


def warning(key: str, *, issue_code: str = "invalid", **values: str) -> dict[str, Any]:
    """An OperationOutcome with one warning, as it stands in a Bundle; `values` are for the message's text."""
    text = messages()[key].text.format_map(values)
    made = issue(issue_code, text, severity="warning", error=issue_code.upper(), system=ERROR_CODES)
    return operation_outcome([made], profile=PROFILE)
