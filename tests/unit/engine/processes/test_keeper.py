"""Processes with their real supervisor: none is lost or left, whoever is killed and whoever else works."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from invoke_devstack.engine.processes import folders, process
from invoke_devstack.engine.processes.keeper import Keeper
from invoke_devstack.errors import EngineError, FileError, PortTakenError
from invoke_devstack.planning.labels import PROCESS_PORTS, PROJECT
from tests.unit.engine.processes.place import Place, marked, short_folder, until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no supervisor on Windows")
DEAF = "trap '' TERM; echo up; while :; do sleep 0.05; done"


def test_the_last_one_ends_the_supervisor(place: Place) -> None:
    kept = place.started("sh", "-c", "echo up; exec sleep 1000")
    assert len(place.supervisors()) == 1
    place.keeper.remove(kept, force=True)
    assert not marked(kept)
    until(lambda: not place.supervisors())


def test_a_stop_takes_as_long_as_it_was_given(place: Place) -> None:
    """Also if that is longer than the grace period that the process was created with."""
    kept = place.started(
        "sh", "-c", "trap 'sleep 2; exit 5' TERM; echo up; while :; do sleep 0.05; done", StopTimeout=1
    )
    place.keeper.stop(kept, "", 30.0)
    assert kept.state()["exit_code"] == 5


def test_a_stop_does_not_wait_for_a_slower_one(place: Place) -> None:
    command = "trap 'echo term' TERM; echo up; while :; do sleep 0.05; done"
    kept = place.started("sh", "-c", command, StopTimeout=100)
    slow = threading.Thread(target=place.keeper.stop, args=(kept, "", 60.0))
    slow.start()
    until(lambda: "term" in (kept.folder / "log").read_text())
    began = time.monotonic()
    place.keeper.kill(kept, "SIGKILL")
    slow.join(30)
    assert time.monotonic() - began < 30
    assert kept.state()["exit_code"] == 137
    assert not marked(kept)


def test_what_was_asked_twice_is_signalled_once(place: Place) -> None:
    command = "trap 'echo term' TERM; echo up; while :; do sleep 0.05; done"
    kept = place.started("sh", "-c", command)
    for _ in range(2):
        asked = threading.Thread(target=place.keeper.stop, args=(kept, "", 1.5))
        asked.start()
        time.sleep(0.3)
    until(lambda: kept.state()["status"] == "exited")
    asked.join()
    assert (kept.folder / "log").read_text().count("term") == 1


def test_a_removal_leaves_nothing_of_what_was_killed(place: Place) -> None:
    kept = place.started("sh", "-c", "setsid sleep 1000 & echo up; exec sleep 1000")
    until(lambda: sorted(item.name() for item in marked(kept)) == ["sleep", "sleep"])
    supervisors = place.supervisors()
    for item in supervisors:
        item.suspend()  # it would start a new recorder; if it were killed first, its recorder would clean up
    for item in (*place.recorders(), *supervisors):
        item.kill()
    until(lambda: not kept.has_recorder())
    assert kept.state()["status"] == "exited"
    assert marked(kept)
    place.keeper.remove(kept, force=True)
    assert not marked(kept)


def test_a_recorder_without_a_supervisor_is_stopped_too(place: Place) -> None:
    kept = place.started("sh", "-c", DEAF, StopTimeout=1000)
    for item in place.supervisors():
        item.kill()
    until(lambda: not place.supervisors())
    assert kept.state()["status"] == "running"
    place.keeper.stop(kept, "SIGKILL", 0.0)
    assert kept.state()["exit_code"] == 137


@pytest.mark.parametrize("policy", ["always", "on-failure"])
def test_a_killed_recorder_is_restarted_with_its_policy(place: Place, policy: str) -> None:
    host = {"RestartPolicy": {"Name": policy, "MaximumRetryCount": 0}}
    kept = place.started("sh", "-c", "setsid sleep 1000 & echo up; exec sleep 1000", HostConfig=host)
    first = kept.state()["pid"]
    place.recorders()[0].kill()
    until(lambda: kept.state().get("pid", 0) not in (0, first) and len(marked(kept)) == 2)
    place.keeper.stop(kept, "", 5.0)
    assert (kept.state()["status"], marked(kept)) == ("exited", [])


def test_what_must_not_restart_stays_ended(place: Place) -> None:
    host = {"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 2}}
    kept = place.create("sh", "-c", "sleep 1.1; exit 3", HostConfig=host)
    place.keeper.start(kept)
    until(lambda: kept.state()["status"] == "exited")
    assert kept.state()["starts"] == 3
    time.sleep(1.5)
    assert kept.state()["starts"] == 3


def test_a_stop_between_two_restarts(place: Place) -> None:
    host = {"RestartPolicy": {"Name": "always"}}
    kept = place.create("sh", "-c", "exit 3", HostConfig=host)
    place.keeper.start(kept)
    until(lambda: kept.state()["status"] == "restarting" and kept.state()["starts"] > 3)
    place.keeper.stop(kept, "", 5.0)
    assert (kept.state()["status"], kept.state()["exit_code"]) == ("exited", 3)
    place.keeper.start(kept)
    until(lambda: kept.state()["starts"] > 1)


def test_many_at_once(place: Place) -> None:
    """Threads create, start, stop and remove; the supervisor comes and goes with the last one."""
    failed: list[BaseException] = []

    def come_and_go(number: int) -> None:
        try:
            for _ in range(3):
                kept = place.keeper.create(
                    "p", f"p-{number}", {"Cmd": ["sleep", "1000"], "Labels": {PROJECT: "p"}}
                )
                place.keeper.start(kept)
                assert kept.state()["status"] == "running"
                place.keeper.remove(kept, force=True)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=come_and_go, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    until(lambda: not place.supervisors())
    assert not list(place.directory.glob("*"))


def test_nothing_goes_on_without_its_folder(place: Place) -> None:
    """As when the last session of the user ends, and with it the runtime directory."""
    kept = place.started("sh", "-c", "echo up; exec sleep 1000")
    shutil.rmtree(place.directory)
    until(lambda: not marked(kept) and not place.supervisors() and not place.recorders())
    place.directory.mkdir()


def test_an_invalid_stop_signal_is_said_at_once(place: Place) -> None:
    with pytest.raises(EngineError, match="invalid signal `SIGFOO`"):
        place.create("sleep", "1000", StopSignal="SIGFOO")


def test_a_taken_port_is_said(place: Place) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        kept = place.create("sleep", "1000", Labels={PROCESS_PORTS: f"{port}:{port}"})
        with pytest.raises(PortTakenError):
            place.keeper.start(kept)
    assert kept.state()["status"] == "created"


def test_the_environment_is_for_this_user_alone(place: Place) -> None:
    kept = place.started("sh", "-c", "echo up; exec sleep 1000", Env=["A=1\n2;%(x)s", "HOME"])
    for path in place.directory.rglob("*"):
        assert not path.stat().st_mode & 0o077 or not path.parent.stat().st_mode & 0o077
    assert (kept.folder / "environment.json").stat().st_mode & 0o777 == 0o600
    (sleep,) = marked(kept)
    environment = sleep.environ()
    assert environment["A"] == "1\n2;%(x)s"
    assert "HOME" not in environment


def test_a_process_has_the_umask_of_the_shell(place: Place, tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        place.started("sh", "-c", f"umask > {tmp_path}/umask; echo up; exec sleep 1000")
    finally:
        os.umask(before)
    assert (tmp_path / "umask").read_text().strip() == "0077"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_what_somebody_else_made_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    base = short_folder()
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(base))
    directory = folders.directory_of("unix:///var/run/docker.sock")
    folder = folders.folder_of(directory, "p")
    folders.make_private(folder / "processes")
    process.create(folder, "p-1", {"Cmd": ["sleep", "1000"], "Labels": {PROJECT: "p"}})
    assert len(Keeper(directory).all()) == 1
    top = directory.parent
    os.chown(top, 12345, 12345)
    assert Keeper(directory).all() == []
    with pytest.raises(FileError):
        folders.make_private(folder)
    os.chown(top, 0, 0)
    top.chmod(0o777)
    assert Keeper(directory).all() == []
    shutil.rmtree(base)


def test_commands_without_processes_load_little() -> None:
    """Even where processes have been before."""
    program = """
import os
import sys
from invoke_devstack.engine.endpoints import find_endpoint
from invoke_devstack.engine.processes import folders
from invoke_devstack.engine.processes.with_processes import WithProcesses

engine = WithProcesses.__new__(WithProcesses)
folders.BASE = os.environ["TMPDIR"]
engine.endpoint = find_endpoint()
folders.make_private(engine._directory)
assert engine._kept("c-1") is None
print(*(name for name in sys.modules if "engine.processes." in name or name in ("psutil", "supervisor")))
"""
    environment = {**os.environ, "TMPDIR": str(short_folder()), "XDG_RUNTIME_DIR": ""}
    loaded = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    ).stdout.split()
    shutil.rmtree(environment["TMPDIR"])
    room = "invoke_devstack.engine.processes."
    assert sorted(loaded) == [f"{room}folders", f"{room}listing", f"{room}with_processes"]


@pytest.mark.parametrize("name", ["long" * 11, "with space"])
def test_a_runtime_directory_that_cannot_hold_a_socket(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    base = Path("/tmp") / f"{name}-{os.getpid()}"
    base.mkdir()
    try:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(base))
        assert base not in folders.directory_of("unix:///var/run/docker.sock").parents
    finally:
        base.rmdir()


def test_one_engine_has_one_folder(tmp_path: Path) -> None:
    (tmp_path / "run").symlink_to(tmp_path)
    one = folders.directory_of(f"unix://{tmp_path}/docker.sock")
    assert folders.directory_of(f"unix://{tmp_path}/run/docker.sock") == one
    assert folders.directory_of("tcp://localhost:2375") != one


def test_a_signal_is_passed_on(place: Place) -> None:
    kept = place.started("sh", "-c", "trap 'echo hup' HUP; echo up; while :; do sleep 0.05; done")
    place.keeper.kill(kept, "HUP")
    until(lambda: "hup" in (kept.folder / "log").read_text())
    assert kept.state()["status"] == "running"
    assert signal.Signals[process.signal_name("hup")] == signal.SIGHUP


@contextlib.contextmanager
def full_disk() -> Iterator[None]:
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limit[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_removal_frees_a_full_disk(place: Place) -> None:
    kept = place.started("sh", "-c", DEAF)
    with full_disk():
        place.keeper.remove(kept, force=True)
    assert not marked(kept)
    assert place.keeper.all() == []


def test_a_stop_on_a_full_disk(place: Place) -> None:
    kept = place.started("sh", "-c", "trap 'exit 6' TERM; echo up; while :; do sleep 0.05; done")
    with full_disk():
        place.keeper.stop(kept, "", 20.0)
    assert kept.state()["exit_code"] == 6
