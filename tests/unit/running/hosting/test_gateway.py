"""Where containers reach this machine, as far as networks say so."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from invoke_devstack.running.hosting.gateway import Gateway, find_gateway
from tests.fakes import FakeEngine

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the engine has a name for it")


def bridge(*pools: dict[str, str], default: bool = True, **more: Any) -> dict[str, Any]:
    options = {"com.docker.network.bridge.default_bridge": "true"} if default else {}
    return {"Driver": "bridge", "Options": options, "IPAM": {"Config": [*pools]}, **more}


def gateway(monkeypatch: pytest.MonkeyPatch, *networks: dict[str, Any]) -> Gateway:
    engine = FakeEngine()
    monkeypatch.setattr(engine, "list_networks", lambda filters: [*networks])
    return find_gateway(engine)


def test_it_is_the_default_bridge_if_that_is_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    found = gateway(monkeypatch, bridge({"Subnet": "127.0.0.0/8", "Gateway": "127.0.0.2"}))
    assert found == Gateway("127.0.0.2", ("127.0.0.2", "127.0.0.1"))


def test_an_old_engine_names_only_the_subnet(monkeypatch: pytest.MonkeyPatch) -> None:
    assert gateway(monkeypatch, bridge({"Subnet": "127.0.0.0/8"})).host == "127.0.0.1"


def test_no_other_bridge_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a second `up`, which finds the project's networks, would recreate what the first one created."""
    assert gateway(monkeypatch, bridge({"Gateway": "127.0.0.3"}, default=False)).host == ""


@pytest.mark.parametrize(
    "pool",
    [
        {"Gateway": "192.0.2.7"},  # not of this machine
        {"Gateway": "8.8.8.8"},  # public
        {"Gateway": "fe80::1"},
        {"Subnet": "nonsense"},
        {},
    ],
)
def test_no_other_address_is_listened_at(monkeypatch: pytest.MonkeyPatch, pool: dict[str, str]) -> None:
    assert gateway(monkeypatch, bridge(pool)) == Gateway("", ("127.0.0.1",))
