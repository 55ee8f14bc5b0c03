"""Actions that meet what the engine has not finished yet."""

from __future__ import annotations

import pytest

from invoke_devstack.errors import ConflictError
from invoke_devstack.planning.plan import Body, CreateContainer
from invoke_devstack.running import races
from tests.fakes import FakeEngine

ACTION = CreateContainer(target="shop-web-1", cause="no container yet", body={"Image": "web"})


class Slow(FakeEngine):
    """An engine that holds a name for a container that nobody can see yet."""

    def __init__(self, refusals: int) -> None:
        super().__init__()
        self.refusals = refusals
        self.add_image("web")

    def create_container(self, name: str, body: Body, *, platform: str = "") -> str:
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
