"""An engine that answers: the one that is there, else one that is started, else one that is installed."""

from __future__ import annotations

import getpass
import shutil
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from invoke_devstack.engine.connect import connect
from invoke_devstack.errors import DevstackError, EngineUnavailableError, SetupError
from invoke_devstack.events import ActionFailed, ActionFinished, ActionStarted, Emit
from invoke_devstack.settings import Settings
from invoke_devstack.setup.commands import ask_command, run_command
from invoke_devstack.setup.engine_start import start_docker, start_podman
from invoke_devstack.setup.machine import Machine, install_packages
from invoke_devstack.setup.questions import Questions, say

if TYPE_CHECKING:
    from invoke_devstack.engine.docker_engine import DockerEngine

DOCKER_PACKAGE = "docker.io"
# Debian 13 and Ubuntu have them beside docker.io; Debian 12 has the command inside it and no buildx.
DOCKER_COMPANIONS = ("docker-cli", "docker-buildx")
START = "start engine"
DOCS = "https://docs.docker.com/engine/install/"


def ensure_engine(machine: Machine, settings: Settings, emit: Emit, questions: Questions) -> DockerEngine:
    """The engine, started or installed where it has to be.

    Raises EngineUnavailableError for an engine that is there and cannot be used (no permission, a broken
    context, too old), and SetupError where none can be had; both say what to do.
    """
    try:
        return connect(registry_mirror=settings.registry_mirror)
    except EngineUnavailableError as error:
        if error.reason not in ("not-installed", "not-running") or not _is_ours_to_start(error):
            raise
    if shutil.which("dockerd"):
        _do(emit, START, "Docker Engine", "no engine answers", lambda: start_docker(machine))
    elif shutil.which("podman"):
        _do(emit, START, "Podman", "no engine answers", lambda: start_podman(machine))
    else:
        install_docker(machine, emit, questions)
    return _connect_to_new(machine, settings)


def _is_ours_to_start(error: EngineUnavailableError) -> bool:
    """An engine that DOCKER_HOST or a context names is somebody else's to start."""
    from invoke_devstack.engine.endpoints import find_endpoint

    return error.reason == "not-installed" or find_endpoint().source == "default"


def install_docker(machine: Machine, emit: Emit, questions: Questions) -> None:
    """Installs the distribution's Docker Engine and starts it. Asks first on a terminal."""
    if not machine.can_install:
        raise SetupError(
            "no Docker Engine is installed, and setup cannot install one here", hint=_by_hand(machine)
        )
    questions.agree(
        f"There is no Docker Engine. Install {DOCKER_PACKAGE} of {machine.system.name}, and start it?",
        refused="there is no Docker Engine, and none was installed",
        hint=_by_hand(machine),
    )
    if questions.ask is None and not questions.assume_yes:
        if machine.root_prefix:
            raise SetupError(
                "there is no Docker Engine, and nobody can be asked whether sudo may install one",
                hint="invoke setup --yes",
            )
        say(emit, f"There is no Docker Engine: {DOCKER_PACKAGE} is installed with apt.")
    _do(emit, "install", "Docker Engine", "none is installed", lambda: _install(machine))
    _do(emit, START, "Docker Engine", "it was just installed", lambda: start_docker(machine))


def _install(machine: Machine) -> None:
    failure = "Docker Engine could not be installed"
    install_packages(machine, DOCKER_PACKAGE, failure=failure)
    known = [name for name in DOCKER_COMPANIONS if _is_offered(name)]
    if known:
        install_packages(machine, *known, failure=failure)
    if machine.root_prefix:
        run_command(machine.as_root("usermod", "-aG", "docker", getpass.getuser()), failure=failure)


def _is_offered(package: str) -> bool:
    return "Candidate: (none)" not in (said := ask_command(("apt-cache", "policy", package)) or "") and bool(
        said
    )


def _do(emit: Emit, action: str, target: str, cause: str, work: Callable[[], object]) -> None:
    began = time.monotonic()
    emit(ActionStarted(action=action, target=target, cause=cause))
    try:
        text = work()
    except DevstackError as error:
        seconds = time.monotonic() - began
        emit(ActionFailed(action=action, target=target, seconds=seconds, error=error.message))
        raise
    if action == START:
        say(emit, f"Started {target}, {text}.")
    seconds = time.monotonic() - began
    emit(
        ActionFinished(
            action=action, target=target, seconds=seconds, text=text if isinstance(text, str) else ""
        )
    )


def _connect_to_new(machine: Machine, settings: Settings) -> DockerEngine:
    try:
        return connect(registry_mirror=settings.registry_mirror)
    except EngineUnavailableError as error:
        if error.reason == "permission" and machine.root_prefix:
            raise SetupError(
                "the engine is there, and this terminal is not in the group `docker` yet",
                hint="Log in again, or in this terminal: newgrp docker. Then run the same command again.",
            ) from error
        raise


def _by_hand(machine: Machine) -> str:
    """The exact commands that give this system an engine."""
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
    return f"Install Docker Engine as {DOCS} says for {machine.system.name}, and start it."
