"""One FHIR server: its document, its types of resources, and what each operation does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from mocksandbox import __version__
from mocksandbox.contract import Contract
from mocksandbox.errors import TooCostlyError
from mocksandbox.exchange import Response
from mocksandbox.fhir.outcome import issue, operation_outcome
from mocksandbox.fhir.search import Types
from mocksandbox.fhir.server import interaction as names
from mocksandbox.fhir.server import reading, searching, writing
from mocksandbox.fhir.server.answers import answer, expression, refuse, written
from mocksandbox.fhir.server.capability import statement
from mocksandbox.fhir.server.conditions import existing
from mocksandbox.fhir.server.interaction import by_interaction, interactions
from mocksandbox.fhir.server.transaction import Run, response_bundle, run
from mocksandbox.provider import Effect
from mocksandbox.rules import Catalogue, Finding
from mocksandbox.rules.attempt import Attempt
from mocksandbox.store import Partition


@dataclass(frozen=True)
class FhirServer:
    """A server. `catalogue` gives its rules, which are written with it; `body_stages` are those that judge a resource on its
    own, and `profile` is the one by which the parts of a request are judged that no client sends by themselves.
    """

    contract: Contract
    types: Types
    catalogue: Callable[[], Catalogue[Attempt]]
    body_stages: tuple[str, ...]
    profile: str

    @cached_property
    def effects(self) -> Mapping[str, Effect]:
        """What each operation of the document does, by its id."""
        return {id: self._effect(each) for id, each in by_interaction(self.contract).items()}

    def _effect(self, asked: names.Interaction) -> Effect:
        row = self.types.get(asked.type)
        if asked.name == names.CAPABILITIES:
            return lambda attempt, _: answer(attempt, 200, self.capabilities(attempt.request.base_url))
        if asked.name == names.TRANSACTION:
            return self._bundle
        if asked.name in (names.SEARCH, names.COMPARTMENT):
            return partial(searching.find, types=self.types)
        assert row is not None, asked
        effects: Mapping[str, Effect] = {
            names.CREATE: self._create,
            names.READ: lambda attempt, _: reading.read(attempt, row),
            names.VREAD: lambda attempt, _: reading.vread(attempt, row),
            names.UPDATE: lambda attempt, records: writing.update(attempt, records, row, self.advice(attempt)),
            names.DELETE: lambda attempt, records: writing.delete(attempt, records, row),
            names.HISTORY: lambda attempt, records: reading.history(attempt, records, row),
            names.HISTORY_TYPE: lambda attempt, records: reading.history(attempt, records, row),
            names.VALIDATE: lambda attempt, _: self._validate(attempt),
        }
        return effects[asked.name]

    def _create(self, attempt: Attempt, records: Partition) -> Response:
        row = self.types[names.type_of(attempt)]
        return writing.create(attempt, records, row, self.advice(attempt), existing(attempt, self.types))

    def capabilities(self, base_url: str) -> dict[str, Any]:
        """The CapabilityStatement."""
        return statement(self.contract, self.types, base_url, __version__)

    def advice(self, attempt: Attempt) -> list[dict[str, Any]]:
        """What there is to say of a resource that is taken: warnings, or that there are none."""
        warnings = self.catalogue().warnings(attempt, attempt.operation.id if attempt.operation else "", self.profile)
        return _issues(warnings) or [issue("informational", "There is nothing to object to.", severity="information")]

    def judge(self, attempt: Attempt, kind: str, resource: Any) -> list[Finding]:
        """What is wrong with a resource on its own, as if it were to be created; warnings too."""
        made = attempt.at_path(f"/{kind}", "POST")
        made.__dict__["parsed"] = (resource, None)  # not written as JSON first: it may be nested deeper than writers go
        (operation,) = (
            id for id in interactions(self.contract, names.CREATE) if self.contract.operation(id).path == f"/{kind}"
        )
        stages = self.catalogue().stages(operation, self.profile)
        found = [each for name, rules in stages if name in self.body_stages for each in self.catalogue().findings(made, rules)]
        return [*found, *self.catalogue().warnings(made, operation, self.profile)]

    def _validate(self, attempt: Attempt) -> Response:
        """200 with an OperationOutcome, whatever the resource is worth (FHIR R4, Resource: $validate)."""
        kind, resource = names.type_of(attempt), attempt.body
        if resource.get("resourceType") == "Parameters":
            resource = _parameter_resource(resource)
        if not isinstance(resource, dict):
            missing = issue("required", "The parameter `resource` is missing.", ["Parameters.parameter"])
            return answer(attempt, 200, operation_outcome([missing]))
        issues = _issues(self.judge(attempt, kind, resource))
        good = issue("informational", f"This is a valid {kind}.", severity="information")
        return answer(attempt, 200, operation_outcome(issues or [good]))

    def run(self, attempt: Attempt) -> Run:
        """A transaction or batch, carried out on records of its own."""
        return run(attempt, self.types, self._handle)

    def _handle(self, attempt: Attempt, records: Partition) -> tuple[Sequence[Finding], Response]:
        operation = attempt.operation.id if attempt.operation else ""
        findings = self.catalogue().first(attempt, operation, self.profile)
        if findings:
            return findings, refuse(attempt, findings, self.profile, True)
        try:
            return (), self.effects[operation](attempt, records)
        except TooCostlyError as error:
            costly = issue("too-costly", str(error))
            return (), answer(attempt, 413, operation_outcome([costly]))

    def _bundle(self, attempt: Attempt, records: Partition) -> Response:
        ran = self.run(attempt)
        if ran.stopped:
            raise TooCostlyError(ran.stopped)
        for record in ran.records.written():
            records.put(record)
        return written(attempt, 200, response_bundle(attempt, ran))


def _issues(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    return [
        issue(each.rule.issue, each.prefix + each.message, expression(each.at), severity=each.rule.severity)
        for each in findings
    ]


def _parameter_resource(parameters: Mapping[str, Any]) -> Any:
    listed = parameters.get("parameter")
    for each in listed if isinstance(listed, list) else ():
        if isinstance(each, dict) and each.get("name") == "resource":
            return each.get("resource")
    return None
