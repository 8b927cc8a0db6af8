"""The mock without sockets."""

from mocksandbox.sandbox.clock import Clock
from mocksandbox.sandbox.planned import Faults
from mocksandbox.sandbox.sandbox import MIRRORED, RULES_HEADER, Sandbox

__all__ = ["MIRRORED", "RULES_HEADER", "Clock", "Faults", "Sandbox"]
