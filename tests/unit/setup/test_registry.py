"""Asking registries: real servers on this machine that answer, refuse, or say nothing."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from invoke_devstack.setup.registry import probe_registries, registry_hosts


@pytest.fixture
def silent() -> Iterator[str]:
    """A host that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def test_a_registry_that_wants_a_login_answers(registry: str) -> None:
    assert probe_registries([registry])[registry].ok


def test_a_silent_registry_costs_no_more_than_the_limit(registry: str, silent: str) -> None:
    began = time.monotonic()
    reached = probe_registries([silent, registry], timeout=2.0)
    assert time.monotonic() - began < 6.0  # far less than the answer that never comes
    assert reached[registry].ok
    assert not reached[silent].ok


def test_a_port_where_nobody_listens_is_named_as_such() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host = f"127.0.0.1:{listener.getsockname()[1]}"
    assert probe_registries([host])[host].reason == "connection refused"


def test_a_name_that_does_not_exist_is_out_of_reach() -> None:
    assert not probe_registries(["registry.invalid"])["registry.invalid"].ok


def test_nothing_to_ask_is_no_error() -> None:
    assert probe_registries([]) == {}


@pytest.mark.parametrize(
    ("reference", "mirror", "hosts"),
    [
        ("redis:8", "", ("registry-1.docker.io",)),
        ("redis:8", "mirror.test", ("mirror.test", "registry-1.docker.io")),
        ("ghcr.io/org/app:1", "mirror.test", ("ghcr.io",)),
        ("localhost:5000/app", "", ("localhost:5000",)),
    ],
)
def test_the_hosts_of_an_image(reference: str, mirror: str, hosts: tuple[str, ...]) -> None:
    assert registry_hosts(reference, mirror) == hosts
