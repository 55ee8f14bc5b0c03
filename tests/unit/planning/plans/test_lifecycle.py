"""Start, stop, restart, pause, unpause, kill and remove, for some services or all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from invoke_devstack.errors import UsageError
from invoke_devstack.planning.observed import ObservedVolume
from invoke_devstack.planning.plan import AwaitReady, KillContainer, RestartContainer
from invoke_devstack.planning.plans.hooks import mark_body
from invoke_devstack.planning.plans.lifecycle import (
    plan_kill,
    plan_pause,
    plan_remove,
    plan_restart,
    plan_start,
    plan_stop,
    plan_unpause,
)
from tests.unit.planning.building import HEALTHY, running, stack

TWO = stack({"db": {}, "web": {"depends_on": {"db": HEALTHY}}})
ENDED = {"state": "exited", "exit_code": 0}


def test_start_starts_what_is_stopped_dependencies_first() -> None:
    assert plan_start(TWO, running(TWO, db=ENDED, web=ENDED), (), wait_timeout=5).lines() == (
        "start p-db-1  (start)",
        "await p-db-1  (start)",
        "start p-web-1  (start)",
        "await p-web-1  (start)",
    )


def test_start_leaves_what_runs_and_says_so() -> None:
    plan = plan_start(TWO, running(TWO, web=ENDED), (), wait_timeout=5)
    assert (plan.lines(), plan.unchanged) == (("start p-web-1  (start)", "await p-web-1  (start)"), ("db",))


def test_start_works_from_labels_alone() -> None:
    plan = plan_start(None, running(TWO, db=ENDED, web=ENDED), (), wait_timeout=5)
    wait = plan["await p-db-1"]
    assert isinstance(wait, AwaitReady)
    assert wait.late_probe
    assert plan["start p-web-1"].needs == {"await p-db-1"}


def test_start_waits_for_a_one_shot_until_it_is_done() -> None:
    definition = stack(
        {"init": {}, "web": {"depends_on": {"init": {"condition": "service_completed_successfully"}}}}
    )
    plan = plan_start(definition, running(definition, init=ENDED, web=ENDED), (), wait_timeout=5)
    assert plan["start p-web-1"].needs == {"await p-init-1 done"}


def test_stop_stops_dependents_first() -> None:
    assert plan_stop(TWO, running(TWO), ()).lines() == ("stop p-web-1  (stop)", "stop p-db-1  (stop)")


def test_stop_of_one_service_leaves_the_others() -> None:
    assert plan_stop(TWO, running(TWO), ("db",)).lines() == ("stop p-db-1  (stop)",)


def test_stop_with_nothing_to_stop_says_so() -> None:
    plan = plan_stop(TWO, running(TWO, db=ENDED, web=ENDED), ())
    assert (plan.lines(), plan.unchanged) == ((), ("db", "web"))


def test_restart_waits_until_all_is_ready_again() -> None:
    assert plan_restart(TWO, running(TWO), (), wait_timeout=5).lines() == (
        "restart p-db-1  (restart)",
        "await p-db-1  (restart)",
        "restart p-web-1  (restart)",
        "await p-web-1  (restart)",
    )


def test_restart_of_one_service_leaves_its_dependents_unless_they_follow() -> None:
    assert plan_restart(TWO, running(TWO), ("db",), wait_timeout=5).lines() == (
        "restart p-db-1  (restart)",
        "await p-db-1  (restart)",
    )
    follows = stack(
        {
            "db": {},
            "web": {"depends_on": {"db": {**HEALTHY, "restart": True}}},
            "proxy": {"depends_on": {"web": {"restart": True}}},
        }
    )
    lines = plan_restart(follows, running(follows), ("db",), wait_timeout=5).lines()
    assert "restart p-web-1  (restarts with its dependency)" in lines
    assert "restart p-proxy-1  (restarts with its dependency)" in lines


def test_restart_runs_the_hooks_of_the_life_cycle() -> None:
    definition = stack({"db": {"pre_stop": [{"command": ["a"]}], "post_start": [{"command": ["b"]}]}})
    assert plan_restart(definition, running(definition), (), wait_timeout=5).lines() == (
        "exec pre_stop 1 in p-db-1  (pre_stop of db)",
        "restart p-db-1  (restart)",
        "exec post_start 1 in p-db-1  (post_start of db)",
        "await p-db-1  (restart)",
    )


def test_restart_keeps_to_the_grace_period() -> None:
    definition = stack({"db": {"stop_grace_period": 30}})
    restart = plan_restart(definition, running(definition), (), wait_timeout=5)["restart p-db-1"]
    assert isinstance(restart, RestartContainer)
    assert restart.grace == 30


def test_pause_and_unpause_touch_only_what_they_can() -> None:
    observed = running(TWO, db={"state": "paused"})
    assert plan_pause(observed, ()).lines() == ("pause p-web-1  (pause)",)
    assert plan_unpause(observed, ()).lines() == ("unpause p-db-1  (unpause)",)


def test_kill_sends_the_signal() -> None:
    kill = plan_kill(running(TWO), ("web",), signal="SIGHUP")["kill p-web-1"]
    assert isinstance(kill, KillContainer)
    assert kill.signal == "SIGHUP"


def test_remove_takes_only_what_is_stopped_unless_told_to_stop() -> None:
    observed = running(TWO, db=ENDED)
    assert plan_remove(TWO, observed, ()).lines() == ("remove p-db-1  (remove)",)
    assert plan_remove(TWO, observed, (), stop=True).lines() == (
        "remove p-db-1  (remove)",
        "stop p-web-1  (remove)",
        "remove p-web-1  (remove)",
    )


def test_a_misspelt_service_is_told_the_nearest_name() -> None:
    with pytest.raises(UsageError) as error:
        plan_stop(TWO, running(TWO), ("wbe",))
    assert error.value.hint == "Did you mean `web`?"


def test_a_service_without_a_container_is_told_how_it_gets_one() -> None:
    definition = stack({"db": {}, "web": {}})
    with pytest.raises(UsageError) as error:
        plan_stop(definition, running(stack({"db": {}})), ("web",))
    assert "invoke up -s web" in error.value.hint


def test_start_runs_the_hooks_that_come_before_the_start() -> None:
    definition = stack({"web": {"pre_start": [{"command": ["migrate"]}]}})
    assert plan_start(definition, running(definition, web=ENDED), (), wait_timeout=5).lines() == (
        "create p-web-1-pre_start-1  (pre_start of web)",
        "start p-web-1-pre_start-1  (pre_start of web)",
        "await p-web-1-pre_start-1 done  (pre_start of web)",
        "remove p-web-1-pre_start-1  (completed)",
        "start p-web-1  (start)",
        "await p-web-1  (start)",
    )


STARTING = {"health": "starting"}
INIT = stack(
    {
        "db": {"healthcheck": {"test": ["CMD", "true"]}},
        "init": {"depends_on": {"db": HEALTHY}},
        "web": {"depends_on": {"init": {"condition": "service_completed_successfully"}}},
    }
)


def test_start_of_one_service_starts_and_awaits_what_it_needs() -> None:
    plan = plan_start(
        INIT, running(INIT, db=ENDED, init={**ENDED, "exit_code": 1}, web=ENDED), ("web",), wait_timeout=5
    )
    assert plan["start p-init-1"].needs == {"await p-db-1"}
    assert plan["start p-web-1"].needs == {"await p-init-1 done"}
    wait = plan["await p-init-1 done"]
    assert isinstance(wait, AwaitReady)
    assert (wait.waited_for_by, wait.optional) == (("web",), False)


def test_start_of_one_service_leaves_a_one_shot_that_is_done() -> None:
    lines = plan_start(INIT, running(INIT, init=ENDED, web=ENDED), ("web",), wait_timeout=5).lines()
    assert lines == ("start p-web-1  (start)", "await p-web-1  (start)")


def test_restart_of_one_service_waits_until_what_it_needs_is_ready() -> None:
    plan = plan_restart(TWO, running(TWO, db=STARTING), ("web",), wait_timeout=5)
    assert plan["restart p-web-1"].needs == {"await p-db-1"}
    plan = plan_restart(TWO, running(TWO, db=ENDED), ("web",), wait_timeout=5)
    assert plan["await p-db-1"].needs == {"start p-db-1"}
    assert plan["restart p-web-1"].needs == {"await p-db-1"}


def test_who_only_wants_it_started_does_not_wait_until_it_is_ready() -> None:
    definition = stack({"db": {}, "web": {"depends_on": ["db"]}})
    plan = plan_start(definition, running(definition, db=ENDED, web=ENDED), (), wait_timeout=5)
    assert plan["start p-web-1"].needs == {"start p-db-1"}


def test_a_dependency_that_nobody_requires_may_fail() -> None:
    definition = stack({"db": {}, "web": {"depends_on": {"db": {**HEALTHY, "required": False}}}})
    wait = plan_start(definition, running(definition, db=ENDED, web=ENDED), ("web",), wait_timeout=5)[
        "await p-db-1"
    ]
    assert isinstance(wait, AwaitReady)
    assert wait.optional


def test_what_is_waited_for_and_not_there_is_told_before_anything_starts() -> None:
    observed = running(stack({"web": {}}), web=ENDED)
    with pytest.raises(UsageError, match="`web` waits for `db`, which has no container"):
        plan_start(TWO, observed, ("web",), wait_timeout=5)


def test_start_waits_for_what_the_engine_restarts_again_and_again() -> None:
    loops = stack({"db": {"restart": "always"}, "web": {}})
    for state in ({"state": "restarting"}, {"state": "running", "started_again": True}):
        for names in ((), ("db",)):
            plan = plan_start(loops, running(loops, db=state), names, wait_timeout=5)
            assert [line.partition("  ")[0] for line in plan.lines()] == ["await p-db-1"]


def test_start_waits_for_what_runs_and_is_not_healthy() -> None:
    plan = plan_start(TWO, running(TWO, db={"health": "unhealthy"}), ("db",), wait_timeout=5)
    assert plan.lines() == ("await p-db-1  (unhealthy)",)


def test_start_resumes_what_is_paused() -> None:
    plan = plan_start(TWO, running(TWO, web={"state": "paused"}), (), wait_timeout=5)
    assert plan.lines() == ("unpause p-web-1  (paused)", "await p-web-1  (paused)")


def test_start_of_what_runs_starts_what_it_needs() -> None:
    plan = plan_start(TWO, running(TWO, db=ENDED), ("web",), wait_timeout=5)
    assert plan.lines() == (
        "start p-db-1  (exited with code 0)",
        "await p-db-1  (exited with code 0)",
    )


def test_start_of_what_runs_does_not_ask_for_what_was_left_out() -> None:
    observed = running(stack({"web": {}}))
    assert plan_start(TWO, observed, ("web",), wait_timeout=5).lines() == ()


def test_start_runs_the_hooks_of_a_running_container_that_have_not_succeeded() -> None:
    definition = stack({"web": {"post_start": [{"command": ["a"]}, {"command": ["b"]}]}, "db": {}})
    observed = running(definition)
    mark = "post_start p-web-1"
    body = mark_body("p", mark)
    volume = ObservedVolume(name=body["Name"], labels=body["Labels"])
    left = replace(observed, ours=(volume,))
    assert plan_start(definition, observed, ("web",), wait_timeout=5).lines() == ()
    assert plan_start(definition, left, ("web",), wait_timeout=5).lines() == (
        "exec post_start 1 in p-web-1  (post_start of web)",
        "exec post_start 2 in p-web-1  (post_start of web)",
        "await p-web-1  (start)",
    )
    assert plan_start(definition, left, ("db",), wait_timeout=5).lines() == ()


def test_start_and_restart_run_the_hooks_of_the_team_that_have_not_succeeded() -> None:
    own = frozenset({"after db", "after web", "after up"})
    left = replace(running(TWO), ours=_marks("after db"))
    assert plan_start(TWO, left, ("web",), wait_timeout=5, hooks=own).lines() == (
        "hook after db  (due: it has not succeeded yet)",
    )
    assert plan_start(TWO, left, (), wait_timeout=5).lines() == ()  # not in tasks.py any more
    stopped = replace(running(TWO, web=ENDED), ours=_marks("after db", "after up"))
    plan = plan_start(TWO, stopped, (), wait_timeout=5, hooks=own)
    assert "hook after db" in plan["start p-web-1"].needs
    assert plan.lines()[-1] == "hook after up  (due: it has not succeeded yet)"
    plan = plan_restart(TWO, left, ("db",), wait_timeout=5, hooks=own)
    assert plan["hook after db"].needs == {"restart p-db-1", "await p-db-1"}
    assert plan.marks == {"after db"}


def _marks(*hooks: str) -> tuple[ObservedVolume, ...]:
    bodies = [mark_body("p", hook) for hook in hooks]
    return tuple(ObservedVolume(name=body["Name"], labels=body["Labels"]) for body in bodies)
