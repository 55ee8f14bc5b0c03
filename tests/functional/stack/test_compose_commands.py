"""Commands and flags that Docker Compose has: each as it is typed, and on the same stack as Compose."""

from __future__ import annotations

import json
import secrets
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest

from tests.functional.conftest import TASKS, Ended, Project
from tests.functional.stack.test_words import states

STACK = """
    services:
      web:
        image: IMAGE
        init: true
        command: [sh, -c, "echo web speaks; sleep 600"]
        depends_on: [db]
        environment: {COLOUR: blue}
        volumes: [/data]
      db: {image: IMAGE, init: true, command: sleep 600}
      tests: {image: IMAGE, command: [sh, -c, "echo tested; exit 3"], depends_on: [db], profiles: [ci]}
"""


@pytest.fixture(scope="module")
def project(
    tmp_path_factory: pytest.TempPathFactory, client: docker.DockerClient, busybox: str
) -> Iterator[Project]:
    name = f"t-compose-{secrets.token_hex(4)}"
    directory: Path = tmp_path_factory.mktemp(name)
    made = Project(directory, name, client)
    made.write("tasks.py", TASKS)
    made.compose(STACK)
    yield made
    made.remove_everything()


def run(project: Project, typed: str, code: int = 0) -> Ended:
    ended = project.invoke(*shlex.split(typed))
    assert ended.code == code, (typed, ended)
    return ended


def ids(project: Project) -> set[str]:
    return {item.id for item in project.containers()}


def compose(project: Project, typed: str) -> None:
    ended = project.docker("compose", "--progress", "plain", *shlex.split(typed))
    assert ended.code == 0, (typed, ended)


def test_create_makes_what_compose_would_and_starts_nothing(project: Project) -> None:
    run(project, "down -v --yes")
    run(project, "create web")
    assert states(project) == {"web": "created", "db": "created"}
    made = ids(project)
    compose(project, "create web")
    assert ids(project) == made
    run(project, "up -d")
    assert (ids(project), states(project)) == (made, {"web": "running", "db": "running"})


def test_a_scale_is_the_same_for_both_tools(project: Project) -> None:
    run(project, "up -d")
    run(project, "scale web=3")
    assert len(run(project, "ps web -q").out.split()) == 3
    made = ids(project)
    compose(project, "scale web=3")
    run(project, "up -d --scale web=3")
    assert ids(project) == made
    compose(project, "scale web=2")
    assert "nothing to do" in run(project, "up -d --scale web=2").out
    assert "web.2" not in run(project, "exec --index 2 web true").err
    run(project, "up -d")
    assert len(run(project, "ps web -q").out.split()) == 1


def test_a_run_of_tests_stops_the_stack_and_ends_with_their_exit_code(project: Project) -> None:
    ended = run(project, "up --exit-code-from tests web tests", 3)
    assert "tests | tested" in ended.out
    assert states(project) == {"web": "exited", "db": "exited", "tests": "exited"}
    run(project, "up --abort-on-container-failure --no-log-prefix tests", 3)
    run(project, "rm --yes tests")


def test_renewed_anonymous_volumes_leave_the_old_ones_where_they_are(project: Project) -> None:
    run(project, "up -d")
    run(project, "exec web -- sh -c 'echo precious > /data/file'")
    (old,) = (mount["Name"] for mount in project.container("web").attrs["Mounts"])
    ended = run(project, "up -d --force-recreate --renew-anon-volumes web")
    assert f"docker volume rm {old}" in ended.err
    assert run(project, "exec web -- ls /data").out == ""
    assert old in {volume.name for volume in project.volumes()}


def test_lists_of_names_are_for_other_commands(project: Project) -> None:
    run(project, "up -d")
    assert set(run(project, "ps -q").out.split()) == ids(project)
    assert run(project, "ps --services").out.split() == ["db", "web"]
    assert run(project, "ps -q --status exited").out == ""
    assert json.loads(run(project, "ps -q --status exited --json").out) == []
    assert run(project, f"ls -q --filter name={project.name}").out.split() == [project.name]
    assert run(project, "logs web --no-log-prefix --tail 1").out == "web speaks\n"
    assert run(project, "config --networks").out.split() == ["default"]
    run(project, "config -q")
    run(project, "config -o all.yaml")
    assert "COLOUR: blue" in (project.directory / "all.yaml").read_text()
    run(project, "ps --status up", 2)


def test_a_command_can_be_left_running(project: Project) -> None:
    run(project, "up -d")
    run(project, "exec -d web sh -c 'touch /tmp/made; sleep 60'")
    run(project, "exec web sh -c 'until [ -e /tmp/made ]; do sleep 0.1; done'")
    run(project, "exec -d web nosuchcommand", 127)
    name = f"{project.name}-once"
    assert (
        run(project, f"run -d --name {name} --no-deps --label a=b --use-aliases web sleep 60").out
        == f"{name}\n"
    )
    found = project.client.containers.get(name)
    (network,) = found.attrs["NetworkSettings"]["Networks"].values()
    assert (found.labels["a"], "web" in network["Aliases"]) == ("b", True)
    found.remove(force=True)


def test_down_can_take_images_along_that_were_built_here(project: Project) -> None:
    project.write("Dockerfile", 'FROM devstack-test/busybox:1\nCMD ["sleep", "600"]\n')
    project.write("built.yaml", "services: {app: {build: ., init: true}}\n")
    own = "--file compose.yaml --file built.yaml"
    run(project, f"{own} create app")
    assert (
        f"remove image {project.name}-app  (--rmi local)" in run(project, f"{own} down --rmi local --dry").out
    )
    run(project, f"{own} down --rmi local")
    assert project.client.images.list(name=f"{project.name}-app") == []
    run(project, f"{own} create app --no-build", 1)
    run(project, f"{own} down --rmi everything", 2)


def test_variables_of_the_files_are_listed_and_secrets_masked(new_project: Callable[..., Project]) -> None:
    project = new_project(
        """
        services:
          web:
            image: "web:${TAG:-1}"
            environment: {A: "${NEEDED:?}", PASSWORD: "${DB_PASSWORD}"}
            models: [llm]
        models:
          llm: {model: ai/some}
        """
    )
    project.write(".env", "DB_PASSWORD=hunter2secret\n")
    listed = project.invoke("config", "--variables")
    assert listed.code == 0, listed.err
    assert [line.split()[:2] for line in listed.out.splitlines()[1:]] == [
        ["DB_PASSWORD", "no"],
        ["NEEDED", "yes"],
        ["TAG", "no"],
    ]
    project.variables["NEEDED"] = "1"
    shown = project.invoke("config", "--environment").out
    assert "NEEDED=1\n" in shown
    assert "hunter2secret" not in shown
    assert "DB_PASSWORD=" in shown
    assert project.invoke("config", "--models").out.split() == ["llm"]


def test_a_container_that_does_not_run_uses_nothing(project: Project) -> None:
    assert project.invoke("up", "-d").code == 0
    assert project.invoke("stop", "web").code == 0
    rows = {row["service"]: row for row in project.invoke("stats", "-a", "--json").json()}
    assert rows["web"]["memory"] is None
    others = [row["pids"] for name, row in rows.items() if name != "web"]
    assert all(others)
    assert "web" not in {row["service"] for row in project.invoke("stats", "--json").json()}
