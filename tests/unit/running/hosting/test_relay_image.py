"""Which image the forwarder of a hosted service gets."""

from __future__ import annotations

from typing import Any

from invoke_devstack.planning.observed import ObservedImage
from invoke_devstack.planning.processes.image import PROCESS_IMAGE
from invoke_devstack.running.hosting.relay import find_relay
from tests.fakes import FakeEngine
from tests.unit.planning.building import stack


class MachineEngine(FakeEngine):
    """Every program runs in the image of processes: it is this machine."""

    def wait(self, container: str, *, timeout: float | None = None) -> int:
        return 0

    def list_images(self, filters: Any) -> list[Any]:
        return []


def test_a_forwarder_is_never_a_process_of_this_machine() -> None:
    definition = stack({"fe": {"image": PROCESS_IMAGE}, "web": {"image": "python"}})
    engine = MachineEngine()
    for name in (PROCESS_IMAGE, "python"):
        engine.images[name] = ObservedImage(reference=name, id=name)
    assert find_relay(definition, engine, engine.observe("p")).image == "python"
