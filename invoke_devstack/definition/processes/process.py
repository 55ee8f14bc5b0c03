"""The keys of a process, declared like those of the Compose Specification."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from invoke_devstack.definition.attributes import decode, paths
from invoke_devstack.definition.attributes import types as t
from invoke_devstack.definition.attributes.part import Part, ValueType, derived, key
from invoke_devstack.definition.attributes.service_parts import DEPENDS_ON, ENV_FILES, Dependency, EnvFile
from invoke_devstack.definition.syntax.tree import Location, Steps, Table, fail, table_of
from invoke_devstack.definition.syntax.units import Seconds

_RESTART = t.TEXT.but(
    pattern=re.compile(r"no|always|unless-stopped|on-failure(:[0-9]+)?\Z"),
    expected="`no`, `always`, `unless-stopped` or `on-failure[:TIMES]`",
)


def _port(value: Any) -> int:
    number = decode.number(value)
    if not number or not 1 <= number <= 65535:
        raise decode.InvalidValueError(f"must be a port from 1 to 65535, not `{value}`")
    return number


def _command(value: Any) -> tuple[str, ...] | None:
    words = decode.command(value)
    if words is not None and not any(words[:1]):
        raise decode.InvalidValueError("must name a program")
    return words


_COMMAND = t.COMMAND.but(decode=_command, nothing=False)
_PORT = t.COUNT.but(decode=_port)


class Ready(Part, extensible=False):
    """When the process counts as ready: a web page answers (`port` and `path`), a port takes connections, a
    line of its output matches `log`, or the command `exec` succeeds."""

    port: int | None = key(_PORT)
    path: str | None = key(t.TEXT)
    log: str | None = key(t.TEXT)
    exec: tuple[str, ...] | None = key(t.COMMAND)
    timeout: Seconds | None = key(t.DURATION)


def _expand_ready(value: Any, location: Location, steps: Steps) -> Any:
    return value if isinstance(value, Table) else table_of({"port": value}, location)


def _verify_ready(value: Any, location: Location, steps: Steps) -> Any:
    """One way to ask, and a pattern that can be searched for."""
    ways = [name for name in ("port", "log", "exec") if value.get(name) is not None]
    if len(ways) != 1:
        hint = "Write `port: 8080` (with `path: /health` for a web page), `log: PATTERN`, or `exec: COMMAND`."
        raise fail("say in one way when it is ready", location, steps, hint)
    try:
        re.compile(value.get("log") or "")
    except re.error as error:
        raise fail(f"invalid pattern: {error}", value.location_of("log"), (*steps, "log")) from None
    return value


READY: ValueType[Ready | None] = t.part(
    Ready, integer=True, text=True, expand=_expand_ready, verify=_verify_ready
).but(pattern=re.compile(r"[0-9]+\Z"), expected="a port")


class WatchedPath(Part, extensible=False):
    """A path (absolute) at whose changes the process restarts."""

    path: str = key(t.TEXT.but(resolve=paths.watched_path), default="", required=True)
    include: tuple[str, ...] = key(t.TEXT_OR_LIST.but(expand=t.listed))
    ignore: tuple[str, ...] = key(t.TEXT_OR_LIST.but(expand=t.listed))


def _expand_served(value: Any, location: Location, steps: Steps) -> Any:
    """`PROCESS:CONTAINER`, or a port that is the same on both sides."""
    if isinstance(value, Table):
        return value
    mine, colon, theirs = str(value).rpartition(":")
    if not (theirs.isdecimal() and (mine.isdecimal() or not colon)):
        raise fail(
            f"invalid port `{value}`", location, steps, "Write `PORT-OF-THE-PROCESS:PORT-IN-THE-CONTAINER`."
        )
    return table_of({"process": int(mine or theirs), "container": int(theirs)}, location)


class ServedPort(Part, extensible=False):
    """A port that the process serves on this machine, and the port of the container that it stands for."""

    process: int = key(_PORT, default=0, required=True)
    container: int = key(_PORT, default=0, required=True)


_SERVED: ValueType[tuple[ServedPort, ...]] = t.list_of(
    t.part(ServedPort, integer=True, text=True, expand=_expand_served)
)


class Process(Part):
    """A process of this machine. `working_dir` is absolute. `ports` only has a meaning for a service."""

    name: str = derived("")
    command: tuple[str, ...] | None = key(_COMMAND, required=True)
    working_dir: str | None = key(t.TEXT.but(resolve=paths.path))
    environment: Mapping[str, str | None] = key(t.VARIABLES)
    env_file: tuple[EnvFile, ...] = key(ENV_FILES)
    ports: tuple[ServedPort, ...] = key(_SERVED)
    ready: Ready | None = key(READY)
    watch: tuple[WatchedPath, ...] = key(
        t.list_of(t.part(WatchedPath, text=True, expand=t.text_as("path")), text=True, expand=t.listed)
    )
    depends_on: Mapping[str, Dependency] = key(DEPENDS_ON)
    restart: str | None = key(_RESTART)
    stop_signal: str | None = key(t.TEXT)
    stop_grace_period: Seconds | None = key(t.DURATION, keep_zero=True)
