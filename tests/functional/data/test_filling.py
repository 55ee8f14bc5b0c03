"""A one-shot that fills a database runs again on an emptied one, and what waits for it waits."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.functional.conftest import Project

STACK = """
    services:
      db:
        image: IMAGE
        init: true
        command: httpd -f -p 80 -h /data
        volumes: ["data:/data"]
        healthcheck: {test: "true", interval: 1s}
      migrate:
        image: IMAGE
        init: true
        command: sh -c 'date +%s%N; wget -q -O- http://db/ || true'
        depends_on: {db: {condition: service_healthy}}
      web:
        image: IMAGE
        init: true
        command: sleep 1000
        depends_on: {migrate: {condition: service_completed_successfully}}
    volumes: {data: {}}
"""


def test_reset_and_an_emptied_volume_run_the_migration_again(new_project: Callable[..., Project]) -> None:
    project = new_project(STACK)
    assert project.invoke("up", "--detach").code == 0
    first = project.container("migrate").id
    assert project.invoke("up", "--detach").code == 0
    assert project.container("migrate").id == first
    reset = project.invoke("reset", "-s", "db", "--yes")
    assert reset.code == 0, reset.err
    second = project.container("migrate")
    assert second.id != first
    assert project.container("web").attrs["State"]["StartedAt"] > second.attrs["State"]["FinishedAt"]
    assert project.invoke("rm", "-s", "db", "--stop", "--yes").code == 0
    project.client.volumes.get(f"{project.name}_data").remove()
    time.sleep(1.0)  # the engine tells the second in which a volume was made
    assert project.invoke("up", "--detach").code == 0
    third = project.container("migrate").id
    assert third != second.id
    assert project.invoke("up", "--detach").code == 0
    assert project.container("migrate").id == third


def test_data_that_a_database_writes_is_not_taken_for_a_new_volume(
    new_project: Callable[..., Project],
) -> None:
    project = new_project(STACK)
    assert project.invoke("up", "--detach").code == 0
    first = project.container("migrate").id
    time.sleep(1.0)  # an engine that takes a change for the creation tells its second
    assert project.container("db").exec_run(["touch", "/data/file"]).exit_code == 0
    again = project.invoke("up", "--detach")
    assert (again.code, project.container("migrate").id) == (0, first), again.out
