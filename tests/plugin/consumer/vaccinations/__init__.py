"""Vaccinations of a small clinic, recorded with the NHS."""
