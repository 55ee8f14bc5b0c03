"""An engine that answers: a running one, or else it is started, or else installed."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from invoke_devstack.engine.connect import connect
from invoke_devstack.errors import EngineUnavailableError, SetupError
from invoke_devstack.events import Emit
from invoke_devstack.settings import Settings, state_folder
from invoke_devstack.setup.commands import ask_command, run_command
from invoke_devstack.setup.machine import Machine, install_packages
from invoke_devstack.setup.reporting import Questions, run_action, say

if TYPE_CHECKING:
    from invoke_devstack.engine.docker_engine import DockerEngine

DOCKER_PACKAGE = "docker.io"
# Debian 13 and Ubuntu have them beside docker.io; Debian 12 has the command inside it and no buildx.
DOCKER_COMPANIONS = ("docker-cli", "docker-buildx")
START = "start engine"
DOCS = "https://docs.docker.com/engine/install/"


def ensure_engine(machine: Machine, settings: Settings, emit: Emit, questions: Questions) -> DockerEngine:
    """The engine, started or installed if necessary.

    Raises EngineUnavailableError for one that cannot be used (no permission, too old), and SetupError if none
    can be installed or started; both say what to do.
    """
    try:
        return connect(registry_mirror=settings.registry_mirror)
    except EngineUnavailableError as error:
        if error.reason not in ("not-installed", "not-running") or not _is_ours_to_start(error):
            raise
    if shutil.which("dockerd"):
        _start(machine, emit, "Docker Engine", "no engine answers", start_docker)
    elif shutil.which("podman"):
        _start(machine, emit, "Podman", "no engine answers", start_podman)
    else:
        install_docker(machine, emit, questions)
    return _connect_to_new(machine, settings)


def _is_ours_to_start(error: EngineUnavailableError) -> bool:
    """Whether the engine is the default one. One in DOCKER_HOST or a context is not started for you."""
    from invoke_devstack.engine.endpoints import find_endpoint

    return error.reason == "not-installed" or find_endpoint().source == "default"


def _start(machine: Machine, emit: Emit, name: str, cause: str, start: Callable[[Machine], str]) -> None:
    how = run_action(emit, START, name, cause, lambda: start(machine))
    say(emit, f"Started {name}, {how}.")


def install_docker(machine: Machine, emit: Emit, questions: Questions) -> None:
    """Installs the distribution's Docker Engine and starts it. On a terminal, asks first."""
    if not machine.can_install:
        raise SetupError(
            "no Docker Engine is installed, and `setup` cannot install one here", hint=_by_hand(machine)
        )
    questions.agree(
        f"No Docker Engine is installed. Install {DOCKER_PACKAGE} from {machine.system.name}, and start it?",
        refused="no Docker Engine is installed, and you declined to install one",
        hint=_by_hand(machine),
    )
    if questions.ask is None and not questions.assume_yes:
        if machine.root_prefix:
            raise SetupError(
                "no Docker Engine is installed, and installing it with sudo needs your consent",
                hint="invoke setup --yes",
            )
        say(emit, f"No Docker Engine is installed: installing {DOCKER_PACKAGE} with apt.")
    run_action(emit, "install", "Docker Engine", "none is installed", lambda: _install(machine))
    _start(machine, emit, "Docker Engine", "it has just been installed", start_docker)


def _install(machine: Machine) -> str:
    failure = "Docker Engine cannot be installed"
    install_packages(machine, DOCKER_PACKAGE, failure=failure)
    known = [name for name in DOCKER_COMPANIONS if _is_offered(name)]
    if known:
        install_packages(machine, *known, failure=failure)
    if machine.root_prefix:
        run_command(machine.as_root("usermod", "-aG", "docker", getpass.getuser()), failure=failure)
    return ""


def _is_offered(package: str) -> bool:
    policy = ask_command(("apt-cache", "policy", package)) or ""
    return policy != "" and "Candidate: (none)" not in policy


def _connect_to_new(machine: Machine, settings: Settings) -> DockerEngine:
    try:
        return connect(registry_mirror=settings.registry_mirror)
    except EngineUnavailableError as error:
        if error.reason == "permission" and machine.root_prefix:
            raise SetupError(
                "the engine is running, but this terminal is not in the group `docker` yet",
                hint="Join the group in this terminal (newgrp docker), and run the command again.",
            ) from error
        raise


def _by_hand(machine: Machine) -> str:
    """The exact commands that install an engine on this system."""
    match machine.system.id:
        case "macos":
            return "Install one and start it: brew install colima docker && colima start"
        case "windows":
            return "Install Docker Desktop and start it: winget install Docker.DockerDesktop"
        case "fedora":
            return "Run: sudo dnf install -y moby-engine && sudo systemctl enable --now docker"
        case "arch":
            return "Run: sudo pacman -S --noconfirm docker && sudo systemctl enable --now docker"
        case "alpine":
            return "Run as root: apk add docker && rc-update add docker && service docker start"
    if machine.system.uses_apt:
        return f"Run as root: apt-get update && apt-get install -y {DOCKER_PACKAGE} && service docker start"
    return f"Install Docker Engine for {machine.system.name} ({DOCS}), and start it."


SYSTEMD = Path("/run/systemd/system")  # exists if systemd is the init (sd_booted(3))
INIT_SCRIPT = Path("/etc/init.d/docker")
START_SECONDS = 60.0
MORE_SECONDS = 5.0
POLL_SECONDS = 0.1


def start_docker(machine: Machine) -> str:
    """Starts Docker Engine and waits until it answers. Returns how it was started. Raises SetupError."""
    if _answers():
        return "by its package"
    if SYSTEMD.is_dir():
        ask_command(machine.as_root("systemctl", "start", "docker"), timeout=START_SECONDS)
        if _wait_until_answers(START_SECONDS):
            return "with systemd"
        raise SetupError(
            "systemd did not start the Docker Engine",
            hint="See why: systemctl status docker; journalctl -u docker",
        )
    # Debian 12's script fails in containers and VMs that do not let it raise a limit.
    if INIT_SCRIPT.exists():
        began = ask_command(machine.as_root(str(INIT_SCRIPT), "start"), timeout=20.0) is not None
        if began and _wait_until_answers(MORE_SECONDS):
            return "with its init script"
    return _start_directly(machine, ("dockerd",), "docker")


def start_podman(machine: Machine) -> str:
    """Starts Podman's socket for this user and waits until it answers. Raises SetupError."""
    if SYSTEMD.is_dir():
        user = ("--user",) if machine.root_prefix != () else ()
        ask_command(("systemctl", *user, "start", "podman.socket"), timeout=START_SECONDS)
        if _wait_until_answers(MORE_SECONDS):
            return "its socket, with systemd"
    return _start_directly(machine, ("podman", "system", "service", "--time=0"), "podman")


def _start_directly(machine: Machine, command: Sequence[str], name: str) -> str:
    """Starts a server in its own session, so that it outlives this command and its terminal."""
    log = _log_file(f"{name}.log")
    as_root = command if name == "podman" else machine.as_root(*command)
    with log.open("ab") as stream:
        try:
            process = subprocess.Popen(
                as_root, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, start_new_session=True
            )
        except OSError as problem:
            raise SetupError(f"`{command[0]}` could not be started: {problem}") from problem
    # If it exited at once, it may have found another one that is just starting.
    if _wait_until_answers(START_SECONDS, lambda: process.poll() is None) or _wait_until_answers(
        MORE_SECONDS
    ):
        return f"in its own session; its log is {log}"
    raise SetupError(
        f"`{command[0]}` was started, but does not answer",
        details=log.read_text("utf-8", "replace").splitlines()[-12:],
        hint=f"See its whole log: less {log}",
    )


def _log_file(name: str) -> Path:
    system = Path("/var/log")
    if os.access(system, os.W_OK):
        return system / name
    state = state_folder()
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
    """Whether an engine runs, even if this user has no permission to use it."""
    try:
        connect(timeout=2.0).close()
    except EngineUnavailableError as error:
        return error.reason == "permission"
    return True
