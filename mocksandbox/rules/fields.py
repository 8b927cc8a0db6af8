"""Fields: where each value of an API's requests stands, and what kind of value it is. Read from a contract's `fields.yaml`.

A field's path selects in the body (`contained[?resourceType=Patient].birthDate`), or names a parameter: `query:NAME` (in a
POST search, of its form), `header:NAME`, `path:NAME`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mocksandbox.contract import read_mapping
from mocksandbox.errors import ContractError
from mocksandbox.rules.places import MISSING, fhirpath
from mocksandbox.rules.selectors import Choose, Found, compile_path

PARAMETERS = ("query", "header", "path")
"""Where a field stands that is not in the body."""


@dataclass(frozen=True)
class Field:
    """One field. `says` is how the API spells its place; `kind` names what made-up values are drawn from, `""` for none;
    `operations` are those in whose requests its values are made up, all when it is empty; `root` is what its FHIRPath begins
    with.
    """

    id: str
    path: str
    says: str
    kind: str
    locate: Callable[[Any], Iterable[Found]]
    operations: frozenset[str] = frozenset()
    root: str = ""

    @property
    def parameter(self) -> tuple[str, str] | None:
        """Where the field stands and its name, when it is a parameter: (`query`, `patient.identifier`)."""
        where, colon, name = self.path.partition(":")
        return (where, name) if colon and where in PARAMETERS else None

    def present(self, body: Any) -> list[Found]:
        """The places where the field stands in a body."""
        return [found for found in self.locate(body) if found.value is not MISSING]

    def at(self, found: Found) -> str:
        """A place as FHIRPath."""
        return fhirpath(found.path, self.root)

    def spelled(self, found: Found | None = None) -> str:
        """A place as the API spells it; without one, as it spells the first."""
        indices = found.indices if found is not None and found.indices else (0, 0)
        return self.says.format(*indices) if "{" in self.says else self.says


def read_fields(path: Path, root: str = "", named: Mapping[str, Choose] | None = None) -> Mapping[str, Field]:
    """Every field of a `fields.yaml` by its id: id -> `{path, says?, kind?, operations?}`; `named` are the API's selectors.

    Raises:
        ContractError: the file is damaged, or a path malformed.
    """
    return {id: _field(id, spec, root, named or {}, path) for id, spec in read_mapping(path).items()}


def _field(id: str, spec: Any, root: str, named: Mapping[str, Choose], path: Path) -> Field:
    if not isinstance(spec, dict) or not isinstance(spec.get("path"), str):
        raise ContractError("a field needs a path", str(path), f"/{id}")
    where = spec["path"]
    parameter = where.partition(":")[0] in PARAMETERS and ":" in where
    operations: Iterable[str] = spec.get("operations", ())
    says = str(spec.get("says", where))
    return Field(
        id=id,
        path=where,
        says=says,
        kind=spec.get("kind", ""),
        locate=_nowhere if parameter else compile_path(where, named),
        operations=frozenset(operations),
        root=root,
    )


def _nowhere(_body: Any) -> Sequence[Found]:
    return ()
