"""What every answer of ClinikAPI keeps, beyond its document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from mocksandbox import codec
from mocksandbox.exchange import Exchange
from mocksandbox.providers.clinikapi.answers import JSON, KEY_CODES, TITLES
from mocksandbox.providers.clinikapi.promise import CREATE, READ, SEARCH, UPDATE
from mocksandbox.providers.clinikapi.search import PAGE
from mocksandbox.rules import ALL, Defect, Hit, Rule
from mocksandbox.rules.places import MISSING, get, put

_SUCCESS = (200, 201)
_LIMITS = {
    "rateLimitTotal": "X-RateLimit-Limit",
    "rateLimitRemaining": "X-RateLimit-Remaining",
    "rateLimitReset": "X-RateLimit-Reset",
}


def _body(exchange: Exchange) -> dict[str, Any]:
    return _object(exchange.response.body)


def _object(text: bytes) -> dict[str, Any]:
    try:
        body = codec.loads(text)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _differs(at: str, problem: str) -> Hit:
    return at, "response.differs", {"at": at, "problem": problem}


def _not_an_error(exchange: Exchange) -> Iterator[Hit]:
    body = _body(exchange)
    if exchange.response.status >= 400 and not (isinstance(body.get("code"), str) and body.get("issues")):
        yield _differs("body", "is not an error with a code and issues")


def _other_code(exchange: Exchange) -> Iterator[Hit]:
    status, code = exchange.response.status, _body(exchange).get("code")
    if status < 400 or not isinstance(code, str) or status not in TITLES:
        return
    if code not in (KEY_CODES if status == 401 else {TITLES[status][1]}):
        yield _differs("code", f"is not a code of the status {status}")


def _other_status(exchange: Exchange) -> Iterator[Hit]:
    status = get(_body(exchange), ("meta", "status"))
    if exchange.response.status in _SUCCESS and status not in (MISSING, exchange.response.status):
        yield _differs("meta.status", "is not the status of the answer")


def _other_limits(exchange: Exchange) -> Iterator[Hit]:
    for member, header in _LIMITS.items():
        told = get(_body(exchange), ("meta", member))
        if told is not MISSING and str(told) != exchange.response.headers.get(header, str(told)):
            yield _differs(f"meta.{member}", f"is not what {header} says")


def _other_record(exchange: Exchange) -> Iterator[Hit]:
    id = get(_body(exchange), ("data", "id"))
    if exchange.response.status == 200 and id not in (MISSING, exchange.request.path.rpartition("/")[2]):
        yield _differs("data.id", "is not the id that was asked for")


def _otherwise_created(exchange: Exchange) -> Iterator[Hit]:
    sent, made = _object(exchange.request.body), get(_body(exchange), ("data",))
    if exchange.response.status != 201 or not isinstance(made, dict):
        return
    if made.get("status") != sent.get("status"):
        yield _differs("data.status", "is not the status that was sent")
    if not str(get(made, ("patient", "reference"))).endswith(str(sent.get("patientId"))):
        yield _differs("data.patient.reference", "is not the patient that was sent")


def _page(exchange: Exchange) -> dict[str, Any]:
    page = _body(exchange).get("data")
    return page if exchange.response.status == 200 and isinstance(page, dict) else {}


def _long_page(exchange: Exchange) -> Iterator[Hit]:
    asked, given = dict(exchange.request.query).get("count", ""), _page(exchange).get("data")
    most = int(asked) if asked.isdecimal() and len(asked) < 4 else PAGE
    if isinstance(given, list) and len(given) > most:
        yield _differs("data.data", "has more records than were asked for")


def _lost_page(exchange: Exchange) -> Iterator[Hit]:
    page = _page(exchange)
    if isinstance(page.get("hasMore"), bool) and page["hasMore"] != ("cursor" in page):
        yield _differs("data.cursor", "is there when and only when hasMore is true")


_PERSONAL = (("patientId",), ("encounterId",), ("lotNumber",), ("note",), ("performer", 0, "actorId"))


def _echoed_value(exchange: Exchange) -> Iterator[Hit]:
    if exchange.response.status < 400:
        return
    sent = _object(exchange.request.body)
    told = " ".join(str(issue.get("diagnostics")) for issue in _issues(exchange))
    for path in _PERSONAL:
        value = get(sent, path)
        if isinstance(value, str) and len(value) >= 6 and any(char.isdigit() for char in value) and value in told:
            yield _differs("issues", f"repeat the value of {path[0]}")


def _issues(exchange: Exchange) -> list[dict[str, Any]]:
    issues = _body(exchange).get("issues")
    return [issue for issue in issues if isinstance(issue, dict)] if isinstance(issues, list) else []


def _edited(name: str, path: tuple[str | int, ...], value: Callable[[Any], Any], *also: str) -> Defect[Exchange]:
    """The answer's body with another value where there is one."""

    def apply(exchange: Exchange) -> Exchange:
        body = _body(exchange)
        if get(body, path) is MISSING:
            return exchange
        return _answered(exchange, body=codec.dumps(put(body, path, value(get(body, path)))))

    return Defect(name, apply, frozenset(also))


def _answered(exchange: Exchange, **changes: Any) -> Exchange:
    return replace(exchange, response=replace(exchange.response, **changes))


def _refused(name: str, change: Callable[[Exchange, dict[str, Any]], Any], *also: str) -> Defect[Exchange]:
    """The answer replaced by a refusal that is changed; `change` takes the exchange and a right refusal."""

    def apply(exchange: Exchange) -> Exchange:
        issue = {"severity": "error", "code": "invalid", "diagnostics": "count: must be a whole number"}
        right = {"error": "Bad Request", "code": "BAD_REQUEST", "requestId": "req_0", "issues": [issue]}
        changed = _answered(exchange, status=400, body=codec.dumps(change(exchange, right)))
        return replace(changed, response=changed.response.with_header("Content-Type", JSON))

    return Defect(name, apply, frozenset(also))


def _echo(exchange: Exchange, right: dict[str, Any]) -> Any:
    value = get(_object(exchange.request.body), ("patientId",))
    return put(right, ("issues", 0, "diagnostics"), f"patientId: {value} is unknown")


def clinikapi_response_rules() -> tuple[Rule[Exchange], ...]:
    """The rules, in no particular order: all are looked at."""
    body = "http/response-body"
    schemas = "/components/schemas"
    return (
        _rule(
            "refusal-not-an-error",
            "Every refusal has a code and issues",
            "Clients tell errors apart by the code, and show the issues.",
            f"{schemas}/Error",
            _not_an_error,
            _refused("problem-document", lambda _, __: {"title": "Bad Request", "status": 400}, body),
        ),
        _rule(
            "other-error-code",
            "The code of a refusal is one of its status",
            "A client that looks at either must come to the same end.",
            f"{schemas}/Error/properties/code",
            _other_code,
            _refused("not-found", lambda _, right: {**right, "code": "NOT_FOUND"}),
        ),
        _rule(
            "other-status-in-meta",
            "meta.status is the status of the answer",
            "It is there for clients that no longer have the answer itself.",
            f"{schemas}/Meta",
            _other_status,
            _edited("202", ("meta", "status"), lambda _: 202),
        ),
        _rule(
            "other-rate-limit-in-meta",
            "meta tells of the rate limit what the headers tell",
            "A client may read either.",
            f"{schemas}/Meta",
            _other_limits,
            _edited("one-more", ("meta", "rateLimitRemaining"), lambda left: left + 1),
        ),
        _rule(
            "other-record",
            "A record is answered under the id that was asked for",
            "Another record is another patient's.",
            f"{schemas}/Immunization",
            _other_record,
            _edited("other-id", ("data", "id"), lambda _: "another"),
            operations=frozenset({READ, UPDATE}),
        ),
        _rule(
            "otherwise-created",
            "A new record has the status and the patient that were sent",
            "What is stored otherwise than sent is a wrong vaccination.",
            f"{schemas}/Immunization",
            _otherwise_created,
            _edited("other-status", ("data", "status"), lambda old: "not-done" if old == "completed" else "completed"),
            _edited("other-patient", ("data", "patient", "reference"), lambda _: "Patient/pt_another"),
            operations=frozenset({CREATE}),
        ),
        _rule(
            "page-too-long",
            "A page has at most as many records as were asked for",
            "Clients size their work by it.",
            "/paths/~1immunizations/get/parameters/5",
            _long_page,
            _edited("all-at-once", ("data", "data"), lambda given: given * 101 if given else given),
            operations=frozenset({SEARCH}),
        ),
        _rule(
            "page-without-cursor",
            "There is a cursor when, and only when, there is more",
            "Without it the rest cannot be had; with it on the last page a client goes on for ever.",
            f"{schemas}/PageEnvelope",
            _lost_page,
            _edited("more", ("data", "hasMore"), lambda more: not more),
            operations=frozenset({SEARCH}),
        ),
        _rule(
            "echoed-value",
            "Diagnostics name members and do not repeat values",
            "Refusals end in logs, where no patient belongs.",
            "/components/responses/ValidationError",
            _echoed_value,
            _refused("patient-id", _echo),
            operations=frozenset({CREATE}),
        ),
    )


def _rule(
    name: str,
    title: str,
    why: str,
    source: str,
    find: Callable[[Exchange], Iterator[Hit]],
    *defects: Defect[Exchange],
    operations: frozenset[str] = frozenset(),
) -> Rule[Exchange]:
    return Rule(
        id=f"clinikapi/{name}",
        title=title,
        why=why,
        source=f"openapi.yaml#{source}",
        operations=operations,
        stage="response",
        status=0,
        issue="",
        error="",
        find=find,
        defects=defects,
        profiles=ALL,
    )
