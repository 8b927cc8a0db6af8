"""Checking records in files: what is wrong with each, where, on which line, and what it was probably meant to be."""

from mocksandbox.checking.judge import Judge, Problem
from mocksandbox.checking.sources import Document, documents

__all__ = ["Document", "Judge", "Problem", "documents"]
