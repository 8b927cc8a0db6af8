"""What a request asks of the mock itself: the `Prefer` header (RFC 7240) and the scenario header."""

from __future__ import annotations

from dataclasses import dataclass

from mocksandbox.exchange import Headers, Request

SCENARIO_HEADER = "X-Mocksandbox-Scenario"


@dataclass(frozen=True)
class Preferences:
    """What is preferred: an answer's status (`code`) or a named example, one issue for each finding (`outcome=split`), a
    fault, a scenario by id. Empty values mean no preference. `demanded` says that the scenario stands in the header that is
    the mock's own, and not among preferences, of which a server may ignore any.
    """

    code: int = 0
    example: str = ""
    split: bool = False
    fault: str = ""
    scenario: str = ""
    demanded: bool = False


NONE = Preferences()
"""No preference at all."""


def read_preferences(request: Request) -> Preferences:
    """The preferences of a request. What cannot be understood is ignored, as RFC 7240 says."""
    return request.headers.tell(_read)


def _read(headers: Headers) -> Preferences:
    prefer, scenario = headers.get("Prefer", ""), headers.get(SCENARIO_HEADER, "")
    if not prefer and not scenario:
        return NONE
    said: dict[str, str] = {}
    for part in prefer.replace(";", ",").split(","):
        name, _, value = part.partition("=")
        said.setdefault(name.strip().lower(), value.strip().strip('"'))
    code = said.get("code", "")
    return Preferences(
        code=int(code) if code.isdecimal() and len(code) == 3 else 0,
        example=said.get("example", ""),
        split=said.get("outcome") == "split",
        fault=said.get("fault", ""),
        scenario=scenario or said.get("scenario", ""),
        demanded=bool(scenario),
    )
