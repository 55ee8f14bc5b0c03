"""Which images are pulled or built, and what that means for the containers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from invoke_devstack.errors import ImageUnavailableError
from invoke_devstack.planning import labels
from invoke_devstack.planning.bodies.hashes import body_with_late_values
from invoke_devstack.planning.observed import ObservedImage
from invoke_devstack.planning.options import PlanningOptions
from invoke_devstack.planning.plan import AwaitReady, BuildImage, CreateContainer
from invoke_devstack.planning.plans.up import plan_up
from tests.unit.planning.building import engine_with, running, stack, up

BUILT = {"build": {"context": "/src", "dockerfile": "Dockerfile", "target": "dev"}}
NOW = datetime(2026, 11, 24, tzinfo=UTC)


def test_missing_images_are_pulled_and_built_at_once() -> None:
    definition = stack({"db": {}, "web": BUILT})
    plan = plan_up(definition, engine_with(definition, images={}), PlanningOptions())
    assert plan.lines()[:3] == (
        "build web:1  (no image yet)",
        "create network p_default  (no network yet)",
        "pull db:1  (no image yet)",
    )
    assert plan["create p-web-1"].needs == {"build web:1", "create network p_default"}
    assert plan["create p-db-1"].needs == {"pull db:1", "create network p_default"}


def test_an_image_that_comes_with_the_plan_is_put_into_the_label_when_it_is_there() -> None:
    definition = stack({"db": {}})
    plan = plan_up(definition, engine_with(definition, images={}), PlanningOptions())
    create, wait = plan["create p-db-1"], plan["await p-db-1"]
    assert isinstance(create, CreateContainer)
    assert labels.IMAGE not in create.body["Labels"]
    assert body_with_late_values(create, image_id="sha256:fresh")["Labels"][labels.IMAGE] == "sha256:fresh"
    assert isinstance(wait, AwaitReady)
    assert wait.late_probe


def test_containers_wait_for_a_second_plan_where_a_build_decides_about_them() -> None:
    definition = stack({"db": {}, "web": BUILT})
    observed = running(definition)
    plan = plan_up(definition, observed, PlanningOptions(build=True))
    lines = ("build web:1  (--build; if it changes, web is recreated)",)
    assert (plan.lines(), plan.replan) == (lines, True)
    assert up(definition, observed, build=True, images_ready=True) == ()


def test_a_build_for_nobody_yet_needs_no_second_plan() -> None:
    definition = stack({"web": BUILT})
    assert not plan_up(definition, engine_with(definition), PlanningOptions(build=True)).replan


@pytest.mark.parametrize(
    ("policy", "there", "lines"),
    [
        ("always", True, ("pull db:1  (pull_policy: always; if it changes, db is recreated)",)),
        ("missing", True, ()),
        ("missing", False, ("pull db:1  (no image yet; if it changes, db is recreated)",)),
        ("if_not_present", True, ()),
        ("never", True, ()),
        ("daily", True, ("pull db:1  (pull_policy: daily; if it changes, db is recreated)",)),
        ("weekly", True, ()),
        ("every_12h", True, ("pull db:1  (pull_policy: every_12h; if it changes, db is recreated)",)),
    ],
)
def test_the_pull_policy_decides(policy: str, there: bool, lines: tuple[str, ...]) -> None:
    definition = stack({"db": {"pull_policy": policy}})
    image = ObservedImage("db:1", "sha256:db", tagged_at="2026-11-22T00:00:00.123456789Z")
    observed = replace(running(definition), images={"db:1": image} if there else {})
    assert up(definition, observed, now=NOW) == lines


def test_an_image_that_may_not_be_pulled_and_is_missing_is_an_error() -> None:
    definition = stack({"db": {"pull_policy": "never"}})
    with pytest.raises(ImageUnavailableError, match="`db:1` of `db` not found"):
        up(definition, engine_with(definition, images={}))


def test_pull_policy_build_builds_each_time() -> None:
    definition = stack({"web": {**BUILT, "pull_policy": "build"}})
    assert up(definition, running(definition)) == (
        "build web:1  (pull_policy: build; if it changes, web is recreated)",
    )


def test_an_image_that_another_service_builds_is_not_pulled() -> None:
    definition = stack({"web": BUILT, "worker": {"image": "web:1"}})
    lines = up(definition, engine_with(definition, images={}))
    assert [line for line in lines if "web:1" in line] == ["build web:1  (no image yet)"]


def test_an_image_that_is_mounted_is_pulled() -> None:
    mount = {"type": "image", "source": "assets:1", "target": "/assets"}
    definition = stack({"web": {"volumes": [mount]}})
    newer = replace(engine_with(definition).engine, api=(1, 48))
    plan = plan_up(definition, engine_with(definition, engine=newer), PlanningOptions())
    assert "pull assets:1  (no image yet)" in plan.lines()
    assert "pull assets:1" in plan["create p-web-1"].needs


def test_a_build_is_told_all_that_the_definition_says() -> None:
    definition = stack(
        {
            "web": {
                "platform": "linux/arm64",
                "build": {
                    "context": "/src",
                    "dockerfile": "Other",
                    "args": {"A": "1"},
                    "labels": {"x": "y"},
                    "secrets": [{"source": "token"}, {"source": "file", "target": "other"}],
                    "ssh": {"default": None, "git": "/key"},
                    "ulimits": {"nofile": {"soft": 1, "hard": 2}, "nproc": 3},
                    "shm_size": 1024,
                    "extra_hosts": ["a=1.2.3.4"],
                    "tags": ["t:1"],
                },
            }
        },
        secrets={"token": {"name": "t", "environment": "TOKEN"}, "file": {"name": "f", "file": "/f"}},
    )
    action = plan_up(definition, engine_with(definition, images={}), PlanningOptions())["build web:1"]
    assert isinstance(action, BuildImage)
    build = action.build
    assert (build.context, build.dockerfile, build.platforms) == ("/src", "Other", ("linux/arm64",))
    assert build.secrets == (("token", "env:TOKEN"), ("other", "/f"))
    assert build.ssh == ("default", "git=/key")
    assert build.ulimits == {"nofile": "1:2", "nproc": "3"}
    assert build.labels == {
        "x": "y",
        labels.PROJECT: "p",
        labels.SERVICE: "web",
        labels.VERSION: labels.COMPOSE_VERSION,
    }
