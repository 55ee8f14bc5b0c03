"""The machine: disk, memory, clock, and whether file changes are reported."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from invoke_devstack.engine.builds.buildx import find_buildx
from invoke_devstack.engine.builds.choose_builder import INSTALL_BUILDX
from invoke_devstack.errors import EngineUnavailableError
from invoke_devstack.file_systems import lacks_events
from invoke_devstack.setup.doctor.check import Check, State, Subject


def check_engine(subject: Subject) -> Iterator[Check]:
    """The engine that answers: version, platform, address."""
    assert subject.engine is not None
    info, endpoint = subject.engine.info(), subject.engine.endpoint
    api = ".".join(map(str, info.api))
    found = f"{info.name} {info.version} (API {api}, {info.os}/{info.architecture}) at {endpoint.url}"
    yield Check("engine", "ok", found)


def no_engine(error: EngineUnavailableError) -> Check:
    """The failed check of an engine that does not answer."""
    return Check("engine", "failed", error.message, "Nothing can run.", error.hint)


def check_builder(subject: Subject) -> Iterator[Check]:
    """BuildKit through buildx, or the engine's classic builder."""
    if subject.engine is not None and subject.engine.info().name == "Podman":
        yield Check("builder", "ok", "Podman's")
    elif (buildx := find_buildx()) is not None:
        yield Check("builder", "ok", f"BuildKit ({buildx})")
    else:
        yield Check(
            "builder",
            "warning",
            "the classic builder: docker-buildx is not installed",
            "Dockerfiles with RUN --mount, COPY --chmod or here-documents cannot be built.",
            INSTALL_BUILDX,
        )


GIB = 1 << 30
LITTLE_DISK, NO_DISK = 5 * GIB, 1 * GIB
LITTLE_INODES = 0.05
LITTLE_MEMORY = GIB // 2
TOLERATED_SKEW = 5.0  # seconds
FEW_WATCHES = 65536
CLEAN_UP = "docker builder prune --force && docker image prune --force"


def check_disk(subject: Subject) -> Iterator[Check]:
    """Space where the engine keeps its data, or in the project's directory if that is not visible."""
    folder = Path(str(subject.info["DockerRootDir"])) if subject.is_local else subject.directory
    free, inodes, known = _room(folder)
    found = f"{free / GIB:.0f} GiB free in {folder}{f', and {inodes:.0%} of its inodes' if known else ''}"
    if free < LITTLE_DISK or inodes < LITTLE_INODES:
        state: State = "failed" if free < NO_DISK or inodes < LITTLE_INODES / 5 else "warning"
        yield Check("disk", state, found, "Builds and databases fail on a full disk.", CLEAN_UP)
    else:
        yield Check("disk", "ok", found)


def _room(folder: Path) -> tuple[int, float, bool]:
    """Free bytes, the free share of inodes, and whether that is known: Windows has none."""
    if sys.platform == "win32":
        return shutil.disk_usage(folder).free, 1.0, False
    status = os.statvfs(folder)
    inodes = status.f_favail / status.f_files if status.f_files else 1.0
    return status.f_bavail * status.f_frsize, inodes, True


def check_memory(subject: Subject) -> Iterator[Check]:
    """Free memory, and the services' limits."""
    import psutil

    total = int(subject.info.get("MemTotal") or psutil.virtual_memory().total)
    available = min(psutil.virtual_memory().available, total)
    wanted = _memory_limits(subject)
    found = f"{available / GIB:.1f} of {total / GIB:.1f} GiB free"
    if wanted > total:
        found += f"; the services may use {wanted / GIB:.1f} GiB"
        matters = "If they use it all, the kernel kills one of them (exit code 137)."
        yield Check(
            "memory",
            "warning",
            found,
            matters,
            "Lower `mem_limit` in the Compose files, or give the engine's VM more memory.",
        )
    elif available < LITTLE_MEMORY:
        matters = "When memory runs out, the kernel kills a service (exit code 137)."
        yield Check(
            "memory",
            "warning",
            found,
            matters,
            "Stop what you do not need. Stacks that are running: `invoke stacks`",
        )
    else:
        yield Check("memory", "ok", found)


def _memory_limits(subject: Subject) -> int:
    services = subject.definition.services.values() if subject.definition else ()
    return sum(int(service.mem_limit or 0) * service.scale_count() for service in services)


def check_clock(subject: Subject) -> Iterator[Check]:
    """The engine's clock and this one: the watch compares file times."""
    told = str(subject.info.get("SystemTime", ""))
    if not told:
        return
    skew = abs(datetime.fromisoformat(told).timestamp() - time.time())
    if skew > TOLERATED_SKEW:
        yield Check(
            "clock",
            "warning",
            f"the engine's clock differs from this machine's by {skew:.0f} s",
            "Certificates and logins may be rejected, and the watch may miss changes.",
            "sudo timedatectl set-ntp true" if subject.is_local else "Restart the engine's VM.",
        )
    else:
        yield Check("clock", "ok", "the engine's clock agrees with this machine's")


def check_file_events(subject: Subject) -> Iterator[Check]:
    """Whether a saved file is reported at once, which `watch` relies on."""
    system = file_system_of(subject.directory)
    if lacks_events(system):
        yield Check(
            "file events",
            "warning",
            f"the project is on {system}, which does not report changes made elsewhere",
            "`watch` may miss changes unless it polls all files.",
            "export INVOKE_DEVSTACK_WATCH_FORCE_POLLING=1",
        )
        return
    seconds = measure_file_event()
    if seconds is None:
        matters = "`watch` does not notice what you save."
        yield Check(
            "file events",
            "failed",
            "a test file's change was not reported within 2 s",
            matters,
            _MORE_WATCHES,
        )
    elif 0 < (limit := _watch_limit()) < FEW_WATCHES:
        matters = "A project with more directories is watched by polling, which is slower."
        yield Check(
            "file events", "warning", f"at most {limit} directories can be watched", matters, _MORE_WATCHES
        )
    else:
        yield Check("file events", "ok", f"a change was reported after {seconds * 1000:.0f} ms")


_MORE_WATCHES = "sudo sysctl fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=512"


def measure_file_event(limit: float = 2.0) -> float | None:
    """Seconds from a change in a temporary directory to its event; None if none came within `limit`."""
    from watchfiles import watch

    with tempfile.TemporaryDirectory(prefix="devstack-doctor-") as folder:
        stop = threading.Event()
        changed_at: list[float] = []

        def change() -> None:
            # Several changes: the first may come before the watch is ready.
            for number in range(int(limit / 0.2)):
                if stop.wait(0.2):
                    return
                changed_at.append(time.monotonic())
                (Path(folder) / f"file-{number}").touch()
            stop.set()

        thread = threading.Thread(target=change, daemon=True)
        thread.start()
        try:
            for _ in watch(folder, debounce=1, step=1, rust_timeout=100, stop_event=stop):
                return time.monotonic() - changed_at[-1]
        except OSError:
            return None
        finally:
            stop.set()
            thread.join()
    return None


def file_system_of(folder: Path) -> str:
    """The type of the file system of `folder`, such as ext4; "" if unknown."""
    import psutil

    resolved = folder.resolve()
    mounts: list[Any] = [
        part for part in psutil.disk_partitions(all=True) if resolved.is_relative_to(part.mountpoint)
    ]
    return max(mounts, key=lambda part: len(part.mountpoint)).fstype if mounts else ""


def _watch_limit() -> int:
    """How many directories a user can watch on Linux; 0 elsewhere."""
    file = Path("/proc/sys/fs/inotify/max_user_watches")
    return int(file.read_text()) if file.is_file() else 0
