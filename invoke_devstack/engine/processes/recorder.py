"""Runs one process: `python recorder.py FOLDER`. The supervisor starts it. It imports
little, so that it starts quickly. It is started when the process is created, and waits at FOLDER/go until the
process shall start: then that takes milliseconds.

The process has a session of its own. What it prints goes to FOLDER/log with the time of each line, its state
to FOLDER/state.json, its starts and ends to the project's events. FOLDER/lock has the number of this process
and is locked as long as it runs. On SIGTERM the process gets its stop signal, and SIGKILL after its grace
period. When it has ended, what it left running is killed, as in a container, and it is started again if its
restart policy says so. Ends with the process's exit code.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import select
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.append(str(Path(__file__).parents[3]))  # this runs alone, without the packages of its Python
from invoke_devstack.engine.processes.recorded_log import Log, now, write_all

MARK = "DEVSTACK_PROCESS"
"""The variable by which the process and its children are known."""
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_BLOCK = 1 << 16
_NOT_FOUND, _NOT_RUNNABLE, _KILLED_BY = 127, 126, 128
_PATIENCE = 1.0  # seconds
_LOOK = 5.0  # seconds between two looks whether the folder is still there
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 60.0  # seconds before a restart, as Docker's: twice as long each time
_GOOD_RUN = 10.0  # seconds after which the next pause is short again


class Recorder:
    """The process of one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._container: dict[str, Any] = json.loads((folder / "container.json").read_text("utf-8"))
        self._state: dict[str, Any] = _json_in(folder / "state.json", {})
        self._log = Log(folder / "log")
        self._wish: dict[str, Any] | None = None
        self._killing_at = 0.0
        self._wakeup, self._signalled = os.pipe()
        self._supervisor = _json_in(folder.parent.parent / "supervisord.pid", 0)

    def run(self) -> int:
        self._listen()
        _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)  # Linux: when the supervisor has died
        if self._supervisor not in (0, os.getppid()):
            return 0  # it has died already
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)  # what has lost its parent becomes a child of this
        if not self._is_told_to_start():
            return 0
        self._container = _json_in(self._folder / "container.json", self._container)  # it may have a new name
        if self._state.get("status") in ("running", "restarting"):
            _kill_marked(self._container["id"])  # an earlier recorder was killed
        pause = _FIRST_PAUSE
        while True:
            began = time.monotonic()
            code = self._run_once()
            if self._state["status"] != "restarting" or self._is_abandoned():
                return code
            pause = _FIRST_PAUSE if time.monotonic() - began >= _GOOD_RUN else pause
            if self._is_stopped_within(pause):
                self._note(status="exited")
                return code
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _listen(self) -> None:
        """A signal that is handled, unlike one that is ignored, is as usual in the process itself."""
        os.set_blocking(self._signalled, False)
        signal.set_wakeup_fd(self._signalled, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: None)

    def _is_told_to_start(self) -> bool:
        """Waits for it. False if it shall end instead. Whoever starts the process writes its environment,
        then into the pipe: either is seen."""
        path = self._folder / "go"
        path.unlink(missing_ok=True)  # of a recorder that was killed
        os.mkfifo(path, 0o600)
        pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        try:
            while not (self._folder / "environment.json").exists():
                readable = select.select([self._wakeup, pipe], [], [], _LOOK)[0]
                if self._wakeup in readable and self._shall_stop():
                    return False
                if not readable and self._is_abandoned():
                    return False
            return True
        finally:
            path.unlink(missing_ok=True)
            os.close(pipe)

    def _is_stopped_within(self, seconds: float) -> bool:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if select.select([self._wakeup], [], [], left)[0] and self._shall_stop():
                return True
        return False

    def _shall_stop(self) -> bool:
        return signal.SIGTERM in os.read(self._wakeup, _BLOCK)

    def _run_once(self) -> int:
        (self._folder / "paused").unlink(missing_ok=True)
        self._state["starts"] = int(self._state.get("starts", 0)) + 1
        try:
            process = self._start()
        except (OSError, ValueError) as error:
            return self._not_started(error)
        try:
            self._state = {"starts": self._state["starts"]}
            self._note(status="running", pid=process.pid, started_at=now())
        except OSError:
            _signal_group(process.pid, signal.SIGKILL)
            raise
        self._tell("start", {})
        return self._ended(self._follow(process))

    def _ended(self, code: int) -> int:
        self._log.flush()
        changes = {"status": self._status_after(code), "pid": 0, "exit_code": code, "finished_at": now()}
        with contextlib.suppress(OSError):  # without a recorder, `running` means that it has ended too
            self._note(**changes)
        self._tell("die", {"exitCode": str(code)})
        return code

    def _status_after(self, code: int) -> str:
        """As Docker counts: `retries` are restarts, however long it ran."""
        policy, retries = self._container["restart"], self._container["retries"]
        again = policy in ("always", "unless-stopped") or (policy == "on-failure" and code != 0)
        spent = policy == "on-failure" and 0 < retries < self._state["starts"]
        return "restarting" if again and not spent and self._wish is None else "exited"

    def _start(self) -> subprocess.Popen[bytes]:
        environment = json.loads((self._folder / "environment.json").read_text("utf-8"))
        return subprocess.Popen(
            self._container["command"],
            cwd=self._container["working_dir"] or None,
            env={**environment, MARK: self._container["id"]},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=lambda: _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL),  # it must not outlive this
        )

    def _not_started(self, error: OSError | ValueError) -> int:
        why = error.strerror if isinstance(error, OSError) else error
        text = f"cannot start `{self._container['command'][0]}`: {why}"
        if isinstance(error, FileNotFoundError) and error.filename == self._container["working_dir"]:
            text = f"there is no directory {error.filename}"
        self._log.record("e", text.encode("utf-8", "replace") + b"\n")
        self._state |= {"error": text, "started_at": now()}
        self._tell("start", {})
        return self._ended(_NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_RUNNABLE)

    def _follow(self, process: subprocess.Popen[bytes]) -> int:
        """Records output until the process has ended. Its children may hold the pipes open longer."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._wakeup, selectors.EVENT_READ, "signal")
            for name, pipe in (("o", process.stdout), ("e", process.stderr)):
                assert pipe is not None  # and closed with the last reference to it
                os.set_blocking(pipe.fileno(), False)
                selector.register(pipe, selectors.EVENT_READ, name)
            ended = _when_it_ends(process.pid)
            if ended is not None:
                selector.register(ended, selectors.EVENT_READ, "end")
            while process.poll() is None:
                for key, _ in selector.select(self._patience(ended is not None)):
                    self._on_input(selector, key, process.pid)
                self._look_around(process.pid)
                _reap_adopted(process.pid)
            self._name_what_is_left()
            _signal_group(process.pid, signal.SIGKILL)
            _kill_adopted()  # before the rest is read, because they may go on printing
            _kill_marked(self._container["id"])
            for key in [item for item in selector.get_map().values() if item.data in ("o", "e")]:
                while self._read(key.fileobj, key.data):
                    pass
            if ended is not None:
                os.close(ended)
        code = process.returncode
        return code if code >= 0 else _KILLED_BY - code

    def _name_what_is_left(self) -> None:
        """A program that puts itself into the background seems to exit at once: who started it should know
        why nothing runs."""
        left = ", ".join(_children()) if self._wish is None else ""
        if left:
            self._state["left"] = left
            self._log.record("e", f"invoke-devstack: it exited, so {left} was ended too\n".encode())

    def _patience(self, notified: bool) -> float:
        if self._killing_at:
            return max(self._killing_at - time.monotonic(), 0.0) + 0.001
        return _LOOK if notified else 0.1

    def _look_around(self, pid: int) -> None:
        """Kills it when its grace period is over. Without its folder (the user's last session has ended) no
        command would ever find it."""
        if self._killing_at and time.monotonic() >= self._killing_at:
            _signal_group(pid, signal.SIGKILL)
        elif self._wish is None and self._is_abandoned():
            self._stop(pid)

    def _is_abandoned(self) -> bool:
        """Whether its folder is gone; then it ends the supervisor too."""
        if (self._folder / "container.json").exists():
            return False
        if self._supervisor == os.getppid():
            os.kill(self._supervisor, signal.SIGTERM)
        return True

    def _on_input(self, selector: selectors.BaseSelector, key: selectors.SelectorKey, pid: int) -> None:
        if key.data == "signal":
            if self._shall_stop():
                self._stop(pid)
        elif key.data in ("o", "e") and not self._read(key.fileobj, key.data, ended=True):
            selector.unregister(key.fileobj)

    def _read(self, pipe: Any, name: str, *, ended: bool = False) -> bool:
        """Records a block. Returns whether there may be more; where nothing is there yet, `ended`."""
        try:
            block = os.read(pipe.fileno(), _BLOCK)
        except BlockingIOError:
            return ended
        if block:
            self._log.record(name, block)
        return bool(block)

    def _stop(self, pid: int) -> None:
        """Sends the stop signal, and sets the time of SIGKILL. `stop.json` overrides both. Asked twice for
        the same, it does so once: programs take a second signal for impatience."""
        wish = {"signal": self._container["stop_signal"], "grace": self._container["grace"]}
        wish |= _json_in(self._folder / "stop.json", {})
        if wish == self._wish:
            return
        self._wish = wish
        _signal_group(pid, signal.Signals[wish["signal"]])
        _signal_group(pid, signal.SIGCONT)
        self._killing_at = time.monotonic() + wish["grace"]

    def _note(self, **changes: Any) -> None:
        """Changes the state. Raises OSError."""
        self._state |= changes
        beside = self._folder / "state.json.new"
        beside.write_text(json.dumps(self._state), "utf-8")
        beside.replace(self._folder / "state.json")

    def _tell(self, action: str, more: dict[str, str]) -> None:
        attributes = {**self._container["labels"], "name": self._container["name"], **more}
        event = {"action": action, "id": self._container["id"], "attributes": attributes, "time": time.time()}
        with contextlib.suppress(OSError), (self._folder.parent.parent / "events").open("ab", 0) as file:
            write_all(file.fileno(), json.dumps(event).encode() + b"\n")


def _json_in(path: Path, otherwise: Any) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return otherwise


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, int(value))


def _reap_adopted(but: int) -> None:
    """Those that have ended. `but` is the process itself, whose end is asked for elsewhere."""
    with contextlib.suppress(ChildProcessError):
        while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if ended.si_pid == but:
                return
            os.waitpid(ended.si_pid, 0)


def _kill_adopted() -> None:
    """Until there is none, since each may leave others."""
    until = time.monotonic() + _PATIENCE
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    with contextlib.suppress(OSError):
        while time.monotonic() < until:
            for pid in children.read_text().split():
                os.kill(int(pid), signal.SIGKILL)
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
            time.sleep(0.001)


def _children() -> Iterator[str]:
    """`sleep (pid 12)` of those that run."""
    with contextlib.suppress(OSError):
        for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
            with contextlib.suppress(OSError):
                if Path(f"/proc/{pid}/cmdline").read_bytes():  # one that has ended has none
                    yield f"{Path(f'/proc/{pid}/comm').read_text().strip()} (pid {pid})"


def _when_it_ends(pid: int) -> int | None:
    """A descriptor that can be read when the process has ended (pidfd_open(2)), where there is one."""
    with contextlib.suppress(AttributeError, OSError):
        return os.pidfd_open(pid)
    return None


def _signal_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _kill_marked(mark: str) -> None:
    """Kills what the process has left behind in other sessions."""
    for pid, environment in _environments():
        if f"{MARK}={mark}".encode() in environment.split(b"\0") and pid != os.getpid():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


def _environments() -> Iterator[tuple[int, bytes]]:
    """(pid, environment as the kernel has it) of this user's processes. Importing psutil would make each stop
    a third of a second longer."""
    if sys.platform != "linux":
        yield from _environments_elsewhere()
        return
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                yield int(folder.name), (folder / "environ").read_bytes()


def _environments_elsewhere() -> Iterator[tuple[int, bytes]]:
    import site

    site.main()  # this runs without it, to start quickly
    import psutil

    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            variables = process.environ().items()
            yield process.pid, "\0".join(f"{name}={value}" for name, value in variables).encode()


def main(folder: Path) -> int:
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    if not _hold(lock):
        return 0
    os.ftruncate(lock, 0)
    write_all(lock, str(os.getpid()).encode())
    return Recorder(folder).run()


def _hold(lock: int) -> bool:
    """False if another recorder holds it. Whoever asks whether one does holds it for a moment too."""
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(0.005)
    return False


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
