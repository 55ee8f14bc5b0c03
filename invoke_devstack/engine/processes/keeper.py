"""Creates, starts, stops, asks and removes the processes of one engine's projects."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal as signals
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

from invoke_devstack.engine.processes import events, folders, process, usage
from invoke_devstack.engine.processes.locking import locked
from invoke_devstack.engine.processes.log import ProcessLog
from invoke_devstack.engine.processes.process import KeptProcess
from invoke_devstack.engine.processes.recorder import MARK
from invoke_devstack.engine.processes.supervisor import Supervisor
from invoke_devstack.engine.protocol import ExecResult, ExecSettings
from invoke_devstack.errors import ConflictError, EngineError, FileError, PortTakenError
from invoke_devstack.planning.plan import Body
from invoke_devstack.planning.processes.image import LOG_LINE, ports_of

_LOOK = 0.01  # seconds
_START = 30.0  # seconds
_MORE = 10.0  # seconds beyond the grace period, in which its recorder kills it
_NOT_FOUND, _NOT_RUNNABLE = 127, 126
_RUNNING = ("running", "paused")
_ALIVE = (*_RUNNING, "restarting")


class Keeper:
    """`directory` is that of `folders.directory_of`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def all(self) -> list[KeptProcess]:
        found = []
        for folder in folders.process_folders(self._directory):
            with contextlib.suppress(FileNotFoundError, ValueError):  # removed since it was listed
                found.append(KeptProcess(folder))
        return found

    def create(self, project: str, name: str, body: Body) -> KeptProcess:
        process.signal_name(body.get("StopSignal") or "TERM")  # before anything is there
        folder = folders.folder_of(self._directory, project)
        with locked(folder):
            folders.make_private(folder / "processes")
            kept = process.create(folder, name, body)
            with contextlib.suppress(EngineError, FileError, OSError):  # the start will say it
                Supervisor(folder).start(kept.folder, keeps=kept.keeps_running)
            return kept

    def start(self, kept: KeptProcess) -> None:
        """Returns once it runs, or has ended. Raises PortTakenError for a port that somebody listens on."""
        if kept.state()["status"] in _RUNNING:
            return
        with locked(_project(kept)):
            if not self._start_first(kept):
                self._start_again(kept)
        self._await_start(kept)

    def _start_first(self, kept: KeptProcess) -> bool:
        """With the recorder that `create` has started, and that waits by now or soon. False without one."""
        until = time.monotonic() + _START
        while kept.is_new() and time.monotonic() < until:
            if (kept.folder / "go").exists() and kept.has_recorder():
                _prepare(kept)
                return kept.tell_to_start() or kept.has_recorder()
            if not Supervisor(_project(kept)).runs(kept.id):
                return False
            time.sleep(_LOOK / 5)
        return False

    def _start_again(self, kept: KeptProcess) -> None:
        supervisor = Supervisor(_project(kept))
        supervisor.clear(kept.id)
        self._end_leftovers(kept)
        _prepare(kept)
        supervisor.start(kept.folder, keeps=kept.keeps_running)

    def _await_start(self, kept: KeptProcess) -> None:
        until = time.monotonic() + _START
        while kept.state()["status"] == "created":
            if time.monotonic() > until:
                log = kept.folder / "recorder.log"
                raise EngineError(f"{kept.name} did not start", hint=f"Its recorder wrote: {log}")
            time.sleep(_LOOK / 5)

    def stop(self, kept: KeptProcess, signal: str, grace: float) -> None:
        """Another call, from anywhere, may be more impatient meanwhile."""
        wish = {"signal": process.signal_name(signal or kept.container["stop_signal"]), "grace": grace}
        with contextlib.suppress(FileError):  # on a full disk it gets its own signal and grace period
            process.write(kept.folder / "stop.json", wish)
        if not Supervisor(_project(kept)).stop(kept.id):
            kept.signal_recorder(signals.SIGTERM)
        if wish["signal"] == "SIGKILL" and (pid := kept.state().get("pid")):
            _signal_group(pid, signals.SIGKILL)
        until = time.monotonic() + grace + _MORE
        while kept.has_recorder():
            if time.monotonic() > until:
                kept.signal_recorder(signals.SIGKILL)
            time.sleep(_LOOK)
        self._end_leftovers(kept)

    def kill(self, kept: KeptProcess, signal: str) -> None:
        """As with a container, SIGKILL also keeps it from being started again."""
        state = kept.state()
        if state["status"] not in _ALIVE:
            raise ConflictError(f"{kept.name} is not running")
        name = process.signal_name(signal)
        if name == "SIGKILL":
            self.stop(kept, signal, 0.0)
        elif state["pid"]:
            _signal_group(state["pid"], signals.Signals[name])

    def pause(self, kept: KeptProcess) -> None:
        if kept.state()["status"] != "running":
            raise ConflictError(f"{kept.name} is not running")
        (kept.folder / "paused").touch()
        _signal_group(kept.state()["pid"], signals.SIGSTOP)

    def unpause(self, kept: KeptProcess) -> None:
        if kept.state()["status"] != "paused":
            raise ConflictError(f"{kept.name} is not paused")
        (kept.folder / "paused").unlink()
        _signal_group(kept.state()["pid"], signals.SIGCONT)

    def remove(self, kept: KeptProcess, *, force: bool) -> None:
        if kept.state()["status"] in _ALIVE:
            if not force:
                raise ConflictError(f"{kept.name} is running")
            self.stop(kept, "SIGKILL", 0.0)
        project = _project(kept)
        with locked(project):
            Supervisor(project).clear(kept.id)
            self._end_leftovers(kept)
            events.append(project, "destroy", kept.id, {**kept.labels, "name": kept.name})
            (kept.folder / "container.json").unlink(missing_ok=True)  # first: a half of it is nothing
            shutil.rmtree(kept.folder, ignore_errors=True)
            if not any(project.glob("processes/*/container.json")):
                Supervisor(project).end()
                shutil.rmtree(project, ignore_errors=True)

    def wait(self, kept: KeptProcess, timeout: float | None) -> int:
        until = None if timeout is None else time.monotonic() + timeout
        while (state := kept.state())["status"] in _RUNNING:
            if until is not None and time.monotonic() > until:
                raise TimeoutError(f"{kept.name} is still running after {timeout} s")
            time.sleep(_LOOK)
        return int(state.get("exit_code", 0))

    def run(
        self, kept: KeptProcess, command: Sequence[str], timeout: float | None, settings: ExecSettings
    ) -> ExecResult:
        """Runs a command beside the process, with its variables and in its directory."""
        if kept.state()["status"] != "running":
            raise ConflictError(f"{kept.name} is not running")
        if command[0] == LOG_LINE:
            return ExecResult(0 if _has_logged(kept, command[1]) else 1, b"no line of the log matches yet")
        environment = json.loads((kept.folder / "environment.json").read_text("utf-8"))
        for entry in settings.get("environment", ()):
            name, _, value = entry.partition("=")
            environment[name] = value
        folder = settings.get("working_dir") or kept.container["working_dir"] or None
        try:
            done = subprocess.run(
                list(command),
                env={**environment, MARK: kept.id},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise TimeoutError(str(error)) from error
        except OSError as error:
            code = _NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_RUNNABLE
            return ExecResult(code, str(error).encode())
        return ExecResult(done.returncode, done.stdout)

    def top(self, kept: KeptProcess) -> Body:
        return usage.top(kept.state().get("pid", 0))

    def stats(self, kept: KeptProcess) -> Iterator[Body]:
        return usage.samples(lambda: kept.state().get("pid", 0))

    def _end_leftovers(self, kept: KeptProcess) -> None:
        """Kills what a process left running when its recorder was killed, and writes that into its log."""
        if kept.has_recorder() or not kept.was_started():
            return
        left = list(_marked(kept.id))
        if left:
            names = ", ".join(f"{item.pid} ({item.name()})" for item in left)
            kept.note(f"ended what an earlier start had left running: {names}")
        for item in left:
            with contextlib.suppress(psutil.Error):
                item.kill()
        psutil.wait_procs(left, timeout=_START)


def _prepare(kept: KeptProcess) -> None:
    """What its recorder waits for, in place of what an earlier start has left. Raises PortTakenError."""
    _check_ports(kept)
    for name in ("state.json", "stop.json"):
        (kept.folder / name).unlink(missing_ok=True)
    process.write(kept.folder / "environment.json", _environment(kept))


def _marked(mark: str) -> Iterator[psutil.Process]:
    for item in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if item.environ().get(MARK) == mark:
                yield item


def _check_ports(kept: KeptProcess) -> None:
    """Raises PortTakenError if somebody listens where the process will."""
    for _, port in ports_of(kept.labels):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                text = f"{kept.name} cannot listen on port {port}: {error.strerror}"
                raise PortTakenError(text, port=port, host_ip="127.0.0.1") from error


def _environment(kept: KeptProcess) -> dict[str, str]:
    """The variables of whoever starts it, and its own; one without a value is not set."""
    variables = dict(os.environ)
    for entry in kept.body.get("Env") or ():
        name, equals, value = entry.partition("=")
        if equals:
            variables[name] = value
        else:
            variables.pop(name, None)
    return variables


def _has_logged(kept: KeptProcess, pattern: str) -> bool:
    """Whether a line since its last start matches."""
    searched = re.compile(pattern.encode())
    started = str(kept.state().get("started_at", ""))
    return any(
        searched.search(line)
        for _, block in ProcessLog(kept.folder / "log", since=started)
        for line in block.splitlines()
    )


def _project(kept: KeptProcess) -> Path:
    """The folder of its project."""
    return kept.folder.parent.parent


def _signal_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, number)
