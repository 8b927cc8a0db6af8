"""Which rules of a stage a record breaks: sixty rules in one function, for the records that break none or few."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mocksandbox.providers.nhs.fields import values_of
from mocksandbox.providers.nhs.promise import OF_PRESENCE, OF_RECORDS, OF_VALUES
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.rule import Rule


def sound(rules: Sequence[Rule[Attempt]]) -> Callable[[Attempt], Sequence[Rule[Attempt]]]:
    """A function that gives those of these rules, in their order, that an attempt breaks.

    It is written as Python: of each rule about a value only the test is left, and of most tests only a look at the value.
    """
    names: dict[str, Any] = {"values_of": values_of}
    lines = ["def broken(attempt):", " wrong = ()", " values = values_of(attempt)", " record = isinstance(attempt.body, dict)"]
    for place, rule in enumerate(rules):
        names[f"rule{place}"] = rule
        of_values = OF_VALUES.get(rule.find)
        if of_values is not None:
            number, check = of_values
            names[f"test{place}"] = check.test
            lines.append(f" for value in values[{number}]:")
            lines.append(f"  if not ({check.plain.format('value')}) and test{place}(value, attempt):")
            lines.append(f"   wrong += (rule{place},)")
            lines.append("   break")
            continue
        find = OF_RECORDS.get(rule.find, rule.find)
        lines.append(" if record:" if rule.find in OF_RECORDS else " if True:")
        if find in OF_PRESENCE:
            lines.append(f"  for value in values[{OF_PRESENCE[find]}]:")
            lines.append("   if value is not None:")
            lines.append("    break")
            lines.append("  else:")
        else:
            names[f"find{place}"] = find
            lines.append(f"  for _ in find{place}(attempt):")
        lines.append(f"   wrong += (rule{place},)")
        if find not in OF_PRESENCE:
            lines.append("   break")
    lines.append(" return wrong")
    exec(compile("\n".join(lines), "<rules about values>", "exec"), names)
    broken: Callable[[Attempt], Sequence[Rule[Attempt]]] = names["broken"]
    return broken
