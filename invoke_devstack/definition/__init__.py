"""Compose files to a `Definition`: finds, reads, merges and checks them. No I/O but reading files.

`load` returns a `Definition` (`model.py`); `named_project` finds only the project's name, which is faster.
Everything here is imported on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from invoke_devstack.definition.loader import load as load
    from invoke_devstack.definition.output.config import to_config as to_config
    from invoke_devstack.definition.output.config import to_document as to_document
    from invoke_devstack.definition.output.config import to_yaml as to_yaml
    from invoke_devstack.definition.output.render import config_hash as config_hash
    from invoke_devstack.definition.output.trace import ValueOrigin as ValueOrigin
    from invoke_devstack.definition.output.trace import trace as trace
    from invoke_devstack.definition.reading.discover import named_project as named_project
    from invoke_devstack.definition.reading.discover import project_name as project_name

_MODULES = {
    "ValueOrigin": "output.trace",
    "config_hash": "output.render",
    "load": "loader",
    "named_project": "reading.discover",
    "project_name": "reading.discover",
    "to_config": "output.config",
    "to_document": "output.config",
    "to_yaml": "output.config",
    "trace": "output.trace",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
