"""Answers on demand: a scenario by its id, or any status that the document has."""

from __future__ import annotations

from mocksandbox.errors import UsageError
from mocksandbox.exchange import Response
from mocksandbox.provider import Provider, Scenario
from mocksandbox.provider.negotiate import documented_answer
from mocksandbox.rules import ALL, Finding, Rule
from mocksandbox.rules.attempt import Attempt
from mocksandbox.sandbox.failure import UNKNOWN_SCENARIO
from mocksandbox.sandbox.preferences import SCENARIO_HEADER, Preferences


def forced_answer(provider: Provider, attempt: Attempt, preferences: Preferences, profile: str) -> tuple[str, Response] | None:
    """The answer that a request asks for, with the scenario's id (`code=404` when it was asked by status); None when it asks
    for none, or for one that the operation does not have.
    """
    operation = attempt.operation
    if operation is None:
        return None
    if preferences.scenario:
        found = next((s for s in provider.scenarios if preferences.scenario == s.id and s.operation == operation.id), None)
        return (found.id, _forced(provider, attempt, found, preferences, profile)) if found else None
    if preferences.code:
        found = next((s for s in provider.scenarios if s.operation == operation.id and _status(s) == preferences.code), None)
        if found is not None:
            return _applied(preferences, _forced(provider, attempt, found, preferences, profile))
        refusal = _refused(provider, attempt, preferences, profile)
        if refusal is not None:
            return _applied(preferences, refusal)
    if preferences.code or preferences.example:
        answer = documented_answer(provider.contract, operation, preferences.code, preferences.example)
        return _applied(preferences, answer) if answer else None
    return None


def _applied(preferences: Preferences, response: Response) -> tuple[str, Response]:
    """An answer that was preferred, which says so (RFC 7240 section 3): a preference that is not known is ignored."""
    name = f"code={preferences.code}" if preferences.code else f"example={preferences.example}"
    return name, response.with_header("Preference-Applied", name)


def unknown_scenario(provider: Provider, attempt: Attempt, preferences: Preferences) -> Finding | None:
    """What is wrong with a request that demands a scenario which its operation does not have; None when it does not."""
    if not preferences.demanded or attempt.operation is None:
        return None
    operation, scenario = attempt.operation.id, preferences.scenario
    known = [each.id for each in provider.scenarios if each.operation == operation]
    says = str(UsageError(f"{SCENARIO_HEADER}: there is no scenario {scenario!r} of {operation}.", scenario, known))
    return Finding(UNKNOWN_SCENARIO, f"header:{SCENARIO_HEADER}", says)


def _refused(provider: Provider, attempt: Attempt, preferences: Preferences, profile: str) -> Response | None:
    """A documented refusal in the API's own shape: as the first rule with that status refuses. None when the document has an
    example of its own, or when no rule has the status.
    """
    operation, status = attempt.operation, preferences.code
    answer = operation.answer(status) if operation and status >= 400 else None
    if operation is None or answer is None or preferences.example or any(m.examples for m in answer.content.values()):
        return None
    for rule in provider.catalogue:
        if rule.status == status and profile in rule.profiles and (not rule.operations or operation.id in rule.operations):
            finding = Finding(rule, "", f"The answer {status} was asked for, with Prefer: code={status}.")
            return provider.refuse(attempt, [finding], profile, preferences.split)
    return None


def _status(scenario: Scenario) -> int:
    return int(scenario.forced["status"]) if scenario.forced else 0


def _forced(provider: Provider, attempt: Attempt, scenario: Scenario, preferences: Preferences, profile: str) -> Response:
    forced = scenario.forced or {"status": scenario.documented.status}
    if "issue" not in forced:
        assert attempt.operation is not None
        status = int(forced["status"])
        return documented_answer(provider.contract, attempt.operation, status) or Response(status)
    rule = Rule[Attempt](
        id=f"scenario/{scenario.id}",
        title=scenario.row,
        why="The request asked for this scenario.",
        source=scenario.source,
        operations=frozenset({scenario.operation}),
        stage="scenario",
        status=int(forced["status"]),
        issue=forced["issue"],
        error=forced.get("error", ""),
        find=lambda _: (),
        profiles=ALL,
    )
    finding = Finding(rule, forced.get("at", ""), forced.get("says", scenario.row))
    return provider.refuse(attempt, [finding], profile, preferences.split)
