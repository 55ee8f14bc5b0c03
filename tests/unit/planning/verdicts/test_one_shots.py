"""One-shots: done is done, and a server that was stopped is not done."""

from __future__ import annotations

from dataclasses import replace

import pytest

from invoke_devstack.planning.observed import Observed
from invoke_devstack.planning.options import PlanningOptions
from invoke_devstack.planning.plans.up import plan_up
from tests.unit.planning.building import COMPLETED, HEALTHY, running, stack, up

ENDED = {"state": "exited", "exit_code": 0}


def test_a_one_shot_that_others_wait_for_is_not_run_again() -> None:
    definition = stack({"migrate": {}, "web": {"depends_on": {"migrate": COMPLETED}}})
    plan = plan_up(definition, running(definition, migrate=ENDED), PlanningOptions())
    assert (plan.lines(), plan.done, plan.unchanged) == ((), ("migrate",), ("migrate", "web"))


def test_a_one_shot_is_not_run_again_even_after_the_stack_was_stopped() -> None:
    definition = stack({"migrate": {}, "web": {"depends_on": {"migrate": COMPLETED}}})
    observed = running(definition, migrate=ENDED, web=ENDED)
    assert up(definition, observed)[0] == "start p-web-1  (exited with code 0)"


def test_a_one_shot_that_nobody_waits_for_is_not_run_again_while_the_stack_is_up() -> None:
    definition = stack({"seed": {}, "web": {}})
    assert up(definition, running(definition, seed=ENDED)) == ()


def test_a_worker_that_was_stopped_with_the_stack_is_started_with_it() -> None:
    definition = stack({"worker": {}, "web": {}})
    lines = up(definition, running(definition, worker=ENDED, web=ENDED))
    assert "start p-worker-1  (exited with code 0)" in lines


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
    assert "start p-api-1  (exited with code 0)" in up(definition, running(definition, api=ENDED))


def test_a_one_shot_that_failed_is_run_again() -> None:
    definition = stack({"migrate": {}, "web": {"depends_on": {"migrate": COMPLETED}}})
    lines = up(definition, running(definition, migrate={"state": "exited", "exit_code": 3}))
    assert lines == (
        "start p-migrate-1  (exited with code 3)",
        "await p-migrate-1 done  (exited with code 3)",
    )


def test_a_one_shot_that_is_asked_for_by_name_is_run_again() -> None:
    definition = stack({"migrate": {}, "web": {"depends_on": {"migrate": COMPLETED}}})
    lines = up(definition, running(definition, migrate=ENDED), services=("migrate",))
    assert lines[0] == "start p-migrate-1  (exited with code 0)"


def test_a_one_shot_whose_definition_changed_is_run_again() -> None:
    old = stack({"migrate": {}, "web": {"depends_on": {"migrate": COMPLETED}}})
    new = stack({"migrate": {"command": ["all"]}, "web": {"depends_on": {"migrate": COMPLETED}}})
    assert "start p-migrate-1  (command changed)" in up(new, running(old, migrate=ENDED))


def test_a_one_shot_that_still_runs_is_waited_for() -> None:
    definition = stack({"migrate": {}, "web": {"depends_on": {"migrate": COMPLETED}}})
    observed = running(definition, web={"state": "created"})
    assert up(definition, observed) == (
        "await p-migrate-1 done  (not completed yet)",
        "start p-web-1  (never started)",
        "await p-web-1  (never started)",
    )


SEEDED = stack(
    {
        "db": {"volumes": [{"type": "volume", "source": "data", "target": "/data"}]},
        "migrate": {"depends_on": {"db": HEALTHY}},
        "web": {"depends_on": {"migrate": COMPLETED}},
    },
    volumes={"data": {"name": "p_data"}},
)


def seeded(volume: str, ran: str, db: str = "2026-01-02T00:00:00Z") -> Observed:
    """The stack, with the times at which the engine says that the volume was made, the one-shot last ran, and
    the database's container was made."""
    failed = {"state": "exited", "exit_code": 1}
    migrated = {**ENDED, "created_at": "2026-01-01T00:00:01Z", "started_at": ran}
    observed = running(SEEDED, migrate=migrated, web=failed, db={"created_at": db})
    volumes = {name: replace(item, created_at=volume) for name, item in observed.volumes.items()}
    return replace(observed, volumes=volumes)


def test_a_one_shot_is_not_run_again_on_the_data_that_it_filled() -> None:
    lines = up(SEEDED, seeded("2026-01-01T00:00:05Z", "2026-01-01T00:00:05.9Z"))
    assert lines[0] == "start p-web-1  (exited with code 1)"


def test_a_one_shot_runs_again_on_newer_data_and_is_waited_for() -> None:
    plan = plan_up(SEEDED, seeded("2026-01-01T00:00:06Z", "2026-01-01T00:00:05.9Z"), PlanningOptions())
    (create,) = (action for action in plan if action.kind == "create" and action.service == "migrate")
    assert str(create.cause) == "the data of `db` is newer than its last run"
    assert "await p-migrate-1 done" in plan["start p-web-1"].needs


def test_a_volume_that_an_older_container_mounts_is_not_newer_whatever_the_engine_says() -> None:
    changed = seeded("2026-01-01T00:00:08Z", "2026-01-01T00:00:05.9Z", db="2026-01-01T00:00:05.123456789Z")
    assert up(SEEDED, changed)[0] == "start p-web-1  (exited with code 1)"


def test_a_one_shot_runs_again_where_the_volume_is_still_to_be_made() -> None:
    observed = replace(seeded("", "2026-01-01T00:00:05Z"), volumes={})
    assert "await p-migrate-1 done" in plan_up(SEEDED, observed, PlanningOptions())
