"""Data: what MySQL and Redis acknowledged while everything around them is broken."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pymysql
import redis
from pymysql.cursors import Cursor
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.faults.lab import Lab

IMAGES = ("mysql:9", "redis:8")
_ROOT = Path(__file__).parents[2]
_ERRORS = (pymysql.MySQLError, redis.RedisError, OSError, EOFError, RuntimeError)
_QUIET = 5  # seconds that a writer waits for an answer

APP = """
services:
  app:
    build: ./app
    init: true
    environment: {ROUND: "${ROUND:-0}"}
    depends_on: {mysql: {condition: service_healthy}, redis: {condition: service_healthy}}
  mysql: {environment: {MARK: "${MARK:-0}"}}
  redis: {environment: {MARK: "${MARK:-0}"}}
"""


class Writer(threading.Thread):
    """Writes `first`, and on from there, and notes each number once it was acknowledged. A number whose
    answer never came may be there or not; it is not written again."""

    def __init__(self, connect: Callable[[], Callable[[int], None]], first: int = 1) -> None:
        super().__init__(daemon=True)
        self.acknowledged: list[int] = []
        self._connect = connect
        self._ended = threading.Event()
        self._number = first - 1

    def run(self) -> None:
        write: Callable[[int], None] | None = None
        while not self._ended.is_set():
            try:
                write = write or self._connect()
                self._number += 1
                write(self._number)
                self.acknowledged.append(self._number)
                time.sleep(0.005)
            except _ERRORS:
                write = None
                time.sleep(0.05)

    def end(self) -> None:
        self._ended.set()
        self.join()


def _mysql() -> pymysql.Connection[Cursor]:
    return pymysql.connect(
        host="127.0.0.1",
        port=3306,
        user="sample",
        password="local-sample",
        database="sample",
        connect_timeout=_QUIET,
        read_timeout=_QUIET,
        write_timeout=_QUIET,
    )


def mysql_writer() -> Callable[[int], None]:
    connection = _mysql()
    connection.cursor().execute("CREATE TABLE IF NOT EXISTS noted (n INT PRIMARY KEY)")

    def write(number: int) -> None:
        connection.cursor().execute("INSERT INTO noted VALUES (%s)", (number,))
        connection.commit()

    return write


def redis_writer() -> Callable[[int], None]:
    client = redis.Redis(socket_timeout=_QUIET, socket_connect_timeout=_QUIET, retry=Retry(NoBackoff(), 0))
    client.ping()

    def write(number: int) -> None:
        client.set(f"n{number}", number)

    return write


def in_mysql() -> set[int]:
    connection = _mysql()
    cursor = connection.cursor()
    cursor.execute("SELECT n FROM noted")
    return {int(row[0]) for row in cursor.fetchall()}


def in_redis() -> set[int]:
    return {int(key[1:]) for key in redis.Redis().scan_iter("n*", count=10000)}


class Sample:
    """This repository's MySQL and Redis, with a small service before them that is built."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.project = lab.project(APP)
        for service in ("mysql", "redis"):
            shutil.copy(_ROOT / "services" / f"{service}.yaml", self.project.folder)
        self.project.variables["COMPOSE_FILE"] = "mysql.yaml:redis.yaml:compose.yaml"
        self.changes(0)

    def changes(self, number: int) -> None:
        self.project.write("app/Dockerfile", 'FROM IMAGE\nCOPY mark /mark\nCMD ["sleep", "100000"]\n')
        self.project.write("app/mark", str(number))

    def up(self) -> None:
        self.lab.tally.ended(self.project.invoke("up"))

    def goes_down(self, number: int) -> None:
        """MySQL says that its shutdown is complete, and its next start recovers from no crash."""
        shown = self._mysql_log()
        self.lab.tally.ended(self.project.invoke("down"))
        said = shown.communicate(timeout=20)[0]
        self.lab.tally.check("Shutdown complete" in said, f"MySQL was cut off: {said[-300:]}")
        self.up()
        again = self._mysql_log("--tail", "all", follow=False).communicate(timeout=20)[0]
        recovered = re.search(r"crash recovery|not shut ?down normally", again, re.IGNORECASE)
        self.lab.tally.check(recovered is None, "MySQL recovered from a crash after a `down`")

    def _mysql_log(self, *words: str, follow: bool = True) -> subprocess.Popen[str]:
        command = ["docker", "-H", self.lab.engine.url, "logs", *words, *(["-f"] if follow else [])]
        return subprocess.Popen(
            [*command, "app-mysql-1"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def rebuilds(self, number: int) -> None:
        self.changes(number)
        self.lab.tally.ended(self.project.invoke("up", "--build"))

    def makes_databases_anew(self, number: int) -> None:
        self.project.variables["MARK"] = str(number)
        self.up()

    def restarts(self, number: int) -> None:
        self.lab.tally.ended(self.project.invoke("restart"))

    def engine_restarts(self, number: int) -> None:
        self.lab.engine.stop(signal.SIGTERM)
        self.lab.engine.start()
        self.up()

    def engine_is_killed(self, number: int) -> None:
        self.lab.engine.stop(signal.SIGKILL)
        self.lab.engine.start()
        self.up()

    def databases_are_killed(self, number: int) -> None:
        for service in ("mysql", "redis"):
            self.lab.engine.client.api.kill(f"app-{service}-1")
        self.up()

    def command_is_killed(self, number: int) -> None:
        self.project.variables["MARK"] = f"k{number}"
        for word in ("up", "down"):
            running = self.project.start(word)
            time.sleep(self.lab.chance.uniform(0.5, 2.5))
            running.send(signal.SIGKILL)
            running.end()
        self.up()

    @property
    def blows(self) -> tuple[Callable[[int], None], ...]:
        return (
            self.goes_down,
            self.rebuilds,
            self.makes_databases_anew,
            self.restarts,
            self.engine_restarts,
            self.engine_is_killed,
            self.databases_are_killed,
            self.command_is_killed,
        )


def images_there(lab: Lab) -> bool:
    """Brings MySQL's and Redis' images over; notes if they are missing."""
    lab.engine.copy_images(*(name for name in IMAGES if not lab.engine.has_image(name)))
    if all(map(lab.engine.has_image, IMAGES)):
        return True
    lab.tally.not_run = "mysql:9 and redis:8 are not on this machine's engine: `invoke setup` brings them"
    return False


def survive(lab: Lab) -> None:
    if not images_there(lab):
        return
    sample = Sample(lab)
    sample.up()
    writers = (Writer(mysql_writer), Writer(redis_writer))
    for writer in writers:
        writer.start()
    for number in lab.each_round():
        lab.tally.rounds += 1
        time.sleep(lab.chance.uniform(0.3, 1.0))
        blow = sample.blows[number % len(sample.blows)]
        blow(number)
        _check(lab, writers, blow.__name__)
    for writer in writers:
        writer.end()
    _check(lab, writers, "the last round")
    counts = " and ".join(str(len(writer.acknowledged)) for writer in writers)
    lab.tally.notes.append(f"{counts} writes acknowledged by MySQL and Redis, looked for after each round")
    lab.tally.ended(sample.project.invoke("down", "--volumes", "--yes"))


def _check(lab: Lab, writers: tuple[Writer, Writer], when: str) -> None:
    for name, writer, read in zip(("MySQL", "Redis"), writers, (in_mysql, in_redis), strict=True):
        noted = set(writer.acknowledged)
        missing = noted - read()
        lab.tally.lost += len(missing)
        lab.tally.check(not missing, f"{name} lost {sorted(missing)[:10]} after {when}")
        lab.tally.check(bool(noted), f"{name} acknowledged nothing until {when}")
