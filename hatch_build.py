"""The build hook that puts the two top-level folders inside the package in a wheel.

Top-level import packages named `contracts` and `generators` would collide with folders of those names in users' projects.
"""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class LayoutHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling's own generic is unparametrised in hooks
    """Maps contracts/ and generators/ into mocksandbox/ for wheels; an editable install copies nothing."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name == "wheel" and version == "standard":
            build_data["force_include"].update(contracts="mocksandbox/contracts", generators="mocksandbox/generators")
