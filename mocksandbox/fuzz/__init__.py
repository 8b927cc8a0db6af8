"""The fuzzer: a plan of labelled requests, sent to any target, and a judgement of each answer."""

from __future__ import annotations

from mocksandbox.errors import UsageError
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


def replay(
    provider: str, url: str = "", *, app: str = "", app_path: str = "", cell: int, seed: int = 0, profile: str = ""
) -> frozenset[str]:
    """The identities of the flaws that one cell of a plan finds at a URL (only loopback is sent to), or in an application in
    this process: `app` is its `MODULE:APP`, `app_path` the path below which it has the API.

    Raises:
        UsageError: the URL is not a loopback one, or there is no such application, provider or cell.
        TargetError: nothing answers.
    """
    report = run(provider, _target(url, app, app_path), Settings(seed=seed, profile=profile, cell=cell, shrink=False))
    return frozenset(finding.flaw.identity for finding in report.findings)


def _target(url: str, app: str, app_path: str) -> Target:
    from mocksandbox.fuzz.guard import allow
    from mocksandbox.fuzz.in_process import load_app

    if bool(url) is bool(app):
        raise UsageError('Name one target: a URL, or an application such as app="shop.api:app".')
    if app:
        return load_app(app, app_path)
    allow(url, (), confirmed=False)
    return UrlTarget(url)
