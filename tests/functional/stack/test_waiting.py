"""What `up` waits for before it starts a service, every other command that starts it waits for too."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.functional.conftest import Project

NewProject = Callable[..., Project]

CONDITIONS = """
    services:
      migrate:
        image: IMAGE
        init: true
        command: sh -c 'sleep 2; echo migrated > /v/m; exit ${CODE:-0}'
        volumes: ["data:/v"]
      web:
        image: IMAGE
        init: true
        command: sh -c 'cat /v/m && exec sleep 1000'
        volumes: ["data:/v"]
        depends_on: {migrate: {condition: service_completed_successfully}}
      db:
        image: IMAGE
        init: true
        command: sh -c 'test -e /v/db && exec sleep 1000; sleep 1'
        volumes: ["data:/v"]
        healthcheck: {test: [CMD, test, -e, /v/db], interval: 5s}
      api:
        image: IMAGE
        init: true
        command: sleep 1000
        volumes: ["data:/v"]
        depends_on: {db: {condition: service_healthy}}
    volumes: {data: {}}
"""


@pytest.fixture
def conditions(new_project: NewProject) -> Project:
    return new_project(CONDITIONS)


def test_run_waits_until_a_one_shot_is_done(conditions: Project) -> None:
    ended = conditions.invoke("run", "web", "--", "cat", "/v/m")
    assert (ended.code, ended.out.splitlines()[-1]) == (0, "migrated"), ended.err


def test_run_fails_as_up_does(conditions: Project) -> None:
    conditions.variables["CODE"] = "3"
    ended = conditions.invoke("run", "web", "--", "cat", "/v/m")
    assert ended.code == 1
    assert "error: migrate exited with code 3; web waits for it" in ended.err
    ended = conditions.invoke("run", "api", "--", "echo", "api ran")
    assert ended.code == 1
    assert "error: db exited with code 0 before it was ready; api waits for it" in ended.err
    assert "api ran" not in ended.out


@pytest.mark.parametrize(
    "words", [("start",), ("start", "-s", "api"), ("restart",), ("restart", "-s", "api")]
)
def test_start_and_restart_fail_as_up_does(conditions: Project, words: tuple[str, ...]) -> None:
    opened = conditions.invoke("run", "--no-deps", "api", "--", "touch", "/v/db")
    assert opened.code == 0, opened.err
    assert conditions.invoke("up", "--detach", "-s", "api").code == 0
    closed = conditions.invoke("exec", "api", "--", "rm", "/v/db")
    assert closed.code == 0, closed.err
    assert conditions.invoke("stop").code == 0
    ended = conditions.invoke(*words)
    assert ended.code == 1
    assert "error: db exited with code 0 before it was ready; api waits for it" in ended.err
    assert conditions.container("api").status == "exited"


def test_who_only_needs_a_start_is_not_held_up_by_an_end(new_project: NewProject) -> None:
    project = new_project(
        """
        services:
          seed: {image: IMAGE, command: echo seeded}
          web: {image: IMAGE, init: true, command: sleep 1000, depends_on: [seed]}
        """
    )
    ended = project.invoke("up", "--detach")
    assert ended.code == 0, ended.err


def test_a_service_that_is_wanted_no_times_is_ready_and_not_counted(new_project: NewProject) -> None:
    project = new_project(
        """
        services:
          web: {image: IMAGE, init: true, command: sleep 1000}
          spare: {image: IMAGE, init: true, command: sleep 1000, scale: 0}
        """
    )
    assert "is up: 1 service " in project.invoke("up", "--detach").out
    assert project.invoke("is-ready").code == 0


def test_waiting_ends_at_once_for_what_has_exited(new_project: NewProject) -> None:
    project = new_project("services: {a: {image: IMAGE, command: sh -c 'exec sleep 1000', init: true}}")
    assert project.invoke("up", "--detach").code == 0
    assert project.invoke("kill", "-s", "a").code == 0
    project.container("a").wait()
    ended = project.invoke("is-ready", "--wait", "--timeout", "60")
    assert ended.code == 1
    assert "error: a exited with code 137 (killed by SIGKILL)" in ended.err
    assert ended.seconds < 50


def test_many_healthchecks_that_hang_take_no_longer_than_the_limit(new_project: NewProject) -> None:
    service = "{image: IMAGE, init: true, command: sleep 600, healthcheck: {test: sleep 300, timeout: 200s}}"
    project = new_project("services:\n" + "".join(f"  s{number}: {service}\n" for number in range(3)))
    assert project.invoke("up", "--detach", "--wait-timeout", "1").code == 1
    ended = project.invoke("is-ready", "--wait", "--timeout", "2", "--json")
    assert (ended.code, ended.err) == (1, "")
    assert all(row["why"].startswith("did not end within ") for row in ended.json())
    assert len(ended.json()) == 3
    assert ended.seconds < 10


def test_what_has_lost_the_file_of_a_secret_is_neither_restarted_nor_started(
    new_project: Callable[..., Project],
) -> None:
    project = new_project(
        """
        services:
          web: {image: IMAGE, init: true, command: sleep 1000, secrets: [token]}
        secrets: {token: {file: ./token.txt}}
        """,
        measured=True,
    )
    file = project.directory / "token.txt"
    file.write_text("x")
    assert project.invoke("up", "--detach").code == 0
    file.unlink()
    restarted = project.invoke("restart")
    assert (restarted.code, project.container("web").status) == (1, "running"), restarted
    assert project.invoke("stop").code == 0
    for ended in (restarted, project.invoke("start")):
        assert "which the secret `token` comes from" in ended.err
        assert "fix `file` under `secrets.token`" in ended.err
    assert project.container("web").status == "exited"


def test_a_start_tells_of_what_restarts_again_and_again(new_project: Callable[..., Project]) -> None:
    project = new_project(
        "services:\n  web: {image: IMAGE, init: true, restart: always, command: sh -c 'sleep 0.2; exit 7'}\n",
        measured=True,
    )
    assert project.invoke("up", "--detach").code == 1
    for words in ((), ("-s", "web")):
        started = project.invoke("start", *words)
        assert (started.code, "web keeps crashing" in started.err) == (1, True), started


def test_a_list_without_names_is_no_empty_line(new_project: Callable[..., Project]) -> None:
    project = new_project("services:\n  web: {image: IMAGE}\n", measured=True)
    assert [project.invoke("config", flag).out for flag in ("--volumes", "--profiles")] == ["", ""]
