"""The manager's engine is killed in the middle of a rollout, and comes back."""

from __future__ import annotations

from tests.swarm.full import FULL, wait_for
from tests.swarm.project import Project
from tests.swarm.test_killed import end_state, write

pytestmark = FULL


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
    wait_for(lambda: project.is_being_updated())
    project.cluster.kill(1)
    try:
        _, err = process.communicate(timeout=150)
        away = project.invoke("deploy.status")
    finally:
        project.cluster.revive(1)
    assert process.returncode != 0
    assert f"{project.name} is left half-way" in err
    assert away.returncode != 0
    wait_for(lambda: project.nodes_are_ready())
    status = project.invoke("deploy.status")
    assert (
        "a deploy was killed half-way; go on: `invoke deploy`, or back: `invoke deploy.rollback`"
        in status.stderr
    )
    project.deploy()
    found = end_state(project)
    assert [outcome for outcome, _ in found.pop("history")] == ["done"] * 4
    wanted.pop("history")
    assert found == wanted
    assert "nothing to do" in project.deploy()
