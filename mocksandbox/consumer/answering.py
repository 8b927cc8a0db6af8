"""From a WSGI request to the answer of the test that it is for, and how that is delivered."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from socket import socket

from mocksandbox.consumer.run import Run
from mocksandbox.consumer.wire import Delivery, delivery, has_gone, reset
from mocksandbox.server.wsgi import Environ, StartResponse

SOCKET = "werkzeug.socket"
"""Where werkzeug's server puts the client's socket."""


@contextmanager
def answering(run: Run, environ: Environ, patience: float | None = None) -> Generator[Delivery, None, None]:
    """The answer to a request of a test, and how it is to be delivered; the block is where its `wait` is waited for. A client
    in this process waits no longer than its patience, in seconds.
    """
    with run.activity.one():
        made = delivery(run.answer(environ))
        entry = run.journal.mine()
        late = patience is not None and made.wait > patience
        yield replace(made, wait=patience, late=True) if late and patience is not None else made
        # Which requests nobody waited for any more.
        connection: socket | None = environ.get(SOCKET)
        if entry is not None and (late or (connection is not None and has_gone(connection))):
            run.gave_up.add(entry.number)


def answered(run: Run, environ: Environ, patience: float | None = None) -> Delivery:
    """The same, once the wait is over."""
    with answering(run, environ, patience) as made:
        time.sleep(made.wait)
    return made


@dataclass(frozen=True)
class App:
    """A WSGI application that answers for the run that `find` gives for a request's environment."""

    find: Callable[[Environ], Run]

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request. Raises ConnectionResetError where the connection is to be reset."""
        made = answered(self.find(environ), environ)
        if made.reset:
            connection = environ.get(SOCKET)
            if connection is not None:
                reset(connection)
            raise ConnectionResetError("the sandbox has reset the connection, as it was told to")
        start_response(made.status, made.headers)
        return [made.sent]
