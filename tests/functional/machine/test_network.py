"""Whom commands speak to: the engine, this machine, the stack's containers, and for `doctor` the registry."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path

import pytest

from tests.functional.conftest import Project

# Python tells its audit hooks of each connection and each name that is looked up; this one writes them down.
WITNESS = """
import os
import sys

LOG = os.open(os.environ["WITNESS_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def witness(event, args):
    if event in ("socket.connect", "socket.sendto"):
        address = args[1]
        os.write(LOG, f"{address[0] if isinstance(address, tuple) else 'unix'}\\n".encode())
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        os.write(LOG, f"{args[0]}\\n".encode())


sys.addaudithook(witness)
"""
HERE = {"unix", "127.0.0.1", "::1", "localhost"}
FIRST = (("version",), ("config",), ("up", "--detach"))
EVERYDAY = (
    ("up", "--detach"),
    ("ps",),
    ("logs", "page"),
    ("exec", "page", "true"),
    ("urls",),
    ("env",),
    ("graph",),
    ("images",),
    ("restart", "page"),
    ("snapshot", "page", "--name", "one"),
    ("snapshots",),
    ("restore", "page", "--name", "one", "--yes"),
    ("is-ready",),
    ("explain-failure",),
    ("stacks",),
    ("down", "--volumes", "--yes"),
)


@pytest.fixture
def watched(new_project: Callable[..., Project], tmp_path: Path) -> Project:
    """A small stack whose commands have a witness."""
    (tmp_path / "witness").mkdir()
    (tmp_path / "witness/sitecustomize.py").write_text(WITNESS)
    variables = {"PYTHONPATH": str(tmp_path / "witness"), "WITNESS_LOG": str(tmp_path / "spoken-to")}
    return new_project(
        """
        services:
          page:
            image: IMAGE
            init: true
            command: [sh, -c, "exec httpd -f -p 8000"]
            ports: ["8000"]
            volumes: ["data:/data"]
        volumes:
          data:
        """,
        variables=variables,
    )


def spoken_to(project: Project, *words: str) -> set[str]:
    """Runs a command; the addresses that it looked up or connected to."""
    log = Path(project.variables["WITNESS_LOG"])
    log.write_text("")
    done = project.invoke(*words)
    assert done.code == 0 or words == ("doctor",), done.err
    return set(log.read_text().split())


def is_of_the_stack(address: str, subnets: list[IPv4Network | IPv6Network]) -> bool:
    """An address of a container: its port is asked whether it answers."""
    try:
        return any(ip_address(address) in subnet for subnet in subnets)
    except ValueError:
        return False


def test_everyday_commands_speak_to_the_engine_and_the_stack_alone(watched: Project) -> None:
    seen = {" ".join(words): spoken_to(watched, *words) for words in FIRST}
    ranges = [entry for network in watched.networks() for entry in network.attrs["IPAM"]["Config"]]
    subnets = [ip_network(entry["Subnet"]) for entry in ranges]
    seen |= {" ".join(words): spoken_to(watched, *words) for words in EVERYDAY}
    assert "unix" in seen["ps"]  # the witness sees
    strangers = {
        words: others
        for words, found in seen.items()
        if (others := {name for name in found - HERE if not is_of_the_stack(name, subnets)})
    }
    assert strangers == {}


def test_doctor_asks_the_registry_and_nobody_else(watched: Project) -> None:
    found = spoken_to(watched, "doctor") - HERE
    assert "registry-1.docker.io" in found
    assert {name for name in found if not name.endswith(".docker.io") and not name[0].isdigit()} == set()
