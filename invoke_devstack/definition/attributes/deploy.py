"""`deploy`: replicas, resources and the restart policy; the rest concerns a swarm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from invoke_devstack.definition.attributes import decode
from invoke_devstack.definition.attributes import types as t
from invoke_devstack.definition.attributes.part import Part, ValueType, key
from invoke_devstack.definition.syntax.scalars import parse_integer
from invoke_devstack.definition.syntax.tree import Location, Steps, Table, fail
from invoke_devstack.definition.syntax.units import Bytes, Seconds

_NATURAL: ValueType[int | None] = t.COUNT.but(decode=decode.count)


def _device_count(value: Any) -> int:
    if isinstance(value, str):
        return -1 if value.lower() == "all" else parse_integer(value)
    return decode.integer(value)


class DeviceRequest(Part):
    """Devices of a driver. `count` -1 means all of them."""

    capabilities: tuple[str, ...] = key(t.DISTINCT_TEXTS, required=True)
    driver: str | None = key(t.TEXT)
    count: int | None = key(t.COUNT.but(decode=_device_count, cast=None))
    device_ids: tuple[str, ...] = key(t.DISTINCT_TEXTS)
    options: Mapping[str, str] = key(t.LABELS)


def _complete_request(request: Any, location: Location, steps: Steps) -> Any:
    if isinstance(request, Table) and "device_ids" not in request:
        request.setdefault("count", "all")
    return request


def _verify_request(request: Table, location: Location, steps: Steps) -> Table:
    if "count" in request and "device_ids" in request:
        message = "a device request has both `count` and `device_ids`"
        raise fail(message, request.location, steps, "Keep one of them.")
    return request


def device_requests(*, lenient: bool = False, **settings: Any) -> ValueType[tuple[DeviceRequest, ...]]:
    """A list of device requests."""
    request = t.part(DeviceRequest, lenient=lenient, complete=_complete_request, verify=_verify_request)
    return t.list_of(request, **settings)


class DiscreteResource(Part):
    """A number of units of a resource that has no size."""

    kind: str = key(t.TEXT, default="", always=True)
    value: int = key(t.NUMBER, default=0, always=True)


class GenericResource(Part):
    """A resource that the user named."""

    discrete_resource_spec: DiscreteResource | None = key(t.part(DiscreteResource), keep_zero=True)


class Limits(Part):
    """The most that a container may use. `cpus` are processors."""

    cpus: float | None = key(t.FRACTION.but(cast=None))
    memory: Bytes | None = key(t.TEXT_SIZE)
    pids: int | None = key(t.COUNT)


class Reservations(Part):
    """What is set aside for a container."""

    cpus: float | None = key(t.FRACTION.but(cast=None), carried_out=False)
    memory: Bytes | None = key(t.TEXT_SIZE)
    devices: tuple[DeviceRequest, ...] = key(device_requests())
    generic_resources: tuple[GenericResource, ...] = key(
        t.list_of(t.part(GenericResource)), carried_out=False
    )


class Resources(Part):
    """`deploy.resources`."""

    limits: Limits | None = key(t.part(Limits), keep_zero=True)
    reservations: Reservations | None = key(t.part(Reservations), keep_zero=True)


class UpdateConfig(Part):
    """How a swarm updates a service."""

    parallelism: int | None = key(_NATURAL, keep_zero=True)
    delay: Seconds | None = key(t.DURATION)
    failure_action: str | None = key(t.TEXT)
    monitor: Seconds | None = key(t.DURATION)
    max_failure_ratio: float | None = key(t.FRACTION)
    order: str | None = key(t.one_of("start-first", "stop-first"))


class RestartPolicy(Part):
    """`deploy.restart_policy`."""

    condition: str | None = key(t.TEXT)
    delay: Seconds | None = key(t.DURATION, keep_zero=True, carried_out=False)
    max_attempts: int | None = key(_NATURAL, keep_zero=True)
    window: Seconds | None = key(t.DURATION, keep_zero=True, carried_out=False)


class PlacementPreference(Part):
    """A label over whose values a swarm spreads a service."""

    spread: str | None = key(t.TEXT)


class Placement(Part):
    """Where a swarm runs a service."""

    constraints: tuple[str, ...] = key(t.TEXTS)
    preferences: tuple[PlacementPreference, ...] = key(t.list_of(t.part(PlacementPreference)))
    max_replicas_per_node: int | None = key(_NATURAL)


class Deploy(Part):
    """`deploy`."""

    mode: str | None = key(t.TEXT)
    replicas: int | None = key(t.COUNT, keep_zero=True, hashed=False)
    labels: Mapping[str, str] = key(t.merged(t.LABELS), carried_out=False)
    update_config: UpdateConfig | None = key(t.part(UpdateConfig), keep_zero=True, carried_out=False)
    rollback_config: UpdateConfig | None = key(t.part(UpdateConfig), keep_zero=True, carried_out=False)
    resources: Resources = key(t.part(Resources), default=Resources(), always=True)
    restart_policy: RestartPolicy | None = key(t.part(RestartPolicy), keep_zero=True)
    placement: Placement = key(t.part(Placement), default=Placement(), always=True, carried_out=False)
    endpoint_mode: str | None = key(t.TEXT, carried_out=False)
