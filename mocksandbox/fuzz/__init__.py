"""The fuzzer: a plan of labelled requests, sent to any target, and a judgement of each answer."""

from __future__ import annotations

from mocksandbox.fuzz.campaign import Settings, run
from mocksandbox.fuzz.model import ORACLES, Case, Finding, Flaw, Report, Step, Verdict
from mocksandbox.fuzz.transport import SandboxTarget, Target, UrlTarget

__all__ = [
    "ORACLES",
    "Case",
    "Finding",
    "Flaw",
    "Report",
    "SandboxTarget",
    "Settings",
    "Step",
    "Target",
    "UrlTarget",
    "Verdict",
    "replay",
    "run",
]


def replay(provider: str, url: str, *, cell: int, seed: int = 0, profile: str = "") -> frozenset[str]:
    """The identities of the flaws that one cell of a plan finds at a URL. Only loopback is sent to.

    Raises:
        UsageError: the URL is not a loopback one, or there is no such provider or cell.
        TargetError: nothing answers.
    """
    from mocksandbox.fuzz.guard import allow

    allow(url, (), confirmed=False)
    report = run(provider, UrlTarget(url), Settings(seed=seed, profile=profile, cell=cell, shrink=False))
    return frozenset(finding.flaw.identity for finding in report.findings)
