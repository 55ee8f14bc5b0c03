"""What a process and its children use, in the form of the engine's answers."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import psutil

from invoke_devstack.planning.plan import Body

_EVERY = 1.0  # seconds
_NANO = 10**9
_TITLES = ["PID", "PPID", "TIME", "CMD"]


def top(pid: int) -> Body:
    """As in `GET /containers/ID/top`."""
    rows = []
    for item in _family(pid):
        with contextlib.suppress(psutil.Error):
            seconds = int(sum(item.cpu_times()[:2]))
            clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
            rows.append([str(item.pid), str(item.ppid()), clock, " ".join(item.cmdline()) or item.name()])
    return {"Titles": _TITLES, "Processes": rows}


def samples(pid_now: Callable[[], int]) -> Iterator[Body]:
    """As in `GET /containers/ID/stats`: one a second, as long as it runs."""
    before: Body = {}
    while pid := pid_now():
        cpu, body = _sample(pid)
        yield {**body, "cpu_stats": cpu, "precpu_stats": before}
        before = cpu
        time.sleep(_EVERY)


def _sample(pid: int) -> tuple[dict[str, Any], dict[str, Any]]:
    used, memory, read, written, count = 0.0, 0, 0, 0, 0
    for item in _family(pid):
        with contextlib.suppress(psutil.Error):
            used += sum(item.cpu_times()[:2])
            memory += item.memory_info().rss
            count += 1
            with contextlib.suppress(AttributeError, psutil.Error):
                disk = item.io_counters()
                read, written = read + disk.read_bytes, written + disk.write_bytes
    cpus = psutil.cpu_count() or 1
    cpu = {
        "cpu_usage": {"total_usage": int(used * _NANO)},
        "system_cpu_usage": int(time.monotonic() * cpus * _NANO),
        "online_cpus": cpus,
    }
    return cpu, {
        "memory_stats": {"usage": memory, "limit": psutil.virtual_memory().total},
        "blkio_stats": {
            "io_service_bytes_recursive": [{"op": "read", "value": read}, {"op": "write", "value": written}]
        },
        "pids_stats": {"current": count},
    }


def _family(pid: int) -> list[psutil.Process]:
    """The process and everything that it started."""
    if not pid:
        return []
    with contextlib.suppress(psutil.Error):
        first = psutil.Process(pid)
        return [first, *first.children(recursive=True)]
    return []
