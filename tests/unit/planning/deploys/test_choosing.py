"""The task that a command is for."""

from __future__ import annotations

from typing import Any

import pytest

from invoke_devstack.errors import ServiceError, UsageError
from invoke_devstack.planning.deploys.choosing import container_of, running_task
from invoke_devstack.planning.deploys.observed import ObservedStack


def task(number: int, slot: int, state: str = "running") -> dict[str, Any]:
    return {
        "ID": f"t{number}",
        "ServiceID": "s1",
        "Slot": slot,
        "CreatedAt": f"2026-01-01T00:00:0{number}Z",
        "Status": {"State": state, "ContainerStatus": {"ContainerID": f"c{number}"}},
    }


def stack(*tasks: dict[str, Any]) -> ObservedStack:
    services = {"web": {"ID": "s1"}, "web.old": {"ID": "s2"}}
    return ObservedStack("shop", services, tasks, {}, {})


def test_the_newest_running_task_is_chosen() -> None:
    observed = stack(task(1, 1), task(2, 2), task(3, 1, "starting"))
    assert container_of(running_task(observed, "web")) == "c2"


def test_a_number_chooses_the_replica() -> None:
    observed = stack(task(1, 1), task(2, 2))
    assert running_task(observed, "web.1")["ID"] == "t1"


def test_a_service_that_does_not_run_is_said_with_its_newest_tasks_state() -> None:
    with pytest.raises(ServiceError, match=r"`web\.1` is not running .*: its newest task is failed"):
        running_task(stack(task(1, 1, "failed"), task(2, 2)), "web.1")
    with pytest.raises(ServiceError, match=r"`web\.old` is not running on the cluster$"):
        running_task(stack(), "web.old")


@pytest.mark.parametrize("text", ["wbe", "wbe.1", "web.x", "", ".1"])
def test_an_unknown_service_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="shop has no service"):
        running_task(stack(), text)


def test_a_similar_name_is_offered() -> None:
    with pytest.raises(UsageError) as refused:
        running_task(stack(), "wbe")
    assert refused.value.hint == "Did you mean `web`?"
