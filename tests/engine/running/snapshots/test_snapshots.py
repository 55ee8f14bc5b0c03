"""Snapshots of a service's data on real engines: whole, or never offered; put back whole, or not at all."""

from __future__ import annotations

import io
import json
import stat
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from invoke_devstack.engine.docker_engine import DockerEngine
from invoke_devstack.errors import DevstackError, Interrupted, ServiceError, UsageError
from invoke_devstack.events import Notice, ServiceReady, ServiceStopped
from invoke_devstack.planning import labels
from invoke_devstack.planning.plans.snapshots import PROJECT, Snapshot
from invoke_devstack.running import copy_container
from invoke_devstack.running.snapshots import files, resetting, restoring, taking
from invoke_devstack.running.snapshots.common import list_snapshots
from invoke_devstack.running.stack import lifecycle
from tests.engine.stacks import Stack

DB = """
services:
  db:
    image: IMAGE
    init: true
    command: sh -c 'trap "echo closed >> /data/log; exit 0" TERM; while :; do sleep 0.05; done'
    volumes: ["data:/data"]
  web:
    image: IMAGE
    init: true
    command: sleep 1000
    depends_on: [db]
volumes: {data: {}}
"""


@pytest.fixture
def stack(engine: DockerEngine, busybox: str, project: str, tmp_path: Path) -> Iterator[Stack]:
    yield from _stack(engine, busybox, project, tmp_path)


@pytest.fixture
def other(engine: DockerEngine, busybox: str, project: str, tmp_path: Path) -> Iterator[Stack]:
    """A second project, as on another machine."""
    folder = tmp_path / "other"
    folder.mkdir()
    yield from _stack(engine, busybox, f"{project}-other", folder)


def _stack(engine: DockerEngine, image: str, project: str, folder: Path) -> Iterator[Stack]:
    stack = Stack(engine, folder, project, image)
    stack.write(DB)
    yield stack
    stack.write(DB)
    stack.down(volumes=True)
    for entry in engine.list_volumes({"label": [f"{PROJECT}={project}"]}):
        engine.remove_volume(entry["Name"])


def shell(stack: Stack, script: str, volume: str = "data") -> str:
    """Runs a script in a container of its own that has the volume at /data; returns what it printed."""
    body = {
        "Image": stack.image,
        "Cmd": ["sh", "-c", script],
        "HostConfig": {"Binds": [f"{stack.project}_{volume}:/data"]},
    }
    made = stack.engine.create_container(f"{stack.project}-shell-{time.monotonic_ns()}", body)
    try:
        stack.engine.start(made)
        assert stack.engine.wait(made, timeout=60) == 0
        return b"".join(data for _, data in stack.engine.logs(made)).decode()
    finally:
        stack.engine.remove_container(made, force=True)


def take(stack: Stack, name: str = "one", service: str = "db") -> Snapshot:
    return taking.take(stack.session(), service, name)


def restore(stack: Stack, name: str = "one", service: str = "db") -> None:
    restoring.restore(stack.session(), service, name)


def names(stack: Stack) -> list[str]:
    return [item.name for item in list_snapshots(stack.engine, stack.project)]


def states(stack: Stack) -> dict[str, str]:
    found = stack.engine.observe(stack.project).containers
    return {item.service: item.state for item in found}


AWKWARD = r"""
cd /data
mkdir -p deep/.hidden 'with space'
echo one > deep/.hidden/file; echo two > 'with space/-dash'; echo three > .dot; echo four > ..twodots
ln -s deep/.hidden/file link; ln -s /nowhere dangling; mkfifo pipe
chown 1234:4321 deep; chmod 700 deep; chmod 640 .dot; chown 99:98 /data; chmod 751 /data
"""
LISTING = "cd /data && find . -exec stat -c '%n %a %u:%g %F %N' {} + | sort; cat .dot deep/.hidden/file"


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


@pytest.mark.parametrize("file_name", ["db.tar", "db.tgz"])
def test_a_snapshot_moves_to_another_stack_as_a_file(
    stack: Stack, other: Stack, tmp_path: Path, file_name: str
) -> None:
    stack.up()
    shell(stack, AWKWARD)
    take(stack)
    before = shell(stack, LISTING)
    file = tmp_path / file_name
    size = files.export(stack.session(), "one", file)
    assert size == file.stat().st_size
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(UsageError, match="already exists"):
        files.export(stack.session(), "one", file)
    made = files.import_(other.session(), file, name="moved")
    assert (made.project, made.service, made.name) == (other.project, "db", "moved")
    restore(other, "moved")
    assert shell(other, LISTING) == before


def archive_of(*members: tuple[tarfile.TarInfo, bytes], about: dict[str, object] | None = None) -> bytes:
    told = about or {
        "format": 1,
        "service": "db",
        "name": "evil",
        "volumes": ["data"],
        "created_at": "2026-01-01T00:00:00+00:00",
        "size": 1,
    }
    content = json.dumps(told).encode()
    first = tarfile.TarInfo("devstack-snapshot.json")
    first.size = len(content)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for entry, data in ((first, content), *members):
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", size: int = 0) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname, entry.size = kind, link, size
    return entry


@pytest.mark.parametrize(
    "content",
    [
        archive_of((member("snapshot/../etc/passwd"), b"")),
        archive_of((member("/etc/passwd"), b"")),
        archive_of((member("elsewhere/file"), b"")),
        archive_of((member("snapshot/another/file"), b"")),
        archive_of(
            (member("snapshot/data/out", tarfile.SYMTYPE, "/etc"), b""),
            (member("snapshot/data/out/passwd"), b""),
        ),
        archive_of((member("snapshot/data/hard", tarfile.LNKTYPE, "etc/passwd"), b"")),
        archive_of((member("snapshot/data/disk", tarfile.BLKTYPE), b"")),
        archive_of((member("snapshot/data/file", size=5000), b"x" * 5000))[:2000],
        archive_of(about={"format": 2}),
        archive_of(about={"format": 1}),
        b"not an archive at all",
        b"",
    ],
)
def test_a_file_that_could_do_harm_or_is_none_is_refused_and_leaves_nothing(
    stack: Stack, tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "evil.tar"
    file.write_bytes(content)
    with pytest.raises(DevstackError):
        files.import_(stack.session(), file)
    assert stack.engine.list_volumes({"label": [f"{PROJECT}={stack.project}"]}) == []
    assert stack.engine.list_containers({"label": [f"com.docker.compose.project={stack.project}"]}) == []


def test_a_file_that_is_not_there_is_told_so(stack: Stack, tmp_path: Path) -> None:
    with pytest.raises(DevstackError, match="cannot read"):
        files.import_(stack.session(), tmp_path / "nothing.tar")
