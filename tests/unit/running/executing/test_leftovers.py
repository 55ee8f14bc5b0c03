"""What a killed command left is removed by the next one that changes anything."""

from __future__ import annotations

from invoke_devstack.planning.plans.rebuild import looked_into
from invoke_devstack.running.executing import convergence
from invoke_devstack.running.options import UpOptions
from invoke_devstack.running.session import Session
from invoke_devstack.running.stack.up import bring_up
from tests.fakes import FakeEngine
from tests.unit.planning.building import stack

ONE = stack({"web": {"image": "image"}})


def test_a_container_whose_image_a_killed_rebuild_looked_into_is_removed_by_up() -> None:
    engine = FakeEngine()
    engine.add_image("image")
    convergence.create(engine, looked_into(ONE, "web"))
    bring_up(Session(ONE, engine, lambda event: None), UpOptions())
    assert [item.name for item in engine.containers.values()] == ["p-web-1"]
