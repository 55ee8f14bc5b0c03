"""A local dev-stack launcher, as a plugin for Invoke and Make.

A tasks.py needs only this::

    from invoke_devstack import stack

    namespace = stack()
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from invoke_devstack.tasks.namespace import Stack, stack

__version__ = "0.1.0"
__all__ = ["Stack", "__version__", "stack"]


def __getattr__(name: str) -> object:
    """Imports Invoke only if the tasks are used; the rooms below work without it."""
    if name in ("Stack", "stack"):
        with _quick_imports():
            from invoke_devstack.tasks import namespace

        return getattr(namespace, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@contextmanager
def _quick_imports() -> Iterator[None]:
    """Compiled modules are cached, which Invoke turns off, and nothing is searched for cycles. Afterwards the
    process is as before; `tasks.process` has what a command changes."""
    writes_nothing, collects = sys.dont_write_bytecode, gc.isenabled()
    sys.dont_write_bytecode = bool(sys.flags.dont_write_bytecode)
    gc.disable()
    try:
        yield
    finally:
        sys.dont_write_bytecode = writes_nothing
        if collects:
            gc.enable()
