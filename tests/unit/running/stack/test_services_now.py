from __future__ import annotations

from pathlib import Path

import pytest

from invoke_devstack.definition.model import Definition
from invoke_devstack.planning.observed import EngineInfo, Observed, ObservedContainer, PublishedPort
from invoke_devstack.running.journal import Head, Written
from invoke_devstack.running.stack.last_rebuilds import LastRebuild, last_rebuilds
from invoke_devstack.running.stack.services_now import ServiceState, services_now


def container(number: int = 1, state: str = "running", **more: object) -> ObservedContainer:
    values = {"id": f"c{number}{state}", "name": f"p-web-{number}", "service": "web", "number": number}
    return ObservedContainer(**{**values, "image": "i", "image_id": "x", "state": state, **more})  # type: ignore[arg-type]


def now(*containers: ObservedContainer) -> ServiceState:
    observed = Observed("p", EngineInfo("28", (1, 47)), containers)
    (found,) = services_now(Definition(name="p", working_dir=Path("/p")), observed, ["web"])
    return found


@pytest.mark.parametrize(
    ("containers", "state", "mark"),
    [
        ((), "no container", "quiet"),
        ((container(),), "running", "good"),
        ((container(health="starting"),), "starting", "busy"),
        ((container(health="unhealthy"),), "unhealthy", "bad"),
        ((container(state="exited", exit_code=3),), "exited 3", "bad"),
        ((container(state="exited", exit_code=0),), "exited 0", "quiet"),
        ((container(1), container(2), container(3)), "3 running", "good"),
        ((container(1), container(2), container(3, "exited", exit_code=1)), "2 of 3 running", "bad"),
        ((container(1), container(1, "created", name="abc_p-web-1")), "running", "good"),
    ],
)
def test_a_service_in_a_word_or_two(containers: tuple[ObservedContainer, ...], state: str, mark: str) -> None:
    found = now(*containers)
    assert (found.state, found.mark) == (state, mark)


def test_addresses_and_restarts_of_all_containers() -> None:
    ports = [(PublishedPort("127.0.0.1", 8000 + number, 80),) for number in (1, 2)]
    found = now(container(1, ports=ports[0], restarts=2), container(2, ports=ports[1], restarts=1))
    assert found.addresses == ("http://localhost:8001", "http://localhost:8002")
    assert found.restarts == 3


def test_the_last_rebuild_of_each_service_is_in_the_journal() -> None:
    def run(began: float, *events: dict[str, object]) -> Written:
        head = Head("r", "watch", "invoke up", (), began, 1)
        return Written(head, tuple((1.0, event) for event in events))

    runs = [
        run(200.0, {"type": "watch.failed", "service": "web"}),
        run(100.0, {"type": "watch.rebuilt", "service": "web", "seconds": 2.0}),
        run(50.0, {"type": "action.finished", "action": "build", "service": "api", "seconds": 3.0}),
    ]
    assert last_rebuilds(runs) == {
        "web": LastRebuild("failed", "1970-01-01T00:03:21Z"),
        "api": LastRebuild("rebuilt", "1970-01-01T00:00:51Z", 3.0),
    }
