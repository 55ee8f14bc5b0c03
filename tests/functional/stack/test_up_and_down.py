from __future__ import annotations

import urllib.request
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.functional.conftest import BUSYBOX, Project

HTTP = """
    services:
      web:
        image: IMAGE
        command: [sh, -c, 'mkdir /tmp/w; echo hello > /tmp/w/index.html; exec httpd -f -p 80 -h /tmp/w']
        init: true
        ports: ["127.0.0.1:${WEB_PORT}:80"]
        depends_on: {cache: {condition: service_healthy}}
      cache:
        image: IMAGE
        init: true
        command: [sleep, "600"]
        healthcheck: {test: [CMD, "true"], interval: 1s}
        volumes: ["data:/data", "/anonymous"]
    volumes: {data: {}}
"""


@pytest.fixture
def web(new_project: Callable[..., Project], free_port: int) -> Project:
    return new_project(HTTP, variables={"WEB_PORT": str(free_port)})


def test_up_detached_comes_back_when_all_is_ready_and_says_where(web: Project) -> None:
    ended = web.invoke("up", "--detach")
    assert ended.code == 0, ended.err
    port = web.variables["WEB_PORT"]
    assert f"http://localhost:{port}" in ended.out
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as page:
        assert page.read() == b"hello\n"


def test_without_a_terminal_up_detaches_by_itself(web: Project) -> None:
    assert web.invoke("up").code == 0
    assert {container.status for container in web.containers()} == {"running"}


def test_what_up_calls_ready_is_so_for_is_ready_before_the_engine_asks(web: Project) -> None:
    web.compose(HTTP.replace("interval: 1s", "interval: 60s"))
    assert web.invoke("up").code == 0
    assert web.invoke("is-ready").code == 0


def test_a_second_up_changes_nothing_and_says_so(web: Project) -> None:
    web.invoke("up")
    before = {container.id for container in web.containers()}
    ended = web.invoke("up")
    assert ended.code == 0
    assert "nothing to do" in ended.out
    assert {container.id for container in web.containers()} == before


def test_containers_are_recreated_and_orphans_removed_when_asked(new_project: Callable[..., Project]) -> None:
    one = "services:\n  one: {image: IMAGE, init: true, command: [sleep, '600']}\n"
    project = new_project(one + one.removeprefix("services:\n").replace("one", "two"))
    assert project.invoke("up").code == 0
    before = project.container("one").id
    project.compose(one)
    told = project.invoke("up")
    assert (told.code, "--remove-orphans" in told.err) == (0, True)
    assert len(project.containers()) == 2
    assert project.invoke("up", "--force-recreate", "--remove-orphans").code == 0
    (left,) = project.containers()
    assert left.name == f"{project.name}-one-1"
    assert left.id != before


def test_down_leaves_nothing_but_volumes_with_data(web: Project) -> None:
    web.invoke("up")
    anonymous = [
        mount["Name"]
        for mount in web.container("cache").attrs["Mounts"]
        if mount["Destination"] == "/anonymous"
    ]
    ended = web.invoke("down")
    assert ended.code == 0, ended.err
    assert (web.containers(), web.networks()) == ([], [])
    assert {volume.name for volume in web.volumes()} == {f"{web.name}_data", *anonymous}
    assert f"{web.name}_data" in ended.out  # what is kept is named
    assert "cache-1:/anonymous" in ended.out


def test_down_when_nothing_is_up_is_done(web: Project) -> None:
    assert web.invoke("down").code == 0


def test_volumes_are_not_lost_without_consent(web: Project) -> None:
    web.invoke("up")
    refused = web.invoke("down", "--volumes")
    assert refused.code == 2
    assert f"{web.name}_data" in refused.err
    assert "--yes" in refused.err
    assert len(web.containers()) == 2
    assert "cache-1:/anonymous" in refused.err
    assert len(web.volumes()) == 2
    done = web.invoke("down", "--volumes", "--yes")
    assert done.code == 0
    assert done.out.endswith(f"; deleted: {web.name}_data, cache-1:/anonymous\n")
    assert web.volumes() == []


def test_dry_run_tells_the_plan_and_does_nothing(web: Project) -> None:
    ended = web.invoke("up", "--dry-run")
    assert ended.code == 0, ended.err
    assert f"create {web.name}-web-1" in ended.out
    assert web.containers() == []


def test_up_of_one_service_brings_what_it_depends_on(web: Project) -> None:
    web.invoke("up", "-s", "cache")
    assert [container.name for container in web.containers()] == [f"{web.name}-cache-1"]


def test_events_of_up_and_down_are_lines_of_json(web: Project) -> None:
    up = web.invoke("up", "--json")
    assert {event["service"] for event in up.events("service.ready")} == {"web", "cache"}
    (finished,) = up.events("up.finished")
    assert (finished["v"], finished["changed"]) == (2, True)
    down = web.invoke("down", "--json")
    assert {event["service"] for event in down.events("service.stopped")} == {"web", "cache"}
    (finished,) = down.events("down.finished")
    assert (finished["kept_volumes"], finished["deleted_volumes"]) == ([f"{web.name}_data"], [])


def test_ps_tells_all_of_a_container(web: Project) -> None:
    web.invoke("up")
    rows = {row["service"]: row for row in web.invoke("ps", "--json").json()}
    row = rows["web"]
    port = int(web.variables["WEB_PORT"])
    assert (row["container"], row["image"], row["state"]) == (f"{web.name}-web-1", BUSYBOX, "running")
    assert rows["cache"]["health"] in ("healthy", "starting")  # the engine asks once a second, `up` oftener
    assert row["exit_code"] is None
    assert row["ports"] == [
        {"host_ip": "127.0.0.1", "host_port": port, "container_port": 80, "protocol": "tcp"}
    ]
    assert row["started_at"].startswith("20")


def test_ps_shows_what_ended_only_with_all(web: Project) -> None:
    web.invoke("up")
    web.container("cache").kill()
    web.container("cache").wait()
    assert {row["service"] for row in web.invoke("ps", "--json").json()} == {"web"}
    rows = {row["service"]: row for row in web.invoke("ps", "--all", "--json").json()}
    assert (rows["cache"]["state"], rows["cache"]["exit_code"]) == ("exited", 137)


def test_compose_sees_and_ends_what_invoke_started(web: Project) -> None:
    web.invoke("up")
    seen = web.docker("compose", "ps", "--format", "{{.Service}} {{.State}}")
    assert sorted(seen.out.splitlines()) == ["cache running", "web running"]
    assert web.docker("compose", "down", "--timeout", "2").code == 0
    assert (web.containers(), web.networks()) == ([], [])


def test_invoke_sees_keeps_and_ends_what_compose_started(web: Project) -> None:
    started = web.docker("compose", "up", "--detach", "--wait")
    assert started.code == 0, started.err
    before = {container.id for container in web.containers()}
    assert {row["service"] for row in web.invoke("ps", "--json").json()} == {"web", "cache"}
    assert web.invoke("up").code == 0
    assert {container.id for container in web.containers()} == before
    assert web.invoke("down").code == 0
    assert (web.containers(), web.networks()) == ([], [])


def test_tasks_below_a_name_and_hooks_of_the_team(new_project: Callable[..., Project]) -> None:
    tasks = """
        from invoke import Collection
        from invoke_devstack import stack

        dev = stack()

        @dev.before("one")
        def prepare(c):
            c.run("echo before one")

        @dev.after("one")
        def seed(c):
            print("after one")

        namespace = Collection()
        namespace.add_collection(dev, name="stack")
    """
    project = new_project("services: {one: {image: IMAGE, init: true, command: [sleep, '600']}}", tasks=tasks)
    ended = project.invoke("stack.up")
    assert ended.code == 0, ended.err
    assert ended.out.index("before one") < ended.out.index("after one")
    assert "before one" not in project.invoke("stack.up").out
    assert project.invoke("stack.down").code == 0


def test_a_task_runs_from_any_folder_below(new_project: Callable[..., Project]) -> None:
    project = new_project("services: {one: {image: IMAGE, init: true, command: [sleep, '600']}}")
    below = project.directory / "some" / "folder"
    below.mkdir(parents=True)
    ended = replace(project, directory=below).invoke("config", "--format", "json")
    assert ended.json()["services"]["one"]["image"] == BUSYBOX


def test_settings_say_which_files_to_read(new_project: Callable[..., Project]) -> None:
    project = new_project()
    project.write("stack/dev.yaml", f"services: {{two: {{image: '{BUSYBOX}'}}}}\n")
    project.write("invoke.yaml", "devstack: {project_directory: stack, files: [dev.yaml]}\n")
    assert project.invoke("config", "--services").out == "two\n"


def test_a_one_shot_that_ends_well_is_done(new_project: Callable[..., Project]) -> None:
    project = new_project("""
        services:
          seed: {image: IMAGE, command: [sh, -c, "exit 0"]}
          web:
            image: IMAGE
            init: true
            command: [sleep, "600"]
            depends_on: {seed: {condition: service_completed_successfully}}
    """)
    ended = project.invoke("up")
    listed = project.client.api.containers(all=True, filters={"name": f"{project.name}-seed-1"})
    assert ended.code == 0, ended.err
    assert "done" in ended.out
    assert [item["State"] for item in listed] == ["exited"], "the engine's list says so too"


def test_a_service_that_had_to_be_killed_is_told_with_what_to_change(
    new_project: Callable[..., Project],
) -> None:
    project = new_project("""
        services:
          stubborn:
            image: IMAGE
            command: [sh, -c, "trap '' TERM; while :; do sleep 1; done"]
            stop_grace_period: 60s
    """)
    project.invoke("up")
    ended = project.invoke("down", "--timeout", "1")
    assert ended.code == 0
    assert "killed" in ended.out
    assert ended.seconds < 50


def test_up_names_what_belongs_to_a_swarm_alone(project: Project) -> None:
    project.compose(
        "services: {one: {image: IMAGE, init: true, command: [sleep, '600'], deploy: {endpoint_mode: vip}}}"
    )
    ended = project.invoke("up", "--detach")
    assert ended.code == 0
    assert "services.one.deploy.endpoint_mode" in ended.err
    assert project.container("one").status == "running"


def test_broken_files_do_not_keep_a_stack_up(new_project: Callable[..., Project]) -> None:
    project = new_project("""
        services:
          web: {image: IMAGE, init: true, command: sleep 600, volumes: ["data:/data"]}
        volumes: {data: {}}
    """)
    assert project.invoke("up", "--detach").code == 0
    project.write("compose.yaml", "services: {web: [}\n")
    refused = project.invoke("down", "--volumes", "--yes")
    assert (refused.code, len(project.volumes()), len(project.containers())) == (1, 1, 1)
    ended = project.invoke("down")
    assert ended.code == 0, ended.err
    assert "invalid YAML" in ended.err
    assert f"the stack {project.name} is stopped as its containers' labels say" in ended.err
    assert (project.containers(), project.networks(), len(project.volumes())) == ([], [], 1)
    again = project.invoke("down")
    assert again.code != 0  # nothing is left to be told by
    assert "invalid YAML" in again.err
