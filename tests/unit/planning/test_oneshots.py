"""One-shots: done is done, and a server that was stopped is not done."""

from __future__ import annotations

import pytest

from invoke_devstack.planning.options import UpOptions
from invoke_devstack.planning.up import plan_up
from tests.unit.planning.building import running, stack, up

COMPLETED = {"condition": "service_completed_successfully"}
ENDED = {"state": "exited", "exit_code": 0}


def test_a_one_shot_that_others_wait_for_is_not_run_again() -> None:
    definition = stack({"migrate": {}, "web": {"depends_on": {"migrate": COMPLETED}}})
    plan = plan_up(definition, running(definition, migrate=ENDED), UpOptions())
    assert (plan.lines(), plan.done, plan.unchanged) == ((), ("migrate",), ("migrate", "web"))


def test_a_one_shot_is_not_run_again_even_after_the_stack_was_stopped() -> None:
    definition = stack({"migrate": {}, "web": {"depends_on": {"migrate": COMPLETED}}})
    observed = running(definition, migrate=ENDED, web=ENDED)
    assert up(definition, observed)[0] == "start p-web-1  (it had ended with exit code 0)"


def test_a_one_shot_that_nobody_waits_for_is_not_run_again_while_the_stack_is_up() -> None:
    definition = stack({"seed": {}, "web": {}})
    assert up(definition, running(definition, seed=ENDED)) == ()


def test_a_worker_that_was_stopped_with_the_stack_is_started_with_it() -> None:
    definition = stack({"worker": {}, "web": {}})
    lines = up(definition, running(definition, worker=ENDED, web=ENDED))
    assert "start p-worker-1  (it had ended with exit code 0)" in lines


@pytest.mark.parametrize(
    "server",
    [
        {"ports": [{"target": 80}]},
        {"expose": ["80"]},
        {"restart": "unless-stopped"},
        {"healthcheck": {"test": ["CMD", "true"]}},
        {"develop": {"watch": []}},
    ],
)
def test_what_looks_like_a_server_is_started_again(server: dict[str, object]) -> None:
    definition = stack({"api": server, "web": {}})
    assert "start p-api-1  (it had ended with exit code 0)" in up(definition, running(definition, api=ENDED))


def test_a_one_shot_that_failed_is_run_again() -> None:
    definition = stack({"migrate": {}, "web": {"depends_on": {"migrate": COMPLETED}}})
    lines = up(definition, running(definition, migrate={"state": "exited", "exit_code": 3}))
    assert lines == (
        "start p-migrate-1  (it had ended with exit code 3)",
        "await p-migrate-1 done  (it had ended with exit code 3)",
    )


def test_a_one_shot_that_is_asked_for_by_name_is_run_again() -> None:
    definition = stack({"migrate": {}, "web": {"depends_on": {"migrate": COMPLETED}}})
    lines = up(definition, running(definition, migrate=ENDED), services=("migrate",))
    assert lines[0] == "start p-migrate-1  (it had ended with exit code 0)"


def test_a_one_shot_whose_definition_changed_is_run_again() -> None:
    old = stack({"migrate": {}, "web": {"depends_on": {"migrate": COMPLETED}}})
    new = stack({"migrate": {"command": ["all"]}, "web": {"depends_on": {"migrate": COMPLETED}}})
    assert "start p-migrate-1  (command changed)" in up(new, running(old, migrate=ENDED))


def test_a_one_shot_that_still_runs_is_waited_for() -> None:
    definition = stack({"migrate": {}, "web": {"depends_on": {"migrate": COMPLETED}}})
    observed = running(definition, web={"state": "created"})
    assert up(definition, observed) == (
        "await p-migrate-1 done  (it has not ended yet)",
        "start p-web-1  (it was never started)",
        "await p-web-1  (it was never started)",
    )
