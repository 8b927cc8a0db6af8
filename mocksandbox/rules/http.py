"""The rules of every HTTP API: there is such a route, the body can be read, the request is as the document says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from mocksandbox.contract import Miss, Operation, Violation
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.parameters import add_undeclared, undeclared_parameters
from mocksandbox.rules.places import MISSING, fhirpath, put
from mocksandbox.rules.rule import Defect, Hit, Message, Rule

MESSAGES = {
    message.key: message
    for message in (
        Message("http.unknown-route", "There is no {method} {path} here.{near}"),
        Message("http.method-not-allowed", "{path} does not take {method}; it takes {allowed}."),
        Message("http.not-acceptable", "Accept asks for {accept}; this API writes {offered}."),
        Message("http.unsupported-media-type", "{problem}; send Content-Type: {wanted}."),
        Message("http.body-too-large", "The body has {size} bytes; {limit} is the most."),
        Message("http.missing-body", "The request has no body; send {wanted}."),
        Message("http.malformed-json", "The body is not JSON: {problem}."),
        Message("http.not-an-object", "The body must be a JSON object, and is {found}."),
        Message("http.schema", "{at} {problem}"),
        Message("http.parameter", "{where} {at} {problem}"),
        Message("http.unknown-parameter", "There is no parameter {name} here.{near}"),
    )
}

JSON_NAMES: Mapping[type, str] = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}


def json_name(value: object) -> str:
    """What a JSON value is, for a person: `an array`, `a number`, …"""
    return JSON_NAMES.get(type(value), "a number")


def _unknown_route(attempt: Attempt) -> Iterator[Hit]:
    if isinstance(attempt.match, Miss) and not attempt.match.allowed:
        near = f" Nearest: {'; '.join(attempt.match.near)}." if attempt.match.near else ""
        values = {"method": attempt.request.method, "path": attempt.request.path, "near": near}
        yield "path", "http.unknown-route", values


def allowed_methods(attempt: Attempt) -> tuple[str, ...]:
    """The methods that the path takes, when the request has none of them; else nothing."""
    return attempt.match.allowed if isinstance(attempt.match, Miss) else attempt.match.literal


def _method_not_allowed(attempt: Attempt) -> Iterator[Hit]:
    if allowed := ", ".join(allowed_methods(attempt)):
        values = {"method": attempt.request.method, "path": attempt.request.path, "allowed": allowed}
        yield "path", "http.method-not-allowed", values


def _not_acceptable(attempt: Attempt) -> Iterator[Hit]:
    accept = attempt.request.headers.get("accept", "").strip()
    if not accept or attempt.operation is None:
        return
    offered = _offered(attempt.operation)
    if offered and accept not in offered and not any(_accepts(part, name) for part in accept.split(",") for name in offered):
        yield "header:Accept", "http.not-acceptable", {"accept": accept, "offered": " or ".join(sorted(offered))}


def _offered(operation: Operation) -> frozenset[str]:
    """The media types of an operation's answers; kept with the operation."""
    kept: frozenset[str] | None = operation.__dict__.get("_offered")
    if kept is None:
        names = (name for answer in operation.answers.values() for name in answer.content)
        kept = operation.__dict__["_offered"] = frozenset(name.partition(";")[0] for name in names)
    return kept


def _accepts(part: str, name: str) -> bool:
    media_range, _, parameters = part.strip().lower().partition(";")
    media_range = media_range.strip()
    if "q=0" in parameters.replace(" ", "").split(";"):
        return False
    family = name.partition("/")[0]
    return media_range in (name, "*/*", f"{family}/*")


def _unsupported_media_type(attempt: Attempt) -> Iterator[Hit]:
    operation, request = attempt.operation, attempt.request
    if operation is None or not operation.bodies or not request.body:
        return
    if request.media_type not in operation.bodies:
        problem = f"{request.media_type} is not read here" if request.media_type else "The body has no media type"
        yield "header:Content-Type", "http.unsupported-media-type", {"problem": problem, "wanted": _wanted(attempt)}


def _wanted(attempt: Attempt) -> str:
    return " or ".join(attempt.operation.bodies) if attempt.operation else ""


def _body_too_large(attempt: Attempt) -> Iterable[Hit]:
    size = len(attempt.request.body)
    return (("body", "http.body-too-large", {"size": size, "limit": attempt.max_body}),) if size > attempt.max_body else ()


def _takes_json(attempt: Attempt) -> bool:
    return attempt.operation is not None and any(name.endswith("json") for name in attempt.operation.bodies)


def _missing_body(attempt: Attempt) -> Iterator[Hit]:
    if attempt.operation and attempt.operation.body_required and not attempt.request.body:
        yield "body", "http.missing-body", {"wanted": _wanted(attempt)}


def _malformed_json(attempt: Attempt) -> Iterator[Hit]:
    if _takes_json(attempt) and attempt.parsed[1] is not None:
        yield "body", "http.malformed-json", {"problem": str(attempt.parsed[1])}


def _not_an_object(attempt: Attempt) -> Iterator[Hit]:
    if _takes_json(attempt) and attempt.body is not MISSING and not isinstance(attempt.body, dict):
        yield "body", "http.not-an-object", {"found": json_name(attempt.body)}


def place_of(violation: Violation, body: Any) -> str:
    """Where a violation stands: a FHIRPath below the body's resource type, or `header:NAME`, `query:NAME`, …"""
    if violation.where == "body":
        root = body.get("resourceType") if isinstance(body, dict) else None
        return fhirpath(violation.path, root if isinstance(root, str) and root.isalpha() else "") or "body"
    return f"{violation.where}:{violation.name}"


def _schema(attempt: Attempt) -> Iterator[Hit]:
    for violation in attempt.violations:
        if violation.where == "body" and _takes_json(attempt):
            at = place_of(violation, attempt.body)
            yield at, "http.schema", {"at": at, "problem": violation.problem}


def _parameter(attempt: Attempt) -> Iterator[Hit]:
    for violation in attempt.violations:
        if violation.where != "body":
            values = {"where": violation.where.capitalize(), "at": violation.name, "problem": violation.problem}
            yield place_of(violation, attempt.body), "http.parameter", values
        elif not _takes_json(attempt):  # a form: its fields are parameters too
            name = ".".join(map(str, violation.path)) or "body"
            yield f"form:{name}", "http.parameter", {"where": "Form field", "at": name, "problem": violation.problem}


_DEEP = 100_000


def _in_body(name: str, apply: Callable[[Attempt], Attempt], *also: str) -> Defect[Attempt]:
    """A defect of the body; a request without one is left as it is."""
    return Defect(name, lambda attempt: apply(attempt) if attempt.request.body else attempt, frozenset(also))


def _raw(name: str, body: bytes, *also: str) -> Defect[Attempt]:
    return _in_body(name, lambda attempt: attempt.with_raw(body), *also)


def _mistyped(attempt: Attempt) -> Attempt:
    return attempt.with_body(put(attempt.body, ("recorded",), 5)) if isinstance(attempt.body, dict) else attempt


RULES: Mapping[str, Rule[Attempt]] = {
    rule.id: rule
    for rule in (
        Rule(
            id="http/unknown-route",
            title="The path is one of the API's",
            why="A request to an unknown path reaches nothing; most often the base path is missing or doubled.",
            source="RFC 9110 section 15.5.5",
            operations=frozenset({""}),
            stage="route",
            status=404,
            issue="not-found",
            error="NOT_FOUND",
            find=_unknown_route,
            defects=(Defect("unknown-path", lambda attempt: attempt.at_path("/no-such-path")),),
        ),
        Rule(
            id="http/method-not-allowed",
            title="The path takes the method",
            why="The API has no such interaction with this path.",
            source="RFC 9110 section 15.5.6",
            operations=frozenset(),
            stage="route",
            status=405,
            issue="not-supported",
            error="NOT_SUPPORTED",
            find=_method_not_allowed,
            defects=(Defect("patch", lambda attempt: attempt.at_path(attempt.request.path, "PATCH")),),
        ),
        Rule(
            id="http/not-acceptable",
            title="Accept allows a media type that the API writes",
            why="The API has only FHIR JSON to give.",
            source="RFC 9110 section 15.5.7",
            operations=frozenset(),
            stage="accept",
            status=406,
            issue="not-supported",
            error="NOT_ACCEPTABLE",
            find=_not_acceptable,
            defects=(Defect("xml", lambda attempt: attempt.with_header("Accept", "application/fhir+xml")),),
        ),
        Rule(
            id="http/unsupported-media-type",
            title="The body has a media type that the API reads",
            why="A body of another type, or of none, cannot be read as what the document says.",
            source="RFC 9110 section 15.5.16",
            operations=frozenset(),
            stage="media",
            status=415,
            issue="not-supported",
            error="UNSUPPORTED_MEDIA_TYPE",
            find=_unsupported_media_type,
            defects=(
                _in_body("text", lambda attempt: attempt.with_header("Content-Type", "text/plain"), "http/parameter"),
                _in_body("none", lambda attempt: attempt.with_header("Content-Type", None), "http/parameter"),
            ),
        ),
        Rule(
            id="http/body-too-large",
            title="The body is not larger than the API reads",
            why="The service's platform takes 6 MB; more never reaches it.",
            source="RFC 9110 section 15.5.14",
            operations=frozenset(),
            stage="size-of-body",
            status=413,
            issue="too-long",
            error="PAYLOAD_TOO_LARGE",
            find=_body_too_large,
            defects=(Defect("limit-passed", lambda attempt: replace(attempt, max_body=len(attempt.request.body) - 1)),),
        ),
        Rule(
            id="http/missing-body",
            title="The request has a body",
            why="There is nothing to act on.",
            source="RFC 9110 section 15.5.1",
            operations=frozenset(),
            stage="json",
            status=400,
            issue="invalid",
            error="INVALID",
            find=_missing_body,
            defects=(_raw("no-bytes", b"", "http/schema"),),
        ),
        Rule(
            id="http/malformed-json",
            title="The body is JSON in UTF-8",
            why="What cannot be parsed cannot be stored.",
            source="RFC 8259",
            operations=frozenset(),
            stage="json",
            status=400,
            issue="invalid",
            error="INVALID",
            find=_malformed_json,
            defects=(
                _in_body("truncated", lambda attempt: attempt.with_raw(attempt.request.body[:-2]), "http/schema"),
                _raw("trailing-comma", b'{"resourceType": "Immunization",}', "http/schema"),
                _raw("not-utf-8", b'{"resourceType": "\xff"}', "http/schema"),
                _raw("utf-16", '{"resourceType": "Immunization"}'.encode("utf-16"), "http/schema"),
                _raw("nested-too-deep", b"[" * _DEEP + b"]" * _DEEP, "http/schema"),
                _raw("too-many-digits", b'{"value": ' + b"9" * 5000 + b"}", "http/schema"),
            ),
        ),
        Rule(
            id="http/not-an-object",
            title="The body is a JSON object",
            why="A resource is an object; a list or a bare value is none.",
            source="FHIR R4 JSON representation",
            operations=frozenset(),
            stage="json",
            status=400,
            issue="invalid",
            error="INVALID",
            find=_not_an_object,
            defects=tuple(
                _raw(name, body, "http/schema")
                for name, body in {"array": b"[]", "string": b'"x"', "number": b"1", "null": b"null", "true": b"true"}.items()
            ),
        ),
        Rule(
            id="http/parameter",
            title="Every parameter is as the document says",
            why="The document requires the parameter, or its form.",
            source="openapi.json#/components/parameters",
            operations=frozenset(),
            stage="document",
            status=400,
            issue="invalid",
            error="INVALID",
            find=_parameter,
            defects=(Defect("request-id-not-a-uuid", lambda attempt: attempt.with_header("X-Request-ID", "abc")),),
        ),
        Rule(
            id="http/unknown-parameter",
            title="Every parameter is one of the document's",
            why="A misspelt parameter is ignored in silence, and the answer is to another question.",
            source="openapi.json#/components/parameters",
            operations=frozenset(),
            stage="document",
            status=400,
            issue="invalid",
            error="INVALID",
            find=undeclared_parameters,
            defects=(Defect("misspelt", add_undeclared),),
        ),
        Rule(
            id="http/schema",
            title="The body is as the document's schema says",
            why="The document requires the element, or its form.",
            source="openapi.json#/paths",
            operations=frozenset(),
            stage="document",
            status=400,
            issue="invariant",
            error="INVARIANT",
            find=_schema,
            defects=(Defect("unknown-type", _mistyped),),
        ),
    )
}
