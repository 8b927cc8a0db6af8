"""What every answer of this server keeps, beyond its document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from mocksandbox import codec
from mocksandbox.contract import Contract
from mocksandbox.exchange import Exchange
from mocksandbox.fhir.server import interaction as names
from mocksandbox.fhir.server import interactions
from mocksandbox.fhir.server.preferences import FHIR_JSON
from mocksandbox.fhir.strict import fhir_rules
from mocksandbox.fhir.strict.judge import judge
from mocksandbox.rules import ALL, Defect, Hit, Rule
from mocksandbox.rules.places import MISSING, get

_ERRORS = frozenset(rule.id for rule in fhir_rules() if rule.severity == "error")


def _json(exchange: Exchange) -> dict[str, Any]:
    """The body when it is an object, else an empty one."""
    try:
        body = codec.loads(exchange.response.body)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _differs(at: str, problem: str, place: str = "body") -> Hit:
    return place, "answer-differs", {"at": at, "problem": problem}


def _not_fhir(exchange: Exchange) -> Iterator[Hit]:
    body = _json(exchange)
    for id, hits in judge(body).items() if body else ():
        if id in _ERRORS:
            for at, _, _ in hits:
                yield _differs(at, f"breaks {id}", at)


def _not_an_outcome(exchange: Exchange) -> Iterator[Hit]:
    body = _json(exchange)
    if exchange.response.status >= 400 and body and body.get("resourceType") != "OperationOutcome":
        yield _differs("The refusal", "is not an OperationOutcome")


def _other_version(exchange: Exchange) -> Iterator[Hit]:
    body, tag = _json(exchange), exchange.response.headers.get("ETag", "")
    meta = body.get("meta")
    version = meta.get("versionId") if isinstance(meta, dict) else None
    if exchange.response.status in (200, 201) and version is not None and tag != f'W/"{version}"':
        yield _differs("ETag", "must be the version of the body", "header:ETag")


def _elsewhere(exchange: Exchange) -> Iterator[Hit]:
    body, url = _json(exchange), exchange.response.headers.get("Location", "")
    here = f"/{body.get('resourceType')}/{body.get('id')}/_history/"
    if exchange.response.status in (200, 201) and "meta" in body and here not in url:
        yield _differs("Location", "must be the URL of the version in the body", "header:Location")


def _other_id(exchange: Exchange) -> Iterator[Hit]:
    body = _json(exchange)
    if exchange.response.status == 200 and body and f"/{body.get('id')}" not in exchange.request.path:
        yield _differs("The resource's id", "must be the one that was asked for")


def _no_self(exchange: Exchange) -> Iterator[Hit]:
    body = _json(exchange)
    links = body.get("link")
    relations = [each.get("relation") for each in links if isinstance(each, dict)] if isinstance(links, list) else []
    if exchange.response.status == 200 and body.get("resourceType") == "Bundle" and "self" not in relations:
        yield _differs("Bundle.link", "must have the relation self", "Bundle.link")


def _small_total(exchange: Exchange) -> Iterator[Hit]:
    body = _json(exchange)
    total, entries = body.get("total"), body.get("entry")
    if exchange.response.status != 200 or not isinstance(total, int) or not isinstance(entries, list):
        return
    modes = [each.get("search", {}).get("mode") for each in entries if isinstance(each, dict)]
    if total < sum(mode in ("match", None) for mode in modes):
        yield _differs("Bundle.total", "must not be smaller than the number of matches", "Bundle.total")


def _elsewhere_entry(exchange: Exchange) -> Iterator[Hit]:
    entries = _json(exchange).get("entry")
    if exchange.response.status != 200 or not isinstance(entries, list):
        return
    for index, entry in enumerate(entries):
        kind, id = get(entry, ("resource", "resourceType")), get(entry, ("resource", "id"))
        url = get(entry, ("fullUrl",))
        if isinstance(url, str) and id is not MISSING and not url.endswith(f"/{kind}/{id}"):
            at = f"Bundle.entry[{index}].fullUrl"
            yield _differs(at, "must be the URL of the resource", at)


def _edited(edit: Callable[[dict[str, Any]], dict[str, Any] | None]) -> Callable[[Exchange], Exchange]:
    def apply(exchange: Exchange) -> Exchange:
        body = _json(exchange)
        changed = edit(body) if body else None
        if changed is None:
            return exchange
        return replace(exchange, response=replace(exchange.response, body=codec.dumps(changed)))

    return apply


def _header(name: str, value: str) -> Callable[[Exchange], Exchange]:
    return lambda exchange: replace(exchange, response=exchange.response.with_header(name, value))


def _problem(exchange: Exchange) -> Exchange:
    refused = replace(exchange.response, status=400, body=b'{"resourceType": "Basic", "code": {"text": "wrong"}}')
    return replace(exchange, response=refused.with_header("Content-Type", FHIR_JSON))


def _entry(body: dict[str, Any], **changes: Any) -> dict[str, Any] | None:
    entries = body.get("entry")
    if not entries:
        return None
    return {**body, "entry": [{**entries[0], **changes}, *entries[1:]]}


def fhir_response_rules(contract: Contract) -> tuple[Rule[Exchange], ...]:
    """The rules, in no particular order: all are looked at."""
    reads, writes = (names.READ, names.VREAD), (names.CREATE, names.UPDATE)
    found = (names.SEARCH, names.COMPARTMENT, names.HISTORY, names.HISTORY_TYPE)

    def rule(
        id: str,
        title: str,
        why: str,
        page: str,
        find: Callable[[Exchange], Iterator[Hit]],
        of: tuple[str, ...],
        *by: Defect[Exchange],
    ) -> Rule[Exchange]:
        return Rule(
            id=f"evaluation/{id}",
            title=title,
            why=why,
            source=f"FHIR R4 {page}",
            operations=interactions(contract, *of) if of else frozenset(),
            stage="response",
            status=0,
            issue="",
            error="",
            find=find,
            defects=by,
            profiles=ALL,
        )

    return (
        rule(
            "answer-not-fhir",
            "Every body is FHIR R4",
            "Clients read it with FHIR libraries.",
            "resource.html",
            _not_fhir,
            (),
            Defect("unknown-element", _edited(lambda body: {**body, "colour": "red"}), frozenset({"http/response-body"})),
        ),
        rule(
            "refusal-not-an-outcome",
            "Every refusal is an OperationOutcome",
            "Clients read the reason from there.",
            "http.html#Status-Codes",
            _not_an_outcome,
            (),
            Defect("basic", _problem, frozenset({"http/response-body"})),
        ),
        rule(
            "other-version",
            "ETag is the version of the body",
            "The client sends it back with If-Match.",
            "http.html#versions",
            _other_version,
            (*reads, *writes),
            Defect("version-99", _header("ETag", 'W/"99"')),
        ),
        rule(
            "other-location",
            "Location is the URL of the version that was written",
            "It is where the client finds it again.",
            "http.html#create",
            _elsewhere,
            writes,
            Defect("elsewhere", _header("Location", "http://localhost/Basic/1/_history/1")),
        ),
        rule(
            "other-resource",
            "A read gives the resource that was asked for",
            "Another one is another patient's.",
            "http.html#read",
            _other_id,
            reads,
            Defect("other-id", _edited(lambda body: {**body, "id": "another"})),
        ),
        rule(
            "no-self-link",
            "A searchset or history has a self link",
            "It says what was looked for, of what was asked.",
            "search.html#conformance",
            _no_self,
            found,
            Defect("first-alone", _edited(lambda body: {**body, "link": [{"relation": "first", "url": "http://localhost"}]})),
        ),
        rule(
            "small-total",
            "The total is not smaller than the number of matches",
            "Clients count their pages by it.",
            "search.html#total",
            _small_total,
            found,
            Defect("none", _edited(lambda body: {**body, "total": 0} if body.get("entry") else None)),
        ),
        rule(
            "other-full-url",
            "An entry's fullUrl is the URL of its resource",
            "References are followed by it.",
            "bundle.html#bundle-unique",
            _elsewhere_entry,
            found,
            Defect("elsewhere", _edited(lambda body: _entry(body, fullUrl="http://localhost/Basic/1"))),
        ),
    )
