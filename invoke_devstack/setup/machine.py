"""The machine that is set up: what system it is, and as whom we may change it."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from invoke_devstack.errors import SetupError
from invoke_devstack.setup.commands import ask_command, run_command
from invoke_devstack.setup.platform import System, identify_system

INSTALL_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Machine:
    """`root_prefix` comes before a command that needs root: nothing as root, sudo where it is there,
    None where there is no way. `terminal`: a person can answer questions."""

    system: System
    root_prefix: tuple[str, ...] | None
    terminal: bool

    @property
    def can_install(self) -> bool:
        return self.system.uses_apt and self.root_prefix is not None

    def as_root(self, *command: str) -> tuple[str, ...]:
        """`command` as root runs it. Raises SetupError where that is not possible."""
        if self.root_prefix is None:
            raise SetupError(
                f"`{command[0]}` needs root, and there is no sudo", hint=f"Run as root: {' '.join(command)}"
            )
        return (*self.root_prefix, *command)


def look_at_machine() -> Machine:
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
    """Installs Debian packages through apt. Its lists are brought up to date when it does not get the
    packages with those that it has. Raises SetupError with the message `failure`."""
    install = ("apt-get", "install", "--yes", "--no-install-recommends", *packages)
    command = machine.as_root("env", "DEBIAN_FRONTEND=noninteractive", *install)
    if ask_command(command, timeout=INSTALL_SECONDS) is not None:
        return
    hint = f"Run as root: apt-get update && {' '.join(install)}"
    run_command(machine.as_root("apt-get", "update", "--quiet"), failure=failure, hint=hint)
    run_command(command, failure=failure, hint=hint)
