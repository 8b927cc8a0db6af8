"""Where records are kept: versions of resources, by tenant."""

from mocksandbox.store.memory import MemoryStore, Partition, Scratch, Stale

__all__ = ["MemoryStore", "Partition", "Scratch", "Stale"]
