#!/usr/bin/env python3
"""What the pytest plugin costs: its import, the first fixture, each further test, and a request over the socket and without.

`python tests/benchmarks/plugin.py` prints a table of CPU times; `--check` fails where a promise is not kept: import
10 ms and 3 modules, first fixture 150 ms beyond flask, jsonschema-rs and openapi-core, reset 2 ms. Each number is the least of
several fresh interpreters (or, for resets, the median of many tests).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import process_time
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

INTERPRETERS = 5
TESTS = 300
PROVIDERS = ("nhs", "redox", "clinikapi", "evaluation")
MOST = {
    "import of the plugin": 10.0,
    "modules beyond pytest": 3.0,
    **{f"first fixture ({provider})": 150.0 for provider in PROVIDERS},
    "open and close a test": 2.0,
}
"""What is promised: milliseconds of CPU, or a number."""

IMPORT = """
import json, sys, time
import pytest
before, started = set(sys.modules), time.process_time()
import mocksandbox.pytest_plugin
spent = time.process_time() - started
ours = [name for name in set(sys.modules) - before if name.partition(".")[0] not in sys.stdlib_module_names]
print(json.dumps([spent * 1000, len(ours)]))
"""

FIRST = """
import json, sys, time
import flask, jsonschema_rs, openapi_core, werkzeug.serving, pytest
started = time.process_time()
from mocksandbox.consumer.options import Options, Wish
from mocksandbox.consumer.plugged import Plugged
from mocksandbox.consumer.view import SandboxView
plugged = Plugged(Options())
run = plugged.suite.open("test", Wish(plugged.suite.options))
view = SandboxView(plugged.suite, run, run.box(sys.argv[1]))
view.url
print(json.dumps([(time.process_time() - started) * 1000]))
plugged.suite.shut()
"""


def least(program: str, *arguments: str) -> list[float]:
    """The least of what several fresh interpreters print; from the second on they have everything compiled, as users have."""
    runs = []
    with tempfile.TemporaryDirectory() as cache:
        variables = {**os.environ, "PYTHONPYCACHEPREFIX": cache, "PYTHONDONTWRITEBYTECODE": ""}
        for _ in range(INTERPRETERS):
            command = [sys.executable, "-c", program, *arguments]
            done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, env=variables)
            runs.append(json.loads(done.stdout))
    return [min(column) for column in zip(*runs, strict=True)]


def resets() -> float:
    """Milliseconds of CPU for what a test costs beyond its requests: opening its run and its sandbox, the verdict, closing."""
    from mocksandbox.consumer.options import Options, Wish
    from mocksandbox.consumer.plugged import Plugged

    plugged = Plugged(Options())
    spent = []
    for number in range(TESTS):
        started = process_time()
        run = plugged.suite.open(f"test {number}", Wish(plugged.suite.options))
        run.box("nhs")
        run.watch()
        plugged.verdict(run)
        plugged.close(run)
        spent.append((process_time() - started) * 1000)
    plugged.suite.shut()
    return statistics.median(spent[1:])


def requests_each(*, socket: bool) -> float:
    """Milliseconds of CPU, the client's too, for one search."""
    import httpx

    from mocksandbox.consumer.options import Options, Wish
    from mocksandbox.consumer.plugged import Plugged
    from mocksandbox.consumer.view import SandboxView

    plugged = Plugged(Options())
    run = plugged.suite.open("test", Wish(plugged.suite.options))
    view = SandboxView(plugged.suite, run, run.box("nhs"))
    asked: dict[str, Any] = {
        "params": {"patient.identifier": "https://fhir.nhs.uk/Id/nhs-number|9449310475", "-immunization.target": "FLU"}
    }
    with httpx.Client(base_url=view.url) if socket else view.client() as client:
        client.get("/Immunization", **asked)
        started = process_time()
        for _ in range(TESTS):
            client.get("/Immunization", **asked)
        spent = process_time() - started
    plugged.suite.shut()
    return spent * 1000 / TESTS


def measure() -> dict[str, float]:
    """Every number, by its name."""
    spent, modules = least(IMPORT)
    found = {"import of the plugin": spent, "modules beyond pytest": modules}
    for provider in PROVIDERS:
        found[f"first fixture ({provider})"] = least(FIRST, provider)[0]
    found["open and close a test"] = resets()
    found["a request over the socket"] = requests_each(socket=True)
    found["a request in the process"] = requests_each(socket=False)
    return found


def main() -> int:
    """Print the table; 1 when a promise is not kept and `--check` was given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="fail where a promise is not kept")
    arguments = parser.parse_args()
    found = measure()
    for name, value in found.items():
        promised = f"  (promised: {MOST[name]:g})" if name in MOST else ""
        print(f"{name:28} {value:9.3f} {'' if 'modules' in name else 'ms CPU'}{promised}")
    return int(arguments.check and any(found[name] > most for name, most in MOST.items()))


if __name__ == "__main__":
    sys.exit(main())
