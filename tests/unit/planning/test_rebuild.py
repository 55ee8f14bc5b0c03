"""One turn of the watch: build, then replace what the build changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from invoke_devstack.definition.model import Definition
from invoke_devstack.errors import UsageError
from invoke_devstack.planning.images import BuildFlags
from invoke_devstack.planning.observed import Observed, ObservedImage
from invoke_devstack.planning.options import UpOptions
from invoke_devstack.planning.plan import BuildImage, CreateContainer, RemoveContainer, RemoveImage
from invoke_devstack.planning.rebuild import plan_build, plan_replace
from tests.unit.planning.building import container_id, running, stack

BUILT = {"build": {"context": "/src"}}
NEW = f"{container_id('p-web-1')[:12]}_p-web-1"


def rebuilt(definition: Definition, observed: Observed, *services: str) -> Observed:
    images = {f"{name}:1": ObservedImage(f"{name}:1", f"sha256:new{name}") for name in services}
    return replace(observed, images={**observed.images, **images})


def test_the_new_container_is_made_before_the_old_one_stops_and_the_old_image_goes() -> None:
    definition = stack({"db": {}, "web": {**BUILT, "depends_on": ["db"]}})
    observed = rebuilt(definition, running(definition), "web")
    assert plan_replace(definition, observed, ("web",), UpOptions()).lines() == (
        f"create {NEW}  (image changed: web… -> newweb…)",
        "stop p-web-1  (image changed: web… -> newweb…)",
        "remove p-web-1  (its successor is made)",
        f"rename {NEW}  (the old one is gone)",
        "remove image sha256:web  (superseded)",
        "start p-web-1  (image changed: web… -> newweb…)",
        "await p-web-1  (image changed: web… -> newweb…)",
    )


def test_a_build_that_changed_nothing_replaces_nothing() -> None:
    definition = stack({"web": BUILT})
    assert plan_replace(definition, running(definition), ("web",), UpOptions()).lines() == ()


def test_dependencies_are_left_alone_even_if_they_changed() -> None:
    definition = stack({"db": {}, "web": {**BUILT, "depends_on": ["db"]}})
    observed = rebuilt(definition, running(definition), "web", "db")
    services = {action.service for action in plan_replace(definition, observed, ("web",), UpOptions())}
    assert services <= {"", "web"}


def test_dependents_restart_only_where_they_say_so() -> None:
    definition = stack(
        {"web": BUILT, "a": {"depends_on": ["web"]}, "b": {"depends_on": {"web": {"restart": True}}}}
    )
    observed = rebuilt(definition, running(definition), "web")
    services = {action.service for action in plan_replace(definition, observed, ("web",), UpOptions())}
    assert services == {"", "web", "b"}


def test_a_dependent_that_is_stopped_stays_stopped() -> None:
    definition = stack({"web": BUILT, "b": {"depends_on": {"web": {"restart": True}}}})
    observed = rebuilt(definition, running(definition, b={"state": "exited", "exit_code": 0}), "web")
    services = {action.service for action in plan_replace(definition, observed, ("web",), UpOptions())}
    assert services == {"", "web"}


def test_anonymous_volumes_are_renewed_and_named_ones_stay() -> None:
    definition = stack(
        {
            "web": {
                **BUILT,
                "volumes": [
                    {"type": "volume", "target": "/app/node_modules"},
                    {"type": "volume", "source": "data", "target": "/data"},
                ],
            }
        },
        volumes={"data": {"name": "p_data"}},
    )
    plan = plan_replace(definition, rebuilt(definition, running(definition), "web"), ("web",), UpOptions())
    create, removal = plan[f"create {NEW}"], plan["remove p-web-1"]
    assert isinstance(create, CreateContainer)
    assert isinstance(removal, RemoveContainer)
    assert create.body["HostConfig"]["Mounts"] == [{"Type": "volume", "Target": "/app/node_modules"}]
    assert create.body["HostConfig"]["Binds"] == ["p_data:/data:rw"]
    assert removal.volumes


def test_an_image_that_another_container_uses_is_kept() -> None:
    definition = stack({"web": BUILT, "worker": {"image": "web:1"}})
    observed = running(definition)
    same = tuple(replace(item, image_id="sha256:web") for item in observed.containers)
    plan = plan_replace(
        definition, rebuilt(definition, replace(observed, containers=same), "web"), ("web",), UpOptions()
    )
    assert not [action for action in plan if isinstance(action, RemoveImage)]


def test_a_superseded_image_goes_only_if_it_has_no_name_left() -> None:
    definition = stack({"web": BUILT})
    plan = plan_replace(definition, rebuilt(definition, running(definition), "web"), ("web",), UpOptions())
    assert [action.only_untagged for action in plan if isinstance(action, RemoveImage)] == [True]


def test_builds_run_at_once_but_after_those_that_they_stand_on() -> None:
    definition = stack(
        {
            "base": BUILT,
            "web": {"build": {"context": "/w", "additional_contexts": {"base": "service:base"}}},
            "api": {"build": {"context": "/a"}},
        }
    )
    plan = plan_build(definition, ())
    assert plan["build web:1"].needs == {"build base:1"}
    assert plan["build api:1"].needs == frozenset()
    assert plan.replan


def test_the_flags_of_the_command_go_into_the_build() -> None:
    definition = stack({"web": {"build": {"context": "/w", "args": {"A": "1", "B": "2"}}}})
    flags = BuildFlags(args={"B": "3", "C": None}, no_cache=True, pull=True, tag="extra:1")
    build = plan_build(definition, ("web",), flags)["build web:1"]
    assert isinstance(build, BuildImage)
    assert build.build.args == {"A": "1", "B": "3", "C": None}
    assert (build.build.no_cache, build.build.pull, build.build.extra_tags) == (True, True, ("extra:1",))


def test_services_without_a_build_are_not_built() -> None:
    assert plan_build(stack({"db": {}, "web": BUILT}), ()).lines() == ("build web:1  (build)",)


def test_an_image_that_two_services_share_is_built_once() -> None:
    definition = stack({"a": {**BUILT, "image": "app:1"}, "b": {**BUILT, "image": "app:1"}})
    assert plan_build(definition, ()).lines() == ("build app:1  (build)",)


def test_an_unknown_service_is_told_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="no service is called `webb`"):
        plan_build(stack({"web": BUILT}), ("webb",))
