"""Which services run on this machine now is read from what the engine lists."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from invoke_devstack.definition.model import Definition, Service
from invoke_devstack.planning.labels import SERVICE
from invoke_devstack.planning.processes.image import PROCESS_IMAGE
from invoke_devstack.tasks.hosts import on_host_now
from tests.unit.planning.building import stack

ABLE = {"x-devstack": {"host": {"command": "serve"}}}


def work(definition: Definition, images: dict[str, str]) -> Any:
    listed = [{"Image": image, "Labels": {SERVICE: name}} for name, image in images.items()]
    return SimpleNamespace(
        bound_definition=definition, engine=SimpleNamespace(list_containers=lambda filters: listed)
    )


def test_a_service_is_on_this_machine_if_its_container_is_a_process() -> None:
    able = Service(name="web", image="a").copy_with({"extensions": ABLE})
    definition = stack({"web": {}, "worker": {}}).copy_with({"services": {"web": able}})
    assert on_host_now(work(definition, {"web": PROCESS_IMAGE, "worker": PROCESS_IMAGE})) == ("web",)
    assert on_host_now(work(definition, {"web": "a"})) == ()
