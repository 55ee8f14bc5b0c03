"""Starting an engine that is installed: with systemd, else the init script, else by itself."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from invoke_devstack.engine.connect import connect
from invoke_devstack.errors import EngineUnavailableError, SetupError
from invoke_devstack.setup.commands import ask_command
from invoke_devstack.setup.machine import Machine

SYSTEMD = Path("/run/systemd/system")  # there when systemd is the init (sd_booted(3))
INIT_SCRIPT = Path("/etc/init.d/docker")
START_SECONDS = 60.0
MORE_SECONDS = 5.0
POLL_SECONDS = 0.1


def start_docker(machine: Machine) -> str:
    """Starts Docker Engine and waits until it answers. Returns how it was started. Raises SetupError."""
    if _answers():
        return "as its package does"
    if SYSTEMD.is_dir():
        ask_command(machine.as_root("systemctl", "start", "docker"), timeout=START_SECONDS)
        if _wait_until_answers(START_SECONDS):
            return "with systemd"
        raise SetupError(
            "systemd did not start the Docker Engine",
            hint="See why: systemctl status docker; journalctl -u docker",
        )
    # Debian 12's script gives up in containers and VMs where it may not raise a limit.
    if INIT_SCRIPT.exists():
        began = ask_command(machine.as_root(str(INIT_SCRIPT), "start"), timeout=20.0) is not None
        if began and _wait_until_answers(MORE_SECONDS):
            return "with its init script"
    return _start_by_itself(machine, ("dockerd",), "docker")


def start_podman(machine: Machine) -> str:
    """Starts Podman's socket for this user and waits until it answers. Raises SetupError."""
    if SYSTEMD.is_dir():
        user = ("--user",) if machine.root_prefix != () else ()
        ask_command(("systemctl", *user, "start", "podman.socket"), timeout=START_SECONDS)
        if _wait_until_answers(MORE_SECONDS):
            return "its socket, with systemd"
    return _start_by_itself(machine, ("podman", "system", "service", "--time=0"), "podman")


def _start_by_itself(machine: Machine, command: Sequence[str], name: str) -> str:
    """Starts a server in a session of its own, so that it outlives this command and its terminal."""
    log = _log_file(f"{name}.log")
    as_root = command if name == "podman" else machine.as_root(*command)
    with log.open("ab") as stream:
        try:
            process = subprocess.Popen(
                as_root, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, start_new_session=True
            )
        except OSError as problem:
            raise SetupError(f"`{command[0]}` could not be started: {problem}") from problem
    # One that ended at once may have found another, just started, which answers in a moment.
    if _wait_until_answers(START_SECONDS, lambda: process.poll() is None) or _wait_until_answers(
        MORE_SECONDS
    ):
        return f"in a session of its own; its log is {log}"
    raise SetupError(
        f"`{command[0]}` was started and does not answer",
        details=log.read_text("utf-8", "replace").splitlines()[-12:],
        hint=f"Its whole log is in {log}.",
    )


def _log_file(name: str) -> Path:
    system = Path("/var/log")
    if os.access(system, os.W_OK):
        return system / name
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "invoke-devstack"
    state.mkdir(parents=True, exist_ok=True)
    return state / name


def _wait_until_answers(seconds: float, is_alive: Callable[[], bool] = lambda: True) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if _answers():
            return True
        if not is_alive():
            return False
        time.sleep(POLL_SECONDS)
    return False


def _answers() -> bool:
    """Whether an engine is there; one that this user may not use is there too."""
    try:
        connect(timeout=2.0).close()
    except EngineUnavailableError as error:
        return error.reason == "permission"
    return True
