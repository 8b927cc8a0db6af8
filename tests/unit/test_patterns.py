"""No regular expression of ours runs away: each is given, in a process with a time limit, texts that nearly match."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIMIT = 120.0
"""Seconds for all of them. A pattern that backtracks over each way to read 60 characters needs years for one."""

PROGRAM = r"""
import ast, importlib, re, sys
from pathlib import Path

LEFT_OUT = ("mocksandbox.__main__", "mocksandbox.schemathesis_bridge", "mocksandbox.pytest_plugin")
FILES = [*sorted(Path("mocksandbox").rglob("*.py")), *sorted(Path("generators").rglob("*.py"))]
NAMES = [".".join(file.with_suffix("").parts).removesuffix(".__init__") for file in FILES]
NAMES = [name if name.startswith("mocksandbox") else f"mocksandbox.{name}" for name in NAMES]
PARTS = ["a", "Z", "0", "9", " ", "\t", "-", ".", ":", "/", "|", "_", "%", '"', "\\", "=", "+", ",", "<", "e", "é",
         "a ", " a", "a-", "0.", ".0", "0-", "a.", "a/", "ab", "0a", '\\"', "%2", "a|", "a=", "a,", "Aa0", "urn:"]
TEXTS = [f"{head}{part * 60}{tail}" for part in PARTS for head in ("", "a", "2020-01-01T", '"', "urn:oid:1")
         for tail in ("", "  ", "!", "\n", "\0", "a!")]

def patterns(value, depth=0):
    if type(value) is type(len):
        value = value.__self__
    if isinstance(value, re.Pattern):
        yield value
    elif depth < 4 and isinstance(value, dict):
        for each in value.values():
            yield from patterns(each, depth + 1)
    elif depth < 4 and isinstance(value, (list, tuple, set, frozenset)):
        for each in value:
            yield from patterns(each, depth + 1)

found = {}
for module in NAMES:
    if not module.startswith(LEFT_OUT):
        for name, value in vars(importlib.import_module(module)).items():
            for pattern in patterns(value):
                found.setdefault((pattern.pattern, pattern.flags), f"{module}.{name}")
for file in FILES:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") == "re":
            if node.func.attr != "escape" and node.args and isinstance(node.args[0], ast.Constant):
                found.setdefault((node.args[0].value, 0), f"{file}:{node.lineno}")
for (source, flags), name in found.items():
    print(name, repr(source), flush=True)
    compiled = re.compile(source, flags)
    for text in TEXTS:
        text = text.encode("utf-8") if isinstance(source, bytes) else text
        compiled.fullmatch(text), compiled.search(text)
print(len(found), "patterns")
"""


def test_no_pattern_runs_away() -> None:
    try:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, check=False
        )
    except subprocess.TimeoutExpired as over:
        told = (over.stdout or b"").decode().splitlines()
        raise AssertionError(f"it runs away: {told[-1] if told else 'an import'}") from None
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout.splitlines()[-1].split()[0]) > 60
