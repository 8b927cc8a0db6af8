"""How the tables of this provider's rules are written: one call for a rule, with what most rules share as defaults."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from urllib.parse import parse_qsl, urlencode

from mocksandbox.exchange import FORM
from mocksandbox.fhir.search import ResourceType
from mocksandbox.fhir.server.interaction import interaction_of
from mocksandbox.providers.evaluation.table import TYPES
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.places import drop, put
from mocksandbox.rules.rule import ALL, Defect, Hit, Rule

SCHEMA, PARAMETER = "http/schema", "http/parameter"


def promise(
    id: str,
    title: str,
    why: str,
    source: str,
    find: Callable[[Attempt], Iterable[Hit]],
    defects: Iterable[Defect[Attempt]],
    *,
    stage: str,
    operations: frozenset[str],
    status: int = 400,
    issue: str = "invalid",
) -> Rule[Attempt]:
    """One rule, of every profile."""
    return Rule(
        id=f"evaluation/{id}",
        title=title,
        why=why,
        source=source,
        operations=operations,
        stage=stage,
        status=status,
        issue=issue,
        error="",
        find=find,
        defects=tuple(defects),
        profiles=ALL,
    )


def row_of(attempt: Attempt) -> ResourceType | None:
    """The type that an attempt is about."""
    return TYPES.get(interaction_of(attempt.operation).type)


def header(name: str, header_name: str, value: str | None, *also: str, needs: tuple[str, ...] = ()) -> Defect[Attempt]:
    """A header with another value, or without one."""
    return Defect(name, lambda attempt: attempt.with_header(header_name, value), frozenset(also), needs)


def query(name: str, parameter: str, value: str, *also: str, strict: bool = False) -> Defect[Attempt]:
    """One more parameter, in the URL or in the form; only for types that have it (control parameters all have)."""

    def apply(attempt: Attempt) -> Attempt:
        row, plain = row_of(attempt), parameter.partition(":")[0].partition(".")[0]
        if row is not None and plain and not plain.startswith("_") and plain not in row.search and not strict:
            return attempt
        return asking(attempt.with_header("Prefer", "handling=strict") if strict else attempt, (parameter, value))

    return Defect(name, apply, frozenset(also))


def asking(attempt: Attempt, *pairs: tuple[str, str]) -> Attempt:
    """The attempt with more parameters, where its operation looks for them."""
    if attempt.request.media_type == FORM:
        sent = parse_qsl(attempt.request.body.decode(), keep_blank_values=True)
        return attempt.with_raw(urlencode([*sent, *pairs]).encode())
    return attempt.with_query((*attempt.request.query, *pairs))


def at_id(name: str, id: str, *also: str) -> Defect[Attempt]:
    """Another id in the path; the body of an update has it too."""

    def apply(attempt: Attempt) -> Attempt:
        path = attempt.request.path.replace(f"/{attempt.id}", f"/{id}", 1)
        changed = attempt.at_path(path)
        if isinstance(attempt.body, dict) and "id" in attempt.body:
            changed = changed.with_body({**attempt.body, "id": changed.id})
        return changed

    return Defect(name, apply, frozenset(also))


def set_to(name: str, path: tuple[str | int, ...], value: object, *also: str) -> Defect[Attempt]:
    """A place of the body with another value."""
    return Defect(name, lambda attempt: attempt.with_body(put(attempt.body, path, value)), frozenset(also))


def without(name: str, path: tuple[str | int, ...], *also: str) -> Defect[Attempt]:
    """A body without what stands at a place."""
    return Defect(name, lambda attempt: attempt.with_body(drop(attempt.body, path)), frozenset(also))
