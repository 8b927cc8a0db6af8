"""What a client asks of an answer: `Prefer` (return, handling), and the media type by `_format` or `Accept`."""

from __future__ import annotations

from mocksandbox.exchange import FORM
from mocksandbox.fhir.search.limits import split_query
from mocksandbox.rules.attempt import Attempt

FHIR_JSON, JSON = "application/fhir+json", "application/json"
FORMATS = {"json": FHIR_JSON, FHIR_JSON: FHIR_JSON, JSON: JSON, "text/json": JSON}
"""The values of `_format` that are known, with the media type that each stands for (FHIR R4, RESTful API: mime types)."""


def preferred(attempt: Attempt, name: str) -> str:
    """The value of a preference (RFC 7240), `""` when it is not there."""
    for part in attempt.request.headers.get("Prefer", "").replace(";", ",").split(","):
        key, _, value = part.partition("=")
        if key.strip().lower() == name:
            return value.strip().strip('"')
    return ""


def is_strict(attempt: Attempt) -> bool:
    """Whether what would be passed over in silence is to be refused (`Prefer: handling=strict`)."""
    return preferred(attempt, "handling") == "strict"


def parameters_of(attempt: Attempt) -> tuple[tuple[str, str], ...]:
    """The parameters of a request: those in the URL, then those of the form, which is read once."""
    request = attempt.request
    if request.media_type != FORM or not request.body:
        return request.query
    kept: tuple[tuple[str, str], ...] | None = attempt.__dict__.get("_parameters")
    if kept is None:
        kept = (*request.query, *split_query(request.body.decode("utf-8", "replace")))
        attempt.__dict__["_parameters"] = kept
    return kept


def parameter(attempt: Attempt, name: str) -> str:
    """The first value of a parameter, `""` when there is none."""
    return next((value for key, value in parameters_of(attempt) if key == name), "")


def media_type(attempt: Attempt) -> str:
    """The media type of an answer: as `_format` says, else `Accept`; FHIR's own where both will do."""
    asked = format_of(parameter(attempt, "_format"))
    if asked:
        return asked
    accepted = [part.partition(";")[0].strip().lower() for part in attempt.request.headers.get("Accept", "").split(",")]
    plain = JSON in accepted and not {FHIR_JSON, "*/*", "application/*"} & set(accepted)
    return JSON if plain else FHIR_JSON


def format_of(text: str) -> str:
    """The media type that a value of `_format` stands for, `""` for none. A + in a URL may have become a space."""
    return FORMATS.get(text.partition(";")[0].strip().lower().replace(" ", "+"), "")
