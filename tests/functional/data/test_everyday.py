"""Everyday use through the `invoke` command: data, connections, profiles, folders and hooks."""

from __future__ import annotations

import io
import json
import os
import secrets
import signal
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import docker
import pytest

from invoke_devstack.engine.endpoints import find_endpoint
from tests.functional.conftest import TASKS, Project, find_free_port, until
from tests.proxy import EngineProxy, Verdict

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


@pytest.fixture(scope="module")
def untouched(
    client: docker.DockerClient, busybox: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Project]:
    """One stack for all words that change nothing."""
    name = f"t-func-{secrets.token_hex(4)}"
    project = Project(tmp_path_factory.mktemp(name), name, client)
    project.write("tasks.py", TASKS)
    project.compose(DATA)
    try:
        assert project.invoke("up").code == 0
        yield project
    finally:
        project.remove_everything()


def forget_snapshots(project: Project) -> None:
    mine = {"label": [f"dev.invoke-devstack.snapshot.project={project.name}"]}
    for container in project.containers():
        container.remove(force=True)
    for volume in project.client.volumes.list(filters=mine):
        volume.remove(force=True)


def put(project: Project, text: str) -> None:
    assert project.container("db").exec_run(["sh", "-c", f"echo {text} > /data/file"]).exit_code == 0


def content(project: Project) -> str:
    """Read as an archive: an engine may lose the output of a command that ends at once."""
    blocks, _ = project.container("db").get_archive("/data/file")
    with tarfile.open(fileobj=io.BytesIO(b"".join(blocks))) as archive:
        file = archive.extractfile("file")
        assert file is not None
        return file.read().decode().strip()


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
    assert (refused.code, "the current data of db" in refused.err) == (2, True)
    assert content(stack) == "ruined"
    assert stack.invoke("restore", "db", "--name", "base", "--yes").code == 0
    assert content(stack) == "good"
    assert {item["state"] for item in stack.invoke("ps", "--json").json()} == {"running"}


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("snapshot", "dbx"), 2, "Did you mean `db`?"),
        (("snapshot", "web"), 1, "`web` has no named volume"),
        (("snapshot", "db", "--name", "a b"), 2, "invalid snapshot name `a b`"),
        (("restore", "db", "--name", "none", "--yes"), 2, "unknown snapshot `none`"),
        (("snapshots.rm", "none", "--yes"), 2, "unknown snapshot `none`"),
        (("snapshots.export", "none", "x.tar"), 2, "unknown snapshot `none`"),
        (("snapshots.import", "nothing.tar"), 1, "cannot read "),
        (("snapshots.import", "tasks.py"), 1, "is not a snapshot"),
        (("reset",), 2, "needs confirmation"),
        (("env", "-s", "web"), 2, "publishes no port"),
        (("env", "--format", "xml"), 2, "Use one of: shell, dotenv, json"),
        (("stacks", "--stop", "no-such-stack-here"), 2, "unknown stack"),
    ],
)
def test_bad_input_is_told_and_nothing_is_touched(
    untouched: Project, words: tuple[str, ...], code: int, told: str
) -> None:
    before = {container.id: container.attrs["State"]["StartedAt"] for container in untouched.containers()}
    ended = untouched.invoke(*words)
    assert ended.code == code, ended.err
    assert told in ended.err
    assert "Traceback" not in ended.err
    after = {container.id: container.attrs["State"]["StartedAt"] for container in untouched.containers()}
    assert after == before


def hang_at_start(number: int, line: str) -> Verdict:
    """The copy starts, and the command never hears of it: so it has not ended when it is killed."""
    return Verdict.HANG if line.startswith("POST") and "/start" in line else Verdict.PASS


def test_a_killed_snapshot_leaves_nothing_that_the_next_up_does_not_mend(
    stack: Project, tmp_path: Path
) -> None:
    stack.container("db").exec_run(["dd", "if=/dev/zero", "of=/data/big", "bs=1M", "count=300"])
    proxy = EngineProxy(tmp_path / "e.sock", find_endpoint().url, hang_at_start)
    process = replace(stack, variables={"DOCKER_HOST": proxy.url}).start("snapshot", "db", "--name", "half")
    until(
        lambda: any("-copy-" in item.name and item.status != "created" for item in stack.containers()),
        "the copy",
    )
    process.send_signal(signal.SIGKILL)
    process.communicate()
    proxy.close()
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
    assert all(json.loads(line)["v"] == 2 for line in ended.out.splitlines())
    assert "about to fail" in ended.err
    (error,) = ended.events("error")
    assert "the hook `after db` (seed) failed" in error["error"]
    assert error["details"] == ["no such table"]
    assert {item["service"] for item in project.invoke("ps", "--json").json()} == {"db"}


DUE = """
    from pathlib import Path
    from invoke_devstack import stack

    namespace = dev = stack()

    @dev.after("db")
    def seed(c):
        print("seeding")
        assert Path("works").exists(), "no such table"
"""


@pytest.mark.parametrize("again", [("start",), ("restart",), ("restart", "-s", "db")])
def test_a_hook_that_failed_is_run_by_start_and_restart_too(
    new_project: Callable[..., Project], again: tuple[str, ...]
) -> None:
    project = new_project(DATA, tasks=DUE)
    assert project.invoke("up").code == 1
    failed = project.invoke(*again)
    assert (failed.code, "no such table" in failed.err) == (1, True)
    project.invoke("pause")
    assert "the hook `after db` is due" in project.invoke("unpause").err
    project.write("works", "")
    ended = project.invoke(*again)
    assert (ended.code, "seeding" in ended.out) == (0, True), ended.err
    assert "seeding" not in project.invoke(*again).out


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
    user: "${DEVSTACK_UID}:${DEVSTACK_GID}"
    volumes: ["./made/here:/here"]
"""


def test_folders_and_files_of_a_bind_mount_are_the_callers(new_project: Callable[..., Project]) -> None:
    project = new_project(OWNED)
    ended = project.invoke("up")
    assert ended.code == 0, ended.err
    assert "created the folder" in ended.err
    folder: Path = project.directory / "made/here"
    until((folder / "made").exists, "the file that the service makes")
    assert (folder.stat().st_uid, folder.stat().st_gid) == (os.getuid(), os.getgid())
    assert (folder / "made").stat().st_uid == os.getuid()


SECRET = """
services:
  web: {image: IMAGE, init: true, command: [sleep, "600"], stop_grace_period: 1s, secrets: [pw]}
secrets: {pw: {file: ./pw}}
"""


def test_a_secrets_file_that_a_directory_has_replaced_is_named(new_project: Callable[..., Project]) -> None:
    project = new_project(SECRET)
    project.write("pw", "x")
    assert project.invoke("up").code == 0
    (project.directory / "pw").unlink()
    (project.directory / "pw").mkdir()
    told = "pw, which the secret `pw` comes from, is a directory; it was a file when the container of web"
    refused = project.invoke("restart")
    assert (refused.code, told in refused.err) == (1, True), refused.err
    assert project.container("web").status == "running"
    project.invoke("stop")
    for words in (("start",), ("up",)):
        refused = project.invoke(*words)
        assert (refused.code, told in refused.err, "runc" in refused.err) == (1, True, False), refused.err
    assert project.invoke("up", "--force-recreate").code == 0
    assert project.invoke("restart").code == 0  # a directory was meant
