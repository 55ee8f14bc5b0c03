"""Checks the shape of a value that came as JSON: which members it must have, and of which types.

A shape is a function that raises WrongShapeError. Members that a shape does not name may be anything. Lists,
maps and objects may be null, as Go writes those that are empty, unless they are required.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Shape = Callable[[Any], None]

_MISSING = object()
_MOST = 1 << 63


class WrongShapeError(ValueError):
    """`str()` says where and what: `State.Running is a list`."""

    def __init__(self, what: str, where: tuple[str, ...] = ()) -> None:
        super().__init__(what)
        self._what = what
        self._where = where

    def within(self, name: str) -> WrongShapeError:
        """The same, seen from the value that holds it."""
        return WrongShapeError(self._what, (name, *self._where))

    def __str__(self) -> str:
        return f"{'.'.join(self._where) or 'it'} {self._what}"


def text(value: Any) -> None:
    if type(value) is not str:
        raise WrongShapeError(f"is {_kind(value)}, not text")


def whole(value: Any) -> None:
    """A whole number of 64 bits."""
    if type(value) is not int or not -_MOST <= value < 2 * _MOST:
        raise WrongShapeError(f"is {_kind(value)}, not a whole number")


def moment(value: Any) -> None:
    """Seconds since the epoch, in the years 1 to 9999."""
    if type(value) is not int or not -62135596800 <= value < 253402300800:
        raise WrongShapeError(f"is {_kind(value)}, not a time")


def truth(value: Any) -> None:
    if type(value) is not bool:
        raise WrongShapeError(f"is {_kind(value)}, not true or false")


def maybe(shape: Shape) -> Shape:
    """Also null."""

    def check(value: Any) -> None:
        if value is not None:
            shape(value)

    return check


def list_of(shape: Shape) -> Shape:
    def check(value: Any) -> None:
        if value is None:
            return
        if type(value) is not list:
            raise WrongShapeError(f"is {_kind(value)}, not a list")
        for number, item in enumerate(value):
            try:
                shape(item)
            except WrongShapeError as error:
                raise error.within(f"[{number}]") from None

    return check


def map_of(shape: Shape) -> Shape:
    """An object with any names."""

    def check(value: Any) -> None:
        if value is None:
            return
        if type(value) is not dict:
            raise WrongShapeError(f"is {_kind(value)}, not an object")
        for name, item in value.items():
            try:
                shape(item)
            except WrongShapeError as error:
                raise error.within(name) from None

    return check


def object_of(members: Mapping[str, Shape]) -> Shape:
    """`!` after a name: it is required, and not null."""
    wanted = tuple((name.rstrip("!"), name.endswith("!"), shape) for name, shape in members.items())

    def check(value: Any) -> None:
        if value is None:
            return
        if type(value) is not dict:
            raise WrongShapeError(f"is {_kind(value)}, not an object")
        for name, required, shape in wanted:
            found = value.get(name, _MISSING)
            if found is _MISSING or (required and found is None):
                if required:
                    raise WrongShapeError("is missing").within(name)
                continue
            try:
                shape(found)
            except WrongShapeError as error:
                raise error.within(name) from None

    return check


def required(shape: Shape) -> Shape:
    """Not null."""

    def check(value: Any) -> None:
        if value is None:
            raise WrongShapeError("is null")
        shape(value)

    return check


def anything(value: Any) -> None:
    """What is only passed on."""


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    names = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list"}
    return names.get(type(value), "an object")
