"""Measures what containers use: CPU, memory, network and disk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from invoke_devstack.errors import EngineError

if TYPE_CHECKING:
    from invoke_devstack.engine.protocol import Engine
    from invoke_devstack.planning.observed import ObservedContainer

COLUMNS = (
    "service",
    "cpu_percent",
    "memory",
    "memory_limit",
    "received",
    "sent",
    "read",
    "written",
    "pids",
)


class Meters:
    """A running measurement of each container, of which the engine sends a sample each second."""

    def __init__(self, engine: Engine, containers: Sequence[ObservedContainer]) -> None:
        self._meters: list[tuple[ObservedContainer, Iterator[Mapping[str, Any]]]] = [
            (container, iter(engine.stats(container.id))) for container in containers
        ]

    def read(self) -> list[dict[str, object]]:
        """A row with the next sample of each running container."""
        rows = (_next_row(*meter) for meter in self._meters)
        return [row for row in rows if row is not None]


def _next_row(container: ObservedContainer, samples: Iterator[Mapping[str, Any]]) -> dict[str, object] | None:
    """None once the container is gone. Skips the first sample, which has none to compare with."""
    try:
        for sample in samples:
            if (sample.get("precpu_stats") or {}).get("system_cpu_usage"):
                return {"service": container.service, "container": container.name, **usage(sample)}
    except EngineError:
        return None
    return None


def idle_row(container: ObservedContainer) -> dict[str, object]:
    """The row of a container that does not run: it uses nothing, which null says."""
    names = {"service": container.service, "container": container.name}
    return {**dict.fromkeys(COLUMNS), **names}


def usage(sample: Mapping[str, Any]) -> dict[str, object]:
    """The columns from a sample of `GET /containers/{id}/stats`. `cpu_percent` is relative to one CPU; sizes
    are in bytes. Memory excludes reclaimable page cache, as in `docker stats`."""
    memory = sample.get("memory_stats") or {}
    details = memory.get("stats") or {}
    cache = details.get("total_inactive_file", details.get("inactive_file", 0))
    networks = (sample.get("networks") or {}).values()
    blocks = (sample.get("blkio_stats") or {}).get("io_service_bytes_recursive") or ()
    return {
        "cpu_percent": round(_cpu_percent(sample), 1),
        "memory": max(memory.get("usage", 0) - cache, 0),
        "memory_limit": memory.get("limit", 0),
        "received": sum(item.get("rx_bytes", 0) for item in networks),
        "sent": sum(item.get("tx_bytes", 0) for item in networks),
        "read": sum(item["value"] for item in blocks if item["op"].lower() == "read"),
        "written": sum(item["value"] for item in blocks if item["op"].lower() == "write"),
        "pids": (sample.get("pids_stats") or {}).get("current", 0),
    }


def _cpu_percent(sample: Mapping[str, Any]) -> float:
    now, before = sample["cpu_stats"], sample["precpu_stats"]
    used = now["cpu_usage"]["total_usage"] - before["cpu_usage"]["total_usage"]
    passed = now.get("system_cpu_usage", 0) - before.get("system_cpu_usage", 0)
    cpus = now.get("online_cpus") or len(now["cpu_usage"].get("percpu_usage") or ()) or 1
    return 100.0 * cpus * used / passed if passed > 0 else 0.0
