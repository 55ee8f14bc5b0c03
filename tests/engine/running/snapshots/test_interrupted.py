"""Snapshots and restores that are cut off, or have no room: whole, or never offered; put back whole, or not
at all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from invoke_devstack.errors import DevstackError, Interrupted
from invoke_devstack.events import Notice
from invoke_devstack.planning import labels
from invoke_devstack.planning.plans.snapshots import PROJECT, Snapshot
from invoke_devstack.running import copy_container
from invoke_devstack.running.snapshots import taking
from invoke_devstack.running.stack import lifecycle
from tests.engine.running.snapshots.conftest import DB, names, restore, shell, states, take
from tests.engine.stacks import Stack


@contextmanager
def once_copying(stack: Stack, act: Callable[[], None]) -> Iterator[None]:
    """While entered, `act` is called when the stack's copy container has begun to copy."""
    wanted = [f"{labels.PROJECT}={stack.project}", f"{labels.COPY_CONTAINER}={copy_container.COPY}"]
    started = stack.engine.events({"type": ["container"], "event": ["start"], "label": wanted})

    def wait() -> None:
        for _ in started:
            act()
            return

    waiter = threading.Thread(target=wait)
    waiter.start()
    try:
        yield
    finally:
        started.close()
        waiter.join(10)


def test_a_signal_ends_the_copy_and_everything_goes_on_as_before(stack: Stack) -> None:
    stack.up()
    # A hole, which takes no room and no time to make, and seconds to copy.
    shell(stack, "dd if=/dev/zero of=/data/big bs=1M seek=2000 count=0 2>/dev/null")
    session = stack.session()
    with once_copying(stack, lambda: session.interrupt.deliver(2)), pytest.raises(Interrupted):
        taking.take(session, "db", "one")
    assert names(stack) == []
    assert stack.engine.list_volumes({"label": [f"{PROJECT}={stack.project}"]}) == []
    assert states(stack) == {"db": "running", "web": "running"}


def leave_copy_container(stack: Stack, copy: Callable[[], object]) -> None:
    """What a killed command leaves: its copy container, in the middle of its work."""
    with pytest.raises(KeyboardInterrupt), pytest.MonkeyPatch.context() as patch:
        # The process is gone before it can clear away: neither the wait nor the removal happens.
        patch.setattr(stack.engine, "remove_container", lambda *_, **__: None)
        patch.setattr(stack.engine, "inspect_container", _killed)
        copy()


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_half_snapshot_is_never_offered_and_cleared_away_by_the_next_up(stack: Stack) -> None:
    stack.up()
    shell(stack, "dd if=/dev/zero of=/data/big bs=1M count=200 2>/dev/null")
    half = Snapshot(stack.project, "db", "half", ("data",), "2026-01-01T00:00:00+00:00")
    stack.engine.create_volume(half.data_volume, half.data_body())
    binds = {"/to": half.data_volume, "/from/data": f"{stack.project}_data:ro"}
    leave_copy_container(stack, lambda: copy_container.copy(stack.session(), "db", binds))
    assert names(stack) == []
    assert not stack.up().changed
    assert any("interrupted snapshot" in event.text for event in stack.of(Notice))
    assert stack.engine.list_volumes({"label": [f"{PROJECT}={stack.project}"]}) == []


def test_the_next_up_settles_a_restore_that_was_killed_in_its_copy(stack: Stack) -> None:
    stack.up()
    shell(stack, "dd if=/dev/zero of=/data/big bs=1M count=200 2>/dev/null; echo first > /data/file")
    made = take(stack)
    shell(stack, "rm /data/big; echo second > /data/file")
    lifecycle.stop(stack.session())
    volumes = {"data": f"{stack.project}_data"}
    leave_copy_container(
        stack, lambda: copy_container.restore(stack.session(), made, volumes, f"{stack.project}-no-mark")
    )
    stack.up()
    assert states(stack) == {"db": "running", "web": "running"}
    # Whichever it is, it is all of it: the copy may have been complete already.
    found = shell(stack, "cat /data/file; ls -A /data").split()
    assert set(found) in ({"second", "file", "log"}, {"first", "file", "big", "log"})


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("mkdir -p $w/part; echo new > $w/part/file", "old"),
        ("mkdir -p $w/new; echo new > $w/new/file", "new"),
        ("mkdir -p $w/new $w/old; echo new > $w/new/file; mv /data/file $w/old/", "new"),
        ("mkdir -p $w/new $w/old; echo new > $w/new/file; mv /data/file $w/old/; : > $w/out", "new"),
        ("mkdir -p $w/new $w/old; mv /data/file $w/old/; : > $w/out; echo new > /data/file", "new"),
        ("mkdir -p /data/.devstack-restored/old; echo new > /data/file", "new"),
    ],
)
def test_a_restore_that_was_cut_off_anywhere_ends_as_all_old_or_all_new(
    stack: Stack, moment: str, expected: str
) -> None:
    stack.engine.create_volume(f"{stack.project}_data", {})
    shell(stack, f"echo old > /data/file; w=/data/.devstack-restore; mkdir $w; {moment}")
    assert finish(stack, "data") == expected
    assert shell(stack, "cat /data/file; ls -A /data").split() == [expected, "file"]
    stack.engine.remove_volume(f"{stack.project}_data")


def finish(stack: Stack, *keys: str) -> str:
    volumes = {key: f"{stack.project}_{key}" for key in keys}
    mark = f"{stack.project}-no-mark"
    try:
        return copy_container.finish(stack.session(), "db", volumes, mark)
    finally:
        stack.engine.remove_volume(mark)


TWO = DB.replace('["data:/data"]', '["data:/data", "more:/more"]').replace(
    "{data: {}}", "{data: {}, more: {}}"
)


def test_two_volumes_change_together_or_not_at_all(stack: Stack) -> None:
    stack.write(TWO)
    stack.up()
    for volume in ("data", "more"):
        shell(stack, "echo first > /data/file", volume)
    take(stack)
    for volume in ("data", "more"):
        shell(stack, "echo second > /data/file", volume)
    # The first volume has its new data, the second only the copy beside the old ones.
    shell(stack, "mkdir -p /data/.devstack-restore/new; echo first > /data/.devstack-restore/new/file")
    shell(
        stack, "mkdir -p /data/.devstack-restore/part; echo first > /data/.devstack-restore/part/file", "more"
    )
    assert finish(stack, "data", "more") == "new"
    assert [shell(stack, "cat /data/file", volume) for volume in ("data", "more")] == ["first\n", "first\n"]


SMALL = DB.replace("{data: {}}", '{data: {driver_opts: {type: tmpfs, device: tmpfs, o: "size=2m"}}}')


def test_a_disk_without_room_keeps_the_old_data_and_says_what_to_do(stack: Stack) -> None:
    stack.up()
    shell(stack, "dd if=/dev/zero of=/data/big bs=1M count=8 2>/dev/null")
    take(stack)
    stack.down(volumes=True)
    stack.write(SMALL)
    stack.up()
    with pytest.raises(DevstackError, match="no space left") as error:
        restore(stack)
    assert "invoke snapshots" in error.value.hint
    assert states(stack) == {"db": "running", "web": "running"}
