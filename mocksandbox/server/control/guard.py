"""Who may use the control API: programs on purpose, and no web page that a person happens to have open.

A page of another site can send requests to a server on the same machine. A browser says so: its `Origin` is not ours, or (when
the page's own name was made to point at this machine) its `Host` is no name of this machine.
"""

from __future__ import annotations

from flask import current_app, request
from werkzeug.exceptions import Forbidden

from mocksandbox.server.control.asking import mistake
from mocksandbox.server.hosts import host_of, is_here
from mocksandbox.server.settings import Settings


def guard() -> None:
    """Refuse what a web page of another site sends.

    Raises:
        HTTPException: 403, with the header that shows it.
    """
    settings: Settings = current_app.extensions["mocksandbox.settings"]
    host = request.headers.get("Host", "")
    if settings.loopback and not is_here(host_of(host)):
        says = f"{host[:200]!r} is no name of this machine; a server that others may use is started with --host."
        raise mistake(says, "header:Host", Forbidden)
    origin = request.headers.get("Origin")
    if origin is not None and origin.partition("://")[2] != host:
        says = f"a web page of {origin[:200]!r} may not use the control API of {host[:200]!r}."
        raise mistake(says, "header:Origin", Forbidden)
