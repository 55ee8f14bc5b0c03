"""Compose files -> Definition: find, parse, interpolate, merge, check, normalise. Pure but for reading files.

`load` gives a `Definition` (`model.py`); `project_name` finds the name alone and costs no model.
"""

from __future__ import annotations

from invoke_devstack.definition.explain import Explanation, explain
from invoke_devstack.definition.load import load, named_project, project_name
from invoke_devstack.definition.render import config_hash, to_config, to_document
from invoke_devstack.definition.yaml_writer import to_yaml

__all__ = [
    "Explanation",
    "config_hash",
    "explain",
    "load",
    "named_project",
    "project_name",
    "to_config",
    "to_document",
    "to_yaml",
]
