"""All faults, by name, with the rounds of the whole run and of the quick one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.faults import (
    containers,
    data,
    engine_gone,
    forgotten,
    full_disk,
    growth,
    killed,
    meeting,
    odd_times,
    restoring,
    strangers,
)
from tests.faults.lab import Lab
from tests.faults.second import operations


@dataclass(frozen=True)
class Fault:
    says: str
    run: Callable[[Lab], None]
    rounds: int  # 0: only in the quick run
    quick: int = 0  # 0: only in the whole run


FAULTS: dict[str, Fault] = {
    "kill-up": Fault("`up` gets SIGKILL", killed.up, 34, 2),
    "kill-down": Fault("`down` gets SIGKILL", killed.down, 33, 1),
    "kill-watch": Fault("`watch` gets SIGKILL", killed.watch, 33, 1),
    "engine-up": Fault("the engine ends and comes back during `up`", engine_gone.during_up, 6, 1),
    "engine-down": Fault("the same during `down`", engine_gone.during_down, 6),
    "engine-logs": Fault("the same during `logs --follow`", engine_gone.during_logs, 6, 1),
    "engine-watch": Fault("the same during `watch`", engine_gone.during_watch, 4),
    "engine-hangs": Fault("the engine is frozen for 30 s", engine_gone.hangs, 1, 1),
    "engine-forgets": Fault(
        "the engine is killed before it notes a container's start", forgotten.after_a_start, 6, 3
    ),
    "crash": Fault("a container crashes", containers.crashes, 2, 1),
    "memory": Fault("a container is killed for memory", containers.is_killed_for_memory, 2),
    "loop": Fault("a container restarts in a loop", containers.restarts_in_a_loop, 2, 1),
    "by-hand": Fault(
        "containers, networks, volumes, images removed or changed by hand", containers.by_hand, 2
    ),
    "disk-pull": Fault("the disk is full during a pull", full_disk.during_pull, 2),
    "disk-build": Fault("the disk is full during a build", full_disk.during_build, 2, 1),
    "disk-sync": Fault("the disk is full during a sync", full_disk.during_sync, 2),
    "disk-snapshot": Fault("the disk is full during a snapshot", full_disk.during_snapshot, 2),
    "disk-server": Fault("a full disk ends a Redis", full_disk.ends_a_server, 6, 1),
    "registry": Fault("the registry dies in the middle of a layer", full_disk.registry_dies, 2),
    "dns": Fault("a registry's name is unknown", full_disk.name_is_unknown, 2),
    "clock": Fault("the clock jumps", odd_times.clock_jumps, 4),
    "sleep": Fault("the machine sleeps", odd_times.machine_sleeps, 2),
    "two-ups": Fault("two `up`s of one project", meeting.two_ups, 5),
    "down-during-up": Fault("`down` during an `up`", meeting.down_during_up, 5, 1),
    "ten-projects": Fault("10 projects at once", meeting.ten_projects, 2),
    "data": Fault("writers to MySQL and Redis, whatever happens", data.survive, 50, 1),
    "restore-killed": Fault("`restore` is killed, and the `up` that settles it", restoring.killed, 12, 1),
    "restore-shutdown": Fault("the machine shuts down during a restore", restoring.shut_down, 8),
    "restore-disk": Fault("the disk is full from some moment of a restore on", restoring.on_a_full_disk, 8),
    "second": Fault("each operation is struck, and its settling", operations.strike_each, 0, 8),
    "second-scale": Fault("`scale` is struck, and its settling", operations.striking("scale"), 25),
    "second-rm": Fault("the same with `rm --stop`", operations.striking("rm"), 25),
    "second-recreate": Fault("the same with an `up` that recreates", operations.striking("recreate"), 25),
    "second-watch": Fault("the same with a rebuild of the watch", operations.striking("watch"), 25),
    "second-reset": Fault("the same with `reset`", operations.striking("reset"), 25),
    "second-snapshot": Fault("the same with `snapshot`", operations.striking("snapshot"), 25),
    "second-restore": Fault("the same with `restore`", operations.striking("restore"), 25),
    "second-import": Fault("the same with `snapshots.import`", operations.striking("import"), 25),
    "strangers": Fault("20 projects with look-alike names", strangers.are_left_alone, 2),
    "up-down": Fault("`up` and `down` again and again", growth.up_and_down, 50, 3),
}
