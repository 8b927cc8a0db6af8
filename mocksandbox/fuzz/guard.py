"""What may be fired at: loopback by itself, other hosts when they are named and confirmed, services in production never."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from urllib.parse import SplitResult, urlsplit

from mocksandbox.errors import UsageError

PRODUCTION = (
    "api.service.nhs.uk",
    "api.redoxengine.com",
    "api.clinikapi.com",
    "clinikapi.com",
    "redoxengine.com",
)
"""Hosts of services in production, and of everything below them. Test environments of the NHS are beside the first
(`int.api.service.nhs.uk`, `sandbox.api.service.nhs.uk`)."""

TEST = ("int.api.service.nhs.uk", "sandbox.api.service.nhs.uk", "internal-dev.api.service.nhs.uk", "ref.api.service.nhs.uk")

RATE, MOST_REQUESTS = 2.0, 2_000
"""The most requests a second, and in all, to a host that is not loopback, unless told."""


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    if host.rstrip(".").lower() in ("localhost", "localhost.localdomain"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def parts_of(url: str) -> SplitResult:
    """The parts of the URL of an API's base path.

    Raises:
        UsageError: it is no such URL.
    """
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        if known and not parts.query and not parts.fragment:
            return parts
    except ValueError:  # a port that is none, a bracket that is not closed
        pass
    raise UsageError(f"{url!r} is not a URL; give one like http://127.0.0.1:8080/base/path.")


def allow(url: str, allowed: Collection[str], *, confirmed: bool, how: str = "--allow-host {host} --yes") -> bool:
    """Whether a URL is a loopback one. Others have to be allowed; `how` is what a person adds for that.

    Raises:
        UsageError: the URL may not be fired at.
    """
    host = (parts_of(url).hostname or "").rstrip(".").lower()
    if is_loopback(host):
        return True
    if host not in TEST and any(host == each or host.endswith(f".{each}") for each in PRODUCTION):
        raise UsageError(f"{host} is a service in production: it is never fired at.")
    if host not in {each.rstrip(".").lower() for each in allowed}:
        raise UsageError(f"{host} is not this machine. To fire at it, add {how.format(host=host)}.")
    if not confirmed:
        raise UsageError(f"Firing at {host} must be confirmed: add --yes.")
    return False
