"""What the files need and nobody gave: variables that must be set, env files. It is collected instead of
raised, so that all of it can be told at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from invoke_devstack.errors import DefinitionError, Position


class Missing:
    """Collects what is missing in all files of a project, in the order in which they are read."""

    def __init__(self) -> None:
        self._problems: dict[str, DefinitionError] = {}
        self._places: list[Position] = []

    def add(self, error: DefinitionError, variable: str = "") -> None:
        """Notes what is missing. A `variable` is told once, at the first place that needs it."""
        self._problems.setdefault(variable or f"{error.position}: {error.message}", error)
        if error.position is not None:
            self._places.append(error.position)

    def problems(self) -> tuple[DefinitionError, ...]:
        """What is missing, each once."""
        return tuple(self._problems.values())

    def problems_with(self, error: DefinitionError) -> tuple[DefinitionError, ...]:
        """The same with an error that ended the reading, unless it may come from what is missing: from a
        value that became empty."""
        place = error.position
        follows = place is None or any(_is_about(place, other) for other in self._places)
        return self.problems() if follows and self._problems else (*self.problems(), error)


def _is_about(place: Position, other: Position) -> bool:
    """Whether one place is within the other."""
    if place.file != other.file:
        return False
    keys = (f"{place.key or ''}.", f"{other.key or ''}.")
    return keys[0].startswith(keys[1]) or keys[1].startswith(keys[0]) or place.line == other.line
