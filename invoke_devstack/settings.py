"""Every setting of `devstack:` (Invoke's configuration), with its default, in this one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, fields
from difflib import get_close_matches
from typing import Any, TypeVar

from invoke_devstack.errors import UsageError
from invoke_devstack.records import record


@record
class WatchSettings:
    debounce: float = 0.02  # seconds of quiet that end a batch of changes
    force_polling: bool | None = None  # None: found out by itself


@record
class Settings:
    """The settings under `devstack:`. Times are seconds."""

    bind: str = "127.0.0.1"  # host address of published ports that name none
    wait_timeout: float = 120.0  # until a service must be ready
    probe_interval: float = 0.03  # between two probes of a starting service
    ports: str = "fixed"  # or "auto": a free port where the wanted one is taken
    parallel: int = 12  # actions at once: with more, the engine takes longer for all of them together
    registry_mirror: str = ""  # host[:port] to pull Docker Hub's images through
    project_directory: str = ""  # default: where tasks.py is
    files: tuple[str, ...] = ()  # default: found as Compose finds them
    profiles: tuple[str, ...] = ()
    watch: WatchSettings = field(default_factory=WatchSettings)

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Settings:
        """Settings from `devstack:`; a name that is not there raises UsageError with the nearest one."""
        return _read(cls, values, "devstack")


_Section = TypeVar("_Section", Settings, WatchSettings)
_NO = ("", "0", "no", "false", "off")


def _read(cls: type[_Section], values: Mapping[str, Any], prefix: str) -> _Section:
    known = {item.name: item for item in fields(cls)}
    defaults = cls()
    result: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"Did you mean `{prefix}.{near[0]}`?" if near else f"Known: {', '.join(known)}."
            raise UsageError(f"unknown setting `{prefix}.{name}`", hint=hint)
        if value is None:
            continue
        if name == "watch":
            result[name] = _read(WatchSettings, value, f"{prefix}.watch")
        else:
            result[name] = _cast(f"{prefix}.{name}", value, getattr(defaults, name))
    return cls(**result)


def _cast(name: str, value: Any, default: Any) -> Any:
    """The value in the type of its default: INVOKE_DEVSTACK_* variables are texts, lists have commas."""
    try:
        if isinstance(default, bool) or default is None:
            return str(value).lower() not in _NO
        if isinstance(default, tuple):
            items = value.split(",") if isinstance(value, str) else value
            return tuple(str(item).strip() for item in items if str(item).strip())
        return type(default)(value)
    except (TypeError, ValueError):
        wanted = {int: "a whole number", float: "a number of seconds", tuple: "a list"}[type(default)]
        raise UsageError(f"the setting `{name}` is {wanted}, not `{value}`") from None
