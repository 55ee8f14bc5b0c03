"""One turn of the watch: build, then replace what the build changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from invoke_devstack.definition.model import Definition
from invoke_devstack.errors import UsageError
from invoke_devstack.planning import labels
from invoke_devstack.planning.bodies.anonymous_volumes import place_labels
from invoke_devstack.planning.observed import Observed, ObservedImage, ObservedVolume
from invoke_devstack.planning.options import BuildFlags, PlanningOptions
from invoke_devstack.planning.plan import (
    BuildImage,
    CreateContainer,
    RemoveContainer,
    RemoveImage,
    RemoveVolume,
)
from invoke_devstack.planning.plans.rebuild import plan_build, plan_replace, renewable_paths
from invoke_devstack.planning.plans.up import plan_up
from tests.unit.planning.building import container_id, engine_with, running, stack

BUILT = {"build": {"context": "/src"}}
MODULES = {"type": "volume", "target": "/modules"}
UPLOADS = {"type": "volume", "target": "/uploads"}
NEW = f"{container_id('p-web-1')[:12]}_p-web-1"


def rebuilt(definition: Definition, observed: Observed, *services: str) -> Observed:
    images = {f"{name}:1": ObservedImage(f"{name}:1", f"sha256:new{name}") for name in services}
    return replace(observed, images={**observed.images, **images})


def test_the_new_container_is_made_before_the_old_one_stops_and_the_old_image_goes() -> None:
    definition = stack({"db": {}, "web": {**BUILT, "depends_on": ["db"]}})
    observed = rebuilt(definition, running(definition), "web")
    assert plan_replace(definition, observed, ("web",), PlanningOptions()).lines() == (
        f"create {NEW}  (image changed: web… -> newweb…)",
        "stop p-web-1  (image changed: web… -> newweb…)",
        "remove p-web-1  (replaced by the new container)",
        f"rename {NEW}  (takes the name of the old container)",
        "remove image sha256:web  (replaced by a newer image)",
        "start p-web-1  (image changed: web… -> newweb…)",
        "await p-web-1  (image changed: web… -> newweb…)",
    )


def test_a_build_that_changed_nothing_replaces_nothing() -> None:
    definition = stack({"web": BUILT})
    assert plan_replace(definition, running(definition), ("web",), PlanningOptions()).lines() == ()


def test_dependencies_are_left_alone_even_if_they_changed() -> None:
    definition = stack({"db": {}, "web": {**BUILT, "depends_on": ["db"]}})
    observed = rebuilt(definition, running(definition), "web", "db")
    services = {action.service for action in plan_replace(definition, observed, ("web",), PlanningOptions())}
    assert services <= {"", "web"}


def test_dependents_restart_only_where_they_say_so() -> None:
    definition = stack(
        {"web": BUILT, "a": {"depends_on": ["web"]}, "b": {"depends_on": {"web": {"restart": True}}}}
    )
    observed = rebuilt(definition, running(definition), "web")
    services = {action.service for action in plan_replace(definition, observed, ("web",), PlanningOptions())}
    assert services == {"", "web", "b"}


def test_a_dependent_that_is_stopped_stays_stopped() -> None:
    definition = stack({"web": BUILT, "b": {"depends_on": {"web": {"restart": True}}}})
    observed = rebuilt(definition, running(definition, b={"state": "exited", "exit_code": 0}), "web")
    services = {action.service for action in plan_replace(definition, observed, ("web",), PlanningOptions())}
    assert services == {"", "web"}


def test_an_anonymous_volume_is_renewed_if_the_image_has_content_for_it() -> None:
    definition = stack({"web": {**BUILT, "volumes": [MODULES, UPLOADS]}})
    observed = rebuilt(definition, running(definition), "web")
    assert renewable_paths(definition, observed, "web") == ("/modules", "/uploads")
    options = PlanningOptions(renewed_volumes=frozenset({("web", "/modules")}))
    plan = plan_replace(definition, observed, ("web",), options)
    create, removal = plan[f"create {NEW}"], plan["remove p-web-1"]
    assert isinstance(create, CreateContainer)
    assert isinstance(removal, RemoveContainer)
    modules, uploads = create.body["HostConfig"]["Mounts"]
    assert (modules["Target"], modules.get("Source")) == ("/modules", None)
    assert modules["VolumeOptions"]["Labels"][labels.GENERATION] == "1"
    assert (uploads["Target"], uploads.get("Source")) == ("/uploads", "anonymous-/uploads")
    assert not removal.volumes


def test_what_a_rebuild_replaced_is_removed_at_the_next_one() -> None:
    definition = stack({"web": {**BUILT, "volumes": [MODULES]}})
    observed = rebuilt(definition, running(definition), "web")
    place = {
        **place_labels(definition, "web", 1),
        labels.ANONYMOUS: "/modules",
        labels.VOLUME: "web-1:/modules",
    }
    volumes = {
        "anonymous-/modules": ObservedVolume("anonymous-/modules", labels=place | {labels.GENERATION: "1"}),
        "previous": ObservedVolume("previous", labels=place),
    }
    options = PlanningOptions(renewed_volumes=frozenset({("web", "/modules")}))
    plan = plan_replace(definition, replace(observed, volumes=volumes), ("web",), options)
    assert {action.target for action in plan if isinstance(action, RemoveVolume)} == {"previous"}
    create = plan[f"create {NEW}"]
    assert isinstance(create, CreateContainer)
    (mount,) = create.body["HostConfig"]["Mounts"]
    assert mount["VolumeOptions"]["Labels"][labels.GENERATION] == "2"


def test_an_image_that_another_container_uses_is_kept() -> None:
    definition = stack({"web": BUILT, "worker": {"image": "web:1"}})
    observed = running(definition)
    same = tuple(replace(item, image_id="sha256:web") for item in observed.containers)
    plan = plan_replace(
        definition,
        rebuilt(definition, replace(observed, containers=same), "web"),
        ("web",),
        PlanningOptions(),
    )
    assert not [action for action in plan if isinstance(action, RemoveImage)]


def test_a_superseded_image_goes_only_if_it_has_no_name_left() -> None:
    definition = stack({"web": BUILT})
    plan = plan_replace(
        definition, rebuilt(definition, running(definition), "web"), ("web",), PlanningOptions()
    )
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


def test_what_a_build_uses_is_built_with_it_and_keeps_its_own_stage_and_name() -> None:
    base = {"build": {"context": "/b", "target": "slim"}}
    web = {"build": {"context": "/w", "additional_contexts": {"base": "service:base"}}}
    definition = stack({"base": base, "web": web, "other": {"build": {"context": "/o"}}})
    plan = plan_build(definition, ("web",), BuildFlags(target="dev", tag="more:1", no_cache=True))
    assert plan["build web:1"].needs == {"build base:1"}
    built = plan["build base:1"]
    assert isinstance(built, BuildImage)
    assert (built.build.target, built.build.extra_tags, built.build.no_cache) == ("slim", (), True)
    assert "build other:1" not in plan


def test_up_builds_what_a_build_uses_even_of_an_inactive_profile() -> None:
    web = {"build": {"context": "/w", "additional_contexts": {"base": "service:base"}}}
    definition = stack({"web": web})
    hidden = stack({"base": {"build": {"context": "/b"}}}).services
    definition = definition.copy_with({"disabled_services": hidden})
    images = {"base:1": ObservedImage("base:1", "sha256:base")}
    there = engine_with(definition, images=images)
    assert "build base:1" not in plan_up(definition, there, PlanningOptions(services=("web",)))
    for observed, build in ((there, True), (engine_with(definition, images={}), False)):
        plan = plan_up(definition, observed, PlanningOptions(services=("web",), build=build))
        assert plan["build web:1"].needs == {"build base:1"}
    flags = plan["build web:1"]
    assert isinstance(flags, BuildImage)
    assert flags.build.additional_contexts == {"base": "docker-image://base:1"}


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
    with pytest.raises(UsageError, match="unknown service `webb`"):
        plan_build(stack({"web": BUILT}), ("webb",))
