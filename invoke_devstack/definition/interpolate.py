"""Puts variables into a file's values, and makes numbers and booleans of texts where such are wanted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from invoke_devstack.definition.environment import Environment
from invoke_devstack.definition.origin import VariableOrigin
from invoke_devstack.definition.scalars import parse_boolean, parse_float, parse_integer
from invoke_devstack.definition.template import RequiredVariableError, TemplateError, substitute
from invoke_devstack.definition.tree import Items, Mark, Rules, Steps, Table, dotted, fail

Cast = Callable[[str], Any]

_SERVICE_CASTS: Mapping[str, Cast] = {
    "cpu_count": parse_integer,
    "cpu_percent": parse_float,
    "cpu_period": parse_integer,
    "cpu_quota": parse_integer,
    "cpu_rt_period": parse_integer,
    "cpu_rt_runtime": parse_integer,
    "cpus": parse_float,
    "cpu_shares": parse_integer,
    "init": parse_boolean,
    "deploy.replicas": parse_integer,
    "deploy.update_config.parallelism": parse_integer,
    "deploy.update_config.max_failure_ratio": parse_float,
    "deploy.rollback_config.parallelism": parse_integer,
    "deploy.rollback_config.max_failure_ratio": parse_float,
    "deploy.restart_policy.max_attempts": parse_integer,
    "deploy.placement.max_replicas_per_node": parse_integer,
    "healthcheck.retries": parse_integer,
    "healthcheck.disable": parse_boolean,
    "oom_kill_disable": parse_boolean,
    "oom_score_adj": parse_integer,
    "pids_limit": parse_integer,
    "ports.*.target": parse_integer,
    "privileged": parse_boolean,
    "read_only": parse_boolean,
    "scale": parse_integer,
    "stdin_open": parse_boolean,
    "tty": parse_boolean,
    "ulimits.*": parse_integer,
    "ulimits.*.hard": parse_integer,
    "ulimits.*.soft": parse_integer,
    "volumes.*.read_only": parse_boolean,
    "volumes.*.volume.nocopy": parse_boolean,
}
_CASTS: Rules[Cast] = Rules(
    {f"services.*.{place}": cast for place, cast in _SERVICE_CASTS.items()}
    | {
        f"networks.*.{key}": parse_boolean
        for key in ("external", "internal", "attachable", "enable_ipv4", "enable_ipv6")
    }
    | {f"{kind}.*.external": parse_boolean for kind in ("volumes", "secrets", "configs")}
)


def interpolate(root: Table, environment: Environment) -> None:
    """Replaces the variables in all values of `root`, in place. Raises DefinitionError with the position."""
    _Interpolation(environment).fill(root, (), _CASTS)


class _Interpolation:
    def __init__(self, environment: Environment) -> None:
        self.environment = environment

    def fill(self, value: Table | Items, steps: Steps, casts: Rules[Cast] | None) -> None:
        """Replaces the scalars below `value`."""
        if isinstance(value, Table):
            for key, item in value.items():
                below = casts.below(key) if casts else None
                if isinstance(item, Table | Items):
                    self.fill(item, (*steps, key), below)
                elif isinstance(item, str):
                    value[key], value.marks[key] = self._scalar(
                        item, value.mark_of(key), (*steps, key), below
                    )
            return
        for index, item in enumerate(value):
            below = casts.below("*") if casts else None
            own = (*steps, f"[{index}]")
            if isinstance(item, Table | Items):
                self.fill(item, own, below)
            elif isinstance(item, str):
                value[index], value.marks[index] = self._scalar(item, value.marks[index], own, below)

    def _scalar(self, text: str, mark: Mark, steps: Steps, casts: Rules[Cast] | None) -> tuple[Any, Mark]:
        value, mark = self._substituted(text, mark, steps)
        if casts is None or casts.here is None:
            return value, mark
        try:
            return casts.here(value), mark
        except ValueError as error:
            raise fail(f"`{dotted(steps)}`: {error}", mark, steps, _cast_hint(mark)) from None

    def _substituted(self, text: str, mark: Mark, steps: Steps) -> tuple[str, Mark]:
        if "$" not in text:
            return text, mark
        used: dict[str, VariableOrigin] = {}

        def lookup(name: str) -> str | None:
            value = self.environment.get(name)
            used[name] = VariableOrigin(name, value or "", self.environment.source(name))
            return value

        try:
            result = substitute(text, lookup)
        except RequiredVariableError as error:
            hint = f"Set it in the environment or in `.env`: {error.name}=…"
            raise fail(f"`{dotted(steps)}`: {error}", mark, steps, hint) from None
        except TemplateError as error:
            hint = "Write `$$` for a dollar sign that starts no variable."
            raise fail(f"`{dotted(steps)}`: {error}", mark, steps, hint) from None
        return result, replace(mark, raw=text, variables=tuple(used.values()))


def _cast_hint(mark: Mark) -> str:
    unset = [variable.name for variable in mark.variables if variable.source == "unset"]
    return f"Set {', '.join(unset)}, or give a default: ${{{unset[0]}:-…}}." if unset else ""
