"""The flags of a task are read when the command line names it, not before: to read, copy and print those
of all hundred took a tenth of the time of each command.

Invoke asks each task for its flags before it parses a word. Ours answer with a `FlagsLater` alone, and
`with_late_flags` makes of that a context that reads the flags when somebody looks at them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from invoke.parser.argument import Argument
from invoke.parser.context import ParserContext

_STAND_IN = "flags-of-the-task"

ReadFlags = Callable[[], Sequence[Argument]]


class FlagsLater(Argument):
    """Stands for all flags of a task until `read` is called."""

    def __init__(self, read: ReadFlags) -> None:
        super().__init__(name=_STAND_IN)
        self.read = read


class LateContext(ParserContext):
    """A task as Invoke's parser sees it, whose flags are read when they are first looked at."""

    def __init__(self, name: str | None, aliases: Iterable[str], read: ReadFlags) -> None:
        # Not Invoke's own, which adds the flags: `__getattr__` calls it.
        self.name = name
        self.aliases = aliases
        self._read = read

    def __getattr__(self, name: str) -> Any:
        """Python calls it for what is not there yet: what the flags are kept in."""
        if name not in ("args", "positional_args", "flags", "inverse_flags"):
            raise AttributeError(name)
        super().__init__(self.name, self.aliases, self._read())
        return vars(self)[name]

    def __deepcopy__(self, memo: dict[int, Any]) -> LateContext:
        """Invoke copies the contexts of all tasks before it sets values in one. The copy reads its own."""
        return LateContext(self.name, self.aliases, self._read)

    def __repr__(self) -> str:
        """Invoke prints every context for its own debugging, whether anybody debugs or not."""
        return f"<task {self.name}>"


def with_late_flags(contexts: Iterable[ParserContext]) -> Iterator[ParserContext]:
    """The contexts, with a `LateContext` for each task whose flags come later."""
    for context in contexts:
        later = context.args.get(_STAND_IN)
        if isinstance(later, FlagsLater):
            yield LateContext(context.name, context.aliases, later.read)
        else:
            yield context
