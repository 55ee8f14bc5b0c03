"""Why a service failed, in words: from its exit code, its state, and the last that it said."""

from __future__ import annotations

import re
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from invoke_devstack.engine.protocol import Engine
from invoke_devstack.errors import DevstackError, NotFoundError, ServiceError

_LOG_LINES = 10

_LOG_HINTS = (
    (
        r"exec format error",
        "The program is for another processor, or is a script without a first line such as `#!/bin/sh`: "
        "build the image for this machine (`platform:`), or mend the script.",
    ),
    (
        r"MYSQL_ROOT_PASSWORD|MARIADB_ROOT_PASSWORD",
        "MySQL needs a password for its first start: set MYSQL_ROOT_PASSWORD under the service's "
        "`environment:`.",
    ),
    (
        r"POSTGRES_PASSWORD",
        "PostgreSQL needs a password for its first start: set POSTGRES_PASSWORD under the service's "
        "`environment:`.",
    ),
    (r"no space left on device", "The engine's disk is full: `docker system df` shows what uses it."),
    (
        r"address already in use",
        "Something in the container's network already uses that port: two processes in one container, "
        "or `network_mode: host`.",
    ),
    (
        r"permission denied",
        "The container's user may not read or write that: check `user:`, and who owns the mounted files.",
    ),
)

_CODE_HINTS = {
    126: "The command was found but cannot be executed: is the file executable (`chmod +x`), or a directory?",
    127: "The command was not found in the image: check `command:` and `entrypoint:`.",
    125: "The engine could not start the container: `invoke inspect SERVICE` shows its configuration.",
    139: "The program crashed with a segmentation fault.",
}


def last_log_lines(
    engine: Engine, container: str, *, tty: bool = False, count: int = _LOG_LINES
) -> list[str]:
    """The last lines that the container wrote, for people; empty where they cannot be had."""
    with suppress(DevstackError):
        stream = engine.logs(container, tail=count, tty=tty)
        try:
            data = b"".join(block for _, block in stream)
        finally:
            stream.close()
        return data.decode("utf-8", "replace").splitlines()[-count:]
    return []


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
    """The error for a service that failed, with what its probe and its log last said."""
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
    waiting: Sequence[str] = (),
    last_probe: str = "",
) -> ServiceError:
    """The error for a container that ended with `code`; `what` says so (`exited`)."""
    with suppress(NotFoundError):
        inspected = engine.inspect_container(inspected["Id"])
    if (inspected.get("State") or {}).get("OOMKilled"):
        what = "was killed by the kernel for memory"
    log = _log_of(engine, inspected)
    hint = exit_hint(service, code, inspected, log)
    message = f"{service} {what}{waited_for(waiting)}"
    return failure(engine, inspected, message, service=service, hint=hint, last_probe=last_probe, log=log)


def _log_of(engine: Engine, inspected: Mapping[str, Any]) -> list[str]:
    tty = bool((inspected.get("Config") or {}).get("Tty"))
    return last_log_lines(engine, inspected["Id"], tty=tty)


def exited(code: int) -> str:
    """`exited with code 137 (killed by SIGKILL)`."""
    return f"exited with code {code}{exit_meaning(code)}"


def exit_meaning(code: int) -> str:
    """What an exit code says beyond its number: ` (killed by SIGKILL)`, or nothing."""
    if code > 128:
        with suppress(ValueError):
            return f" (killed by {signal.Signals(code - 128).name})"
    return ""


def exit_hint(service: str, code: int, inspected: Mapping[str, Any], log: Sequence[str]) -> str:
    """What to do about a container that ended with `code`."""
    if (inspected.get("State") or {}).get("OOMKilled"):
        return memory_hint(inspected)
    for pattern, hint in _LOG_HINTS:
        if any(re.search(pattern, line, re.IGNORECASE) for line in log):
            return hint
    return _CODE_HINTS.get(code, "").replace("SERVICE", service) or see_logs(service)


def memory_hint(inspected: Mapping[str, Any]) -> str:
    """For a container that the kernel killed for memory."""
    limit = (inspected.get("HostConfig") or {}).get("Memory") or 0
    if limit:
        return f"It needs more than its {limit / 1024**2:g} MiB: raise `mem_limit:`, or let it use less."
    return "The machine ran out of memory: stop something else, or set `mem_limit:` where it is used."


def see_logs(service: str) -> str:
    return f"`invoke logs -s {service}` shows all of its output."


def failure_details(last_probe: str, log: Sequence[str]) -> tuple[str, ...]:
    """The lines below the message: what the probe last said, then the end of the log."""
    probe = last_probe.strip().splitlines()[-3:]
    return (
        *(f"last probe: {line}" for line in probe),
        *(("last log lines:",) if log else ()),
        *(f"  {line}" for line in log),
    )


def waited_for(services: Sequence[str]) -> str:
    """`; api and worker wait for it`, or nothing."""
    if not services:
        return ""
    *most, last = services
    names = f"{', '.join(most)} and {last}" if most else last
    return f"; {names} {'wait' if most else 'waits'} for it"
