"""Compose files -> Definition: find, parse, interpolate, merge, check, normalise. Pure but for reading files.

`load` gives a `Definition` (`model.py`); `project_name` finds the name alone and costs no model.
"""

from __future__ import annotations

from invoke_devstack.definition.load import load, project_name
from invoke_devstack.definition.render import config_hash, looks_secret, printed_hash, to_config, to_document

__all__ = ["config_hash", "load", "looks_secret", "printed_hash", "project_name", "to_config", "to_document"]
