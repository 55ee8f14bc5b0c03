"""Variables that are set nowhere and became empty: where they are used, and errors that they cause."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from invoke_devstack.definition.syntax.tree import Location, Steps
    from invoke_devstack.errors import DefinitionError, Position


class UnsetVariables:
    """Collects the unset variables of all files of a project, in the order in which they are read."""

    def __init__(self, known: Mapping[str, Iterable[Position]] | None = None) -> None:
        """`known` are the places that were found before."""
        self._positions = {name: dict.fromkeys(places) for name, places in (known or {}).items()}

    def add(self, name: str, location: Location, steps: Steps) -> None:
        """Notes that the value at `location` uses a variable that is not set."""
        self.add_at(name, location.position(steps))

    def add_at(self, name: str, position: Position) -> None:
        """The same for a value at a position, as in an env file."""
        self._positions.setdefault(name, {})[position] = None

    def positions(self) -> Mapping[str, tuple[Position, ...]]:
        """The places of each variable, each once."""
        return {name: tuple(places) for name, places in self._positions.items()}

    def explain(self, error: DefinitionError) -> DefinitionError:
        """The error with the hint to set the variables that made its value empty, if there are some."""
        place = error.position
        if place is not None:
            names = self._within(place, _is_at) or self._within(place, _is_below)
            error.hint = set_hint(names) if names else error.hint
        return error

    def _within(self, place: Position, is_within: Callable[[Position, Position], bool]) -> list[str]:
        return [
            name
            for name, positions in self._positions.items()
            if any(is_within(position, place) for position in positions)
        ]


def _is_at(position: Position, place: Position) -> bool:
    return (position.file, position.line, position.column) == (place.file, place.line, place.column)


def _is_below(position: Position, place: Position) -> bool:
    """Whether a value is part of that at `place`. An error about a whole service is not about its parts."""
    key = place.key or ""
    if position.file != place.file or key.count(".") < (2 if key.startswith("services.") else 1):
        return False
    return (position.key or "").startswith((f"{key}.", f"{key}["))


def set_hint(names: Iterable[str]) -> str:
    """The hint for variables that are set nowhere."""
    first, *others = names
    if not others:
        return f"{first} is not set. Set it, for example in `.env`, or give a default: ${{{first}:-…}}"
    listed = ", ".join((first, *others))
    return f"{listed} are not set. Set them, for example in `.env`, or give defaults: ${{{first}:-…}}"
