"""A task as this plugin declares it: a function, its flags with their short forms and help texts."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from invoke.tasks import Task

from invoke_devstack.settings import Settings

Json = Literal["", "answer", "events"]

SERVICE_HELP = "A service; may be repeated, and takes a comma list. Default: all of them."
JSON_HELP = "Print JSON for scripts."
YES_HELP = "Answer every question with yes."
WAIT_HELP = f"Seconds until a service must be ready (default {Settings().wait_timeout:g})."
EXPLAIN_HELP = "Show, for each step, the docker command that does the same by hand."


@dataclass(frozen=True, slots=True)
class Command:
    """`run` takes a Work and the flags. `json` says what `--json` prints: the answer, or events. One that
    only `tells` ends quietly when nobody reads it any more (`invoke logs | head`)."""

    name: str
    run: Callable[..., None]
    flags: Mapping[str, str]
    shorts: Mapping[str, str] = field(default_factory=dict)
    json: Json = ""
    tells: bool = False
    default: bool = False


def command(
    name: str,
    *,
    flags: Mapping[str, str] | None = None,
    shorts: Mapping[str, str] | None = None,
    json: Json = "",
    tells: bool = False,
    default: bool = False,
) -> Callable[[Callable[..., None]], Command]:
    """Declares a task. Its function's parameters are its flags; one without a default is positional;
    `service` is always `-s/--service`, and every flag has a help text: `flags` has those of flags
    that are this task's own."""

    def declare(run: Callable[..., None]) -> Command:
        letters = {"service": "s", "yes": "y", **(shorts or {})}
        return Command(name, run, flags or {}, letters, json, tells or json == "answer", default)

    return declare


class DevstackTask(Task):  # type: ignore[type-arg]
    """An Invoke task whose short flags are chosen, not guessed from the first free letter."""

    def __init__(self, body: Callable[..., None], declared: Command) -> None:
        parameters = inspect.signature(declared.run).parameters
        self.declared = declared
        super().__init__(
            body,
            name=declared.name,
            default=declared.default,
            auto_shortflags=False,
            iterable=[name for name, item in parameters.items() if item.default == ()],
            help=_help_of(declared, parameters),
        )

    def arg_opts(self, name: str, default: Any, taken_names: set[str]) -> dict[str, Any]:
        """Invoke's description of one flag, with our short form."""
        several: Any = list(default) if default == () else default
        options = super().arg_opts(name, several, taken_names)
        if name in self.declared.shorts:
            options["names"] = [*options["names"], self.declared.shorts[name]]
        return options

    def __deepcopy__(self, memo: dict[int, Any]) -> DevstackTask:
        """Invoke copies every task of a namespace deeply; only what it changes needs a copy."""
        twin = copy.copy(self)
        twin.help = dict(self.help)
        return twin


def _help_of(declared: Command, parameters: Mapping[str, inspect.Parameter]) -> dict[str, str]:
    common = {"service": SERVICE_HELP, "json": JSON_HELP, "yes": YES_HELP, "explain": EXPLAIN_HELP}
    return {name: text for name, text in {**common, **declared.flags}.items() if name in parameters}


def split_names(values: Sequence[str]) -> tuple[str, ...]:
    """Names of a flag that may be repeated and takes comma lists, each once, in order."""
    names = (name.strip() for value in values for name in value.split(","))
    return tuple(dict.fromkeys(name for name in names if name))
