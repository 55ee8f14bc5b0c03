"""The arguments of our tasks, as Invoke's parser sees them."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Self

from invoke.parser.argument import Argument

HELP_FLAGS = ("--help", "-h")


class Flag(Argument):
    """A flag. With `takes_words`, words without a flag are its values: `logs web` is `logs --service web`."""

    takes_words = False

    @classmethod
    def of(cls, plain: Argument, *, takes_words: bool) -> Self:
        """Invoke's own argument as one of ours."""
        flag = cls.__new__(cls)
        vars(flag).update(vars(plain), takes_words=takes_words)
        if flag.kind is list:
            flag.raw_value = None  # or Invoke accepts the flag without a value: `stop -s` stops all
        return flag

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Invoke deep-copies all flags of all tasks, twice. Nothing changes a list that a flag holds."""
        return copy.copy(self)


class Positional(Argument):
    """A positional argument; with `begins_command`, the words after it are a command and its arguments. Given
    `--help`, it fills the others too, so that the task is called and can show its help; Invoke would ask for
    the others first."""

    def __init__(self, plain: Argument, siblings: Sequence[Argument], *, begins_command: bool) -> None:
        super().__init__(
            names=plain.names, kind=plain.kind, help=plain.help, positional=True, attr_name=plain.attr_name
        )
        self.begins_command = begins_command
        self._siblings = siblings

    def set_value(self, value: Any, cast: bool = True) -> None:
        """Invoke calls it with each word that it takes for this argument."""
        for argument in self._siblings if value in HELP_FLAGS else ():
            Argument.set_value(argument, value, cast)
        super().set_value(value, cast)
