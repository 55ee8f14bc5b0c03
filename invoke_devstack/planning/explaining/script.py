"""A plan as a shell script that brings up the same stack using only `docker`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

from invoke_devstack.planning.explaining.docker_commands import docker_commands
from invoke_devstack.planning.plan import Plan
from invoke_devstack.secrets import SecretValues, masked


class Variables:
    """The values that a script leaves out, each with the shell variable used in its place."""

    def __init__(self, known: SecretValues) -> None:
        self.known = known
        self._values: dict[str, str] = {}
        self.origins: dict[str, str] = {}

    def spell(self, service: str, name: str, value: str) -> str:
        """`NAME=value` for a shell, or `NAME="$NAME"` if the value is a secret. A name that starts with a
        slash is the path of a secret file."""
        is_file = name.startswith("/")
        if not is_file and masked(name, value) == value:
            return shlex.quote(f"{name}={value}")
        variable = self._variable((name, f"{service}_{name.strip('/')}"), value, f"{name} of {service}")
        return f'"${variable}"' if is_file else f'{shlex.quote(name)}="${variable}"'

    def put_into(self, command: str) -> str:
        """The command with a variable for every other secret in it, wherever it stands."""
        return _with_references(self.known.hide(command, self._marked))

    def _marked(self, secret: str) -> str:
        if secret.startswith("\0"):
            return secret
        value = secret.replace("'\"'\"'", "'")  # as inside single quotes
        name = self.known.name_of(value) or "SECRET"
        return f"\0{self._variable((name,), value, name)}\0"

    def values(self) -> Iterator[tuple[str, str]]:
        """Each variable with its value."""
        return ((variable, self._values[variable]) for variable in self.origins)

    def _variable(self, names: Sequence[str], value: str, origin: str) -> str:
        """The variable for a value: the first of the names that is free, or the last with a number. Equal
        values share one."""
        candidates = [_shell_name(name) for name in names]
        candidates += (f"{candidates[-1]}_{number}" for number in range(2, len(self._values) + 3))
        variable = next(name for name in candidates if self._values.setdefault(name, value) == value)
        self.origins.setdefault(variable, origin)
        return variable


_MARKED_OR_QUOTE = re.compile(r"\0(\w+)\0|\\[^\0]|['\"]", re.DOTALL)


def _with_references(marked: str) -> str:
    """A shell command with a reference for each `\\0NAME\\0`, in quotes that fit where it stands."""
    quote = ""

    def replaced(found: re.Match[str]) -> str:
        nonlocal quote
        reference = f"${{{found[1]}}}"
        if found[1]:
            return reference if quote == '"' else f'{quote}"{reference}"{quote}'
        quote = _quote_after(found[0], quote)
        return found[0]

    return _MARKED_OR_QUOTE.sub(replaced, marked)


def _quote_after(piece: str, quote: str) -> str:
    """The quote that is open after `piece`: a quote, or a backslash and what follows it."""
    if piece.startswith("\\"):
        return "" if quote == "'" == piece[1:] else quote
    if quote:
        return "" if quote == piece else quote
    return piece


def _shell_name(name: str) -> str:
    plain = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_").upper()
    return f"_{plain}" if plain[:1].isdigit() or not plain else plain


def script(plan: Plan, known: SecretValues | None = None, *, ask: str = "") -> str:
    """A POSIX shell script, each command below the sentence that explains it.

    Secrets, those of the plan and the `known` ones, are not in it. It reads them from the environment, runs
    the command `ask` for those that are not set (`ask` prints `secrets` of the same plan), and fails if one
    is still missing.
    """
    variables = Variables(known or SecretValues())
    steps = tuple(_steps(plan, variables))
    lines = ["#!/bin/sh", f"# The stack {plan.project}, using only docker.", "set -eu", ""]
    if variables.origins and ask:
        lines += ["# Secrets are not in this script. Those missing in the environment are read from:"]
        lines += [f'eval "$({ask})"']
    for variable, origin in variables.origins.items():
        lines.append(f': "${{{variable}:?must be set: {origin}}}"')
    lines += ["", *steps] if variables.origins else steps
    return "\n".join(lines).rstrip() + "\n"


def secrets(plan: Plan, known: SecretValues | None = None) -> str:
    """The secrets that `script` of the same plan needs, as lines for a shell. A variable that is already set
    keeps its value."""
    variables = Variables(known or SecretValues())
    for _ in _steps(plan, variables):
        pass
    return "".join(
        f"{variable}=${{{variable}:-{shlex.quote(value)}}}\n" for variable, value in variables.values()
    )


def _steps(plan: Plan, variables: Variables) -> Iterator[str]:
    for action in plan:
        for step in docker_commands(action, variables.spell):
            if step.command.startswith("#"):
                yield variables.known.hide(step.command)
            else:
                yield f"# {variables.known.hide(step.sentence)}"
                yield variables.put_into(step.command)
            yield ""
