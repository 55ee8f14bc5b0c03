"""A restore of real databases that is killed, with its container, and whose settling is killed too: what was
acknowledged before the snapshot or before the restore is there, all of one of them."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from invoke_devstack.engine.docker_engine import DockerEngine
from invoke_devstack.errors import ConflictError, NotFoundError
from invoke_devstack.planning import labels
from invoke_devstack.planning.plans.snapshots import PROJECT
from invoke_devstack.running.snapshots import taking
from tests.engine.stacks import Stack

ROOT = Path(__file__).parents[4]
ROWS = 200


@dataclass(frozen=True)
class Database:
    image: str
    compose: str
    write: str  # WORD: what all rows say
    read: str  # prints how many rows say what


MYSQL = Database(
    "mysql:9",
    """
services:
  db:
    image: mysql:9
    command: [mysqld, --innodb-buffer-pool-size=64M, --performance-schema=OFF, --skip-log-bin, --mysqlx=OFF]
    environment: {MYSQL_ROOT_PASSWORD: pw, MYSQL_DATABASE: app}
    restart: always
    volumes: ["data:/var/lib/mysql"]
    healthcheck: {test: "mysql -h 127.0.0.1 -ppw app -e 'SELECT 1'", interval: 2s, retries: 90}
    stop_grace_period: 1m
volumes: {data: {}}
""",
    "mysql -h 127.0.0.1 -ppw app -e 'CREATE TABLE IF NOT EXISTS t (n INT PRIMARY KEY, w TEXT);"
    f" REPLACE INTO t WITH RECURSIVE s AS (SELECT 1 n UNION ALL SELECT n + 1 FROM s WHERE n < {ROWS})"
    ' SELECT n, "WORD" FROM s\'',
    "mysql -h 127.0.0.1 -ppw -N app -e 'SELECT COUNT(*), w FROM t GROUP BY w' 2>/dev/null"
    " && mysql -h 127.0.0.1 -ppw -N app -e 'CHECK TABLE t EXTENDED' 2>/dev/null | grep -q OK",
)
REDIS = Database(
    "redis:8",
    """
services:
  db:
    image: redis:8
    command: redis-server --appendonly yes --appendfsync always
    restart: always
    volumes: ["data:/data"]
volumes: {data: {}}
""",
    f"i=0; while [ $i -lt {ROWS} ]; do i=$((i+1)); echo SET key$i WORD; done | redis-cli > /dev/null",
    f"i=0; while [ $i -lt {ROWS} ]; do i=$((i+1)); echo GET key$i; done | redis-cli | sort | uniq -c",
)


@pytest.fixture(params=[MYSQL, REDIS], ids=["mysql", "redis"])
def database(request: pytest.FixtureRequest) -> Database:
    found: Database = request.param
    return found


@pytest.fixture
def stack(engine: DockerEngine, project: str, tmp_path: Path, database: Database) -> Iterator[Stack]:
    if engine.find_image(database.image) is None:
        pytest.skip(f"{database.image} is not on this engine: `invoke setup` gets it")
    stack = Stack(engine, tmp_path, project, database.image)
    stack.write(database.compose)
    yield stack
    stack.down(volumes=True)
    for entry in engine.list_volumes({"label": [f"{PROJECT}={project}"]}):
        engine.remove_volume(entry["Name"])


def run(stack: Stack, script: str) -> str:
    result = stack.engine.exec(stack.container("db"), ("sh", "-c", script))
    assert result.exit_code == 0, result.output
    return " ".join(result.output.decode().split())


def killed(stack: Stack, seconds: float, *words: str) -> None:
    """A command that is killed so long after its copy container has started, as is the container."""
    command = [sys.executable, "-m", "tests.engine.running.command_process", stack.engine.endpoint.url]
    process = subprocess.Popen([*command, str(stack.folder), *words], cwd=ROOT)
    until = time.monotonic() + 60
    while not (copies := running_copies(stack)) and process.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(seconds)
    process.kill()
    process.wait()
    for container in copies:
        with suppress(ConflictError, NotFoundError):
            stack.engine.kill(container)


def running_copies(stack: Stack) -> list[str]:
    wanted = [f"{labels.PROJECT}={stack.project}", labels.COPY_CONTAINER]
    return [item["Id"] for item in stack.engine.list_containers({"label": wanted}, all_=False)]


@pytest.mark.parametrize("seconds", [0.3])
def test_a_database_is_old_or_new_after_a_restore_and_its_settling_were_killed(
    stack: Stack, database: Database, seconds: float
) -> None:
    stack.up()
    run(stack, database.write.replace("WORD", "new"))
    taking.take(stack.session(), "db", "new")
    run(stack, database.write.replace("WORD", "old"))
    killed(stack, seconds, "restore", "db", "new")
    killed(stack, 0.05, "up")
    stack.up()
    assert run(stack, database.read) in (f"{ROWS} old", f"{ROWS} new")
