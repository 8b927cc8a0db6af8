#!/usr/bin/env python3
"""How fast payloads are made: ours, Faker asked for every field, and hypothesis-jsonschema on the document's schema.

`python tests/benchmarks/payloads.py` prints a table of rates per CPU second, medians of several rounds in turn (A B A B),
each with its ratio to ours. Peers that are not installed are said to be missing. hypothesis-jsonschema works up to hypothesis
6.170.9 only: `--peer-python` names the Python of an environment that has them.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any
from uuid import uuid4

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

ROUNDS = 5
BULK, COMPOSITE, PEER = 4000, 400, 400

SCHEMA_PROGRAM = """
import json, sys, time, warnings
from hypothesis import HealthCheck, given, settings
from hypothesis_jsonschema import from_schema
schema, seconds = json.load(sys.stdin), float(sys.argv[1])
made, started = 0, time.process_time()
class Enough(BaseException): pass
@settings(max_examples=100000, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(from_schema(schema))
def run(value):
    global made
    made += 1
    if time.process_time() - started > seconds:
        raise Enough
try:
    run()
except BaseException as error:
    if not isinstance(error, Enough) and made == 0:
        sys.exit(f"{type(error).__name__}: {str(error)[:200]}")
print(json.dumps([made, time.process_time() - started]))
"""


def in_bulk(style: str) -> Callable[[], int]:
    """Valid payloads of one style, to bytes."""

    def run() -> int:
        from mocksandbox.generators import payloads

        return sum(1 for payload in payloads("nhs", BULK, style=style) if payload.request.body)  # type: ignore[arg-type]

    return run


def in_histories() -> int:
    """Records of lives, to bytes."""
    from mocksandbox.generators import history

    return sum(1 for payload in history("nhs", "life", BULK) if payload.request.body)


def by_hypothesis() -> int:
    """Valid payloads drawn by Hypothesis."""
    from hypothesis import HealthCheck, Phase, given, settings

    from mocksandbox.generators.strategies import valid

    made = 0

    @settings(
        max_examples=COMPOSITE, deadline=None, database=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
    )
    @given(valid("nhs"))
    def run(payload: Any) -> None:
        nonlocal made
        made += 1

    run()
    return made


def broken_by_hypothesis() -> int:
    """Broken payloads drawn by Hypothesis, labelled."""
    from hypothesis import HealthCheck, Phase, given, settings

    from mocksandbox.generators.strategies import broken

    made = 0

    @settings(
        max_examples=COMPOSITE, deadline=None, database=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
    )
    @given(broken("nhs"))
    def run(payload: Any) -> None:
        nonlocal made
        made += 1

    run()
    return made


def by_faker() -> int:
    """The document's example with every value that varies asked of Faker: what people write themselves."""
    import orjson
    from faker import Faker

    from mocksandbox.provider import open_provider

    valid = open_provider("nhs").valid
    assert valid is not None
    text = orjson.dumps(valid("createImmunization").body)
    fake = Faker("en_GB")
    made = 0
    for _ in range(PEER):
        body = orjson.loads(text)
        patient, clinician = body["contained"][1], body["contained"][0]
        for person in (patient, clinician):
            person["name"] = [{"family": fake.last_name(), "given": [fake.first_name()]}]
        patient["identifier"][0]["value"] = fake.numerify("9990######")
        patient["birthDate"] = fake.date_of_birth(maximum_age=90).isoformat()
        patient["address"] = [{"postalCode": fake.postcode()}]
        patient["gender"] = fake.random_element(("male", "female", "other", "unknown"))
        body["identifier"][0]["value"] = str(uuid4())
        given_on = fake.date_time_between("-5y", "-1d")
        body["occurrenceDateTime"] = body["recorded"] = f"{given_on:%Y-%m-%dT%H:%M:%S}+00:00"
        body["expirationDate"] = fake.date_between("+1d", "+2y").isoformat()
        body["lotNumber"] = fake.bothify("??####?").upper()
        body["manufacturer"]["display"] = fake.company()
        body["protocolApplied"][0]["doseNumberPositiveInt"] = fake.random_int(1, 9)
        made += bool(orjson.dumps(body))
    return made


def by_schema(python: str, seconds: float) -> tuple[int, float] | str:
    """hypothesis-jsonschema on the schema of the document: (examples, CPU seconds), or why there are none."""
    from mocksandbox.provider import open_provider

    contract = open_provider("nhs").contract
    media = contract.operation("createImmunization").bodies["application/fhir+json"]
    schema = {**media.schema, "components": contract.document["components"]}  # what its references lead to
    done = subprocess.run(
        [python, "-c", SCHEMA_PROGRAM, str(seconds)], input=json.dumps(schema), capture_output=True, text=True, check=False
    )
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        return (done.stderr.strip().splitlines() or ["it failed"])[-1]
    made, used = json.loads(lines[-1])
    return made, used


def rate(task: Callable[[], int]) -> float:
    """Payloads per CPU second."""
    started = process_time()
    made = task()
    return made / (process_time() - started)


TASKS: dict[str, Callable[[], int]] = {
    "valid, typical": in_bulk("typical"),
    "valid, mixed": in_bulk("mixed"),
    "histories": in_histories,
    "Hypothesis, valid": by_hypothesis,
    "Hypothesis, broken and labelled": broken_by_hypothesis,
    "Faker for every field (peer)": by_faker,
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer-python", default=sys.executable)
    parser.add_argument("--peer-seconds", type=float, default=60)
    options = parser.parse_args()
    for task in TASKS.values():
        task()  # what is read once is read now
    rates: dict[str, list[float]] = {name: [] for name in TASKS}
    for _ in range(ROUNDS):
        for name, task in TASKS.items():
            rates[name].append(rate(task))
    ours = statistics.median(rates["valid, typical"])
    print("| what | payloads per CPU second (median) | min | max | ours is |")
    print("|---|---|---|---|---|")
    for name, measured in rates.items():
        middle = statistics.median(measured)
        print(f"| {name} | {middle:,.0f} | {min(measured):,.0f} | {max(measured):,.0f} | {ours / middle:,.1f} x |")
    found = by_schema(options.peer_python, options.peer_seconds)
    if isinstance(found, str):
        print(f"| hypothesis-jsonschema (peer) | {found} | | | |")
    else:
        made, used = found
        told = f"{ours * used / made:,.0f} x" if made else f"more than {ours * used:,.0f} x"
        print(f"| hypothesis-jsonschema (peer) | {made} in {used:.0f} s: {made / used:.2f} | | | {told} |")


if __name__ == "__main__":
    main()
