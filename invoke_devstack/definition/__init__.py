"""Compose files -> Definition: find, parse, interpolate, merge, check, normalise."""
