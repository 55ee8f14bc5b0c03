"""The logs of a stack from all nodes: each line once, with the node and the task that wrote it."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from queue import Queue
from typing import Any
from urllib.parse import unquote

from invoke_devstack.deploying.cluster import Cluster
from invoke_devstack.engine.protocol import LogStream
from invoke_devstack.errors import EngineError, UsageError, did_you_mean
from invoke_devstack.events import LogBlock
from invoke_devstack.planning.deploys.observed import ObservedStack
from invoke_devstack.records import record
from invoke_devstack.running.session import Session

_LINE = re.compile(rb"(?P<time>\S+) (?P<details>\S*) (?P<text>.*)", re.DOTALL)
_LOOK = 0.5


@record
class ClusterLine:
    """One line; `task` is such as `web.2@node1`."""

    time: str
    service: str
    task: str
    stream: str
    text: bytes


@record
class LogRange:
    services: tuple[str, ...] = ()
    follow: bool = False
    tail: int | None = None
    since: str = ""
    timestamps: bool = False


def show(cluster: Cluster, session: Session, wanted: LogRange) -> None:
    """Prints them in the order of their times; with `follow`, as they come."""
    observed = cluster.observe()
    chosen = _chosen(observed, wanted.services)
    if wanted.follow:
        _follow(cluster, session, observed, chosen, wanted)
        return
    lines = [line for name in chosen for line in _read(cluster, observed, name, wanted)]
    for line in sorted(lines, key=lambda line: line.time):
        _emit(session, line, timestamps=wanted.timestamps)


def _chosen(observed: ObservedStack, services: tuple[str, ...]) -> tuple[str, ...]:
    for name in services:
        if name not in observed.services:
            known = ", ".join(observed.services) or "none"
            hint = did_you_mean(name, observed.services, f"Services on the cluster: {known}.")
            raise UsageError(f"unknown service `{name}`", hint=hint)
    return services or tuple(sorted(observed.services))


def _open(cluster: Cluster, observed: ObservedStack, service: str, wanted: LogRange) -> LogStream:
    found = observed.services[service]
    tty = bool(found["Spec"]["TaskTemplate"]["ContainerSpec"].get("TTY"))
    return cluster.swarm.logs(
        f"services/{found['ID']}", follow=wanted.follow, tail=wanted.tail, since=wanted.since, tty=tty
    )


def _read(cluster: Cluster, observed: ObservedStack, service: str, wanted: LogRange) -> Iterator[ClusterLine]:
    names = _task_names(observed)
    rests = {"stdout": b"", "stderr": b""}
    for stream, data in _open(cluster, observed, service, wanted):
        *lines, rests[stream] = (rests[stream] + data).split(b"\n")
        yield from (read_line(service, stream, line, names) for line in lines)
    yield from (read_line(service, stream, rest, names) for stream, rest in rests.items() if rest)


def _task_names(observed: ObservedStack) -> dict[str, str]:
    """Task's id -> its slot and node."""
    return {str(task["ID"]): f"{task.get('Slot') or 1}@{observed.node_name(task)}" for task in observed.tasks}


def read_line(service: str, stream: str, line: bytes, tasks: dict[str, str]) -> ClusterLine:
    """A line of the swarm: time, details (`com.docker.swarm.task.id=…,…`), text."""
    match = _LINE.fullmatch(line)
    if match is None:
        return ClusterLine("", service, service, stream, line)
    pairs = (pair.partition("=") for pair in match["details"].decode("ascii", "replace").split(","))
    details = {key: unquote(value) for key, _, value in pairs}
    task = details.get("com.docker.swarm.task.id", "")
    return ClusterLine(
        match["time"].decode("ascii", "replace"),
        service,
        f"{service}.{tasks.get(task) or task[:12]}",
        stream,
        match["text"],
    )


def _emit(session: Session, line: ClusterLine, *, timestamps: bool) -> None:
    start = f"{line.time} ".encode() if timestamps else b""
    session.emit(
        LogBlock(
            service=line.task,
            container=line.task,
            stream=line.stream,
            data=start + line.text + b"\n",
            timestamps=timestamps,
        )
    )


def _follow(
    cluster: Cluster, session: Session, observed: ObservedStack, chosen: tuple[str, ...], wanted: LogRange
) -> None:
    """The swarm adds the tasks that come later to the stream of their service."""
    lines: Queue[ClusterLine | None] = Queue()

    def read(service: str, put: Callable[[Any], None]) -> None:
        try:
            for line in _read(cluster, observed, service, wanted):
                put(line)
        except EngineError:
            pass
        finally:
            put(None)

    for service in chosen:
        threading.Thread(target=read, args=(service, lines.put), daemon=True).start()
    left = len(chosen)
    while left:
        session.interrupt.check()
        if lines.empty():
            session.interrupt.pause(_LOOK / 10)
            continue
        line = lines.get()
        if line is None:
            left -= 1
        else:
            _emit(session, line, timestamps=wanted.timestamps)
