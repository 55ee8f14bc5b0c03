"""The machine itself: disk, memory, clock, and whether changes of files are told."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from invoke_devstack.setup.doctor.check import Check, Patient, State

GIB = 1 << 30
LITTLE_DISK, NO_DISK = 5 * GIB, 1 * GIB
LITTLE_INODES = 0.05
LITTLE_MEMORY = GIB // 2
TOLERATED_SKEW = 5.0  # seconds
FEW_WATCHES = 65536
SILENT_FILE_SYSTEMS = frozenset(
    {"9p", "nfs", "nfs4", "cifs", "smb3", "vboxsf", "prl_fs", "fuse.sshfs", "virtiofs", "vmhgfs-fuse"}
)
CLEAN_UP = "docker builder prune --force && docker image prune --force"


def check_disk(patient: Patient) -> Iterator[Check]:
    """Room for images and volumes where the engine keeps them; here, where that cannot be seen."""
    folder = Path(str(patient.info["DockerRootDir"])) if patient.is_local else patient.directory
    status = os.statvfs(folder)
    free = status.f_bavail * status.f_frsize
    inodes = status.f_favail / status.f_files if status.f_files else 1.0
    found = f"{free / GIB:.0f} GiB free for {folder}, {inodes:.0%} of its inodes"
    if free < LITTLE_DISK or inodes < LITTLE_INODES:
        state: State = "failed" if free < NO_DISK or inodes < LITTLE_INODES / 5 else "warning"
        yield Check("disk", state, found, "Builds and databases fail on a full disk.", CLEAN_UP)
    else:
        yield Check("disk", "ok", found)


def check_memory(patient: Patient) -> Iterator[Check]:
    """Memory that is free, and what the services may take of it."""
    import psutil

    total = int(patient.info.get("MemTotal") or psutil.virtual_memory().total)
    available = min(psutil.virtual_memory().available, total)
    wanted = _memory_limits(patient)
    found = f"{available / GIB:.1f} of {total / GIB:.1f} GiB free"
    if wanted > total:
        found += f"; the services may take {wanted / GIB:.1f} GiB"
        matters = "Together they may take more than there is: the kernel then kills one of them."
        yield Check("memory", "warning", found, matters, "Lower mem_limit, or give the engine's VM more.")
    elif available < LITTLE_MEMORY:
        matters = "The kernel kills a service when none is left (exit code 137)."
        yield Check("memory", "warning", found, matters, "End what you do not need: invoke stacks")
    else:
        yield Check("memory", "ok", found)


def _memory_limits(patient: Patient) -> int:
    services = patient.definition.services.values() if patient.definition else ()
    return sum(int(service.mem_limit or 0) * service.scale_count() for service in services)


def check_clock(patient: Patient) -> Iterator[Check]:
    """The engine's clock beside this one: the watch compares the times of files."""
    told = str(patient.info.get("SystemTime", ""))
    if not told:
        return
    skew = abs(datetime.fromisoformat(told).timestamp() - time.time())
    if skew > TOLERATED_SKEW:
        yield Check(
            "clock",
            "warning",
            f"the engine's clock is {skew:.0f} s off this machine's",
            "Certificates and logins may be refused, and the watch takes new files for old.",
            "sudo timedatectl set-ntp true" if patient.is_local else "Restart the engine's VM.",
        )
    else:
        yield Check("clock", "ok", "the engine's clock is this machine's")


def check_file_events(patient: Patient) -> Iterator[Check]:
    """Whether a saved file is told of at once, which `watch` lives on."""
    system = file_system_of(patient.directory)
    if system in SILENT_FILE_SYSTEMS:
        yield Check(
            "file events",
            "warning",
            f"the project is on {system}, which tells of no change made elsewhere",
            "`watch` has to look at every file again and again.",
            "export INVOKE_DEVSTACK_WATCH_FORCE_POLLING=1",
        )
        return
    seconds = measure_file_event()
    if seconds is None:
        matters = "`watch` does not notice what you save."
        yield Check("file events", "failed", "none came within 2 s", matters, _MORE_WATCHES)
    elif 0 < (limit := _watch_limit()) < FEW_WATCHES:
        matters = "A project with more folders than that is watched by polling."
        yield Check(
            "file events", "warning", f"at most {limit} folders may be watched", matters, _MORE_WATCHES
        )
    else:
        yield Check("file events", "ok", f"a change was told of after {seconds * 1000:.0f} ms")


_MORE_WATCHES = "sudo sysctl fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=512"


def measure_file_event(limit: float = 2.0) -> float | None:
    """Seconds from a change in a temporary folder to the word of it; None if none came within `limit`."""
    from watchfiles import watch

    with tempfile.TemporaryDirectory(prefix="devstack-doctor-") as folder:
        stop = threading.Event()
        changed_at: list[float] = []

        def change() -> None:
            # More than one: the first may come before the watch has begun.
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
    """The type of the file system that `folder` is on, such as ext4; "" where it is not known."""
    import psutil

    resolved = folder.resolve()
    mounts: list[Any] = [
        part for part in psutil.disk_partitions(all=True) if resolved.is_relative_to(part.mountpoint)
    ]
    return max(mounts, key=lambda part: len(part.mountpoint)).fstype if mounts else ""


def _watch_limit() -> int:
    """How many folders one user may watch on Linux; 0 elsewhere."""
    file = Path("/proc/sys/fs/inotify/max_user_watches")
    return int(file.read_text()) if file.is_file() else 0
