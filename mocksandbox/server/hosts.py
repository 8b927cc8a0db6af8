"""Which names of a host are this machine's own."""

from __future__ import annotations

import ipaddress


def host_of(netloc: str) -> str:
    """The host of `HOST`, `HOST:PORT` or `[HOST]:PORT`."""
    if netloc.startswith("["):
        return netloc[1:].partition("]")[0]
    return netloc.partition(":")[0]


def is_here(host: str) -> bool:
    """Whether a host is a name of this machine that only this machine uses."""
    if host.rstrip(".").lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
