"""The first process of a container, and why it did not end on its stop signal."""

from __future__ import annotations

import re
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from invoke_devstack.engine.protocol import Engine
from invoke_devstack.errors import DevstackError
from invoke_devstack.planning.processes.image import PROCESS_IMAGE_ID
from invoke_devstack.records import record

_SHELLS = {"sh", "bash", "dash", "ash", "zsh", "ksh", "busybox"}
_INITS = {"docker-init", "tini", "dumb-init", "catatonit"}


@record
class PidOne:
    """Its command line, and the bit masks of the signals that it catches and ignores (bit N-1)."""

    command: tuple[str, ...]
    caught: int
    ignored: int
    in_container: bool = True

    def handles(self, number: int) -> bool:
        return bool(self.caught >> (number - 1) & 1)

    def ignores(self, number: int) -> bool:
        return bool(self.ignored >> (number - 1) & 1)

    @property
    def name(self) -> str:
        return PurePosixPath(self.command[0]).name.lstrip("-") if self.command else ""


def examine(engine: Engine, inspected: Mapping[str, Any]) -> PidOne | None:
    """Reads a running container's PID 1: from outside if it runs on this machine, else from inside. Of a
    process container, the process."""
    container_id, pid = inspected["Id"], (inspected.get("State") or {}).get("Pid") or 0
    process = Path("/proc") / str(pid)
    if inspected.get("Image") == PROCESS_IMAGE_ID:
        with suppress(OSError):
            return replace(_parse_files(process), in_container=False)
        return None
    with suppress(OSError):
        if pid and container_id in (process / "cgroup").read_text():
            return _parse_files(process)
    with suppress(DevstackError, TimeoutError):
        status = engine.exec(container_id, ("cat", "/proc/1/status"), timeout=2)
        command = engine.exec(container_id, ("cat", "/proc/1/cmdline"), timeout=2)
        if status.exit_code == 0 and command.exit_code == 0:
            return parse(status.output, command.output)
    return None


def _parse_files(process: Path) -> PidOne:
    return parse((process / "status").read_bytes(), (process / "cmdline").read_bytes())


def parse(status: bytes, command_line: bytes) -> PidOne:
    """From `/proc/PID/status` and `/proc/PID/cmdline` (proc_pid_status(5))."""

    def mask(name: str) -> int:
        found = re.search(rf"^{name}:\s*([0-9a-f]+)$".encode(), status, re.MULTILINE)
        return int(found[1], 16) if found else 0

    words = command_line.rstrip(b"\0").decode("utf-8", "replace").split("\0")
    return PidOne(tuple(words), mask("SigCgt"), mask("SigIgn"))


def signal_number(name: str) -> int:
    """`SIGTERM`, `TERM` or `15` as a number; SIGTERM if this machine does not know the name."""
    if name.isdigit():
        return int(name)
    full = name.upper() if name.upper().startswith("SIG") else f"SIG{name.upper()}"
    return int(getattr(signal, full, signal.SIGTERM))


def diagnose(first: PidOne | None, signal_name: str, grace: float) -> tuple[str, str]:
    """(why it had to be killed, what to change), for people; empty if nothing is known."""
    if first is None:
        return "it did not exit in time", _longer(grace)
    number = signal_number(signal_name)
    if first.in_container and first.name in _SHELLS and not first.handles(number):
        return _diagnose_shell(first, signal_name)
    if first.ignores(number):
        return f"`{first.name}` ignores {signal_name}", "set `stop_signal:` to a signal that ends it"
    if first.name in _INITS or not first.in_container:
        return f"it did not exit within {grace:g} s of {signal_name}", _longer(grace)
    if not first.handles(number):
        return (
            f"`{first.name}` is PID 1 and has no handler for {signal_name}, so the kernel drops the signal",
            "set `init: true`, or handle the signal in the program",
        )
    return f"`{first.name}` handles {signal_name} but took longer than {grace:g} s", _longer(grace)


def _diagnose_shell(first: PidOne, signal_name: str) -> tuple[str, str]:
    why = f"a shell (`{first.name}`) is PID 1 and does not forward {signal_name} to the program"
    if "-c" in first.command:
        return (
            why,
            'use the exec form of the command (`["program", "argument"]`), or `exec program` in the shell',
        )
    return why, "start the program with `exec` at the end of the script, or set `init: true`"


def _longer(grace: float) -> str:
    return f"give it more time: `stop_grace_period: {max(2 * grace, 10):g}s`"
