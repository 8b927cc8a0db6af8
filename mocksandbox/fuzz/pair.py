"""A target and the reference side by side: both get the same requests, each about its own records."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

from mocksandbox.exchange import Request
from mocksandbox.fuzz.model import Step
from mocksandbox.fuzz.records import IDENTIFIER, RecordKind, new_id, record_kinds, version_of
from mocksandbox.fuzz.reference import Reference, Right
from mocksandbox.fuzz.rewriting import Exchanged, fresh, rewritten, spellings
from mocksandbox.fuzz.transport import Target
from mocksandbox.generators.broken import whole
from mocksandbox.generators.build import templates
from mocksandbox.provider import Provider
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.places import get, put

MOST_WAIT = 5.0


class OutOfRequestsError(Exception):
    """The campaign has sent as many requests as it may."""


@dataclass
class Subject:
    """A record that the campaign made: its id and version on the target and in the reference, the identifier that it was
    given in the place of the one in the requests, and the steps that made it what it is.
    """

    kind: RecordKind
    id: str
    version: int
    right_id: str
    right_version: int
    renamed: Exchanged = ()
    steps: tuple[Step, ...] = ()


@dataclass
class Pair:
    """The target, the reference, and the requests that both have had. `seed` makes the valid requests; `nonce` what has to be
    new on a target that remembers. `pace` waits before each request.
    """

    provider: Provider
    target: Target
    seed: int
    nonce: str
    pace: Callable[[], None] = lambda: None
    most: int | None = None
    requests: int = 0
    made: list[tuple[RecordKind, str]] = field(default_factory=list)
    subjects: dict[str, Subject] = field(default_factory=dict)
    barren: set[str] = field(default_factory=set)
    persons: dict[str, dict[str, str]] = field(default_factory=dict)
    _count: int = 0

    def __post_init__(self) -> None:
        self.reference = Reference(self.provider)
        self.kinds = record_kinds(self.provider)
        self._bases: dict[tuple[str, int], tuple[Attempt, ...]] = {}

    @cached_property
    def remembers(self) -> bool:
        """Whether the target is to keep what is sent to it."""
        return self.provider.profile(None).remembers

    def bases(self, operation: str, seed: int | None = None) -> tuple[Attempt, ...]:
        """The valid attempts of an operation that cells of a seed, the campaign's own unless told, are made from."""
        key = operation, self.seed if seed is None else seed
        if key not in self._bases:
            known = templates(self.provider.name, operation)
            self._bases[key] = tuple(whole(template, key[1]) for template in known)
        return self._bases[key]

    def token(self) -> str:
        """Twelve characters that no other request of any campaign has."""
        self._count += 1
        return hashlib.sha256(f"{self.nonce}:{self._count}".encode()).hexdigest()[:12]

    def send(self, request: Request) -> Step:
        """A request to the target alone. Asked to wait (429), it waits a little and tries once more.

        Raises:
            OutOfRequestsError: the cap is reached.
        """
        step = self._sent(request)
        wait = step.response.headers.get("Retry-After", "") if step.response and step.response.status == 429 else ""
        if wait.isdecimal() and int(wait) <= MOST_WAIT:
            time.sleep(int(wait))
            return self._sent(request)
        return step

    def _sent(self, request: Request) -> Step:
        if self.most is not None and self.requests >= self.most:
            raise OutOfRequestsError
        self.pace()
        self.requests += 1
        step = self.target.send(request)
        self._noted(step)
        return step

    def _noted(self, step: Step) -> None:
        if step.response is None or step.response.status != 201 or step.request.method != "POST":
            return
        kind = next((each for each in self.kinds if each.collection == step.request.path), None)
        id = new_id(step.response)
        if kind is not None and id:
            self.made.append((kind, id))

    def both(self, request: Request, right_request: Request | None = None) -> tuple[Step, Right]:
        """A request to the target, and the same (or its like) to the reference."""
        return self.send(request), self.reference.answer(right_request or request)

    def subject(self, kind: RecordKind, near: str) -> Subject | None:
        """A record of a kind that the target and the reference hold, at its first version; None when the target makes none.
        `near` is the operation that is about it, whose own identifier it gets.
        """
        found = self.subjects.get(near)
        if found is not None:
            return found
        if not self.remembers or self.provider.about is None or near in self.barren:
            return None
        made = self.new_subject(kind, near)
        if made is None:
            self.barren.add(near)
        else:
            self.subjects[near] = made
        return made

    def new_subject(self, kind: RecordKind, near: str, renamed: Exchanged | None = None) -> Subject | None:
        """A record of its own, made now: with identifiers that no other has, unless they are given."""
        create = self.bases(kind.create)[0]
        body = create.body
        own = self.bases(near)[0].body
        if isinstance(own, dict) and isinstance(own.get("identifier"), list) and isinstance(body, dict):
            body = put(body, ("identifier",), own["identifier"])
        renamed = self.renamed([create.with_body(body)]) if renamed is None else renamed
        request = rewritten(create.request.with_json(body), renamed)
        step, right = self.both(request)
        right_id = new_id(right.response)
        if step.response is None or not 200 <= step.response.status < 300 or not right_id:
            return None
        id = new_id(step.response)
        if not id:
            return None
        version, right_version = version_of(step.response) or 1, version_of(right.response) or 1
        return Subject(kind, id, version, right_id, right_version, renamed, (step,))

    def renamed(self, bases: Iterable[Attempt]) -> Exchanged:
        """Exchanges that give new identifiers to the requests made from these attempts."""
        token = self.token()
        values = dict.fromkeys(get(base.body, IDENTIFIER) for base in bases if base.body is not None)
        return spellings(fresh(value, token) for value in values if isinstance(value, str) and len(value) > 2)

    def about(self, request: Request, operation: str, subject: Subject) -> tuple[Request, Request]:
        """A request about the documented record as two about a subject: the target's and the reference's."""
        base = self.bases(operation)[0]
        return (
            self._moved(request, base, subject.id, subject.version, subject.renamed),
            self._moved(request, base, subject.right_id, subject.right_version, subject.renamed),
        )

    def _moved(self, request: Request, base: Attempt, id: str, version: int, renamed: Exchanged) -> Request:
        moved = rewritten(request, ((base.id, id), *renamed))
        assert self.provider.about is not None
        other = self.provider.about(base, id, version).request
        for name, value in base.request.headers.pairs:
            if moved.headers.get(name) == value and other.headers.get(name, value) != value:
                moved = moved.with_header(name, other.headers[name])
        return moved

    def step_of(self, subject: Subject, step: str, near: str) -> Subject | None:
        """A subject after a step (`create` makes another one beside it); None when the target does not do it."""
        if step == "create":
            beside = self.new_subject(subject.kind, near, subject.renamed)
            return replace(beside, steps=(*subject.steps, *beside.steps)) if beside is not None else None
        operation = subject.kind.update if step == "update" else subject.kind.delete
        if not operation:
            return None
        request, right_request = self.about(self.bases(operation)[0].request, operation, subject)
        answer, right = self.both(request, right_request)
        if answer.response is None or answer.response.status >= 300 or right.response.status >= 300:
            return None
        right_version = self.reference.version(subject.right_id) or subject.right_version
        version = version_of(answer.response) or subject.version + right_version - subject.right_version
        return replace(subject, version=version, right_version=right_version, steps=(*subject.steps, answer))

    def broken(self, rule: str, defect: str, operation: str, subject: Subject) -> tuple[Request, Request]:
        """The requests about a subject that a rule's defect makes: the target's and the reference's."""
        base = self.bases(operation)[0]
        found = next(each for each in self.provider.catalogue[rule].defects if each.name == defect)
        assert self.provider.about is not None
        ours = found.apply(self.provider.about(base, subject.id, subject.version)).request
        theirs = found.apply(self.provider.about(base, subject.right_id, subject.right_version)).request
        return rewritten(ours, subject.renamed), rewritten(theirs, subject.renamed)

    def clean_up(self) -> int:
        """Delete the records that the campaign made, newest first; how many were deleted."""
        deleted = 0
        while self.made:
            kind, id = self.made.pop()
            if kind.delete and self.provider.about is not None:
                base = self.bases(kind.delete)[0]
                self.pace()
                step = self.target.send(self.provider.about(base, id, 1).request)
                self.requests += 1
                deleted += step.response is not None and step.response.status < 300
        return deleted
