"""A local dev-stack launcher, as a plugin for Invoke and Make.

All that a tasks.py needs is here::

    from invoke_devstack import stack

    namespace = stack()
"""

from __future__ import annotations

import atexit
import gc
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from invoke_devstack.tasks.namespace import Stack, stack

__version__ = "0.1.0"
_OBJECTS_BETWEEN_COLLECTIONS = 100_000
__all__ = ["Stack", "__version__", "stack"]


def __getattr__(name: str) -> object:
    """Imports Invoke only for who asks for the tasks: the rooms below are importable without it."""
    if name in ("Stack", "stack"):
        # Invoke turns off the cache of compiled modules; without it each command compiles all of this again.
        sys.dont_write_bytecode = bool(sys.flags.dont_write_bytecode)
        # A command makes a hundred thousand objects that live to its end; looking through them again and
        # again for cycles took a tenth of its time.
        gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
        atexit.register(gc.freeze)  # at the end they are given back as a whole: 50 ms less
        from invoke_devstack.tasks import namespace

        return getattr(namespace, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
