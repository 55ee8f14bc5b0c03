"""A plan as a shell script that brings up the same stack with `docker` alone."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from invoke_devstack.planning.explain import explain
from invoke_devstack.planning.plan import Plan
from invoke_devstack.secrets import masked


class Variables:
    """The values that a script leaves out, each with the variable of the shell that stands for it."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}
        self.origins: dict[str, str] = {}

    def spell(self, service: str, name: str, value: str) -> str:
        """`NAME=value` for a shell, or `NAME="$NAME"` where the value is a secret. A name that starts with
        a slash is that of a secret file."""
        is_file = name.startswith("/")
        if not is_file and masked(name, value) == value:
            return shlex.quote(f"{name}={value}")
        variable = self._variable(service, name, value)
        return f'"${variable}"' if is_file else f'{shlex.quote(name)}="${variable}"'

    def values(self) -> Iterator[tuple[str, str]]:
        """Each variable with the value that it stands for."""
        return ((variable, self._values[variable]) for variable in self.origins)

    def _variable(self, service: str, name: str, value: str) -> str:
        """The same value has the same variable, another value of the same name one with the service's."""
        short = re.sub(r"\W+", "_", name).strip("_").upper()
        long = re.sub(r"\W+", "_", f"{service}_{short}").upper()
        variable = short if self._values.setdefault(short, value) == value else long
        self._values.setdefault(variable, value)
        self.origins.setdefault(variable, f"{name} of {service}")
        return variable


def script(plan: Plan, *, ask: str = "") -> str:
    """A POSIX shell script, each command below the sentence that says what it is for.

    Secrets are not in it. It takes them from the environment; for those that are not there it runs the
    command `ask`, which prints `secrets` of the same plan; and it ends when one is missing still.
    """
    variables = Variables()
    steps = tuple(_steps(plan, variables))
    lines = ["#!/bin/sh", f"# The stack {plan.project}, by hand.", "set -eu", ""]
    if variables.origins and ask:
        lines += ["# Secrets are not written here: what the environment does not have is asked for."]
        lines += [f'eval "$({ask})"']
    for variable, origin in variables.origins.items():
        lines.append(f': "${{{variable}:?is not shown here, and must be set: {origin}}}"')
    lines += ["", *steps] if variables.origins else steps
    return "\n".join(lines).rstrip() + "\n"


def secrets(plan: Plan) -> str:
    """The secrets that `script` of the same plan needs, as lines that a shell evaluates: each keeps the
    value that the environment has."""
    variables = Variables()
    for _ in _steps(plan, variables):
        pass
    return "".join(
        f"{variable}=${{{variable}:-{shlex.quote(value)}}}\n" for variable, value in variables.values()
    )


def _steps(plan: Plan, variables: Variables) -> Iterator[str]:
    for action in plan:
        for step in explain(action, variables.spell):
            if not step.command.startswith("#"):
                yield f"# {step.sentence}"
            yield step.command
            yield ""
