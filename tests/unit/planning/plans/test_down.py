"""The plan that ends a stack."""

from __future__ import annotations

from dataclasses import replace

from invoke_devstack.planning import labels
from invoke_devstack.planning.observed import Observed, ObservedNetwork, ObservedVolume
from invoke_devstack.planning.plan import RemoveContainer, StopContainer
from invoke_devstack.planning.plans.down import own_volumes, plan_down
from tests.unit.planning.building import DATA, engine_with, running, stack

THREE = stack(
    {"db": {"volumes": [DATA]}, "api": {"depends_on": ["db"]}, "web": {"depends_on": ["api"]}, "mail": {}},
    volumes={"data": {"name": "p_data"}},
)


def test_dependents_end_first_and_what_is_independent_at_once() -> None:
    plan = plan_down(THREE, running(THREE))
    assert plan["stop p-db-1"].needs == {"end of p-api-1"}
    assert plan["stop p-api-1"].needs == {"end of p-web-1"}
    assert plan["stop p-web-1"].needs == plan["stop p-mail-1"].needs == frozenset()


def test_containers_and_networks_are_removed_and_volumes_stay() -> None:
    definition = stack({"db": {"volumes": [DATA]}}, volumes={"data": {"name": "p_data"}})
    lines = plan_down(definition, running(definition)).lines()
    assert lines[0] == "stop p-db-1  (down)"
    assert {*lines[1:]} == {"remove p-db-1  (down)", "remove network p_default  (down)"}


def test_volumes_go_only_when_asked() -> None:
    observed = running(THREE)
    lines = plan_down(THREE, observed, volumes=True).lines()
    assert lines[-1] == "remove volume p_data  (--volumes)"
    assert own_volumes(observed) == ("p_data",)


def test_anonymous_volumes_go_only_when_asked() -> None:
    for volumes in (False, True):
        plan = plan_down(THREE, running(THREE), volumes=volumes)
        removals = [item for item in plan if isinstance(item, RemoveContainer)]
        assert removals
        assert all(item.volumes == volumes for item in removals)


def test_labels_alone_give_the_order() -> None:
    plan = plan_down(None, running(THREE))
    assert plan["stop p-db-1"].needs == {"end of p-api-1"}
    assert plan["stop p-api-1"].needs == {"end of p-web-1"}


def test_labels_that_contradict_changed_files_do_not_keep_a_stack_up() -> None:
    old = stack({"a": {"depends_on": ["b"]}, "b": {}, "gone": {"depends_on": ["a"]}})
    new = stack({"a": {}, "b": {"depends_on": ["gone"]}})
    plan = plan_down(new, running(old))
    assert {action.kind for action in plan} == {"stop", "remove", "remove network"}


def test_the_grace_period_comes_from_the_definition() -> None:
    definition = stack({"db": {"stop_grace_period": 90, "stop_signal": "SIGINT"}})
    stop = plan_down(definition, running(definition))["stop p-db-1"]
    assert isinstance(stop, StopContainer)
    assert (stop.grace, stop.signal) == (90, "SIGINT")


def test_the_grace_period_comes_from_the_container_where_there_is_no_definition() -> None:
    observed = running(stack({"db": {}}))
    known = replace(observed.containers[0], stop_timeout=45.0, stop_signal="SIGQUIT")
    stop = plan_down(None, replace(observed, containers=(known,)))["stop p-db-1"]
    assert isinstance(stop, StopContainer)
    assert (stop.grace, stop.signal) == (45, "SIGQUIT")


def test_a_timeout_of_the_command_stands_for_all_grace_periods() -> None:
    definition = stack({"db": {"stop_grace_period": 90}})
    stop = plan_down(definition, running(definition), timeout=3)["stop p-db-1"]
    assert isinstance(stop, StopContainer)
    assert stop.grace == 3


def test_pre_stop_hooks_run_before_the_stop_and_their_failure_ends_nothing() -> None:
    definition = stack({"db": {"pre_stop": [{"command": ["flush"]}]}})
    plan = plan_down(definition, running(definition))
    assert plan.lines()[:2] == (
        "exec pre_stop 1 in p-db-1  (pre_stop of db)",
        "stop p-db-1  (down)",
    )


def test_what_has_ended_is_removed_without_a_stop() -> None:
    definition = stack({"db": {"pre_stop": [{"command": ["flush"]}]}})
    plan = plan_down(definition, running(definition, db={"state": "exited", "exit_code": 0}))
    assert {*plan.lines()} == {"remove p-db-1  (down)", "remove network p_default  (down)"}


def test_orphans_and_one_off_containers_end_too() -> None:
    observed = running(stack({"db": {}, "old": {}}))
    oneoff = replace(observed.containers[0], id="f" * 64, name="p-db-run-1", oneoff=True)
    plan = plan_down(stack({"db": {}}), replace(observed, containers=(*observed.containers, oneoff)))
    assert {"remove p-old-1", "remove p-db-run-1"} <= {action.id for action in plan}


def test_networks_and_volumes_of_others_are_left() -> None:
    observed = engine_with(
        stack({}),
        networks={
            "shared": ObservedNetwork("id", "shared"),
            "x": ObservedNetwork("x", "x", {labels.PROJECT: "other"}),
        },
        volumes={
            "team": ObservedVolume("team"),
            "theirs": ObservedVolume("theirs", labels={labels.PROJECT: "other"}),
        },
    )
    assert plan_down(stack({}), observed, volumes=True).lines() == ()


def test_a_network_waits_until_the_containers_on_it_are_stopped() -> None:
    plan = plan_down(THREE, running(THREE))
    names = ("db", "api", "web", "mail")
    assert plan["remove network p_default"].needs == {f"stop p-{name}-1" for name in names}


def test_a_network_of_podman_waits_until_the_containers_on_it_are_removed() -> None:
    observed = running(THREE)
    podman = replace(observed, engine=replace(observed.engine, name="Podman"))
    plan = plan_down(THREE, podman)
    names = ("db", "api", "web", "mail")
    assert plan["remove network p_default"].needs == {f"remove p-{name}-1" for name in names}


def test_hooks_of_the_team_run_before_and_after() -> None:
    lines = plan_down(THREE, running(THREE), hooks=frozenset({"before down", "after down"})).lines()
    assert (lines[0], lines[-1]) == (
        "hook before down  (hook in tasks.py)",
        "hook after down  (hook in tasks.py)",
    )


def test_nothing_is_done_where_nothing_is() -> None:
    empty = Observed("p", engine_with(THREE).engine)
    assert plan_down(THREE, empty, hooks=frozenset({"before down"})).lines() == ()
