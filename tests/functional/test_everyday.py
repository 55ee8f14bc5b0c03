"""Everyday use through the `invoke` command: data, connections, profiles, folders and hooks."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.functional.conftest import Project, find_free_port

DATA = """
services:
  db:
    image: IMAGE
    init: true
    command: [sh, -c, 'trap "exit 0" TERM; while :; do sleep 0.05; done']
    volumes: [data:/data]
  web: {image: IMAGE, init: true, command: [sleep, "600"], depends_on: [db]}
volumes: {data: {}}
"""


@pytest.fixture
def stack(new_project: Callable[..., Project]) -> Iterator[Project]:
    project = new_project(DATA)
    assert project.invoke("up").code == 0
    yield project
    forget_snapshots(project)


def forget_snapshots(project: Project) -> None:
    mine = {"label": [f"dev.invoke-devstack.snapshot.project={project.name}"]}
    for container in project.containers():
        container.remove(force=True)
    for volume in project.client.volumes.list(filters=mine):
        volume.remove(force=True)


def put(project: Project, text: str) -> None:
    assert project.container("db").exec_run(["sh", "-c", f"echo {text} > /data/file"]).exit_code == 0


def content(project: Project) -> str:
    output: bytes = project.container("db").exec_run(["cat", "/data/file"]).output
    return output.decode().strip()


def test_a_snapshot_is_listed_and_brings_the_data_back(stack: Project) -> None:
    put(stack, "good")
    taken = stack.invoke("snapshot", "db", "--name", "base", "--json")
    assert taken.code == 0, taken.err
    row = taken.json()
    assert (row["name"], row["service"], row["volumes"]) == ("base", "db", ["data"])
    assert row["size"] > 0
    assert stack.invoke("snapshots", "--json").json() == [row]
    put(stack, "ruined")
    refused = stack.invoke("restore", "db", "--name", "base")
    assert (refused.code, "the data that db has now" in refused.err) == (2, True)
    assert content(stack) == "ruined"
    assert stack.invoke("restore", "db", "--name", "base", "--yes").code == 0
    assert content(stack) == "good"
    assert {item["state"] for item in stack.invoke("ps", "--json").json()} == {"running"}


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("snapshot", "dbx"), 2, "Did you mean `db`?"),
        (("snapshot", "web"), 1, "`web` has no named volume"),
        (("snapshot", "db", "--name", "a b"), 2, "no name for a snapshot"),
        (("restore", "db", "--name", "none", "--yes"), 2, "there is no snapshot `none`"),
        (("snapshots.rm", "none", "--yes"), 2, "there is no snapshot `none`"),
        (("snapshots.export", "none", "x.tar"), 2, "there is no snapshot `none`"),
        (("snapshots.import", "nothing.tar"), 1, "cannot be read"),
        (("snapshots.import", "tasks.py"), 1, "is no snapshot"),
        (("reset",), 2, "refused without consent"),
        (("env", "-s", "web"), 2, "publishes no port"),
        (("env", "--format", "xml"), 2, "is one of shell, dotenv, json"),
        (("stacks", "--stop", "no-such-stack-here"), 2, "there is no stack"),
    ],
)
def test_bad_input_is_told_and_nothing_is_touched(
    stack: Project, words: tuple[str, ...], code: int, told: str
) -> None:
    before = {container.id: container.attrs["State"]["StartedAt"] for container in stack.containers()}
    ended = stack.invoke(*words)
    assert ended.code == code, ended.err
    assert told in ended.err
    assert "Traceback" not in ended.err
    after = {container.id: container.attrs["State"]["StartedAt"] for container in stack.containers()}
    assert after == before


def test_a_killed_snapshot_leaves_nothing_that_the_next_up_does_not_mend(stack: Project) -> None:
    stack.container("db").exec_run(["dd", "if=/dev/zero", "of=/data/big", "bs=1M", "count=300"])
    process = stack.start("snapshot", "db", "--name", "half")
    until = time.monotonic() + 30
    while not any("-copy-" in item.name for item in stack.containers()):
        assert time.monotonic() < until
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert stack.invoke("snapshots", "--json").json() == []
    assert stack.invoke("up").code == 0
    states = {container.name: container.status for container in stack.containers()}
    assert states == {f"{stack.name}-db-1": "running", f"{stack.name}-web-1": "running"}
    assert stack.invoke("snapshot", "db", "--name", "half").code == 0


def test_a_reset_runs_the_seed_and_its_snapshot_brings_all_back(new_project: Callable[..., Project]) -> None:
    tasks = """
        from invoke_devstack import stack

        namespace = dev = stack()

        @dev.after("db")
        def seed(c):
            print("seeding", dev.run_in("db", "sh", "-c", "echo seed > /data/file; ls /data"))
    """
    project = new_project(DATA, tasks=tasks)
    assert "seeding file" in project.invoke("up").out
    put(project, "mine")
    ended = project.invoke("reset", "-s", "db", "--yes")
    assert ended.code == 0, ended.err
    assert content(project) == "seed"
    (row,) = project.invoke("snapshots", "--json").json()
    assert f"invoke restore db --name {row['name']}" in ended.out
    forget_snapshots(project)


def test_a_failing_seed_stops_the_up_with_its_output_and_json_stays_json(
    new_project: Callable[..., Project],
) -> None:
    tasks = """
        from invoke_devstack import stack

        namespace = dev = stack()

        @dev.after("db")
        def seed(c):
            print("about to fail")
            dev.run_in("db", "sh", "-c", "echo no such table; exit 3")
    """
    project = new_project(DATA, tasks=tasks)
    ended = project.invoke("up", "--json")
    assert ended.code == 1
    assert all(json.loads(line)["v"] == 1 for line in ended.out.splitlines())
    assert "about to fail" in ended.err
    (error,) = ended.events("error")
    assert "the hook `after db` (seed) failed" in error["error"]
    assert error["details"] == ["no such table"]
    assert {item["service"] for item in project.invoke("ps", "--json").json()} == {"db"}


def test_a_snapshot_moves_in_a_file_that_only_its_owner_reads(
    stack: Project, new_project: Callable[..., Project]
) -> None:
    put(stack, "moved")
    stack.invoke("snapshot", "db", "--name", "base")
    file = stack.directory / "base.tgz"
    assert stack.invoke("snapshots.export", "base", "base.tgz").code == 0
    assert file.stat().st_mode & 0o777 == 0o600
    other = new_project(DATA)
    imported = other.invoke("snapshots.import", str(file))
    assert imported.code == 0, imported.err
    assert other.invoke("restore", "db", "--name", "base", "--yes").code == 0
    assert other.invoke("up").code == 0
    assert content(other) == "moved"
    forget_snapshots(other)


CONNECTED = """
services:
  redis:
    image: IMAGE
    init: true
    command: [sh, -c, 'exec sleep 600', --, --requirepass, s3cret]
    ports: ["${PORT}:6379"]
    x-devstack: {connect: []}
  web:
    image: IMAGE
    init: true
    command: [sleep, "600"]
    environment: {CACHE_PORT: "1"}
    x-devstack: {connect: [cache]}
  cache:
    image: example.com/redis:test
    command: [redis-server, --requirepass, "s3cret/"]
    ports: ["${PORT}:6379"]
    profiles: [never]
"""


def test_connections_for_this_machine_and_for_dependents(new_project: Callable[..., Project]) -> None:
    port = find_free_port()
    compose = CONNECTED.replace("${PORT}:6379", f"{port}:6379")
    project = new_project(compose)
    assert project.invoke("env", "-s", "cache", "--json").json() == {
        "CACHE_URL": f"redis://:s3cret%2F@127.0.0.1:{port}",
        "CACHE_HOST": "127.0.0.1",
        "CACHE_PORT": str(port),
        "CACHE_PASSWORD": "s3cret/",
    }
    lines = project.invoke("env", "-s", "cache").out.splitlines()
    assert f"export CACHE_PORT={port}" in lines
    project.write(".env.local", "MINE=1\n")
    assert project.invoke("env", "-s", "cache", "--write", ".env.local").code == 0
    written = (project.directory / ".env.local").read_text()
    assert written.startswith("MINE=1\n")
    assert f"CACHE_PORT={port}" in written
    shown = project.invoke("up", "-s", "web", "--dry-run", "--explain")
    assert "s3cret" not in shown.out + shown.err
    assert project.invoke("up", "-s", "web").code == 0
    variables = project.container("web").attrs["Config"]["Env"]
    assert "CACHE_URL=redis://:s3cret%2F@cache:6379" in variables
    assert "CACHE_PORT=1" in variables
    # Compose takes the file as it is, and leaves the container alone.
    assert project.docker("compose", "config", "--quiet").code == 0
    before = project.container("web").id
    assert project.docker("compose", "up", "--detach", "web").code == 0
    assert project.container("web").id == before


PROFILED = """
services:
  web: {image: IMAGE, init: true, command: [sleep, "600"], depends_on: [cache]}
  cache: {image: IMAGE, init: true, command: [sleep, "600"]}
  other: {image: IMAGE, init: true, command: [sleep, "600"]}
  tool:
    image: IMAGE
    init: true
    command: [sleep, "600"]
    profiles: [tools]
    env_file: tool.env
    volumes: [tool-data:/data]
    networks: [back]
volumes: {tool-data: {}}
networks: {back: {}}
"""


def test_up_of_one_service_brings_what_it_needs_and_no_more(new_project: Callable[..., Project]) -> None:
    project = new_project(PROFILED)
    project.write("tool.env", "FROM_FILE=1\n")
    assert project.invoke("up", "-s", "web").code == 0
    assert {item["service"] for item in project.invoke("ps", "--json").json()} == {"web", "cache"}


def test_naming_a_service_of_a_profile_gives_it_all_that_it_declares(
    new_project: Callable[..., Project],
) -> None:
    project = new_project(PROFILED)
    project.write("tool.env", "FROM_FILE=1\n")
    ended = project.invoke("up", "-s", "tool")
    assert ended.code == 0, ended.err
    found = project.container("tool").attrs
    assert "FROM_FILE=1" in found["Config"]["Env"]
    assert [mount["Name"] for mount in found["Mounts"]] == [f"{project.name}_tool-data"]
    assert list(found["NetworkSettings"]["Networks"]) == [f"{project.name}_back"]


OWNED = """
services:
  one:
    image: IMAGE
    init: true
    command: [sh, -c, 'touch /here/made; exec sleep 600']
    user: "${UID}:${GID}"
    volumes: ["./made/here:/here"]
"""


def test_folders_and_files_of_a_bind_mount_are_the_callers(new_project: Callable[..., Project]) -> None:
    project = new_project(OWNED)
    ended = project.invoke("up")
    assert ended.code == 0, ended.err
    assert "made the folder" in ended.err
    folder: Path = project.directory / "made/here"
    assert (folder.stat().st_uid, folder.stat().st_gid) == (os.getuid(), os.getgid())
    assert (folder / "made").stat().st_uid == os.getuid()
