"""Databases whose writes are noted once they were acknowledged: MySQL and Redis of the sample, written to
throughout, and beside them a Redis with a volume of its own name and some with anonymous ones."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pymysql
import redis

from tests.faults.data import (
    Writer,
    in_mysql,
    in_redis,
    mysql_writer,
    redis_writer,
)
from tests.faults.lab import Lab

_ROOT = Path(__file__).parents[3]
_PERSISTENT = "command: redis-server --appendonly yes --appendfsync always"
_LATER = 5.0  # seconds; what is there then is not lost, and something else was wrong
MOST = 4
"""Containers of `cache` that ever are."""
STACK = f"""
services:
  mysql: {{environment: {{MARK: "${{MARK:-0}}"}}}}
  redis: {{environment: {{MARK: "${{MARK:-0}}"}}}}
  store:
    image: redis:8
    {_PERSISTENT}
    environment: {{MARK: "${{MARK:-0}}"}}
    volumes: ["store:/data"]
    healthcheck: {{test: "redis-cli ping | grep -q PONG", interval: 1s}}
  cache:
    image: redis:8
    {_PERSISTENT}
    environment: {{MARK: "${{MARK:-0}}"}}
    scale: 2
    healthcheck: {{test: "redis-cli ping | grep -q PONG", interval: 1s}}
  app:
    build: ./app
    init: true
    stop_grace_period: 1s
    volumes: [/data]
    depends_on: {{mysql: {{condition: service_healthy}}, redis: {{condition: service_healthy}}}}
    develop: {{watch: [{{action: rebuild, path: ./app/mark}}]}}
volumes: {{store: {{}}}}
"""
_KEYS = "redis-cli --raw keys 'n*'"
_WRITERS: dict[str, tuple[Callable[[], Callable[[int], None]], Callable[[], set[int]]]] = {
    "mysql": (mysql_writer, in_mysql),
    "redis": (redis_writer, in_redis),
}


class Databases:
    """The stack, running. `noted`: container, without the project -> numbers that it acknowledged."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.project = lab.project(STACK)
        for service in ("mysql", "redis"):
            shutil.copy(_ROOT / "services" / f"{service}.yaml", self.project.folder)
        self.project.variables["COMPOSE_FILE"] = "mysql.yaml:redis.yaml:compose.yaml"
        self.project.write("app/Dockerfile", 'FROM IMAGE\nCOPY mark /mark\nCMD ["sleep", "100000"]\n')
        self.save(0)
        self.noted: dict[str, set[int]] = {}
        self._writers: dict[str, Writer] = {}
        self._number = 0
        self.invoke("up")
        self.invoke("scale", f"cache={MOST}")
        self.write()
        self.invoke("up")
        self.write_throughout("mysql", "redis")
        self.before = lab.engine.inventory()

    def invoke(self, *words: str) -> None:
        """A command that must succeed."""
        self.lab.tally.ended(self.project.invoke(*words))

    def save(self, number: int) -> None:
        """Another content of the file that the image of `app` is built from."""
        self.project.write("app/mark", str(number))

    # The writers of MySQL and Redis

    def write_throughout(self, *services: str) -> None:
        for service in services:
            self._number += 1_000_000  # a number is never written twice
            self._writers[service] = Writer(_WRITERS[service][0], self._number)
            self._writers[service].start()

    def end_writers(self) -> None:
        for service in tuple(self._writers):
            self.end_writer(service)

    def end_writer(self, service: str) -> None:
        """Ends it; what it had acknowledged is noted."""
        writer = self._writers.pop(service)
        writer.end()
        self.noted.setdefault(service, set()).update(writer.acknowledged)

    @contextmanager
    def quiet(self, service: str) -> Iterator[None]:
        """Nothing writes to the service meanwhile."""
        written = service in self._writers
        if written:
            self.end_writer(service)
        yield
        if written:
            self.write_throughout(service)

    # The others, which are written to between the rounds

    def containers(self) -> list[str]:
        listed = self.project.containers()
        return sorted(name for name in listed if name.rpartition("-")[0] in ("store", "cache", "app"))

    def write(self) -> None:
        """Some new numbers into each container."""
        for container in self.containers():
            self._number += 1
            first = self._number
            self._number += 4
            write = (
                "redis-cli set n$k $k"
                if not container.startswith("app")
                else "echo $k >> /data/rows && echo OK"
            )
            script = f"for k in $(seq {first} {first + 4}); do {write}; done; sync"
            code, text = self.project.run_within(container, script)
            acknowledged = text.split().count("OK")
            whole = code == 0 and acknowledged == 5
            self.lab.tally.check(whole, f"{container} does not take writes: {text[:200]}")
            if whole:
                self.noted.setdefault(container, set()).update(range(first, first + 5))

    def found(self, name: str) -> set[int]:
        """The numbers that a container or a service has now."""
        if name in _WRITERS:
            try:
                return _WRITERS[name][1]()
            except pymysql.err.ProgrammingError:  # no such table: an empty database
                return set()
        script = "cat /data/rows" if name.startswith("app") else _KEYS
        code, text = self.project.run_within(name, script)
        self.lab.tally.check(code == 0, f"{name} does not tell what it has, code {code}: {text[:200]}")
        return {int(word.removeprefix("n")) for word in text.split() if word.removeprefix("n").isdigit()}

    def check(self, when: str) -> None:
        """Everything that was acknowledged is there."""
        for name, writer in self._writers.items():
            self.noted.setdefault(name, set()).update(tuple(writer.acknowledged))
        for name in [*self.containers(), *_WRITERS]:
            self.misses_nothing(name, when)

    def misses_nothing(self, name: str, when: str) -> None:
        noted = set(self.noted.get(name, ()))
        missing = noted - self._found_in_time(name)
        if missing:
            time.sleep(_LATER)
            later = noted - self._found_in_time(name)
            self.lab.tally.check(
                later == missing, f"{name} had {len(missing) - len(later)} only later, {when}"
            )
            missing = later
        self.lab.tally.lost += len(missing)
        self.lab.tally.check(not missing, f"{name} lost {len(missing)}, {sorted(missing)[:5]}, after {when}")

    def _found_in_time(self, name: str) -> set[int]:
        try:
            return self.found(name)
        except (pymysql.MySQLError, redis.RedisError) as error:
            self.lab.tally.check(False, f"{name} does not answer: {error}")
            return set()
