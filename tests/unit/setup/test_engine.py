"""No engine: what is asked, and what a person is told on a system that cannot be mended."""

from __future__ import annotations

import pytest

from invoke_devstack.errors import SetupError
from invoke_devstack.events import Event
from invoke_devstack.setup.engine import install_docker
from invoke_devstack.setup.machine import Machine, System
from invoke_devstack.setup.reporting import Questions
from invoke_devstack.setup.standins.maker import prepare_tools

DEBIAN = System("debian", "Debian GNU/Linux 12", "bookworm")
FEDORA = System("fedora", "Fedora Linux 42")
MACOS = System("macos", "macOS")


def refuse(machine: Machine, questions: Questions | None = None) -> SetupError:
    told: list[Event] = []
    with pytest.raises(SetupError) as raised:
        install_docker(machine, told.append, questions or Questions())
    assert told == []
    return raised.value


@pytest.mark.parametrize(
    ("system", "command"),
    [
        (MACOS, "brew install colima docker && colima start"),
        (FEDORA, "sudo dnf install -y moby-engine && sudo systemctl enable --now docker"),
        (System("arch", "Arch Linux"), "sudo pacman -S --noconfirm docker"),
        (System("nixos", "NixOS"), "https://docs.docker.com/engine/install/"),
    ],
)
def test_a_system_that_cannot_be_mended_gets_its_exact_commands(system: System, command: str) -> None:
    error = refuse(Machine(system, (), terminal=False))
    assert command in error.hint
    assert error.exit_code == 1


def test_without_root_and_sudo_the_commands_for_root_are_told() -> None:
    error = refuse(Machine(DEBIAN, None, terminal=False))
    assert "apt-get update && apt-get install -y docker.io" in error.hint


def test_a_no_at_the_terminal_installs_nothing() -> None:
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return "n"

    error = refuse(Machine(DEBIAN, (), terminal=True), Questions(ask))
    assert "Install docker.io from Debian GNU/Linux 12" in asked[0]
    assert "you declined" in error.message


def test_with_nobody_to_ask_sudo_installs_nothing() -> None:
    error = refuse(Machine(DEBIAN, ("sudo",), terminal=False))
    assert error.hint == "invoke setup --yes"


def test_a_stand_in_needs_debian_and_says_what_else_helps() -> None:
    with pytest.raises(SetupError) as raised:
        prepare_tools(Machine(FEDORA, (), terminal=False), ["redis:8"])
    assert "redis:8" in raised.value.message
    assert "docker load" in raised.value.hint


def test_sudo_comes_before_what_needs_root() -> None:
    assert Machine(DEBIAN, ("sudo",), terminal=True).as_root("dockerd") == ("sudo", "dockerd")


def test_a_command_for_root_without_a_way_to_it_is_told() -> None:
    with pytest.raises(SetupError) as raised:
        Machine(DEBIAN, None, terminal=True).as_root("apt-get", "update")
    assert raised.value.hint == "Run as root: apt-get update"
