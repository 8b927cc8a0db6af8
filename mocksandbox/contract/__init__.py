"""A contract: an OpenAPI document with its overlay, its operations, and the checks that it makes possible."""

from mocksandbox.contract.document import at, read, read_mapping
from mocksandbox.contract.model import Answer, Contract, MediaType, Operation, Parameter, load
from mocksandbox.contract.routing import Match, Miss, Router
from mocksandbox.contract.sample import sample
from mocksandbox.contract.violation import Violation

__all__ = [
    "Answer",
    "Contract",
    "Match",
    "MediaType",
    "Miss",
    "Operation",
    "Parameter",
    "Router",
    "Violation",
    "at",
    "load",
    "read",
    "read_mapping",
    "sample",
]
