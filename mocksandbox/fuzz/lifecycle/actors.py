"""Who leads a life: the target and two references. Each has its own id and version of the record; the rest is the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mocksandbox import codec
from mocksandbox.exchange import Request, Response
from mocksandbox.fuzz.model import Step
from mocksandbox.fuzz.records import IDENTIFIER, RecordKind, new_id, version_of
from mocksandbox.generators.build import Template, templates
from mocksandbox.generators.draw import seeded
from mocksandbox.generators.labels import new_records
from mocksandbox.generators.samples import Made, make
from mocksandbox.generators.scene import scene
from mocksandbox.provider import Provider
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.places import MISSING, get, put

_OWN = (
    "nhs-number",
    "nhs-number-token",
    "identifier-value",
    "identifier-system",
    "identifier-token",
    "patient-id",
    "mrn",
    "uuid",
)
"""The kinds of values that tell one person and one record from others."""


@dataclass(frozen=True)
class Recipe:
    """How a life's requests are made: the same for all actors but for the record's id and version."""

    provider: Provider
    kind: RecordKind
    seed: int
    own: Mapping[str, Any]

    def made(self, operation: str, turn: int = 0, template: int = 0) -> Attempt:
        """The valid attempt of an operation with this life's person. Another `turn` has other values besides, and every other
        one has nothing that may be absent.
        """
        known = templates(self.provider.name, operation)
        chosen = known[template % len(known)]
        request = self._filled(chosen, turn).payload(self.seed).request
        provider = self.provider
        return Attempt(
            request,
            provider.contract,
            provider.contract.router.find(request.method, request.path),
            records=new_records(provider.name),
        )

    def _filled(self, template: Template, turn: int) -> Made:
        made = make((template,), seeded(self.seed + turn), "full")
        values = {**made.values, **{kind: value for kind, value in self.own.items() if kind in made.values}}
        return Made(template, values, template.optional if turn % 2 else ())

    def mentions(self, request: Request) -> bool:
        """Whether a request names this life's person or record, and so finds no others'."""
        text = request.url + request.body.decode("utf-8", "replace")
        values = (str(self.own[kind]) for kind in ("nhs-number", "identifier-value", "patient-id", "mrn"))
        return any(value in text for value in values)


def own_values(token: str) -> Mapping[str, Any]:
    """The values of a person and a record that no other life has."""
    values = scene(seeded(int(token, 16)), complete=True)
    return {kind: values[kind] for kind in _OWN}


@dataclass
class Actor:
    """One of the three: how it sends, and the record as it knows it."""

    recipe: Recipe
    send: Callable[[Request], Step]
    id: str = ""
    version: int = 1
    sent: Any = None
    steps: list[Step] = field(default_factory=list)

    def ask(self, request: Request) -> Response | None:
        """The answer to a request."""
        step = self.send(request)
        self.steps.append(step)
        return step.response

    def create(self, attempt: Attempt) -> Response | None:
        """Create the record, or try to."""
        answer = self.ask(attempt.request)
        if answer is not None and answer.status == 201:
            self.id = new_id(answer) or self.id
            self.version = version_of(answer) or 1
            self.sent = attempt.body
        return answer

    def about(self, attempt: Attempt, version: int | None = None) -> Attempt:
        """An attempt about this actor's record, at its version unless another is given."""
        provider = self.recipe.provider
        body = attempt.body
        identifier = get(self.sent, IDENTIFIER[:1])
        if isinstance(body, dict) and "identifier" in body and identifier is not MISSING:
            attempt = attempt.with_body(put(body, IDENTIFIER[:1], identifier))
        assert provider.about is not None
        return provider.about(attempt, self.id, self.version if version is None else version)

    def change(self, attempt: Attempt, version: int | None = None) -> Response | None:
        """Update or delete the record; the new version is remembered."""
        answer = self.ask(self.about(attempt, version).request)
        if answer is not None and answer.status < 300:
            self.version = version_of(answer) or self.version + (attempt.request.method in ("PUT", "PATCH"))
        return answer

    def plain(self, answer: Response) -> Any:
        """The body of an answer without what is this actor's own: its id and its URL are words. None when it is no JSON."""
        text = answer.body.decode("utf-8", "replace")
        if self.id:
            text = text.replace(self.id, "{id}")
        step = self.steps[-1] if self.steps else None
        if step is not None and step.request.base_url:
            text = text.replace(step.request.base_url, "{base}")
        try:
            return codec.loads(text.encode()) if text else None
        except ValueError:
            return None
