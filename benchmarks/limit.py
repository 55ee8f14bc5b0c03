"""The engine's own limit: the bare API calls of `up` and `down`, in the best order, on the example stack and
on many small services, and of a log that is followed.

What they carry (bodies, names) is planned before the clock starts; what is timed is nothing but requests
over the engine's socket. It knows the stack, so it decides, reads and tells nothing.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

from benchmarks.pairing import BenchmarkError
from benchmarks.sides import Project

_DATABASES = ("mysql", "redis")
_BETWEEN_PROBES = 0.02
_AT_ONCE = 12  # requests, as many as `devstack.parallel`


def socket_path() -> str:
    """The engine's unix socket."""
    return os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")


class _Connection(http.client.HTTPConnection):
    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(socket_path())


def call(method: str, path: str, body: Any = None) -> Any:
    """One request on a connection of its own; the JSON of the answer. Raises BenchmarkError for a refusal."""
    connection = _Connection("localhost", timeout=120)
    try:
        data = None if body is None else json.dumps(body)
        connection.request(method, f"/v1.41{path}", data, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        content = answer.read()
    finally:
        connection.close()
    if answer.status >= 400:
        raise BenchmarkError(f"bare {method} {path}: {content.decode(errors='replace').strip()}")
    return json.loads(content) if content.startswith((b"{", b"[")) else None


class BareStack:
    """The example stack, without any tool."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._plan = planned(project.directory, project.environment)

    def up(self) -> float:
        """Seconds until the page answers and both databases are healthy."""
        began = time.perf_counter()
        name = self._project.name
        self._make("CreateVolume", "/volumes/create", "Name")
        self._make("CreateNetwork", "/networks/create", "Name")
        with ThreadPoolExecutor(3) as pool:
            web = pool.submit(self._create, f"{name}-web-1")
            list(pool.map(self._start_database, _DATABASES))
            web.result()
        call("POST", f"/containers/{name}-web-1/start")
        self._project.await_page()
        return time.perf_counter() - began

    def up_again(self) -> float:
        """Seconds to ask for all that tells that nothing is to be done."""
        began = time.perf_counter()
        filters = quote(json.dumps({"label": [f"com.docker.compose.project={self._project.name}"]}))
        for path in (f"/containers/json?all=1&filters={filters}", "/networks", "/volumes"):
            call("GET", path)
        for image in ("redis:8", "mysql:9", f"{self._project.name}-web"):
            call("GET", f"/images/{image}/json")
        return time.perf_counter() - began

    def down(self) -> float:
        """Seconds to stop and remove the containers and the network."""
        began = time.perf_counter()
        self._end("web")
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(self._end, _DATABASES))
        call("DELETE", f"/networks/{self._project.name}_default")
        return time.perf_counter() - began

    def remove_volumes(self) -> None:
        for kind in ("mysql-data", "redis-data"):
            with contextlib.suppress(BenchmarkError):
                call("DELETE", f"/volumes/{self._project.name}_{kind}")

    def _make(self, kind: str, path: str, key: str) -> None:
        for action in self._plan.values():
            if type(action).__name__ == kind:
                call("POST", path, {key: action.target, **action.body})

    def _create(self, container: str) -> None:
        call("POST", f"/containers/create?name={container}", self._plan["CreateContainer" + container].body)

    def _start_database(self, service: str) -> None:
        container = f"{self._project.name}-{service}-1"
        self._create(container)
        call("POST", f"/containers/{container}/start")
        self._knock(f"{service.upper()}_PORT")
        command = self._plan["CreateContainer" + container].body["Healthcheck"]["Test"][1:]
        while not _succeeds(container, ["/bin/sh", "-c", *command]):
            time.sleep(_BETWEEN_PROBES)

    def _knock(self, port: str) -> None:
        """Until the server itself says something: the engine's proxy accepts at once."""
        while True:
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", self._project.ports[port]), 1) as server,
            ):
                server.sendall(b"PING\r\n")
                if server.recv(1):
                    return
            time.sleep(_BETWEEN_PROBES / 2)

    def _end(self, service: str) -> None:
        container = f"{self._project.name}-{service}-1"
        call("POST", f"/containers/{container}/stop?t=60")
        call("DELETE", f"/containers/{container}?v=1")


class BareServices:
    """Many small services without any tool; `layers` are those that may be started at once, in order."""

    def __init__(self, directory: Path, layers: Sequence[Sequence[str]]) -> None:
        self._project = directory.name
        self._layers = layers
        self._plan = planned(directory, os.environ)

    def up(self) -> float:
        """Seconds to create the network, and to create and start all containers."""
        began = time.perf_counter()
        for key, action in self._plan.items():
            if key.startswith("CreateNetwork"):
                call("POST", "/networks/create", {"Name": action.target, **action.body})
        for layer in self._layers:
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                list(pool.map(self._start, layer))
        return time.perf_counter() - began

    def down(self) -> float:
        """Seconds to stop and remove the containers and the network."""
        began = time.perf_counter()
        with ThreadPoolExecutor(2 * _AT_ONCE) as pool:
            ends = []
            for layer in reversed(self._layers):
                exits = [pool.submit(self._await_exit, service) for service in layer]
                ends += [pool.submit(self._end, service) for service in layer]
                for one in exits:  # the engine answers a stop later, and others need not wait for that
                    one.result()
            for one in ends:
                one.result()
        call("DELETE", f"/networks/{self._project}_default")
        return time.perf_counter() - began

    def _await_exit(self, service: str) -> None:
        call("POST", f"/containers/{self._project}-{service}-1/wait")

    def _start(self, service: str) -> None:
        container = f"{self._project}-{service}-1"
        call("POST", f"/containers/create?name={container}", self._plan["CreateContainer" + container].body)
        call("POST", f"/containers/{container}/start")

    def _end(self, service: str) -> None:
        container = f"{self._project}-{service}-1"
        call("POST", f"/containers/{container}/stop?t=10")
        call("DELETE", f"/containers/{container}?v=1")


FOLLOW = """\
import os, socket, sys
connection = socket.socket(socket.AF_UNIX)
connection.connect(sys.argv[1])
path = f"/v1.41/containers/{sys.argv[2]}/logs?follow=1&stdout=1&stderr=1&timestamps=1&tail=0"
connection.sendall(f"GET {path} HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n".encode())
while block := connection.recv(32768):
    os.write(1, block)
"""
"""A program that passes on what the engine sends of a container's log, as it comes."""


def _succeeds(container: str, command: list[str]) -> bool:
    made = call("POST", f"/containers/{container}/exec", {"Cmd": command, "AttachStdout": True})
    call("POST", f"/exec/{made['Id']}/start", {"Detach": False})
    while (state := call("GET", f"/exec/{made['Id']}/json"))["Running"]:
        time.sleep(0.002)
    return bool(state["ExitCode"] == 0)


def planned(directory: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    """The actions of an `up` of the project where nothing of it is there but its images, by kind and name."""
    from invoke_devstack.definition import load
    from invoke_devstack.engine.connect import connect
    from invoke_devstack.planning.observed import Observed
    from invoke_devstack.planning.options import PlanningOptions
    from invoke_devstack.planning.plans.up import plan_up

    definition = load(directory, environment=environment)
    names = [service.image_name(definition.name) for service in definition.services.values()]
    seen = connect().observe(definition.name, images=names)
    nothing = Observed(project=definition.name, engine=seen.engine, images=seen.images)
    actions = plan_up(definition, nothing, PlanningOptions())
    return {type(action).__name__ + action.target: action for action in actions}
