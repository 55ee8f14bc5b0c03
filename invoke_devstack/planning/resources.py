"""Limits and devices of a service -> the resource part of `HostConfig`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from invoke_devstack.definition.model import (
        BlkioConfig,
        DeviceRequest,
        Resource,
        Service,
        ThrottleDevice,
        Ulimit,
    )

_NANO = 10**9
_CDI_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*/[A-Za-z0-9][A-Za-z0-9_-]*=[A-Za-z0-9][A-Za-z0-9_.:-]*")


def resources(service: Service) -> dict[str, Any]:
    """Memory in bytes, processors in billionths, as the API counts them. `deploy.resources` goes before
    the older keys of the service, as in Compose."""
    body = _memory(service) | _processors(service)
    if service.pids_limit:
        body["PidsLimit"] = service.pids_limit
    if service.cgroup_parent:
        body["CgroupParent"] = service.cgroup_parent
    if service.device_cgroup_rules:
        body["DeviceCgroupRules"] = list(service.device_cgroup_rules)
    if service.blkio_config:
        body |= _blkio(service.blkio_config)
    if service.ulimits:
        body["Ulimits"] = [_ulimit(name, limit) for name, limit in service.ulimits.items()]
    if service.deploy:
        body |= _limits(service.deploy.resources.limits)
        body |= _reservations(service.deploy.resources.reservations)
    return body | _devices(service)


def _memory(service: Service) -> dict[str, Any]:
    values = {
        "Memory": service.mem_limit,
        "MemorySwap": service.memswap_limit,
        "MemorySwappiness": service.mem_swappiness,
        "MemoryReservation": service.mem_reservation,
    }
    body: dict[str, Any] = {key: int(value) for key, value in values.items() if value}
    return body | {"OomKillDisable": service.oom_kill_disable}


def _processors(service: Service) -> dict[str, Any]:
    values = {
        "CpuCount": service.cpu_count,
        "CpuPercent": int(service.cpu_percent * 100) if service.cpu_percent else None,
        "CpuPeriod": service.cpu_period,
        "CpuQuota": service.cpu_quota,
        "CpuRealtimePeriod": service.cpu_rt_period,
        "CpuRealtimeRuntime": service.cpu_rt_runtime,
        "CpuShares": service.cpu_shares,
        "CpusetCpus": service.cpuset,
        "NanoCpus": int(service.cpus * _NANO) if service.cpus else None,
    }
    return {key: value for key, value in values.items() if value}


def _limits(limits: Resource | None) -> dict[str, Any]:
    if limits is None:
        return {}
    body: dict[str, Any] = {}
    if limits.memory:
        body["Memory"] = int(limits.memory)
    if limits.cpus:
        body["NanoCpus"] = int(limits.cpus * _NANO)
    if limits.pids and limits.pids > 0:
        body["PidsLimit"] = limits.pids
    return body


def _reservations(reservations: Resource | None) -> dict[str, Any]:
    """A reservation of processors is a swarm's; memory is not."""
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
    body: dict[str, Any] = {}
    if mapped:
        body["Devices"] = mapped
    if requests:
        body["DeviceRequests"] = requests
    return body


def _device_request(request: DeviceRequest, *more_capabilities: str) -> dict[str, Any]:
    body: dict[str, Any] = {
        "Driver": request.driver or "",
        "Count": request.count or 0,
        "Capabilities": [[*request.capabilities, *more_capabilities]],
        "Options": dict(request.options) or None,
    }
    return body | {"DeviceIDs": list(request.device_ids) or None}


def _ulimit(name: str, limit: int | Ulimit) -> dict[str, Any]:
    if isinstance(limit, int):
        return {"Name": name, "Soft": limit, "Hard": limit}
    single = limit.single or 0
    return {"Name": name, "Soft": limit.soft or single, "Hard": limit.hard or single}


def _blkio(blkio: BlkioConfig) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if blkio.weight:
        body["BlkioWeight"] = blkio.weight
    if blkio.weight_device:
        body["BlkioWeightDevice"] = [
            {"Path": item.path, "Weight": item.weight} for item in blkio.weight_device
        ]
    rates = {
        "BlkioDeviceReadBps": blkio.device_read_bps,
        "BlkioDeviceReadIOps": blkio.device_read_iops,
        "BlkioDeviceWriteBps": blkio.device_write_bps,
        "BlkioDeviceWriteIOps": blkio.device_write_iops,
    }
    return body | {key: _throttles(devices) for key, devices in rates.items() if devices}


def _throttles(devices: tuple[ThrottleDevice, ...]) -> list[dict[str, Any]]:
    return [{"Path": item.path, "Rate": int(item.rate)} for item in devices]
