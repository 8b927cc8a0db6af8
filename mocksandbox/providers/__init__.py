"""The APIs that the package knows, each one small module of Python beside its contract folder."""
