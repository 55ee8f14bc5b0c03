"""Files that cannot be read: an error of the place that names them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from invoke_devstack.errors import DefinitionError, FileError, Position


@contextmanager
def named_at(position: Position) -> Iterator[None]:
    """A FileError of the body becomes a DefinitionError with this position."""
    try:
        yield
    except FileError as error:
        raise DefinitionError(error.message, hint=error.hint, position=position) from None
