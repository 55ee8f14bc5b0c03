"""Whatever the stack, the change and the moment of an interruption: `up` gets there, in any order that the
plan allows, and then has nothing left to do."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from invoke_devstack.definition.model import Definition
from invoke_devstack.planning import labels
from invoke_devstack.planning.observed import ObservedImage
from invoke_devstack.planning.options import PlanningOptions
from invoke_devstack.planning.plans.down import plan_down
from invoke_devstack.planning.plans.rebuild import plan_replace
from invoke_devstack.planning.plans.up import plan_up
from tests.unit.planning.building import ENGINE, NEWER_ENGINE, stack
from tests.unit.planning.simulated import SimulatedEngine

NAMES = ("a", "b", "c", "d", "e")
CONDITIONS = ("service_started", "service_healthy")
ONE_SHOT = "a"
"""It has no dependencies, so that everything may wait for it."""

SERVER = "server"
"""It is in every stack, so that a stack that is up shows it."""

VOLUMES = [
    {"type": "volume", "target": "/anonymous"},
    {"type": "volume", "source": "data", "target": "/data"},
]


Services = dict[str, dict[str, Any]]
Stack = tuple[Services, bool]
"""The services, and whether the network `other` is internal."""


@st.composite
def stacks(draw: st.DrawFn) -> Stack:
    """Services that depend on, live in, and mount those before them."""
    services: Services = {SERVER: {"ports": [{"target": 80, "published": "7999"}]}}
    port = draw(st.permutations(range(8000, 8005)))
    for index, name in enumerate(NAMES[: draw(st.integers(1, len(NAMES)))]):
        before = NAMES[1:index]
        values = draw(parts(name, before))
        if index and draw(st.booleans()):
            values["depends_on"][ONE_SHOT] = {"condition": "service_completed_successfully"}
        if "network_mode" not in values and name != ONE_SHOT and draw(st.booleans()):
            values["ports"] = [{"target": 80, "published": str(port[index])}]
        elif name != ONE_SHOT:
            values["scale"] = draw(st.integers(1, 2))
        services[name] = values
    return services, draw(st.booleans())


@st.composite
def parts(draw: st.DrawFn, name: str, before: tuple[str, ...]) -> dict[str, Any]:
    """A service in the company of those before it, where there are any."""
    depends_on = {
        other: {
            "condition": draw(st.sampled_from(CONDITIONS)),
            "restart": draw(st.booleans()),
            "required": draw(st.booleans()),
        }
        for other in before
        if draw(st.booleans())
    }
    values: dict[str, Any] = {"user": draw(st.sampled_from(["x", "y"])), "depends_on": depends_on}
    host = draw(st.sampled_from(("", *before)))
    if host:
        values["network_mode"] = f"service:{host}"
        depends_on.setdefault(host, {"restart": True})
    else:
        values["networks"] = draw(st.sampled_from(({"default": None}, {"other": None, "default": None})))
    if bool(before) and draw(st.booleans()):
        values["volumes_from"] = [draw(st.sampled_from(before))]
    if draw(st.booleans()):
        values["volumes"] = VOLUMES
    for hook in ("pre_start", "pre_stop", *(("post_start",) if name != ONE_SHOT else ())):
        if draw(st.booleans()):
            values[hook] = [{"command": ["x"]}]
    return values


def defined(made: Stack) -> Definition:
    services, internal = made
    return stack(
        services,
        networks={"other": {"name": "p_other", "internal": internal}},
        volumes={"data": {"name": "p_data"}},
    )


def bring_up(engine: SimulatedEngine, definition: Definition, dice: random.Random, **options: Any) -> None:
    """As the running room does it: a plan, and another one where the images decide."""
    plan = plan_up(definition, engine.observed(), PlanningOptions(**options))
    if plan.replan:
        engine.carry_out(plan, dice)
        plan = plan_up(definition, engine.observed(), PlanningOptions(images_ready=True, **options))
    engine.carry_out(plan, dice)


def assert_settled(engine: SimulatedEngine, definition: Definition) -> None:
    plan = plan_up(definition, engine.observed(), PlanningOptions())
    assert plan.lines() == ()
    assert set(plan.unchanged) == set(definition.services)
    expected = sum(service.scale_count() for service in definition.services.values())
    assert len(engine.containers) == expected
    assert all("_p-" not in name for name in engine.containers)


ENGINES = st.sampled_from([ENGINE, NEWER_ENGINE])
DICE = st.integers(0, 2**16).map(random.Random)


@settings(deadline=None)
@given(made=stacks(), info=ENGINES, dice=DICE)
def test_up_from_nothing_then_has_nothing_left_to_do(made: Stack, info: Any, dice: random.Random) -> None:
    engine = SimulatedEngine(info, frozenset({ONE_SHOT}))
    bring_up(engine, defined(made), dice)
    assert_settled(engine, defined(made))


@settings(deadline=None)
@given(old=stacks(), new=stacks(), dice=DICE)
def test_any_change_is_carried_out_and_then_settled(old: Stack, new: Stack, dice: random.Random) -> None:
    engine = SimulatedEngine(ENGINE, frozenset({ONE_SHOT}))
    bring_up(engine, defined(old), dice)
    bring_up(engine, defined(new), dice, remove_orphans=True)
    assert_settled(engine, defined(new))


@settings(deadline=None)
@given(old=stacks(), new=stacks(), dice=DICE, at=st.integers(0, 30), again=st.integers(0, 30))
def test_an_up_that_was_killed_twice_is_finished_by_the_next_one(
    old: Stack, new: Stack, dice: random.Random, at: int, again: int
) -> None:
    engine = SimulatedEngine(ENGINE, frozenset({ONE_SHOT}))
    bring_up(engine, defined(old), dice)
    definition = defined(new)
    for steps in (at, again):
        plan = plan_up(definition, engine.observed(), PlanningOptions(remove_orphans=True))
        engine.carry_out(plan, dice, steps=steps)
    bring_up(engine, definition, dice, remove_orphans=True)
    assert_settled(engine, definition)


@settings(deadline=None)
@given(made=stacks(), dice=DICE, known=st.booleans(), volumes=st.booleans())
def test_down_leaves_nothing_but_volumes(
    made: Stack, dice: random.Random, known: bool, volumes: bool
) -> None:
    engine = SimulatedEngine(ENGINE, frozenset({ONE_SHOT}))
    definition = defined(made)
    bring_up(engine, definition, dice)
    plan = plan_down(definition if known else None, engine.observed(), volumes=volumes)
    before = engine.data_at("/anonymous")
    engine.carry_out(plan, dice)
    assert (engine.containers, engine.networks) == ({}, {})
    if volumes:
        assert engine.volumes == {}
    else:
        bring_up(engine, definition, dice)
        assert engine.data_at("/anonymous") == before


@settings(deadline=None)
@given(
    old=stacks(),
    new=stacks(),
    dice=DICE,
    at=st.integers(0, 30),
    again=st.integers(0, 30),
    last=st.sampled_from(["up", "down"]),
    labelled=st.booleans(),
)
def test_no_interruption_loses_what_anonymous_volumes_have(
    old: Stack, new: Stack, dice: random.Random, at: int, again: int, last: str, labelled: bool
) -> None:
    """Killed at any step, and again while the next command settles that: each container that is up in the end
    has the data that the one with its number had, nothing else is deleted, and no volume is left that has no
    place. Without labels, volumes are as Compose makes them."""
    engine = SimulatedEngine(ENGINE, frozenset({ONE_SHOT}))
    engine.labels_volumes = labelled
    bring_up(engine, defined(old), dice)
    engine.labels_volumes = True
    before = engine.data_at("/anonymous")
    plan = plan_up(defined(new), engine.observed(), PlanningOptions(remove_orphans=True))
    engine.carry_out(plan, dice, steps=at)
    if last == "up":
        plan = plan_up(defined(old), engine.observed(), PlanningOptions(force_recreate=True))
    else:
        plan = plan_down(defined(new), engine.observed())
    engine.carry_out(plan, dice, steps=again)
    bring_up(engine, defined(old), dice, remove_orphans=True)
    after = engine.data_at("/anonymous")
    assert {place: before[place] for place in before if place in after}.items() <= after.items()
    assert set(before.values()) <= set(engine.data.values())
    with_place = [item.labels for item in engine.volumes.values() if labels.ANONYMOUS in item.labels]
    for marks in (True, False):
        places = [item[labels.VOLUME] for item in with_place if (labels.HOLDS in item) == marks]
        assert len(places) == len(set(places))


@settings(deadline=None)
@given(made=stacks(), dice=DICE, rounds=st.lists(st.sampled_from(["down", "force", "less"]), max_size=5))
def test_no_number_of_rounds_leaves_volumes(made: Stack, dice: random.Random, rounds: list[str]) -> None:
    engine = SimulatedEngine(ENGINE, frozenset({ONE_SHOT}))
    services, internal = made
    less = {name: {**values, "scale": 1} for name, values in services.items()}
    bring_up(engine, defined(made), dice)
    before, volumes = engine.data_at("/anonymous"), set(engine.volumes)
    for round_ in rounds:
        if round_ == "down":
            engine.carry_out(plan_down(defined(made), engine.observed()), dice)
        definition = defined((less, internal) if round_ == "less" else made)
        bring_up(engine, definition, dice, force_recreate=round_ == "force")
    bring_up(engine, defined(made), dice)
    assert engine.data_at("/anonymous") == before
    assert set(engine.volumes) == volumes


@settings(deadline=None)
@given(made=stacks(), dice=DICE)
def test_a_rebuild_replaces_its_service_and_then_all_is_settled(made: Stack, dice: random.Random) -> None:
    definition = defined(made)
    engine = SimulatedEngine(ENGINE, frozenset({ONE_SHOT}))
    bring_up(engine, definition, dice)
    name = dice.choice([name for name in definition.services if name != ONE_SHOT])
    engine.images[f"{name}:1"] = ObservedImage(f"{name}:1", "sha256:rebuilt")
    engine.carry_out(plan_replace(definition, engine.observed(), (name,), PlanningOptions()), dice)
    replaced = [item for item in engine.containers.values() if item.service == name]
    assert {item.image_id for item in replaced} == {"sha256:rebuilt"}
    assert_settled(engine, definition)
