"""Where a value of a definition comes from: the place in a file, and the variables that went into it."""

from __future__ import annotations

from invoke_devstack.errors import Position
from invoke_devstack.records import record


@record
class VariableOrigin:
    """A variable that was put into a value, and what set it.

    `source` is `environment`, the path of the `.env` file, `default` (the one beside the variable),
    `project` (COMPOSE_PROJECT_NAME and the like, set by the project itself) or `unset`.
    """

    name: str
    value: str
    source: str


@record
class Origin:
    """The place where a value stands, what stands there, and the variables in it.

    `overridden` are the places of the values that this one replaced, the nearest first.
    """

    position: Position
    raw: str = ""
    variables: tuple[VariableOrigin, ...] = ()
    overridden: tuple[Position, ...] = ()
