"""Records that a transaction or batch is carried out on: each is read once, and found by its tokens without reading all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mocksandbox.fhir.search.parameters import Parameter
from mocksandbox.fhir.search.tokens import Wanted, tokens_in
from mocksandbox.fhir.stored import Shown, all_of
from mocksandbox.rules.attempt import Record
from mocksandbox.store import Partition, Scratch

_Codes = dict[str, set[str]]


class Draft(Scratch):
    """A partition whose writes are forgotten unless they are passed on. What is below must stay as it is meanwhile. `looked`
    is how often a search has put a record to one of its criteria, which is what searches cost.
    """

    def __init__(self, below: Partition) -> None:
        super().__init__(below)
        self.shown = Shown()
        self.looked = 0
        self._found: dict[tuple[str, str, str], Sequence[Record]] = {}
        self._coded: dict[tuple[str, Parameter], _Codes] = {}

    def find(self, kind: str, key: str, value: str) -> Sequence[Record]:
        """The newest versions here or below that have this value under this key, fetched again only after a write."""
        found = self._found.get((kind, key, value))
        if found is None:
            found = self._found[kind, key, value] = super().find(kind, key, value)
        return found

    def put(self, record: Record) -> None:
        """Store a record as the newest version of its id."""
        super().put(record)
        self._found.clear()
        for (kind, parameter), codes in self._coded.items():
            if kind == record.kind:
                self._enter(record, parameter, codes)

    def having(self, kind: str, parameter: Parameter, wanted: Wanted) -> Iterator[Record]:
        """The live records of a type that have one of these codes under a parameter, or had it: of any system."""
        codes = self._coded.get((kind, parameter))
        if codes is None:
            codes = self._coded[kind, parameter] = {}
            for record in all_of(self, kind):
                self._enter(record, parameter, codes)
        asked = {*wanted.codes, *(code for _, code in wanted.coded)}
        ids = {id for code in asked for id in codes.get(code, ())}
        if len(ids) > 1:  # in the order in which all are
            return (record for record in all_of(self, kind) if record.id in ids and record.live)
        found = (self.get(kind, id) for id in ids)
        return (record for record in found if record is not None and record.live)

    def _enter(self, record: Record, parameter: Parameter, codes: _Codes) -> None:
        if record.live:
            for value in parameter.read(self.shown(record)):
                for _, code in tokens_in(value, ""):
                    codes.setdefault(code.casefold(), set()).add(record.id)
