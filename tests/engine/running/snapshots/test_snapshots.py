"""Snapshots of a service's data on real engines: taken, put back, removed, and before a reset."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from invoke_devstack.errors import DevstackError, ServiceError, UsageError
from invoke_devstack.events import ServiceReady, ServiceStopped
from invoke_devstack.planning.plans.snapshots import PROJECT
from invoke_devstack.running.snapshots import resetting, taking
from invoke_devstack.running.stack import lifecycle
from tests.engine.running.snapshots.conftest import AWKWARD, DB, LISTING, names, restore, shell, states, take
from tests.engine.stacks import Stack


def test_a_restore_brings_back_every_file_with_owner_mode_and_links(stack: Stack) -> None:
    stack.up()
    shell(stack, AWKWARD)
    made = take(stack)
    before = shell(stack, LISTING)
    shell(stack, "rm -rf /data/deep /data/.dot; echo ruined > /data/ruined; chmod 777 /data")
    restore(stack)
    assert shell(stack, LISTING) == before
    assert made.size > 0
    assert made.volumes == ("data",)


def test_the_service_ends_gracefully_before_the_copy_and_is_ready_after_it(stack: Stack) -> None:
    stack.up()
    session = stack.session()
    taking.take(session, "db", "one")
    (stopped,) = stack.of(ServiceStopped)
    assert (stopped.service, stopped.killed) == ("db", False)
    assert [event.service for event in stack.of(ServiceReady)] == ["db"]
    assert states(stack) == {"db": "running", "web": "running"}
    shell(stack, "echo more >> /data/log")
    restore(stack)
    # What it wrote when it was stopped for the copy is in the snapshot; the rest is not.
    assert shell(stack, "head -n 1 /data/log; wc -l < /data/log").split() == ["closed", "1"]


def test_a_stack_that_is_down_stays_down(stack: Stack) -> None:
    stack.up()
    shell(stack, "echo kept > /data/file")
    stack.down()
    take(stack)
    assert states(stack) == {}
    shell(stack, "echo ruined > /data/file")
    restore(stack)
    assert states(stack) == {}
    assert shell(stack, "cat /data/file") == "kept\n"


def test_an_image_without_a_shell_is_copied_by_that_of_another_service(stack: Stack) -> None:
    program = next(path for path in (Path("/bin/busybox"), Path("/usr/bin/busybox")) if path.exists())
    root = io.BytesIO()
    with tarfile.open(fileobj=root, mode="w") as archive:
        archive.add(program, "busybox")
    bare = f"devstack-test/{stack.project}-bare:1"
    stack.engine.import_image(io.BytesIO(root.getvalue()), bare)
    try:
        lines = DB.replace("image: IMAGE", f'image: "{bare}"', 1).splitlines()
        lines[5] = '    command: [/busybox, sleep, "1000"]'
        stack.write("\n".join(lines))
        stack.up()
        shell(stack, "echo kept > /data/file")
        take(stack)
        shell(stack, "rm /data/file")
        restore(stack)
        assert shell(stack, "cat /data/file") == "kept\n"
    finally:
        stack.down(volumes=True)
        stack.engine.remove_image(bare, force=True)


def test_a_snapshot_outlives_the_volume_that_it_is_of(stack: Stack) -> None:
    stack.up()
    shell(stack, "echo kept > /data/file")
    take(stack)
    stack.down(volumes=True)
    restore(stack)
    assert shell(stack, "cat /data/file") == "kept\n"
    assert stack.up().plan.notices == ()


def test_what_stands_in_the_way_is_told_before_anything_stops(stack: Stack) -> None:
    with pytest.raises(DevstackError, match="no data yet"):
        take(stack)
    stack.up()
    take(stack)
    with pytest.raises(UsageError, match="already"):
        take(stack)
    with pytest.raises(UsageError, match="invalid snapshot name"):
        take(stack, "../x")
    with pytest.raises(ServiceError, match="no named volume"):
        take(stack, service="web")
    with pytest.raises(UsageError) as missing:
        restore(stack, "on")
    assert "Did you mean `one`?" in missing.value.hint
    lifecycle.pause(stack.session(), ("db",))
    with pytest.raises(ServiceError, match="is paused"):
        take(stack, "two")
    assert names(stack) == ["one"]
    assert states(stack) == {"db": "paused", "web": "running"}


def test_a_container_of_somebody_else_on_the_volume_is_named(stack: Stack, other: Stack) -> None:
    stack.up()
    body = {
        "Image": stack.image,
        "Cmd": ["sleep", "100"],
        "HostConfig": {"Binds": [f"{stack.project}_data:/data"]},
    }
    stranger = stack.engine.create_container(f"{other.project}-stranger", body)
    stack.engine.start(stranger)
    try:
        with pytest.raises(DevstackError, match="-stranger also uses the volume"):
            take(stack)
    finally:
        stack.engine.remove_container(stranger, force=True)


def test_a_reset_takes_a_snapshot_empties_and_runs_the_seed(stack: Stack) -> None:
    seeded: list[str] = []
    stack.hooks.add(
        "after", "db", lambda _: seeded.append(shell(stack, "ls -A /data; echo seed > /data/seed"))
    )
    stack.up()
    shell(stack, "echo precious > /data/file")
    session = stack.session()
    (kept,) = resetting.reset(session, resetting.resettable(session, ("db",)))
    assert kept.name.startswith("before-reset-")
    assert states(stack) == {"db": "running", "web": "running"}
    assert len(seeded) == 2
    assert seeded[1] == ""
    assert shell(stack, "ls /data").split() == ["seed"]
    restore(stack, kept.name)
    assert shell(stack, "cat /data/file") == "precious\n"


def test_a_reset_leaves_external_volumes_alone(stack: Stack) -> None:
    stack.engine.create_volume(f"{stack.project}_data", {})
    stack.write(DB.replace("{data: {}}", f"{{data: {{external: true, name: {stack.project}_data}}}}"))
    with pytest.raises(DevstackError, match="does not belong to this project"):
        resetting.resettable(stack.session(), ("db",))
    assert resetting.resettable(stack.session(), ()) == ()
    stack.engine.remove_volume(f"{stack.project}_data")


def test_a_removed_snapshot_gives_its_room_back(stack: Stack) -> None:
    stack.up()
    take(stack)
    taking.remove(stack.session(), "one")
    assert names(stack) == []
    assert stack.engine.list_volumes({"label": [f"{PROJECT}={stack.project}"]}) == []
