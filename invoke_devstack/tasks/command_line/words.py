"""Words after a task are services, and those after `exec web` are a command, as with docker compose.

Invoke has no optional positional arguments: its parser ends at a word that is no task. So the words are
rewritten before it sees them: `logs web -f` becomes `logs --service web -f`, and `exec web ls -l` becomes
`exec web --command ' ls -l'`. That is done where every program comes by (`invoke`, `python -m invoke`,
subclasses of Program, `invoke -r`), and where all tasks are known under the names that they have in the
namespace: in `Parser.parse_argv`, which `rewrite_words` wraps. What follows a task that is not ours stays as
it was typed.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import wraps
from itertools import takewhile
from typing import Any

from invoke.exceptions import ParseError
from invoke.parser.argument import Argument
from invoke.parser.context import ParserContext, to_flag
from invoke.parser.parser import Parser, ParseResult

from invoke_devstack.errors import UsageError, did_you_mean
from invoke_devstack.events import Emit, Event
from invoke_devstack.tasks.boundary import boundary
from invoke_devstack.tasks.command_line.arguments import HELP_FLAGS, Flag, Positional
from invoke_devstack.tasks.command_line.habits import (
    COMMANDS,
    EMPTY_HINT,
    Habit,
    Habits,
    apply,
    habits_of,
    meant_by_s,
)
from invoke_devstack.tasks.command_line.late_contexts import LateContext, with_late_flags
from invoke_devstack.tasks.command_line.misplaced import refuse_what_is_invokes
from invoke_devstack.tasks.command_line.prefixing import prefixed

_OTHERWISE = {"down": "To stop and remove one service: `invoke rm --stop {word}`."}
"""What to type instead of a word that a task does not take."""

COLLECTIONS = ("images", "snapshots", "deploy", "copies", "agents")
"""Collections of the stack's own; `tasks.catalogue` has what is in them."""

JSON = "--json"

_HONOURED = ("help", "debug", "dry", "echo")
"""Invoke's core flags that mean something after `exec` and `run`."""


_MAY_BE_EMPTY = ("service", "entrypoint")
"""Flags that say themselves what an empty value is: no service; no entrypoint, as in Docker."""

_BEFORE_WORDS = ("hash",)
"""Flags whose value for Compose is a word of the task here: `--hash=web` is `--hash web`."""


def rewrite_words() -> None:
    """From now on, every parser of Invoke reads the words after our tasks as described above."""
    parse, begin = Parser.parse_argv, Parser.__init__

    @wraps(begin)
    def begin_with_late_flags(
        self: Parser, contexts: Iterable[ParserContext] = (), *rest: Any, **others: Any
    ) -> None:
        begin(self, with_late_flags(contexts), *rest, **others)

    @wraps(parse)
    def parse_rewritten(self: Parser, argv: list[str]) -> ParseResult:
        completing = "--complete" in sys.argv[1:2]  # a line that is not finished: nothing to refuse
        if completing or not any(is_ours(context) for context in self.contexts.values()):
            return parse(self, argv)
        show = _shown_as(argv)
        with boundary(show):
            rewriting = Rewriting(self.contexts, self.initial)
            refuse_what_is_invokes(sys.argv, argv, self.contexts)
            rewritten = rewriting.rewrite(argv)
            apply(rewriting.habits.variables, rewriting.habits.selecting)
        try:
            return parse(self, rewritten)
        except ParseError as error:
            with boundary(show):
                if error.context is not None and is_ours(error.context):
                    raise UsageError(str(error), hint="List tasks: `invoke --list`.") from error
            raise

    Parser.parse_argv = parse_rewritten  # type: ignore[method-assign]
    Parser.__init__ = begin_with_late_flags  # type: ignore[method-assign]


def _shown_as(argv: Sequence[str]) -> Emit:
    """Shows errors about these words: as JSON if they ask for it."""

    def show(event: Event) -> None:
        from invoke_devstack.console import choose

        choose(json="events" if JSON in takewhile("--".__ne__, argv) else "").emit(event)

    return show


def is_ours(context: ParserContext) -> bool:
    """Whether it is a task of a stack."""
    return isinstance(context, LateContext)


class Rewriting:
    """One command line. It is followed as Invoke's parser will: which task a word belongs to, and which words
    are values of flags."""

    def __init__(self, contexts: Mapping[str, ParserContext], initial: ParserContext | None) -> None:
        """`contexts` are all tasks by name, `initial` has Invoke's core flags."""
        self._contexts = contexts
        self._initial = initial
        self._task: ParserContext | None = None
        self._missing: list[Argument] = []
        self._rest: deque[str] = deque()
        self._held: list[str] = []  # core flags, until the task has its arguments
        self._json = False
        self._helps = False
        self._forced = False
        self.habits = Habits()
        """What flags of Compose that no task declares have set."""

    def rewrite(self, typed: Sequence[str]) -> list[str]:
        """The words that Invoke understands. Raises UsageError for one that means nothing."""
        self._rest = deque(typed)
        try:
            words = list(self._rewritten())
            self._check_complete()
            if self._json and self._task is None:
                raise UsageError(f"`{JSON}` needs a task", hint="`invoke menu --json` lists them.")
        except UsageError as error:
            error.hint = self._named_as_called(error.hint)
            raise
        return words

    def _named_as_called(self, hint: str) -> str:
        """The hint with the names that the stack's tasks have: those of the task so far, or of the only
        stack."""
        ours = [str(name) for name, context in self._contexts.items() if is_ours(context)]
        stacks = [name.removesuffix("version") for name in ours if name.split(".")[-1] == "version"]
        if self._task is not None:
            task = str(self._task.name)
            prefix = max((name for name in stacks if task.startswith(name)), key=len, default="")
        else:
            prefix = stacks[0] if len(stacks) == 1 else ""
        names = {name.removeprefix(prefix) for name in ours}
        return prefixed(hint, prefix, names, self.habits.selecting)

    def _check_complete(self) -> None:
        """Raises UsageError if the task so far lacks an argument. Asked for help, it needs none."""
        if self._missing and self._task is not None and is_ours(self._task) and not self._helps:
            names = " and ".join(str(item.name).upper() for item in self._missing)
            name = str(self._task.name)
            raise UsageError(
                f"`{name}` needs {names}", hint=f"Its arguments and flags: `invoke --help {name}`."
            )

    def _rewritten(self) -> Iterator[str]:
        while self._rest:
            word = self._rest.popleft()
            if word == "--":
                yield from (word, *self._rest)
                return
            if self._begins_command(word):
                yield from (
                    "--command",
                    f" {shlex.join([word, *self._rest])}",
                )  # no value of a flag begins so
                return
            yield from self._flag(word) if _looks_like_flag(word) else self._word(word)

    def _begins_command(self, word: str) -> bool:
        """Whether it is the first word after `exec web` and its flags. A flag that means nothing here is one
        too (`run web --version`)."""
        task = self._task
        if task is None or self._missing or not _of_kind(task, "begins_command"):
            return False
        if _looks_like_flag(word):
            found = self._find(word)
            known = found is not None and (isinstance(found, Flag | Positional) or found.name in _HONOURED)
            return not known
        return True

    def _flag(self, word: str) -> Iterator[str]:
        if self._task is None and word == JSON:
            self._json = True  # for every task that follows
            return
        self._forced |= word in ("-f", "--force")
        if habit := self._habit(word):
            yield from self._read_habit(word, habit)
            return
        if word == "-s" and self._rest and self._task is not None and is_ours(self._task):
            word = meant_by_s(self._name_of_task(), self._rest[0], forced=self._forced) or word
        if split := self._split(word):
            self._rest.extendleft(reversed(split))
            return
        self._helps |= word in HELP_FLAGS
        found = self._find(word)
        if found is not None and found.name in _BEFORE_WORDS and "=" in word and not found.takes_value:
            word, _, value = word.partition("=")
            self._rest.appendleft(value)
        if self._would_be_an_argument(word, found):
            self._held.append(word)
            return
        yield word
        if found in self._missing:
            self._missing.remove(found)
        if found is None:
            self._refuse_flag(word)
            self._missing = self._missing[1:]  # Invoke takes an unknown flag for a positional argument
        elif self._waits_for_value(found, word):
            value = self._rest.popleft()
            _refuse_empty(found, word, value)
            yield value
        elif "=" in word:
            flag, _, value = word.partition("=")
            _refuse_empty(found, flag, value)

    def _would_be_an_argument(self, word: str, found: Argument | None) -> bool:
        """Whether Invoke would take its own flag for the argument that the task still lacks."""
        if not self._missing or word in HELP_FLAGS or found is None or found.takes_value:
            return False
        return self._task is not None and is_ours(self._task) and not isinstance(found, Flag | Positional)

    def _refuse_flag(self, word: str) -> None:
        """Raises UsageError for a flag that a task of ours does not have."""
        task = self._task
        if task is None or is_ours(task):
            flag = word.partition("=")[0]
            known = (
                [] if task is None else [*task.flags, *task.inverse_flags, *habits_of(self._name_of_task())]
            )
            help_of = f"invoke --help {task.name}" if task is not None else "invoke --help"
            hint = did_you_mean(flag, (name for name in known if name.startswith("--")))
            whose = f" for `{task.name}`" if task is not None else ""
            raise UsageError(f"unknown flag `{flag}`{whose}", hint=hint or f"All flags: `{help_of}`.")

    def _habit(self, word: str) -> Habit | None:
        """What a flag of Compose is that the task does not declare."""
        flag = word.partition("=")[0]
        if self._task is not None and (not is_ours(self._task) or flag in self._task.inverse_flags):
            return None
        if self._task is not None and flag in self._task.flags:
            return None
        return habits_of(self._name_of_task()).get(flag)

    def _read_habit(self, word: str, habit: Habit) -> Iterator[str]:
        flag, equals, value = word.partition("=")
        if habit.takes_value and not equals:
            if not self._rest:
                raise UsageError(f"`{flag}` needs a value")
            value = self._rest.popleft()
        yield from self.habits.read(self._name_of_task(), flag, value, habit)

    def _split(self, word: str) -> list[str]:
        """Short flags in one word (`rm -fv`) as words of their own, if there is one that the task does not
        declare."""
        flags = [f"-{letter}" for letter in word[1:]]
        if self._name_of_task() == "rm" and re.fullmatch("-[fsv]{2,}", word) and "f" in word:
            return [{"-s": "--stop"}.get(flag, flag) for flag in flags]
        if word.startswith("--") or len(flags) < 2 or not flags[0][1:].isalpha():
            return []
        for number, flag in enumerate(flags):
            found = self._named(flag)
            if self._habit(flag):
                return [*flags[: number + 1], *([f"-{word[number + 2 :]}"] if word[number + 2 :] else [])]
            if found is None or found.takes_value:
                return []
        return []

    def _name_of_task(self) -> str:
        """Without the name of the namespace that it is in: `images.rm` of `shop.images.rm`."""
        parts = str(self._task.name).split(".") if self._task is not None else [""]
        return ".".join(parts[-2:] if parts[:-1] and parts[-2] in COLLECTIONS else parts[-1:])

    def _waits_for_value(self, found: Argument, word: str) -> bool:
        if not found.takes_value or found.name == "help" or self._has_value(found, word):
            return False
        if self._rest and self._rest[0] != "--":
            return not (found.optional and _looks_like_flag(self._rest[0]))
        if not found.optional and self._task is not None and is_ours(self._task):
            raise UsageError(f"`{word}` needs a value", hint=f"Its flags: `invoke --help {self._task.name}`.")
        return False

    def _has_value(self, found: Argument, word: str) -> bool:
        """Whether the value is in the word, as in `--tail=5` and `-n5`."""
        return "=" in word or (not word.startswith("--") and len(word) > 2 and self._named(word[:2]) is found)

    def _find(self, word: str) -> Argument | None:
        """The flag that a word gives; of several short ones in one word (`-fn`), the last."""
        name = word.partition("=")[0]
        if name.startswith("--") or len(name) == 2:
            return self._named(name)
        first = self._named(name[:2])
        return first if first is None or first.takes_value else self._named(f"-{name[-1]}")

    def _named(self, name: str) -> Argument | None:
        for context in (self._task, self._initial):
            if context is not None:
                name = context.inverse_flags.get(name, name)
                if name in context.flags:
                    found: Argument = context.flags[name]
                    return found
        return None

    def _word(self, word: str) -> Iterator[str]:
        if self._missing:
            if isinstance(self._missing[0], Positional) and not word.strip():
                raise UsageError(f"empty {self._missing[0].name}", hint="Is a variable empty?")
            yield word
            self._missing = self._missing[1:]
            if not self._missing:
                yield from self._held
                self._held = []
            return
        if word in self._contexts:
            self._begin(word)
            yield word
            if self._json and self._task is not None and JSON in self._task.flags and is_ours(self._task):
                yield JSON
            return
        elif self._task is None:
            self._refuse_task(word)
        elif argument := _of_kind(self._task, "takes_words"):
            yield to_flag(argument.names[0])
        elif is_ours(self._task):
            self._refuse_word(self._task, word)
        yield word

    def _begin(self, word: str) -> None:
        self._task, self._forced = self._contexts[word], False
        self._missing = [item for item in self._task.positional_args if item.value is None]

    def _refuse_task(self, word: str) -> None:
        below = [name for name in self._contexts if name.endswith(f".{word}")]
        hint = f"Did you mean `{below[0]}`?" if below else COMMANDS.get(word) or self._similar(word)
        raise UsageError(f"unknown task `{word}`", hint=hint or "List them with `invoke --list`.")

    def _refuse_word(self, task: ParserContext, word: str) -> None:
        name = str(task.name)
        hint = self._similar(word) or _OTHERWISE.get(name.rpartition(".")[2], "").format(
            word=shlex.quote(re.sub(r"\.\d+$", "", word))  # `rm` takes services
        )
        flags = f"Its flags: `invoke --help {name}`."
        raise UsageError(f"`{name}` takes no word `{word}`", hint=hint or flags)

    def _similar(self, word: str) -> str:
        return did_you_mean(word, self._contexts)


def _looks_like_flag(word: str) -> bool:
    return word.startswith("-") and word != "-"


def _refuse_empty(found: Argument, flag: str, value: str) -> None:
    """Raises UsageError for an empty value of a flag of ours: it would be as if the flag were not given."""
    ours = isinstance(found, Flag | Positional) and found.name not in _MAY_BE_EMPTY
    if ours and not value.strip():
        raise UsageError(f"empty value for `{flag}`", hint=EMPTY_HINT)


def _of_kind(task: ParserContext, mark: str) -> Argument | None:
    return next((item for item in task.args.values() if getattr(item, mark, False)), None)
