"""Actions that meet what the engine has not finished yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from invoke_devstack.engine.protocol import OnWarning
from invoke_devstack.errors import ConflictError
from invoke_devstack.planning.causes import by_command
from invoke_devstack.planning.plan import Body, CreateContainer, RemoveNetwork
from invoke_devstack.running.executing import convergence as races
from tests.fakes import FakeEngine

CAUSE = by_command("test")

ACTION = CreateContainer(target="shop-web-1", cause=CAUSE, body={"Image": "web"})


class Slow(FakeEngine):
    """An engine that holds a name for a container that nobody can see yet."""

    def __init__(self, refusals: int) -> None:
        super().__init__()
        self.refusals = refusals
        self.add_image("web")

    def create_container(
        self, name: str, body: Body, *, platform: str = "", on_warning: OnWarning | None = None
    ) -> str:
        if self.refusals > 0:
            self.refusals -= 1
            raise ConflictError("the name is already in use", status=409)
        return super().create_container(name, body, platform=platform)


def test_a_name_that_the_engine_still_holds_for_a_container_to_come_is_waited_for() -> None:
    engine = Slow(refusals=4)
    assert races.create(engine, ACTION) == engine.named("shop-web-1").id


def test_a_name_that_is_never_free_is_a_conflict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(races, "_PATIENCE", 0.2)
    with pytest.raises(ConflictError):
        races.create(Slow(refusals=10_000), ACTION)


class Held(FakeEngine):
    """Its network is used by somebody else, and for a moment longer by a container that `down` removed."""

    def remove_network(self, network: str) -> None:
        raise ConflictError("network p_n1 has active endpoints", status=409)

    def list_containers(self, filters: Mapping[str, Sequence[str]], *, all_: bool = True) -> list[Body]:
        ours = {"Id": "1" * 64, "Names": ["/p-a-1"], "Labels": {"com.docker.compose.project": "p"}}
        return [ours, {"Id": "2" * 64, "Names": ["/stranger"], "Labels": {}}]


def test_a_network_that_stays_is_told_with_who_stays_in_it() -> None:
    told = races.remove_network(Held(), RemoveNetwork(target="p_n1", cause=CAUSE), "p")
    assert told == "network p_n1 was not removed: it is still used by stranger"
