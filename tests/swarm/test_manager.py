"""The manager's engine is killed in the middle of a rollout, and comes back."""

from __future__ import annotations

import time

from tests.swarm.full import FULL, wait_for
from tests.swarm.project import Project
from tests.swarm.test_killed import end_state, write

pytestmark = FULL


def _is_being_updated(project: Project) -> bool:
    web = project.api.inspect_service(f"{project.name}_web")
    return (web.get("UpdateStatus") or {}).get("State") == "updating"


def _nodes_are_ready(project: Project) -> bool:
    return all(node["Status"]["State"] == "ready" for node in project.api.nodes())


def test_the_deploy_after_one_whose_manager_was_killed_ends_in_the_same_state(project: Project) -> None:
    write(project, "blue")
    project.deploy()
    write(project, "red")
    project.deploy()
    wanted = end_state(project)
    write(project, "blue")
    project.deploy()

    write(project, "red")
    process = project.start("deploy", "--yes")
    wait_for(lambda: _is_being_updated(project))
    project.cluster.kill(1)
    try:
        _, err = process.communicate(timeout=150)
        away = project.invoke("deploy.status")
    finally:
        project.cluster.revive(1)
    print(process.returncode, err, "\nstatus, engine away:", away.stderr)
    assert process.returncode != 0
    assert f"{project.name} is left half-way" in err
    assert away.returncode != 0
    began = time.monotonic()
    at_once = project.invoke("deploy.status")
    print("status at once:", at_once.returncode, at_once.stdout, at_once.stderr)
    wait_for(lambda: _nodes_are_ready(project))
    print("nodes ready after", time.monotonic() - began)
    status = project.invoke("deploy.status")
    print("status later:", status.stdout, status.stderr)
    assert (
        "a deploy was killed half-way; go on: `invoke deploy`, or back: `invoke deploy.rollback`"
        in status.stderr
    )
    print(project.deploy())
    found = end_state(project)
    assert [outcome for outcome, _ in found.pop("history")] == ["done"] * 4
    wanted.pop("history")
    assert found == wanted
    assert "nothing to do" in project.deploy()
