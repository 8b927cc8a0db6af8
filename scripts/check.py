#!/usr/bin/env python3
"""Sets the project up in .venv with the developers' tools and runs its checks and tests.

`python3 scripts/check.py` runs them all; `python3 scripts/check.py lint types` only those. The names are in CHECKS. Every
check runs even when an earlier one failed; the exit code is 1 when any did.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping

import environment


def ruff(*arguments: str) -> int:
    """Run ruff from the root of the checkout."""
    return run("-m", "ruff", *arguments)


def run(*arguments: str, **variables: str) -> int:
    """Run the environment's Python from the root of the checkout; its exit code."""
    command = [str(environment.script("python")), *arguments]
    # What was installed comes first: a developer's PYTHONPATH must not decide what is checked.
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(command, cwd=environment.ROOT, env={**inherited, **variables}, check=False).returncode


def tests(*arguments: str, **variables: str) -> int:
    """Run pytest, on all processors."""
    return run("-m", "pytest", "--quiet", "--tb=short", "-n", "logical", *arguments, **variables)


def full() -> int:
    """Run the whole of the long tests, of which every other run takes a sample, and keep what they say in docs/: first all but
    the scores of the fuzzer (an hour), then those (many hours).
    """
    scores = "tests/mutants"
    return kept("full-run.txt", f"--ignore={scores}") | kept("full-scores.txt", scores)


def kept(page: str, *chosen: str) -> int:
    """Run long tests, and keep what they say on a page."""
    python = str(environment.script("python"))
    with subprocess.Popen(
        [python, "-m", "pytest", "-m", "heavy", "-v", "-s", "--no-header", "--durations=20", *chosen],
        cwd=environment.ROOT,
        env={**os.environ, "MOCKSANDBOX_FULL": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as running:
        assert running.stdout is not None
        lines = []
        for line in running.stdout:
            print(line, end="", flush=True)
            lines.append(line.replace(f"{environment.ROOT}/", "").rstrip())
    (environment.ROOT / "docs" / page).write_text("\n".join(lines).strip() + "\n", "utf-8")
    return running.returncode


CHECKS: Mapping[str, Callable[[], int]] = {
    "lint": lambda: ruff("check", ".") | ruff("format", "--check", "--quiet", "."),
    "types": lambda: run("scripts/static.py", "types"),
    "layers": lambda: run("scripts/static.py", "layers"),
    "docs": lambda: run("scripts/docs.py", "--check"),
    "test": tests,
}
OTHERS: Mapping[str, Callable[[], int]] = {
    "format": lambda: ruff("format", ".") | ruff("check", "--fix", "."),
    "write-docs": lambda: run("scripts/docs.py"),
    "full": lambda: full(),
}


def main(names: list[str]) -> int:
    """Run the named checks, or all of them; tests last, so that their count is the last line when all is well."""
    known = {**CHECKS, **OTHERS}
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"No check {', '.join(unknown)}. Known: {', '.join(known)}.", file=sys.stderr)
        return 2
    environment.prepare(dev=True)
    failed = [name for name in names or CHECKS if not passes(name, known[name])]
    if failed:
        print(f"{len(names or CHECKS) - len(failed)} checks passed, {len(failed)} failed: {', '.join(failed)}")
    return 1 if failed else 0


def passes(name: str, check: Callable[[], int]) -> bool:
    """Run one check and say how it went (pytest says that itself)."""
    print(f"== {name}", flush=True)
    started = time.monotonic()
    good = check() == 0
    if name not in ("test", "full"):
        print(f"== {name}: {'passed' if good else 'FAILED'} in {time.monotonic() - started:.1f} s", flush=True)
    return good


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
