"""All settings under `devstack:` in Invoke's configuration, with their defaults."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import field, fields
from pathlib import Path
from typing import Any, TypeVar

from invoke_devstack.errors import UsageError, did_you_mean
from invoke_devstack.local_files.home import home_folder
from invoke_devstack.records import record

COPY_VARIABLE = "DEVSTACK_COPY"
"""The environment variable that names the isolated copy of the stack that a task acts on. It is no setting
under `devstack:`: in a file, it would turn the stack itself into its copy."""


def state_folder() -> Path:
    """Where the user's programs keep what is no configuration."""
    state = Path(os.environ.get("XDG_STATE_HOME") or home_folder() / ".local/state")
    return state / "invoke-devstack"


def copies_folder() -> Path:
    """Where each isolated copy of a stack has its folder. It is there while there are any."""
    return state_folder() / "copies"


def is_folder(path: Path) -> bool:
    """Whether it is one that this user may look at: with another user's XDG_STATE_HOME, it is not."""
    try:
        return path.is_dir()
    except OSError:
        return False


@record
class WatchSettings:
    debounce: float = 0.02  # seconds of quiet that end a batch of changes
    force_polling: bool | None = None  # None: detected


@record
class Settings:
    """The settings under `devstack:`. Times are seconds."""

    bind: str = "127.0.0.1"  # host address of published ports without one
    wait_timeout: float = 120.0  # until a service must be ready
    probe_interval: float = 0.03  # between two probes of a starting service
    guess: float = 5.0  # for a port to answer that no healthcheck confirms; 0: it is not asked
    ports: str = "fixed"  # or "auto": a free port if the wanted one is in use
    parallel: int = 12  # concurrent actions; with more, the engine takes longer for all of them
    registry_mirror: str = ""  # host[:port] of a mirror of Docker Hub
    project_directory: str = ""  # default: where tasks.py is
    files: tuple[str, ...] = ()  # default: those that Compose would find
    profiles: tuple[str, ...] = ()
    dashboard: bool = False  # an attached `up` serves the dashboard too
    trace: bool = False  # services send traces, as with `up --trace`
    trace_forwarder: bool = False  # traces go through forwarders, where a firewall is in the way
    host: tuple[str, ...] = ()  # services that run on this machine, as with `up --host`
    notify: str = ""  # how a change that the watch cannot apply is shown: auto, terminal; "": not
    strict: bool = False  # a variable that is not set is an error
    watch: WatchSettings = field(default_factory=WatchSettings)

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Settings:
        """Settings from `devstack:`; raises UsageError for an unknown name, with the most similar one."""
        return _read(cls, values, "devstack")


_Section = TypeVar("_Section", Settings, WatchSettings)
_NO = ("", "0", "no", "false", "off")


def _read(cls: type[_Section], values: Mapping[str, Any], prefix: str) -> _Section:
    known = {item.name: item for item in fields(cls)}
    defaults = cls()
    result: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            hint = did_you_mean(name, known, f"Known: {', '.join(known)}.")
            raise UsageError(f"unknown setting `{prefix}.{name}`", hint=hint)
        if value is None:
            continue
        if name == "watch":
            result[name] = _read(WatchSettings, value, f"{prefix}.watch")
        else:
            result[name] = _cast(f"{prefix}.{name}", value, getattr(defaults, name))
    return cls(**result)


def _cast(name: str, value: Any, default: Any) -> Any:
    """The value in the type of its default. INVOKE_DEVSTACK_* variables are text; lists in them have
    commas."""
    try:
        if isinstance(default, bool) or default is None:
            return str(value).lower() not in _NO
        if isinstance(default, tuple):
            items = value.split(",") if isinstance(value, str) else value
            return tuple(str(item).strip() for item in items if str(item).strip())
        return type(default)(value)
    except (TypeError, ValueError):
        wanted = {int: "a whole number", float: "a number of seconds", tuple: "a list"}[type(default)]
        raise UsageError(f"invalid setting `{name}`: `{value}` is not {wanted}") from None
