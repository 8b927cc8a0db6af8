"""Finding providers: our own by name, others' by entry point, a contract folder by its path."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from mocksandbox.errors import ContractError, UsageError
from mocksandbox.provider.model import Provider

BUILT_IN = {
    "nhs": "mocksandbox.providers.nhs",
    "clinikapi": "mocksandbox.providers.clinikapi",
    "redox": "mocksandbox.providers.redox",
    "evaluation": "mocksandbox.providers.evaluation",
}
ENTRY_POINTS = "mocksandbox.providers"


@cache
def known_providers() -> Mapping[str, str]:
    """The providers by name: ours, and those of other packages (entry points of the group `mocksandbox.providers`)."""
    from importlib.metadata import entry_points

    others = {point.name: point.value for point in entry_points(group=ENTRY_POINTS)}
    return {**others, **BUILT_IN}


_folders: dict[str, str] = {}
"""The folders that were opened, by the names of their providers: who has opened one may call it by its name."""


@cache
def open_provider(name: str) -> Provider:
    """A provider by its name, or the contract in a folder by the folder's path.

    Raises:
        UsageError: there is neither.
        ContractError: its contract cannot be loaded.
    """
    known = known_providers()
    if name in known:
        module, _, attribute = known[name].partition(":")
        opened = getattr(import_module(module), attribute or "provider")()
        if not isinstance(opened, Provider):
            raise ContractError(f"the entry point gives {type(opened).__name__}, not a Provider", known[name])
        return opened
    if name in _folders:
        return open_provider(_folders[name])
    if "/" in name or Path(name).is_dir():
        _check_folder(name)
        # By name: the generic provider stands above this module.
        found: Provider = import_module("mocksandbox.providers.folder").open_folder(Path(name))
        _folders.setdefault(found.name, name)
        return found
    raise UsageError(f"No provider {name!r}.", name, known)


def provider_of(given: Any) -> Provider:
    """A provider that is given as it is, or by its name.

    Raises:
        UsageError: there is none of that name.
        ContractError: its contract cannot be loaded.
        TypeError: what is given is neither.
    """
    opened = open_provider(given) if isinstance(given, str) else given
    if not isinstance(opened, Provider):
        raise TypeError(f'Give a provider, or the name of one, such as "nhs"; {given!r} is neither.')
    return opened


def _check_folder(name: str) -> None:
    """Refuse what is no folder.

    Raises:
        UsageError: it is a file, is not there, or is an operation or a rule of a known provider.
    """
    path = Path(name)
    first = path.parts[0] if path.parts else ""
    if path.is_dir():
        return
    if path.exists():
        raise UsageError(f"{name} is a file: name the folder that has the OpenAPI document, as {path.parent}.")
    if first in known_providers():
        raise UsageError(f"{name} is neither a provider nor a folder: name the provider alone, as {first}.")
    raise UsageError(f"There is no folder {name}.")
