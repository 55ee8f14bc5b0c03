"""For a team's own tests: `pytest --devstack` gives them an isolated copy of the stack.

The fixture is `devstack`, its type `invoke_devstack.testing.Devstack`. Start at `plugin` and `copy`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from invoke_devstack.testing.copy import Devstack

__all__ = ["Devstack"]


def __getattr__(name: str) -> object:
    """pytest imports this package in every run, so everything else is imported when needed."""
    if name == "Devstack":
        from invoke_devstack.testing.copy import Devstack

        return Devstack
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
