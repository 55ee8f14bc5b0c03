"""Explains why a service failed, by its exit code, its state and its last output."""

from __future__ import annotations

import re
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from invoke_devstack.engine.protocol import Engine
from invoke_devstack.errors import DevstackError, NotFoundError, ServiceError
from invoke_devstack.planning.processes.image import PROCESS_IMAGE

OUT_OF_MEMORY = "ran out of memory and was killed by the kernel"
_LOG_LINES = 10

_LOG_HINTS = (
    (
        r"exec format error",
        "The program was built for another CPU architecture, or is a script without a first line such as "
        "`#!/bin/sh`. Build the image for this machine (`platform:`), or fix the script.",
    ),
    (
        r"MYSQL_ROOT_PASSWORD|MARIADB_ROOT_PASSWORD",
        "MySQL needs a password on its first start: set MYSQL_ROOT_PASSWORD in the service's `environment:`.",
    ),
    (
        r"POSTGRES_PASSWORD",
        "PostgreSQL needs a password on its first start: set POSTGRES_PASSWORD in the service's "
        "`environment:`.",
    ),
    (r"no space left on device", "The engine's disk is full. See what uses it: `docker system df`."),
    (
        r"address already in use",
        "The port is already in use inside the container's network: by another process of the container, or, "
        "with `network_mode: host`, by a process on this machine.",
    ),
    (
        r"permission denied",
        "The container's user lacks permission: check `user:` and the owner of the mounted files.",
    ),
)

_PROCESS_LOG_HINTS = (
    (
        r"address already in use",
        "Another program on this machine uses the port. See which: `ss -ltnp`.",
    ),
    (
        r"permission denied",
        "You lack the permission: check the owner of the files, and ports below 1024.",
    ),
    (
        r"/dev/tty|not a (tty|terminal)|inappropriate ioctl|EOF when reading a line",
        "It may need a terminal, which no process of a stack has. Start it in one of your own: `invoke up "
        "--without SERVICE`, then the command.",
    ),
    *(
        (pattern, hint)
        for pattern, hint in _LOG_HINTS
        if pattern not in ("address already in use", "permission denied")
    ),
)
_BACKGROUND = (
    "A process has to stay in the foreground: what it leaves running when it exits is ended. Many servers "
    "have a flag for that, such as `--foreground`."
)

_NO_COMMAND = 127
_CODE_HINTS = {
    126: "The command was found, but cannot be executed: make the file executable (`chmod +x`).",
    _NO_COMMAND: "The image does not have the command: check `command:` and `entrypoint:`.",
    125: "The engine could not start the container. See its configuration: `invoke inspect SERVICE`.",
    139: "The program crashed with a segmentation fault.",
}


def failure(
    engine: Engine,
    inspected: Mapping[str, Any],
    message: str,
    *,
    service: str,
    hint: str,
    last_probe: str = "",
    log: Sequence[str] | None = None,
) -> ServiceError:
    """The error of a failed service, with the last output of its probe and its log."""
    if log is None:
        log = _log_of(engine, inspected)
    return ServiceError(message, service=service, hint=hint, details=failure_details(last_probe, log))


def crash(
    engine: Engine,
    inspected: Mapping[str, Any],
    service: str,
    code: int,
    what: str,
    *,
    label: str = "",
    waiting: Sequence[str] = (),
    last_probe: str = "",
) -> ServiceError:
    """The error of a container that exited with `code`. `what` is the sentence's predicate (see `exited`),
    `label` its subject if that is not the service."""
    with suppress(NotFoundError):
        inspected = engine.inspect_container(inspected["Id"])
    if ran_out_of_memory(inspected):
        what = OUT_OF_MEMORY
    log = _log_of(engine, inspected)
    hint = exit_hint(service, code, inspected, log)
    message = f"{label or service} {what}{waited_for(waiting)}"
    return failure(engine, inspected, message, service=service, hint=hint, last_probe=last_probe, log=log)


def _log_of(engine: Engine, inspected: Mapping[str, Any]) -> list[str]:
    tty = bool((inspected.get("Config") or {}).get("Tty"))
    with suppress(DevstackError):
        stream = engine.logs(inspected["Id"], tail=_LOG_LINES, tty=tty)
        try:
            data = b"".join(block for _, block in stream)
        finally:
            stream.close()
        return data.decode("utf-8", "replace").splitlines()[-_LOG_LINES:]
    return []


def exited(code: int) -> str:
    """`exited with code 137 (killed by SIGKILL)`."""
    return f"exited with code {code}{exit_meaning(code)}"


def exit_meaning(code: int) -> str:
    """The meaning of an exit code: ` (killed by SIGKILL)`, or ""."""
    if code > 128:
        with suppress(ValueError):
            return f" (killed by {signal.Signals(code - 128).name})"
    return ""


def exit_hint(service: str, code: int, inspected: Mapping[str, Any], log: Sequence[str]) -> str:
    """What to do about a container that exited with `code`."""
    if ran_out_of_memory(inspected):
        return memory_hint(inspected)
    process = is_process_container(inspected)
    for pattern, hint in _PROCESS_LOG_HINTS if process else _LOG_HINTS:
        if any(re.search(pattern, line, re.IGNORECASE) for line in log):
            return hint.replace("SERVICE", service)
    if process and left_running(inspected):
        return _BACKGROUND
    if process and code == _NO_COMMAND:
        return "This machine does not have the command: check `command:` below `x-devstack`, or install it."
    return _CODE_HINTS.get(code, "").replace("SERVICE", service) or see_logs(service)


def is_process_container(inspected: Mapping[str, Any]) -> bool:
    """Whether it is a process of this machine."""
    return (inspected.get("Config") or {}).get("Image") == PROCESS_IMAGE


def left_running(inspected: Mapping[str, Any]) -> str:
    """What a process of this machine had left running when it exited, as `sleep (pid 12)`, or ""."""
    return str((inspected.get("State") or {}).get("LeftRunning") or "")


def background_notice(service: str, inspected: Mapping[str, Any]) -> str:
    """What to tell of a process that has exited well, but not alone; "" for every other."""
    left = left_running(inspected)
    return f"{service} exited and left {left} running, which was ended. {_BACKGROUND}" if left else ""


def ran_out_of_memory(inspected: Mapping[str, Any]) -> bool:
    """Whether the kernel killed the container for lack of memory."""
    return bool((inspected.get("State") or {}).get("OOMKilled"))


def memory_hint(inspected: Mapping[str, Any]) -> str:
    """What to do about a container that ran out of memory."""
    limit = (inspected.get("HostConfig") or {}).get("Memory") or 0
    if limit:
        return f"Its limit is {limit / 1024**2:g} MiB: raise `mem_limit:`, or reduce its memory use."
    return "The machine ran out of memory: stop other programs, or set `mem_limit:` on large services."


def see_logs(service: str) -> str:
    return f"See its whole output: `invoke logs -s {service}`."


def failure_details(last_probe: str, log: Sequence[str]) -> tuple[str, ...]:
    """The lines below the message: the probe's last output, then the end of the log."""
    probe = last_probe.strip().splitlines()[-3:]
    return (
        *(f"last probe: {line}" for line in probe),
        *(("last log lines:",) if log else ()),
        *(f"  {line}" for line in log),
    )


def waited_for(services: Sequence[str]) -> str:
    """`; api and worker wait for it`, or ""."""
    if not services:
        return ""
    *most, last = services
    names = f"{', '.join(most)} and {last}" if most else last
    return f"; {names} {'wait' if most else 'waits'} for it"
