"""Measuring the fuzzer: a server of our own that shares no code with the package, and bugs that can be switched on in it."""
