"""Every stack on the engine, and what takes its disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from invoke_devstack.errors import EngineError
from invoke_devstack.planning import labels
from invoke_devstack.running.session import Session
from invoke_devstack.running.stack.stacks import all_stacks, rows
from invoke_devstack.running.stack.stats import usage

_PARALLEL = 8
_MOST_VOLUMES = 200


def stacks(session: Session) -> list[dict[str, Any]]:
    """`GET stacks`, as `invoke stacks --json`, and the memory that each takes; `own` is this one."""
    memory = _memory(session)
    return [
        {**row, "memory": memory.get(str(row["stack"]), 0), "own": row["stack"] == session.project}
        for row in rows(all_stacks(session.engine))
    ]


def _memory(session: Session) -> Counter[str]:
    running = session.engine.list_containers({"label": [labels.PROJECT]}, all_=False)
    found: Counter[str] = Counter()
    with ThreadPoolExecutor(_PARALLEL, "memory") as pool:
        for entry, used in zip(
            running, pool.map(lambda item: _used(session, item["Id"]), running), strict=True
        ):
            found[entry["Labels"][labels.PROJECT]] += used
    return found


def _used(session: Session, container: str) -> int:
    with suppress(EngineError):
        sample = session.engine.sample(container)
        return int(str(usage({**sample, "precpu_stats": sample["cpu_stats"]})["memory"]))
    return 0


def disk(session: Session) -> dict[str, Any]:
    """`GET disk`: as `docker system df` counts it, without what images share."""
    used = session.engine.disk_usage()
    images = used.get("Images") or []
    containers = used.get("Containers") or []
    volumes = used.get("Volumes") or []
    cache = used.get("BuildCache") or []
    return {
        "stacks": _by_stack(containers, volumes),
        "images": {
            "count": len(images),
            "size": int(used.get("LayersSize") or 0),
            "reclaimable": _sum((item for item in images if not item.get("Containers")), _own_size),
        },
        "containers": {
            "count": len(containers),
            "size": _sum(containers, lambda item: item.get("SizeRw")),
            "reclaimable": _sum(
                (item for item in containers if item.get("State") != "running"),
                lambda item: item.get("SizeRw"),
            ),
        },
        "volumes": {
            "count": len(volumes),
            "size": _sum(volumes, _volume_size),
            "reclaimable": _sum((item for item in volumes if not _users(item)), _volume_size),
            "largest": _largest(volumes),
        },
        "build_cache": {
            "count": len(cache),
            "size": _sum(cache, lambda item: item.get("Size")),
            "reclaimable": _sum(
                (item for item in cache if not item.get("InUse")), lambda item: item.get("Size")
            ),
        },
    }


def _largest(volumes: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The largest volumes first."""
    rows = [
        {
            "name": item["Name"],
            "stack": (item.get("Labels") or {}).get(labels.PROJECT, ""),
            "size": max(_volume_size(item), 0),
            "used": bool(_users(item)),
        }
        for item in volumes
    ]
    return sorted(rows, key=lambda row: (-row["size"], row["name"]))[:_MOST_VOLUMES]


def _by_stack(containers: Iterable[Mapping[str, Any]], volumes: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """What containers wrote and volumes hold, by stack."""
    found: Counter[str] = Counter()
    for item in containers:
        found[(item.get("Labels") or {}).get(labels.PROJECT, "")] += int(item.get("SizeRw") or 0)
    for item in volumes:
        found[(item.get("Labels") or {}).get(labels.PROJECT, "")] += max(_volume_size(item), 0)
    del found[""]
    return found


def _sum(items: Iterable[Mapping[str, Any]], size: Any) -> int:
    return sum(max(int(size(item) or 0), 0) for item in items)


def _own_size(image: Mapping[str, Any]) -> int:
    return int(image.get("Size") or 0) - max(int(image.get("SharedSize") or 0), 0)


def _volume_size(volume: Mapping[str, Any]) -> int:
    return int((volume.get("UsageData") or {}).get("Size") or 0)


def _users(volume: Mapping[str, Any]) -> int:
    return int((volume.get("UsageData") or {}).get("RefCount") or 0)
