"""Leading a life: each action is done by the target and by two references, and what comes is compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from mocksandbox.exchange import Request, Response
from mocksandbox.fuzz.conforming import conforming
from mocksandbox.fuzz.judge import failures
from mocksandbox.fuzz.lifecycle import compare
from mocksandbox.fuzz.lifecycle.actors import Actor, Recipe, own_values
from mocksandbox.fuzz.lifecycle.plan import (
    AGAIN,
    CREATE,
    DELETE,
    READ,
    REFUSED,
    REFUSED_UPDATE,
    SPELLED,
    STALE,
    UPDATE,
    Sequence,
    versioned_template,
)
from mocksandbox.fuzz.model import Flaw, Step
from mocksandbox.fuzz.near import same_days
from mocksandbox.fuzz.pair import Pair
from mocksandbox.fuzz.reference import Reference
from mocksandbox.fuzz.transport import UNSENT
from mocksandbox.generators.build import templates
from mocksandbox.generators.spelling import SPELLINGS
from mocksandbox.rules.attempt import Attempt

FOUND = "found: "
"""Before what is wrong with a record that a search found."""

Answers = tuple[Response | None, Response | None, Response | None]


@dataclass
class Life:
    """One record from its creation on, made up from the campaign's seed and a number. `flaws` are what was wrong; after an
    answer of another class there is nothing left to compare, and the life ends. `shown` tells after how many of its steps a
    flaw, named by its identity, was seen.
    """

    pair: Pair
    twin: Reference
    sequence: Sequence
    number: int = 0
    flaws: list[Flaw] = field(default_factory=list)
    state: str = "new"
    ended: bool = False
    turn: int = 0
    before: Any = None
    shown: dict[str, int] = field(default_factory=dict)
    said: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        pair = self.pair
        recipe = Recipe(pair.provider, self.sequence.kind, pair.seed + self.number, own_values(pair.token()))
        self.recipe = recipe

        def by(reference: Reference) -> Actor:
            return Actor(
                recipe, lambda request: Step(replace(request, base_url=reference.base_url), reference.answer(request).response)
            )

        self.actors = (Actor(recipe, pair.send), by(pair.reference), by(self.twin))

    @property
    def steps(self) -> tuple[Step, ...]:
        """What was sent to the target, and what came."""
        return tuple(self.actors[0].steps)

    def lead(self) -> None:
        """Do it all."""
        first, _, rest = self.sequence.actions[0].partition(":")
        if first == REFUSED:
            self._refused_create(rest)
        elif first == SPELLED:
            self._spelled(rest)
        else:
            self._create(CREATE, None)
            for action in () if first == CREATE else self.sequence.actions:
                self._act(action)
        self._search(all_of_them=self.sequence.is_short)

    def _create(self, action: str, spelling: Any) -> None:
        attempt = self.recipe.made(self.sequence.kind.create)
        if spelling is not None:
            attempt = replace(attempt, request=replace(attempt.request, body=spelling(attempt.body)))
        self._do(action, self.sequence.kind.create, [actor.create(attempt) for actor in self.actors])
        self._observe(action)

    def _spelled(self, spelling: str) -> None:
        """The same JSON written otherwise. What is wrong with a record that is written plainly has another name."""
        plain = Life(self.pair, self.twin, replace(self.sequence, actions=(CREATE,)), self.number)
        plain._create(CREATE, None)
        self._create(self.sequence.actions[0], SPELLINGS[spelling])
        self.said = frozenset(flaw.observed for flaw in plain.flaws)
        self.flaws = [flaw for flaw in self.flaws if flaw.observed not in self.said]

    def _refused_create(self, name: str) -> None:
        """A create that has to be refused; the right one must be accepted after it, for the other has left nothing behind."""
        kind = self.sequence.kind
        good = self.recipe.made(kind.create)
        bad = self._broken(name, good)
        self._do(REFUSED, kind.create, [actor.create(bad) for actor in self.actors])
        if not self.ended:
            answers = [actor.create(good) for actor in self.actors]
            self._do(CREATE, kind.create, answers, as_kind="rejected-but-stored")

    def _broken(self, name: str, good: Attempt) -> Attempt:
        rule_id, _, defect_name = name.rpartition("/")
        rule = self.pair.provider.catalogue[rule_id]
        return next(each for each in rule.defects if each.name == defect_name).apply(good)

    def _act(self, action: str) -> None:
        if self.ended:
            return
        kind = self.sequence.kind
        verb, _, rest = action.partition(":")
        self.turn += 1
        if verb == AGAIN:
            attempt = self.recipe.made(kind.create)
            self._do(AGAIN, kind.create, [actor.create(attempt) for actor in self.actors])
        elif verb == DELETE:
            attempt = self.recipe.made(kind.delete)
            self._do(DELETE, kind.delete, [actor.change(attempt) for actor in self.actors])
        elif verb == REFUSED_UPDATE:
            answers = [
                actor.ask(self._broken(rest, actor.about(self.recipe.made(kind.update, self.turn))).request)
                for actor in self.actors
            ]
            self._do(REFUSED_UPDATE, kind.update, answers)
        else:
            self._update(verb)
        self._observe(verb)

    def _update(self, verb: str) -> None:
        kind, provider = self.sequence.kind, self.pair.provider
        if verb == STALE:
            # On a record that was never updated, the version that it will have is as wrong as one that it had.
            attempt = self.recipe.made(kind.update, self.turn, versioned_template(provider, kind.update) or 0)
            answers = [actor.change(attempt, actor.version - 1 or actor.version + 1) for actor in self.actors]
            self._do(STALE, kind.update, answers)
        else:
            count = len(templates(provider.name, kind.update))
            # With nothing that may be absent, the plainest shape: of others, lists of empty objects would be left.
            attempt = self.recipe.made(kind.update, self.turn, 0 if self.turn % 2 else self.turn % count)
            self._do(UPDATE, kind.update, [actor.change(attempt) for actor in self.actors])

    def _do(self, action: str, operation: str, answers: list[Response | None], as_kind: str = "") -> None:
        """Compare the answers to an action, and follow the reference's state."""
        step = self.actors[0].steps[-1]
        target, right = answers[0], answers[1]
        if step.failure.startswith(UNSENT):
            self.ended = True
            return
        failed = failures(operation, (), step)
        if failed or target is None or right is None:
            self.flaws += failed
            self.ended = True
            return
        self.flaws += conforming(self.pair.provider, step)
        if target.status == 429:
            self.ended = True
        elif target.status != right.status:
            flaw = compare.status_flaw(action, self.state, operation, target, right)
            self.flaws.append(replace(flaw, kind=as_kind) if as_kind and target.status >= 400 else flaw)
            self.ended = compare.other_class(target, right)
        else:
            told = compare.told_flaw(self.pair.provider, operation, self.state, target, right)
            version = compare.version_flaw(operation, action, target, right)
            self.flaws += [flaw for flaw in (told, version) if flaw is not None]
        if right.status < 300:
            changed = {DELETE: "deleted", CREATE: "live", AGAIN: "live", UPDATE: "live", STALE: "live"}
            self.state = changed.get(action.partition(":")[0], "live" if action.startswith(SPELLED) else self.state)
        self._note()

    def _note(self) -> None:
        for flaw in self.flaws:
            self.shown.setdefault(flaw.identity, len(self.actors[0].steps))

    def _observe(self, action: str) -> None:
        """Read the record."""
        kind = self.sequence.kind
        if self.ended or not kind.read or not all(actor.id for actor in self.actors):
            return
        attempt = self.recipe.made(kind.read)
        answers = [actor.ask(actor.about(attempt).request) for actor in self.actors]
        self._do(READ, kind.read, answers)
        bodies = [actor.plain(answer) for actor, answer in zip(self.actors, answers, strict=True) if answer is not None]
        if self.ended or len(bodies) != 3 or answers[1] is None or answers[1].status >= 300:
            return
        body, wanted, twin = bodies
        spoiled = "rejected-but-stored" if action == REFUSED_UPDATE else "read-your-write"
        kind_of_flaw = "metamorphic" if action.startswith(SPELLED) else spoiled
        found = list(compare.place_flaws(kind_of_flaw, kind.read, body, wanted, twin))
        if spoiled == "rejected-but-stored" and self.before is not None and body == self.before[0]:
            found = []  # as it was before: that it was wrong then has been said
        if found and self.before is not None and body == self.before[0] and wanted != self.before[1]:
            found = [Flaw("stale-read", kind.read, (), "the newest version", "the version before")]
        self.flaws += found
        self.before = (body, wanted)
        self._note()

    def _search(self, *, all_of_them: bool) -> None:
        if self.ended:
            return
        results: dict[str, list[tuple[bool, bool]]] = {}
        for operation in self.sequence.kind.searches:
            for name, attempt in self._searches(operation, all_of_them):
                if self.recipe.mentions(attempt.request) and not self.ended:
                    results.setdefault(name, []).extend(self._searched(operation, attempt.request))
        for each in results.values():
            if len({right for _, right in each}) == 1 and len({found for found, _ in each}) == 2:
                first, *_ = self.sequence.kind.searches
                self.flaws = [flaw for flaw in self.flaws if flaw.kind not in ("search-missing", "search-ghost")]
                self.flaws.append(Flaw("metamorphic", first, (), "GET and POST find the same", "they find different records"))

    def _searches(self, operation: str, all_of_them: bool) -> Iterator[tuple[str, Attempt]]:
        """The searches that are made, each with a name: of every shape, and of one day, or the plainest one."""
        for number in range(len(templates(self.pair.provider.name, operation)) if all_of_them else 1):
            attempt = self.recipe.made(operation, 0, number)
            yield f"{number}", attempt
            for day, make_it in same_days(attempt) if all_of_them else ():
                yield f"{number} {day}", make_it()

    def _searched(self, operation: str, request: Request) -> Iterator[tuple[bool, bool]]:
        answers = [actor.ask(request) for actor in self.actors]
        self._do("search", operation, answers)
        bodies = [actor.plain(answer) for actor, answer in zip(self.actors, answers, strict=True) if answer is not None]
        if self.ended or len(bodies) != 3 or answers[1] is None or answers[1].status >= 300:
            return iter(())
        found, wanted, twin = (compare.found_records(body) for body in bodies)
        if wanted and not found:
            self.flaws.append(Flaw("search-missing", operation, (), "the record", f"no {self.state} record"))
        elif found and not wanted:
            self.flaws.append(Flaw("search-ghost", operation, (), "no record", f"a {self.state} record"))
        else:
            self.flaws += compare.entry_flaws(operation, bodies[0], bodies[1])
            if found and wanted and twin:
                known = self.said | {flaw.observed for flaw in self.flaws if flaw.kind == "read-your-write"}
                flaws = compare.place_flaws("read-your-write", operation, found[0], wanted[0], twin[0], FOUND)
                # What a read does not give back either is the store's doing, and not the search's.
                self.flaws += [flaw for flaw in flaws if flaw.observed.removeprefix(FOUND) not in known]
        self._note()
        return iter([(bool(found), bool(wanted))])
