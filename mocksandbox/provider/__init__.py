"""Providers: one API each, opened; and how they are found."""

from mocksandbox.provider.discovery import known_providers, open_provider, provider_of
from mocksandbox.provider.model import AuthOptions, Authority, Effect, People, Profile, Provider, Refuse, Told
from mocksandbox.provider.scenario import Expected, Scenario, scenarios_from

__all__ = [
    "AuthOptions",
    "Authority",
    "Effect",
    "Expected",
    "People",
    "Profile",
    "Provider",
    "Refuse",
    "Scenario",
    "Told",
    "known_providers",
    "open_provider",
    "provider_of",
    "scenarios_from",
]
