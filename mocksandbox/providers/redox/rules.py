"""The catalogue of the Redox FHIR API: all rules, and for each operation the order in which they are looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from mocksandbox.contract import Contract, read_mapping
from mocksandbox.exchange import Exchange
from mocksandbox.fhir.strict import fhir_catalogue
from mocksandbox.providers.redox import defects as by
from mocksandbox.providers.redox.bundle_rules import BUNDLE_RULES
from mocksandbox.providers.redox.fhir_rules import message_rules_of_fhir
from mocksandbox.providers.redox.message_rules import MESSAGE_RULES
from mocksandbox.providers.redox.parts import BASE_PATH, FOLDER, SEARCHES, WRITES
from mocksandbox.providers.redox.place_rules import PLACE_RULES
from mocksandbox.providers.redox.promise import DOCUMENT_ONLY, RESPONSES
from mocksandbox.providers.redox.response_rules import redox_response_rules
from mocksandbox.rules import Catalogue, Message, Rule, messages_from
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.http import MESSAGES
from mocksandbox.rules.http import RULES as HTTP
from mocksandbox.rules.parameters import add_undeclared
from mocksandbox.rules.response import RESPONSE_MESSAGES, response_rules
from mocksandbox.rules.rule import Defect

_PARAMETER = frozenset({"http/parameter"})
_START = ("route", "token", "destination", "accept", "size-of-body", "media")
_WRITE = (*_START, "json", "document", "bundle", "message")
_SEARCH = (*_START, "size-of-search", "document", "search")
ORDER: Mapping[str, tuple[str, ...]] = {
    "": ("route", "token"),
    **dict.fromkeys(sorted(WRITES), _WRITE),
    **dict.fromkeys(sorted(SEARCHES), _SEARCH),
}
"""The document's schema decides before the rest where it is looked at. Who asks comes before what is asked for, so that nobody
learns from outside which destinations there are.
"""


def _own(id: str, *defects: Defect[Attempt], **changes: Any) -> Rule[Attempt]:
    """A rule of every HTTP API as it is here: without an error code, and with what else is said."""
    return replace(HTTP[id], **{"error": "", "defects": (*HTTP[id].defects, *defects), **changes})


def _also(id: str, *rules: str) -> Rule[Attempt]:
    """A rule of every HTTP API whose defects break these rules too."""
    return _own(id, defects=tuple(replace(each, also=each.also.union(rules)) for each in HTTP[id].defects))


def _document(id: str, *defects: Defect[Attempt]) -> Rule[Attempt]:
    """A rule about the document, with defects for this one."""
    return _own(id, defects=defects, profiles=DOCUMENT_ONLY, source="openapi.yaml#/paths")


def _with_verb(verb: str) -> Defect[Attempt]:
    return Defect(verb.lower(), lambda attempt: attempt.at_path(attempt.request.path, verb))


def _moved(name: str, path: Callable[[str], str]) -> Defect[Attempt]:
    return Defect(name, lambda attempt: attempt.at_path(path(attempt.request.path)))


HTTP_RULES: tuple[Rule[Attempt], ...] = (
    _own(
        "http/unknown-route",
        by.at_segment("no-dollar", 4, "write"),
        by.at_segment("other-resource", 3, "Foo"),
        by.at_segment("other-operation", 4, "$validate"),
        _moved("no-environment", lambda path: path.replace("/Development", "")),
        _moved("doubled-base", lambda path: BASE_PATH + path),
        why="There is no such resource or operation; most often the $ is missing, or the environment.",
        source=f"{RESPONSES}/NotFound",
    ),
    _own(
        "http/method-not-allowed",
        *map(_with_verb, ("GET", "PUT", "DELETE")),
        title="The verb is POST",
        why="Every operation is asked for with POST.",
        source=f"{RESPONSES}/Forbidden",
        status=403,
        issue="forbidden",
    ),
    _own("http/not-acceptable"),
    _own("http/body-too-large", why="Redox takes 10 MB.", source=f"{RESPONSES}/TooLarge"),
    _own("http/unsupported-media-type", Defect("xml", lambda a: a.with_header("Content-Type", "application/xml"), _PARAMETER)),
    _own("http/missing-body"),
    _own("http/malformed-json"),
    _also("http/not-an-object", "fhir/not-a-resource"),
    _document("http/parameter", Defect("source-id-not-a-uuid", lambda attempt: attempt.with_header("Redox-Source-Id", "abc"))),
    _document("http/unknown-parameter", Defect("misspelt", add_undeclared)),
    replace(_document("http/schema", by.bundle("no-id", ("id",), {}, "fhir/wrong-type")), operations=WRITES),
)


@cache
def messages() -> Mapping[str, Message]:
    """Every wording of the provider."""
    own = {key: entry for key, entry in read_mapping(FOLDER / "messages.yaml").items() if not key.startswith("token.")}
    return {**MESSAGES, **fhir_catalogue().messages, **messages_from(own)}


def request_catalogue(contract: Contract) -> Catalogue[Attempt]:
    """The rules about requests."""
    own = (*BUNDLE_RULES, *MESSAGE_RULES)
    return Catalogue((*HTTP_RULES, *PLACE_RULES, *own, *message_rules_of_fhir(contract, own)), messages(), ORDER)


def response_catalogue(contract: Contract) -> Catalogue[Exchange]:
    """The rules about answers."""
    rules = (*response_rules(contract), *redox_response_rules())
    return Catalogue(rules, {**RESPONSE_MESSAGES, **messages()}, dict.fromkeys(ORDER, ("response",)))
