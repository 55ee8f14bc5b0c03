"""`pre_start` hooks: containers that run before the service does."""

from __future__ import annotations

from dataclasses import replace

from invoke_devstack.planning import labels
from invoke_devstack.planning.observed import Observed
from invoke_devstack.planning.options import PlanningOptions
from invoke_devstack.planning.plan import CreateContainer
from invoke_devstack.planning.plans.up import plan_up
from tests.unit.planning.building import engine_with, running, stack, up, with_service

HOOKED = stack(
    {
        "db": {},
        "web": {
            "depends_on": {"db": {"condition": "service_healthy"}},
            "environment": {"A": "1", "B": "1"},
            "pre_start": [
                {"command": ["migrate"], "environment": {"B": "2"}},
                {"command": ["warm"], "image": "tools:1"},
            ],
        },
    }
)


def test_hooks_run_one_after_the_other_before_the_service_starts() -> None:
    lines = up(HOOKED, engine_with(HOOKED))
    assert [line for line in lines if "pre_start" in line or line.startswith("start p-web-1 ")] == [
        "create p-web-1-pre_start-1  (pre_start of web)",
        "start p-web-1-pre_start-1  (pre_start of web)",
        "await p-web-1-pre_start-1 done  (pre_start of web)",
        "remove p-web-1-pre_start-1  (completed)",
        "create p-web-1-pre_start-2  (pre_start of web)",
        "start p-web-1-pre_start-2  (pre_start of web)",
        "await p-web-1-pre_start-2 done  (pre_start of web)",
        "remove p-web-1-pre_start-2  (completed)",
        "start p-web-1  (no container yet)",
    ]


def test_hooks_wait_for_what_the_service_waits_for() -> None:
    plan = plan_up(HOOKED, engine_with(HOOKED), PlanningOptions())
    assert plan["create p-web-1-pre_start-1"].needs == {"await p-db-1", "create p-web-1"}


def test_a_hook_has_the_volumes_networks_and_variables_of_the_service() -> None:
    hook = plan_up(HOOKED, engine_with(HOOKED), PlanningOptions())["create p-web-1-pre_start-1"]
    assert isinstance(hook, CreateContainer)
    assert hook.body["HostConfig"]["VolumesFrom"] == ["p-web-1"]
    assert hook.body["HostConfig"]["NetworkMode"] == "p_default"
    assert hook.body["Env"] == ["A=1", "B=2"]
    assert hook.body["Labels"][labels.ONEOFF] == "True"
    assert labels.CONFIG_HASH not in hook.body["Labels"]


def test_the_image_of_a_hook_is_pulled() -> None:
    plan = plan_up(HOOKED, engine_with(HOOKED), PlanningOptions())
    assert "pull tools:1  (no image yet)" in plan.lines()
    assert "pull tools:1" in plan["create p-web-1"].needs


def test_hooks_do_not_run_when_the_service_is_up() -> None:
    assert up(HOOKED, with_tools(running(HOOKED))) == ()


def with_tools(observed: Observed) -> Observed:
    """The engine with the image of the second hook."""
    return replace(observed, images={**observed.images, "tools:1": observed.images["web:1"]})


def test_several_containers_wait_for_one_run_unless_each_has_its_own() -> None:
    three = with_service(HOOKED, "web", scale=3)
    plan = plan_up(three, engine_with(three), PlanningOptions())
    assert sum("pre_start-1 done" in action.id for action in plan) == 1
    assert "remove p-web-1-pre_start-2" in plan["start p-web-3"].needs
    each = with_service(HOOKED, "web", scale=3, pre_start=[{"command": ["x"], "per_replica": True}])
    plan = plan_up(each, engine_with(each), PlanningOptions())
    assert sum("pre_start-1 done" in action.id for action in plan) == 3


def test_a_hook_that_failed_before_makes_room_for_its_next_run() -> None:
    observed = with_tools(running(HOOKED, web={"state": "created"}))
    failed = replace(
        observed.containers[0],
        id="f" * 64,
        name="p-web-1-pre_start-1",
        service="web",
        oneoff=True,
        state="exited",
        exit_code=1,
    )
    plan = plan_up(HOOKED, replace(observed, containers=(*observed.containers, failed)), PlanningOptions())
    assert plan["create p-web-1-pre_start-1"].needs == {f"remove {'f' * 64}"}
