"""Rules: what an API promises, as values that can find a broken promise and break one."""

from mocksandbox.rules.catalogue import Catalogue, messages_from
from mocksandbox.rules.rule import ALL, Defect, Finding, Hit, LaterDefects, Message, Rule

__all__ = ["ALL", "Catalogue", "Defect", "Finding", "Hit", "LaterDefects", "Message", "Rule", "messages_from"]
