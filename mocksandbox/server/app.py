"""The Flask application: providers behind the front door, the control API beside them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from mocksandbox import codec
from mocksandbox.errors import StoreError, StoreMisuseError
from mocksandbox.fhir import issue, operation_outcome
from mocksandbox.journal import Journal
from mocksandbox.provider import AuthOptions, open_provider
from mocksandbox.sandbox import Clock, Faults, Sandbox
from mocksandbox.sandbox.failure import RETRY_AFTER, STORE_FAILS, beyond, failure_place, store_words
from mocksandbox.sandbox.outage import Outage
from mocksandbox.sandbox.shared import open_shared
from mocksandbox.server.front import CONTROL, MAX_BODY, Front
from mocksandbox.server.settings import Settings
from mocksandbox.server.wsgi import WsgiApp
from mocksandbox.store import MemoryStore, Room

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.exceptions import HTTPException

_log = logging.getLogger("mocksandbox")
_ISSUES = {404: "not-found", 405: "not-supported", 413: "too-long", 415: "not-supported"}


def create_app(settings: Settings | str | None = None, sandboxes: Mapping[str, Sandbox] | None = None) -> Flask:
    """A Flask application that serves the providers of the settings, or the one that is named; `sandboxes` are those of
    `make_sandboxes`, new ones unless given.

    `app.extensions["mocksandbox"]` holds the sandboxes by provider name.

    Raises:
        UsageError: a provider or a profile does not exist.
        ContractError: a contract cannot be loaded.
        TypeError: what is given is neither settings nor the name of a provider.
    """
    if isinstance(settings, str):
        settings = Settings(providers=(settings,))
    given: Any = settings
    if given is not None and not isinstance(given, Settings):
        raise TypeError(f'create_app takes Settings, or the name of a provider, as create_app("nhs"); {given!r} is neither.')
    # Here, and in what answers for it: who asks a provider alone need not wait until Flask is loaded.
    from flask import Flask
    from werkzeug.exceptions import HTTPException

    from mocksandbox.server.control import control

    settings = settings or Settings()
    sandboxes = make_sandboxes(settings) if sandboxes is None else sandboxes
    app = Flask("mocksandbox", static_folder=None)
    app.extensions["mocksandbox"] = sandboxes
    app.extensions["mocksandbox.settings"] = settings
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.register_blueprint(control)
    app.register_error_handler(HTTPException, _refuse)
    app.register_error_handler(Exception, _fail)
    app.wsgi_app = front_of(settings, sandboxes, app.wsgi_app)  # type: ignore[method-assign]  # as Flask's documentation does
    return app


def front_of(settings: Settings, sandboxes: Mapping[str, Sandbox], inner: WsgiApp) -> Front:
    """The front door of these sandboxes; `inner` answers what is for none of them."""
    return Front(inner, {sandbox.provider.base_path: sandbox for sandbox in sandboxes.values()}, settings)


def serving_app(settings: Settings) -> tuple[Front, Callable[[], None]]:
    """What a server serves: the same as `create_app`, of which Flask's part is made when it is first asked for; and what loads
    everything that the first answers can do without.
    """
    sandboxes = make_sandboxes(settings)
    for sandbox in sandboxes.values():
        sandbox.differences.loading = not sandbox.profile.enforces_document

    @cache
    def whole() -> WsgiApp:
        wsgi_app: WsgiApp = create_app(settings, sandboxes).wsgi_app
        return wsgi_app

    def load() -> None:
        for sandbox in sandboxes.values():
            sandbox.differences.load(sandbox.provider)
        whole()

    return front_of(settings, sandboxes, lambda environ, start_response: whole()(environ, start_response)), load


def make_sandboxes(settings: Settings) -> Mapping[str, Sandbox]:
    """A sandbox for each provider, with one journal and one clock for all.

    Raises:
        UsageError: a provider or a profile does not exist, or the store cannot be used.
        ContractError: a contract cannot be loaded.
    """
    shared = open_shared(settings.store)
    bounds = settings.journal_entries, settings.journal_bytes
    journal = shared.journal(*bounds) if shared else Journal(*bounds)
    clock = shared.clock if shared else Clock()
    auth = AuthOptions(settings.auth, settings.auth_files, shared.shelf if shared else None)
    outage = Outage()
    room = Room(settings.max_records, settings.max_tenants)
    made: dict[str, Sandbox] = {}
    for name in settings.providers:
        provider = open_provider(name)
        seed, wire = settings.seed, settings.wire
        made[provider.name] = Sandbox(
            provider,
            settings.profile,
            shared.store(provider) if shared else MemoryStore(provider.seeds(), room),
            journal,
            clock,
            auth.of(provider.name),
            settings.strict,
            shared.faults(provider.name, seed, wire) if shared else Faults(seed, wire=wire),
            settings.only_synthetic,
            shared.clocks if shared else {},
            shared.board if shared else None,
            outage=outage,
        )
    return made


def _outcome(status: int, code: str, says: str, at: str = "") -> tuple[bytes, int, dict[str, str]]:
    # FHIR names a parameter or a header as `http.NAME` (OperationOutcome.issue.expression).
    where, colon, name = at.partition(":")
    places = [f"http.{name}" if colon and where in ("header", "query") else at] if at else []
    body = codec.dumps(operation_outcome([issue(code, says, places)]))
    return body, status, {"Content-Type": "application/fhir+json"}


def _refuse(error: HTTPException) -> Any:
    """Flask's own refusals, in the shape of a FHIR API."""
    from flask import request

    status = error.code or 500
    allowed = ", ".join(sorted(getattr(error, "valid_methods", None) or ()))
    says = {
        404: f"There is nothing here. {_routes()}",
        405: f"This route does not take {request.method}; it takes {allowed}.",
        413: f"The body is larger than {MAX_BODY} bytes, the most that is read here.",
    }.get(status, error.description or error.name)
    body, status, headers = _outcome(status, _ISSUES.get(status, "invalid"), says, getattr(error, "place", ""))
    return body, status, {**headers, **({"Allow": allowed} if allowed else {})}


def _routes() -> str:
    """What there is: the APIs' base paths and the routes of the control API."""
    from flask import current_app

    bases = (sandbox.provider.base_path for sandbox in current_app.extensions["mocksandbox"].values())
    control_routes = sorted({str(rule) for rule in current_app.url_map.iter_rules() if str(rule).startswith(CONTROL)})
    return f"APIs: {', '.join(bases)}. Control: {', '.join(control_routes)}."


def _fail(error: Exception) -> Any:
    """A store that fails, or a bug of our own: the log has its place, the client gets an OperationOutcome."""
    if (limit := beyond(error)) is not None:
        return _outcome(limit.rule.status, limit.rule.issue, limit.message)
    if isinstance(error, StoreError) and not isinstance(error, StoreMisuseError):
        from flask import current_app

        next(iter(current_app.extensions["mocksandbox"].values())).outage.begins("the control API", error, reading=True)
        body, status, headers = _outcome(STORE_FAILS.status, STORE_FAILS.issue, store_words(error))
        return body, status, {**headers, "Retry-After": RETRY_AFTER}
    _log.error("the control API failed: %s", failure_place(error))
    return _outcome(500, "exception", "The control API failed; the server's log says why.")
