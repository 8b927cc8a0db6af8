"""The command line: `mocksandbox`."""

from mocksandbox.cli.main import main

__all__ = ["main"]
