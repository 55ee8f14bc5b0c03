"""The machine: its system, and how to run commands as root."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from invoke_devstack.errors import SetupError
from invoke_devstack.setup.commands import ask_command, run_command


@dataclass(frozen=True, slots=True)
class System:
    """`id` as in os-release ("debian", "ubuntu", "fedora"), or "macos", "windows", or "" (unknown)."""

    id: str
    name: str
    codename: str = ""
    like: tuple[str, ...] = ()

    @property
    def uses_apt(self) -> bool:
        return bool({"debian", "ubuntu"} & {self.id, *self.like})


def parse_os_release(text: str) -> System:
    """The system that an os-release file describes."""
    values: dict[str, str] = {}
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and not name.startswith("#"):
            values[name] = " ".join(shlex.split(value))
    return System(
        id=values.get("ID", ""),
        name=values.get("PRETTY_NAME", values.get("NAME", "an unknown system")),
        codename=values.get("VERSION_CODENAME", ""),
        like=tuple(values.get("ID_LIKE", "").split()),
    )


def identify_system(platform: str, os_release: str | None) -> System:
    """`platform` is `sys.platform`; `os_release` is the file's text, None if there is no file."""
    if platform == "darwin":
        return System("macos", "macOS")
    if platform == "win32":
        return System("windows", "Windows")
    if os_release is None:
        return System("", "an unknown system")
    return parse_os_release(os_release)


INSTALL_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Machine:
    """`root_prefix` comes before a command that needs root: nothing if we are root, or sudo; None if neither.
    `terminal`: a person can answer questions."""

    system: System
    root_prefix: tuple[str, ...] | None
    terminal: bool

    @property
    def can_install(self) -> bool:
        return self.system.uses_apt and self.root_prefix is not None

    def as_root(self, *command: str) -> tuple[str, ...]:
        """`command`, run as root. Raises SetupError if that is not possible."""
        if self.root_prefix is None:
            raise SetupError(
                f"`{command[0]}` needs root, but sudo is missing",
                hint=f"Run as root: {' '.join(command)}",
            )
        return (*self.root_prefix, *command)


def this_machine() -> Machine:
    """The machine that this process runs on."""
    os_release = Path("/etc/os-release")
    text = os_release.read_text("utf-8", "replace") if os_release.is_file() else None
    return Machine(
        system=identify_system(sys.platform, text),
        root_prefix=_find_root_prefix(),
        terminal=sys.stdin is not None and sys.stdin.isatty(),
    )


def _find_root_prefix() -> tuple[str, ...] | None:
    if not hasattr(os, "geteuid") or os.geteuid() == 0:
        return ()
    return ("sudo",) if shutil.which("sudo") else None


def install_packages(machine: Machine, *packages: str, failure: str) -> None:
    """Installs Debian packages with apt, and updates its lists only if that fails. Raises SetupError with the
    message `failure`."""
    install = ("apt-get", "install", "--yes", "--no-install-recommends", *packages)
    command = machine.as_root("env", "DEBIAN_FRONTEND=noninteractive", *install)
    if ask_command(command, timeout=INSTALL_SECONDS) is not None:
        return
    hint = f"Run as root: apt-get update && {' '.join(install)}"
    run_command(machine.as_root("apt-get", "update", "--quiet"), failure=failure, hint=hint)
    run_command(command, failure=failure, hint=hint)
