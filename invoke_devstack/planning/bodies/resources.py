"""Limits and devices of a service -> the resource part of `HostConfig`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from invoke_devstack.late_patterns import late
from invoke_devstack.planning.bodies.plain_keys import filled

if TYPE_CHECKING:
    from invoke_devstack.definition.model import (
        BlkioConfig,
        DeviceRequest,
        Limits,
        Reservations,
        Service,
        ThrottleDevice,
        Ulimit,
    )

_NANO = 10**9
_CDI_NAME = late(r"[A-Za-z0-9][A-Za-z0-9_.-]*/[A-Za-z0-9][A-Za-z0-9_-]*=[A-Za-z0-9][A-Za-z0-9_.:-]*")


def resources(service: Service) -> dict[str, Any]:
    """The limits and devices that are not plain keys. Memory is in bytes, processors in billionths.
    `deploy.resources` overrides the older keys of the service, as in Compose."""
    body: dict[str, Any] = {"OomKillDisable": service.oom_kill_disable}
    body |= filled(
        {
            "CpuPercent": int((service.cpu_percent or 0) * 100),
            "NanoCpus": int((service.cpus or 0) * _NANO),
        }
    )
    if service.blkio_config:
        body |= _blkio(service.blkio_config)
    if service.ulimits:
        body["Ulimits"] = [_ulimit(name, limit) for name, limit in service.ulimits.items()]
    if service.deploy:
        body |= _limits(service.deploy.resources.limits)
        body |= _reservations(service.deploy.resources.reservations)
    return body | _devices(service)


def _limits(limits: Limits | None) -> dict[str, Any]:
    if limits is None:
        return {}
    return filled(
        {
            "Memory": int(limits.memory or 0),
            "NanoCpus": int((limits.cpus or 0) * _NANO),
            "PidsLimit": max(limits.pids or 0, 0),
        }
    )


def _reservations(reservations: Reservations | None) -> dict[str, Any]:
    """Only a swarm reserves processors; memory can be reserved on any engine."""
    if reservations is None or not reservations.memory:
        return {}
    return {"MemoryReservation": int(reservations.memory)}


def _devices(service: Service) -> dict[str, Any]:
    mapped: list[dict[str, str]] = []
    named: list[str] = []
    for device in service.devices:
        if device.source == device.target and _CDI_NAME.fullmatch(device.source):
            named.append(device.source)
        else:
            mapped.append(
                {
                    "PathOnHost": device.source,
                    "PathInContainer": device.target,
                    "CgroupPermissions": device.permissions,
                }
            )
    reservations = service.deploy.resources.reservations if service.deploy else None
    requests = [_device_request(item) for item in reservations.devices] if reservations else []
    if named:
        requests.append({"Driver": "cdi", "DeviceIDs": named})
    requests += [_device_request(item, "gpu") for item in service.gpus]
    return filled({"Devices": mapped, "DeviceRequests": requests})


def _device_request(request: DeviceRequest, *more_capabilities: str) -> dict[str, Any]:
    body: dict[str, Any] = {
        "Driver": request.driver or "",
        "Count": request.count or 0,
        "Capabilities": [[*request.capabilities, *more_capabilities]],
        "Options": dict(request.options) or None,
    }
    return body | {"DeviceIDs": list(request.device_ids) or None}


def _ulimit(name: str, limit: int | Ulimit) -> dict[str, Any]:
    soft, hard = (limit, limit) if isinstance(limit, int) else (limit.soft, limit.hard)
    return {"Name": name, "Soft": soft, "Hard": hard}


def _blkio(blkio: BlkioConfig) -> dict[str, Any]:
    weights = [{"Path": item.path, "Weight": item.weight} for item in blkio.weight_device]
    return filled(
        {
            "BlkioWeight": blkio.weight,
            "BlkioWeightDevice": weights,
            "BlkioDeviceReadBps": _throttles(blkio.device_read_bps),
            "BlkioDeviceReadIOps": _throttles(blkio.device_read_iops),
            "BlkioDeviceWriteBps": _throttles(blkio.device_write_bps),
            "BlkioDeviceWriteIOps": _throttles(blkio.device_write_iops),
        }
    )


def _throttles(devices: tuple[ThrottleDevice, ...]) -> list[dict[str, Any]]:
    return [{"Path": item.path, "Rate": int(item.rate)} for item in devices]
