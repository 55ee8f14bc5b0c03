"""Reports variables that the Compose files use and nothing sets: they become empty, as for Compose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from invoke_devstack.errors import DefinitionError, Position
from invoke_devstack.events import Emit, Notice

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition

_LINES = 4  # more variables share one line

_LITERAL = "If a `$` is meant, put the value in single quotes."

_Places = Mapping[str, tuple[Position, ...]]


class UnsetReport:
    """Warns once about each variable, however often the files are read; or, if `strict`, refuses them."""

    def __init__(self, emit: Emit, *, strict: bool) -> None:
        self._emit = emit
        self._strict = strict
        self._reported: set[str] = set()

    def report(self, definition: Definition) -> None:
        """Reports the variables of a definition. Raises DefinitionError if there must be none."""
        new = {name: places for name, places in definition.unset.items() if name not in self._reported}
        if new and self._strict:
            raise _error(new, definition.working_dir)
        self._reported.update(new)
        for text in _warnings(new, definition.working_dir):
            self._emit(Notice(text=text, level="warning"))


def _error(unset: _Places, folder: Path) -> DefinitionError:
    first, *others = unset
    return DefinitionError(
        f"{first} is not set" if not others else f"{len(unset)} variables are not set",
        hint=f"Set it, for example in `.env`, or give a default: ${{{first}:-…}}"
        if _is_in_yaml(unset[first])
        else f"Set it. {_LITERAL}",
        position=unset[first][0],
        details=[_with_places(name, unset[name], folder) for name in unset] if others else (),
    )


def _warnings(unset: _Places, folder: Path) -> Iterator[str]:
    shown = [_with_places(name, places, folder) for name, places in unset.items()]
    if len(unset) > _LINES:
        first = next(((name, places) for name, places in unset.items() if _is_in_yaml(places)), None)
        first = first or next(iter(unset.items()))
        names = ", ".join(shown)
        yield f"{len(unset)} variables are not set, so they are empty: {names}. {_advice(*first)}"
        return
    for name, places in unset.items():
        yield f"{name} is not set, so it is empty ({_shown(places, folder)}). {_advice(name, places)}"


def _advice(name: str, places: tuple[Position, ...]) -> str:
    return f"If that is intended, write ${{{name}:-}}." if _is_in_yaml(places) else _LITERAL


def _is_in_yaml(places: tuple[Position, ...]) -> bool:
    """Not in an env file, whose values have a line alone."""
    return places[0].column is not None


def _with_places(name: str, places: tuple[Position, ...], folder: Path) -> str:
    return f"{name} ({_shown(places, folder)})"


def _shown(places: tuple[Position, ...], folder: Path) -> str:
    first, *others = places
    file = first.file.relative_to(folder) if first.file.is_relative_to(folder) else first.file
    more = f" and {len(others)} more place{'s' if len(others) > 1 else ''}" if others else ""
    return f"{file}:{first.line}{more}"
