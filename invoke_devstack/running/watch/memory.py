"""Gives memory back to the system once the work of the start is done: a watch runs all day."""

from __future__ import annotations

import ctypes
import gc
import sys


def give_back() -> None:
    """Frees what is not needed any more. The C library would keep it for later, which never comes."""
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it, musl has not
        if trim is not None:
            trim(0)
