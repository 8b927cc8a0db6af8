"""The build hook that puts the two top-level folders inside the package in a wheel.

Top-level import packages named `contracts` and `generators` would collide with folders of those names in users' projects.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDERS = {"contracts": "mocksandbox/contracts", "generators": "mocksandbox/generators"}


class LayoutHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling's own generic is unparametrised in hooks
    """Maps contracts/ and generators/ into mocksandbox/ for wheels; an editable install copies nothing."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the folders that are there: git keeps no empty one, so a fresh clone may lack `generators`."""
        if self.target_name == "wheel" and version == "standard":
            there = {source: target for source, target in FOLDERS.items() if any((Path(self.root) / source).glob("*"))}
            build_data["force_include"].update(there)
