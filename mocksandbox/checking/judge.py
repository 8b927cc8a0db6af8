"""Judging a record: everything that is wrong with it, as the API would find it and as FHIR has it."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from mocksandbox.checking.mending import nearest
from mocksandbox.checking.sources import Document
from mocksandbox.errors import UsageError
from mocksandbox.exchange import Headers, Request
from mocksandbox.fhir.strict import fhir_catalogue
from mocksandbox.fhir.strict.definitions import resource_types
from mocksandbox.provider import Provider
from mocksandbox.rules import Finding
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.places import MISSING, Path, fhirpath

UNREADABLE, TWICE, NO_NUMBER = "json/unreadable", "json/duplicate-key", "json/not-a-number"
"""What is wrong with the text before it is anything else (RFC 8259)."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: in which file, on which line, at which place, by which rule, in words. `severity` is `error`
    for what is refused and `warning` for the rest. `first` says that the API itself answers with this one: it stops at the
    first stage where it finds something. `nearest` is what the value was probably meant to be.
    """

    file: str
    line: int
    at: str
    rule: str
    message: str
    severity: str = "error"
    first: bool = False
    nearest: Any = None
    why: str = ""


@dataclass(frozen=True)
class Judge:
    """Who judges: a provider, one of its operations (the fitting one when it is empty), a profile, whether what is wrong FHIR
    is an error even where the API takes it, and as of which time (now when it is None).
    """

    provider: Provider
    operation: str = ""
    profile: str = ""
    strict_fhir: bool = False
    as_of: datetime | None = None

    @cached_property
    def _sent(self) -> Mapping[str, Attempt]:
        """The valid requests by operation, of those operations that are sent records."""
        assert self.provider.valid is not None, "the command line has made sure"
        valid = {each.id: self.provider.valid(each.id) for each in self.provider.contract.operations}
        return {id: self._then(attempt) for id, attempt in valid.items() if isinstance(attempt.body, dict | list)}

    @cached_property
    def _asked_for(self) -> Mapping[str, Attempt]:
        return {id: attempt for id, attempt in self._sent.items() if self.operation in ("", id)}

    @cached_property
    def takes(self) -> frozenset[str]:
        """The types of the resources that the API is sent; empty where it is sent none."""
        return frozenset(_root(attempt.body) for attempt in self._asked_for.values()) - {""}

    @property
    def takes_bundles(self) -> bool:
        """Whether a Bundle is what the API is sent; else a Bundle is a pile of records."""
        return "Bundle" in self.takes

    @property
    def takes_arrays(self) -> bool:
        """Whether an array is what the API is sent; else an array is a pile of records."""
        return any(isinstance(attempt.body, list) for attempt in self._asked_for.values())

    def left_out(self, document: Document) -> str | None:
        """The type of an entry of a Bundle that is of another type than the API is sent, as those that a search has included;
        "" for an entry without a resource; None for what is to be judged.
        """
        if document.value is MISSING and document.unreadable is None:
            return ""
        kind = _root(document.value) if document.within.rpartition(".")[2] == "resource" else ""
        return kind if self.takes and kind not in self.takes and kind in resource_types() else None

    def problems(self, document: Document) -> list[Problem]:
        """What is wrong with a record, in the order of its lines.

        Raises:
            UsageError: the operation is sent no records.
        """
        if document.unreadable is not None:
            words, line = document.unreadable
            return [Problem(document.file, line, document.within or "body", UNREADABLE, words, first=True)]
        found = [*self._of_text(document), *self._of_rules(document)]
        return sorted(found, key=lambda problem: problem.line)

    def _of_text(self, document: Document) -> Iterator[Problem]:
        for path, line in document.lines.twice:
            words = f"{path[-1]} comes twice in one object: readers differ in which they take"
            yield Problem(document.file, line, _written(document, _root(document.value), path), TWICE, words)
        for path, line in document.lines.no_numbers:
            words = "is no number that JSON knows: leave the element out"
            yield Problem(document.file, line, _written(document, _root(document.value), path), NO_NUMBER, words)

    def _of_rules(self, document: Document) -> Iterator[Problem]:
        attempt = self._attempt(document.value)
        operation = attempt.operation.id if attempt.operation else ""
        profile = self.profile or self.provider.default_profile
        refused = _staged(self.provider, attempt, operation, profile)
        places: set[str] = set()
        for finding, first in refused:
            # A later stage stumbles over the same value again, for the same reason.
            if first or finding.at not in places:
                places.add(finding.at)
                yield self._problem(document, attempt, finding, "error", first)
        for finding in self.provider.catalogue.warnings(attempt, operation, profile):
            yield self._problem(document, attempt, finding, "warning", False)
        if self.strict_fhir:
            yield from self._of_fhir(document, attempt, places)
        for other in self.provider.profiles if not self.profile else ():
            for finding, _ in _staged(self.provider, attempt, operation, other):
                # What only the document forbids: the API takes it, and need not.
                if finding.at not in places:
                    places.add(finding.at)
                    yield self._problem(document, attempt, finding, "warning", False)
        if not self.strict_fhir:
            yield from self._of_fhir(document, attempt, places)

    def _of_fhir(self, document: Document, attempt: Attempt, places: set[str]) -> Iterator[Problem]:
        if not _root(attempt.body):
            return
        if any(rule.id.startswith("fhir/") for rule in self.provider.catalogue):
            return  # they are the API's own rules, and have been asked
        for finding in fhir_catalogue().all(attempt.body, "", "integration"):
            if finding.at not in places:
                places.add(finding.at)
                yield self._problem(document, attempt, finding, "error" if self.strict_fhir else "warning", False)
        for finding in fhir_catalogue().warnings(attempt.body, "", "integration") if self.strict_fhir else ():
            yield self._problem(document, attempt, finding, "warning", False)

    def _problem(self, document: Document, attempt: Attempt, finding: Finding, severity: str, first: bool) -> Problem:
        path = path_of(finding.at)
        return Problem(
            file=document.file,
            line=document.lines.nearest(path or ()),
            at=f"{document.within} > {finding.at}" if document.within else finding.at,
            rule=finding.rule.id,
            message=finding.message,
            severity=severity,
            first=first,
            nearest=nearest(self.provider, attempt, finding, path) if path else None,
            why=finding.rule.why,
        )

    def _attempt(self, value: Any) -> Attempt:
        """The request that would send a value: of the operation asked for, or of the one that fits it best. A line that
        `mocksandbox generate` wrote is the whole request already.
        """
        generated = self._generated(value)
        if generated is not None:
            return generated
        candidates = self._asked_for.values()
        if not candidates:
            raise UsageError(f"{self.operation or self.provider.name} takes no record.", "", self._sent)
        kind = _root(value)
        fitting = [each for each in candidates if not kind or _root(each.body) in ("", kind)] or candidates
        attempts = [self._sending(each, value) for each in fitting]
        return min(attempts, key=self._count)

    def _count(self, attempt: Attempt) -> int:
        operation = attempt.operation.id if attempt.operation else ""
        return len(_staged(self.provider, attempt, operation, self.profile or self.provider.default_profile))

    def _sending(self, template: Attempt, value: Any) -> Attempt:
        sending = template.with_body(value)
        id = value.get("id") if isinstance(value, dict) else None
        if isinstance(id, str) and self.provider.about and re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", id):
            sending = self.provider.about(sending, id, 1)
        return sending

    def _generated(self, value: Any) -> Attempt | None:
        if not isinstance(value, dict) or not {"operation", "method", "path", "verdict"} <= value.keys():
            return None
        request = Request(str(value["method"]), str(value["path"]), headers=Headers(_pairs(value.get("headers"))))
        request = replace(request, query=tuple(_pairs(dict(value.get("query") or ()))))
        contract = self.provider.contract
        if value.get("body") is not None:
            request = request.with_json(value["body"])
        elif isinstance(value.get("raw"), str):
            try:
                request = replace(request, body=base64.b64decode(value["raw"], validate=True))
            except binascii.Error:
                return None
        return self._then(Attempt(request, contract, contract.router.find(request.method, request.path)))

    def _then(self, attempt: Attempt) -> Attempt:
        return attempt if self.as_of is None else replace(attempt, now=self.as_of)


def _pairs(value: Any) -> list[tuple[str, str]]:
    return [(str(name), str(item)) for name, item in value.items()] if isinstance(value, Mapping) else []


def _staged(provider: Provider, attempt: Attempt, operation: str, profile: str) -> list[tuple[Finding, bool]]:
    """What is found in the stages that need no records, each with whether it is of the first stage that finds anything."""
    found: list[tuple[Finding, bool]] = []
    for stage, rules in provider.catalogue.stages(operation, profile):
        if stage not in provider.stateful:
            first = not found
            found += [(finding, first) for finding in provider.catalogue.findings(attempt, rules)]
    return found


def _root(value: Any) -> str:
    kind = value.get("resourceType") if isinstance(value, dict) else None
    return kind if isinstance(kind, str) else ""


_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")


def path_of(at: str) -> Path | None:
    """The path within a record of a FHIRPath that a rule named; None for what is not in the record."""
    if ":" in at.partition(".")[0] or at in ("body", "path", "query", "status", ""):
        return None
    steps = [name or int(index) for name, index in _STEP.findall(at)]
    return tuple(steps[1:] if steps and isinstance(steps[0], str) and steps[0][:1].isupper() else steps)


def _written(document: Document, root: str, path: Path) -> str:
    at = fhirpath(path, root)
    return f"{document.within} > {at}" if document.within else at
