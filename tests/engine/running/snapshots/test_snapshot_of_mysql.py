"""A snapshot of a MySQL that is being written to: every row that was committed before it is in it, and the
tables are sound."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from invoke_devstack.engine.docker_engine import DockerEngine
from invoke_devstack.planning.plans.snapshots import PROJECT
from invoke_devstack.running.snapshots import restoring, taking
from tests.engine.stacks import Stack

MYSQL = """
services:
  mysql:
    image: mysql:9
    command: [mysqld, --innodb-buffer-pool-size=64M, --performance-schema=OFF, --skip-log-bin, --mysqlx=OFF]
    environment: {MYSQL_ROOT_PASSWORD: pw, MYSQL_DATABASE: app}
    volumes: ["data:/var/lib/mysql"]
    healthcheck: {test: "mysql -h 127.0.0.1 -ppw app -e 'SELECT 1'", interval: 2s, retries: 90}
    stop_grace_period: 1m
volumes: {data: {}}
"""


@pytest.fixture
def stack(engine: DockerEngine, project: str, tmp_path: Path) -> Iterator[Stack]:
    if engine.find_image("mysql:9") is None:
        pytest.skip("mysql:9 is not on this engine: `invoke setup` gets it")
    stack = Stack(engine, tmp_path, project, "mysql:9")
    stack.write(MYSQL)
    yield stack
    stack.down(volumes=True)
    for entry in engine.list_volumes({"label": [f"{PROJECT}={project}"]}):
        engine.remove_volume(entry["Name"])


def sql(stack: Stack, text: str) -> str:
    command = ("mysql", "-h", "127.0.0.1", "-N", "app", "-e", text)
    container = f"{stack.project}-mysql-1"
    result = stack.engine.exec(container, command, environment=("MYSQL_PWD=pw",))
    assert result.exit_code == 0, result.output
    return result.output.decode().splitlines()[-1]


WRITER = """
i=0
while :; do
  i=$((i + 1))
  mysql -h 127.0.0.1 -ppw app -e "INSERT INTO t VALUES ($i)" 2>/dev/null && echo $i > /tmp/last || exit 0
done
"""


def test_a_mysql_that_is_written_to_is_snapshotted_whole_and_put_back(stack: Stack) -> None:
    stack.up()
    sql(stack, "CREATE TABLE t (n INT PRIMARY KEY); SELECT 1")
    container = f"{stack.project}-mysql-1"
    writer = threading.Thread(target=stack.engine.exec, args=(container, ("sh", "-c", WRITER)))
    writer.start()
    while int(sql(stack, "SELECT COUNT(*) FROM t")) < 5:
        pass
    committed = int(sql(stack, "SELECT MAX(n) FROM t"))
    taking.take(stack.session(), "mysql", "busy")
    writer.join(timeout=30)
    last = int(stack.engine.exec(container, ("cat", "/tmp/last")).output)
    kept = int(sql(stack, "SELECT COUNT(*) FROM t"))
    assert kept >= last >= committed

    sql(stack, "DELETE FROM t; SELECT 1")
    restoring.restore(stack.session(), "mysql", "busy")
    assert int(sql(stack, "SELECT COUNT(*) FROM t")) == kept
    assert sql(stack, "CHECK TABLE t EXTENDED").endswith("OK")
