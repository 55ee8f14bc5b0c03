"""Containers that are only created, another number of them, and what `up` leaves as it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from invoke_devstack.errors import ImageUnavailableError, UsageError
from invoke_devstack.planning import labels
from invoke_devstack.planning.observed import ObservedMount, ObservedVolume
from invoke_devstack.planning.options import PlanningOptions
from invoke_devstack.planning.plan import CreateContainer, StopContainer
from invoke_devstack.planning.plans.down import plan_down
from invoke_devstack.planning.plans.lifecycle import plan_restart
from invoke_devstack.planning.plans.up import plan_up
from invoke_devstack.planning.processes.image import PROCESS_IMAGE
from invoke_devstack.planning.selection import scaled
from tests.unit.planning.building import HEALTHY, engine_after, engine_with, running, stack, up, with_service

TWO = stack({"db": {}, "web": {"depends_on": {"db": HEALTHY}}})
HOOKS = frozenset({"before up", "after web"})


def test_what_is_only_created_is_neither_started_nor_awaited_and_no_hook_runs() -> None:
    assert up(TWO, engine_with(TWO), start=False, hooks=HOOKS) == (
        "create network p_default  (no network yet)",
        "create p-db-1  (no container yet)",
        "create p-web-1  (no container yet)",
    )
    assert up(TWO, running(TWO), start=False, hooks=HOOKS) == ()


def test_a_container_that_is_replaced_by_one_that_is_only_created_does_not_run_any_more() -> None:
    changed = with_service(TWO, "web", command=["other"])
    lines = up(changed, running(TWO), start=False)
    assert [line.partition("  ")[0].partition(" ")[0] for line in lines] == [
        "create",
        "stop",
        "remove",
        "rename",
    ]


def test_a_stopped_container_stays_stopped_when_others_are_created() -> None:
    observed = running(TWO, web={"state": "exited", "exit_code": 1})
    assert up(TWO, observed, start=False) == ()


def test_what_exists_can_stay_although_its_definition_changed() -> None:
    changed = with_service(TWO, "web", command=["other"])
    assert up(changed, running(TWO)) != ()
    assert up(changed, running(TWO), keep_existing=True) == ()
    stopped = running(TWO, web={"state": "exited", "exit_code": 1})
    assert up(changed, stopped, keep_existing=True) == (
        "start p-web-1  (exited with code 1)",
        "await p-web-1  (exited with code 1)",
    )


def test_dependencies_are_recreated_when_asked_for_and_named_services_are_not() -> None:
    lines = up(TWO, running(TWO), services=("web",), recreate_dependencies=True)
    causes = {line.partition("  ")[2] for line in lines if line.startswith("create")}
    assert causes == {"(--always-recreate-deps)"}
    assert not any("p-web-1" in line for line in lines)


def test_a_scale_is_another_number_of_containers_and_nothing_else() -> None:
    three = scaled(TWO, {"web": 3})
    assert up(three, running(TWO)) == (
        "create p-web-2  (scale 1 -> 3)",
        "create p-web-3  (scale 1 -> 3)",
        "start p-web-2  (scale 1 -> 3)",
        "start p-web-3  (scale 1 -> 3)",
        "await p-web-2  (scale 1 -> 3)",
        "await p-web-3  (scale 1 -> 3)",
    )
    after = engine_after(plan_up(three, running(TWO), PlanningOptions()), running(TWO))
    assert up(three, after) == ()
    assert [line for line in up(TWO, after) if line.startswith("remove")] == [
        "remove p-web-2  (scale 3 -> 1)",
        "remove p-web-3  (scale 3 -> 1)",
    ]


def test_a_scale_counts_more_than_replicas() -> None:
    definition = stack({"web": {"deploy": {"replicas": 2}}})
    assert scaled(definition, {"web": 3}).services["web"].scale_count() == 3


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"container_name": "one"}, "cannot have 2 containers with one `container_name`"),
        ({"image": PROCESS_IMAGE}, "is a process of this machine"),
    ],
)
def test_a_scale_that_cannot_be_is_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        scaled(stack({"web": values}), {"web": 2})


def test_no_build_builds_nothing_and_says_what_is_missing() -> None:
    definition = stack({"web": {"image": None, "build": {"context": "/src"}}})
    (line,) = up(definition, running(definition), build=True)
    assert line.startswith("build p-web  (--build")
    assert up(definition, running(definition), no_build=True) == ()
    with pytest.raises(ImageUnavailableError, match="`web` has no image yet"):
        up(definition, engine_with(definition, images={}), no_build=True)


DATA = ObservedMount("volume", "/data", name="old", anonymous=True)
OLD = ObservedVolume(
    "old",
    labels={
        labels.PROJECT: "p",
        labels.SERVICE: "db",
        labels.NUMBER: "1",
        labels.ANONYMOUS: "/data",
        labels.VOLUME: "db-1:/data",
    },
)


def test_a_renewed_anonymous_volume_is_new_and_the_old_one_stays_and_is_named() -> None:
    definition = stack({"db": {"volumes": [{"type": "volume", "target": "/data"}]}})
    before = running(definition)
    containers = tuple(replace(item, mounts=(DATA,)) for item in before.containers)
    observed = replace(before, containers=containers, volumes={"old": OLD})

    def mounted(*, renewed: bool) -> object:
        plan = plan_up(definition, observed, PlanningOptions(force_recreate=True, renew_all=renewed))
        assert not any(action.kind == "remove volume" for action in plan)
        (created,) = (action for action in plan if isinstance(action, CreateContainer))
        (mount,) = created.body["HostConfig"]["Mounts"]
        return mount.get("Source"), plan.notices

    assert mounted(renewed=False) == ("old", ())
    assert mounted(renewed=True) == (
        None,
        ("db-1:/data gets a new volume; its data so far stays: `docker volume rm old` deletes it",),
    )


def test_a_timeout_counts_more_than_the_grace_period() -> None:
    definition = with_service(TWO, "web", command=["other"], stop_grace_period=60)
    plan = plan_up(definition, running(TWO), PlanningOptions(timeout=2.0))
    assert [action.grace for action in plan if isinstance(action, StopContainer)] == [2.0]


def test_a_one_shot_that_is_asked_to_run_again_does() -> None:
    definition = stack({"web": {"ports": [{"target": 80}]}, "tests": {}})
    observed = running(definition, tests={"state": "exited", "exit_code": 0})
    assert up(definition, observed) == ()
    assert up(definition, observed, rerun=("tests",))[0] == "start p-tests-1  (exited with code 0)"


@pytest.mark.parametrize(("images", "removed"), [("built", ["p-web"]), ("all", ["db:1", "p-web"])])
def test_images_go_with_the_stack_after_the_containers(images: object, removed: list[str]) -> None:
    definition = stack({"db": {}, "web": {"image": None, "build": {"context": "/src"}}})
    plan = plan_down(definition, running(definition), images=images)  # type: ignore[arg-type]
    gone = [action for action in plan if action.kind == "remove image"]
    assert [action.target for action in gone] == removed
    assert all("remove p-web-1" in action.needs for action in gone)


def test_a_restart_without_dependents_restarts_no_follower() -> None:
    definition = stack({"db": {}, "web": {"depends_on": {"db": {**HEALTHY, "restart": True}}}})

    def restarted(*, alone: bool) -> list[str]:
        plan = plan_restart(definition, running(definition), ("db",), wait_timeout=1, alone=alone)
        return [action.target for action in plan if action.kind == "restart"]

    assert restarted(alone=False) == ["p-db-1", "p-web-1"]
    assert restarted(alone=True) == ["p-db-1"]


def test_the_number_of_a_container_is_no_part_of_its_configuration() -> None:
    """So that neither Compose nor `up` recreates what a scale made."""
    plan = plan_up(scaled(TWO, {"web": 3}), engine_with(TWO), PlanningOptions())
    made = [action for action in plan if isinstance(action, CreateContainer) and action.service == "web"]
    assert len({action.body["Labels"][labels.CONFIG_HASH] for action in made}) == 1
    once = plan_up(TWO, engine_with(TWO), PlanningOptions())["create p-web-1"]
    assert isinstance(once, CreateContainer)
    assert once.body["Labels"][labels.CONFIG_HASH] == made[0].body["Labels"][labels.CONFIG_HASH]
