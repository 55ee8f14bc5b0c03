"""Whether the services of a stack send traces, for the tasks that create containers."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING

from invoke_devstack.events import Notice

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition
    from invoke_devstack.engine.protocol import Engine
    from invoke_devstack.planning.bodies.tracing import Receiver
    from invoke_devstack.tasks.work import Work


class Tracing:
    """Traces of `up --trace` or `devstack.trace`; `dry`: nothing is written."""

    def __init__(self, work: Work, *, wanted: bool, dry: bool = False) -> None:
        self._work = work
        self._dry = dry
        self.is_on = wanted

    def applied(self, definition: Definition | None) -> Definition | None:
        """The definition whose services send traces, if they do. None is that of the files."""
        return self.to(definition or self._work.bound_definition) if self.is_on else definition

    def to(self, definition: Definition) -> Definition:
        """The same."""
        if not self.is_on:
            return definition
        from invoke_devstack.planning.bodies.tracing import traced

        receiver, port = self._receiver
        return traced(self._forwarded(definition, port) if port else definition, receiver)

    def _forwarded(self, definition: Definition, port: int) -> Definition:
        from invoke_devstack.planning.hosting.trace_forwarder import with_trace_forwarder
        from invoke_devstack.running.hosting.relay import find_relay
        from invoke_devstack.running.observing import observe

        engine = self._work.engine
        relay = find_relay(definition, engine, observe(definition, engine))
        return with_trace_forwarder(definition, port, relay)

    def tell_who_receives(self) -> None:
        """For an `up` that returns: without a dashboard, the services' SDKs drop what they cannot send."""
        if self.is_on:
            text = f"traces are kept while the dashboard runs: `invoke {self._work.task_prefix}dashboard`"
            self._work.tell(Notice(text=text))

    @cached_property
    def _receiver(self) -> tuple[Receiver, int]:
        return _receiver_of(self._work, dry=self._dry)


def _receiver_of(work: Work, *, dry: bool) -> tuple[Receiver, int]:
    """And the port that forwarders pass on to, 0 if containers reach this machine themselves. Raises
    DevstackError if the engine is on another machine, or the key cannot be kept."""
    from invoke_devstack.planning.bodies.tracing import Receiver
    from invoke_devstack.planning.hosting.trace_forwarder import HOST, PORT
    from invoke_devstack.running.hosting.gateway import LOOPBACK, find_gateway
    from invoke_devstack.traces.places import KEY_HEADER, Door, door_of, own_port, read_door

    gateway = find_gateway(work.engine)
    door = (read_door(work.project) or Door("", own_port(work.project))) if dry else door_of(work.project)
    work.console.secrets.add(door.key, "OTEL_EXPORTER_OTLP_HEADERS")
    forwarded = work.settings.trace_forwarder or not gateway.host
    receiver = Receiver(
        endpoint=f"http://{HOST}:{PORT}" if forwarded else f"http://{gateway.host}:{door.port}",
        local_endpoint=f"http://{LOOPBACK}:{door.port}",
        header=f"{KEY_HEADER}={door.key}",
    )
    return receiver, door.port if forwarded else 0


def as_it_traces(work: Work) -> Tracing:
    """Traces on if the containers that are there send them."""
    from invoke_devstack.traces.places import read_door

    on = read_door(work.project) is not None and _sends_traces(work.engine, work.project)
    return Tracing(work, wanted=on)


def _sends_traces(engine: Engine, project: str) -> bool:
    from invoke_devstack.planning.labels import INPUTS, PROJECT
    from invoke_devstack.planning.verdicts.fingerprint import TRACES

    listed = engine.list_containers({"label": [f"{PROJECT}={project}"]})
    return any(TRACES in _prints((item.get("Labels") or {}).get(INPUTS, "")) for item in listed)


def _prints(text: str) -> dict[str, object]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
