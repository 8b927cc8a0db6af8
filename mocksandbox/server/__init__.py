"""The server: a Flask application, and running it."""

from mocksandbox.server.app import create_app
from mocksandbox.server.settings import Settings

__all__ = ["Settings", "create_app"]
