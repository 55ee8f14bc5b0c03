"""Lets one command at a time change a project. The lock is on the engine: one for every user, login,
container and machine that uses the engine.

The lock is a volume: the engine creates a name for one caller only, and answers everybody with the labels of
the one it has. They say who holds the lock. A holder that was killed is found by its process on the same
machine, and elsewhere by the heartbeats that a holder leaves on the engine.
docs/contributing/protocols.md has the states.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import datetime
from functools import cache
from pathlib import Path

from invoke_devstack.engine.protocol import Engine
from invoke_devstack.errors import DevstackError, EngineError, Interrupted, NotFoundError
from invoke_devstack.events import Notice
from invoke_devstack.planning import labels
from invoke_devstack.planning.observed import ObservedVolume
from invoke_devstack.records import record
from invoke_devstack.running.session import Session

INHERITED = "DEVSTACK_LOCK"
"""The environment variable by which a command that a hook starts gets in under the lock of its parent."""

_RETRY = 0.1  # seconds between two attempts
_BEAT = 10.0  # seconds between two heartbeats
_SILENT = 45.0  # seconds without a heartbeat after which a holder on another machine is gone
_CLOCK_STEP = 2.0  # seconds that a machine's clock may be set meanwhile

_left: dict[str, str] = {}
"""Token -> project of locks that this process has given up but could not remove: no engine answered, or the
work was broken off. Where the process lives on, nobody would take them for those of one that is gone."""


@contextmanager
def project_lock(session: Session, *, timeout: float | None = None) -> Iterator[None]:
    """While entered, no other command changes the project on this engine, whoever runs it.

    Waits for the other command (`timeout` seconds, None: forever) and says which one it is. Raises
    DevstackError after the timeout, Interrupted after a signal. A dry run changes nothing and needs no lock.
    """
    if session.dry:
        yield
        return
    lock = _Lock(session.engine, session.project)
    until = None if timeout is None else time.monotonic() + timeout
    told = False
    while (holder := lock.acquire()) is not None:
        if holder.is_parent():
            yield
            return
        if not told:
            text = f"Waiting for {holder}, which is changing project {session.project}."
            session.emit(Notice(text=text, level="warning"))
            told = True
        if until is not None and time.monotonic() > until:
            raise DevstackError(
                f"project {session.project} is in use by {holder}", hint="Wait until it ends, or stop it."
            )
        session.interrupt.pause(_RETRY)
    with lock.held():
        yield


def holder_of(engine: Engine, project: str) -> Holder | None:
    """Who changes the project now. None if nobody does; one whose process is known to be gone does not."""
    for item in engine.list_volumes({"name": [lock_name(project)]}):
        if item["Name"] == lock_name(project):
            holder = Holder.read((item.get("Labels") or {}).get(labels.LOCK_HOLDER, ""))
            return holder if holder.token and not holder.has_ended() else None
    return None


def has_left_locks() -> bool:
    """Whether this process could not remove a lock that it had."""
    return bool(_left)


def remove_left_locks(engine: Engine) -> None:
    """Removes those. Where somebody is about to take one over, it stays for the next attempt. Raises
    EngineError."""
    for token, project in [*_left.items()]:
        lock = _Lock(engine, project)
        holder = lock.acquire()
        if holder is None:
            lock.release()
        if holder is None or not holder.has_ended():
            _left.pop(token, None)


def remove_remains(engine: Engine, project: str, volumes: Iterable[ObservedVolume]) -> None:
    """Removes guards and heartbeats of killed commands, among `volumes`. The next lock needs none of them, so
    nobody else would. Raises EngineError."""
    for volume in volumes:
        if volume.labels.get(labels.LOCK) == project and volume.name != lock_name(project):
            holder = Holder.read(volume.labels.get(labels.LOCK_HOLDER, ""))
            if not holder.token or holder.has_ended():
                with suppress(NotFoundError):
                    engine.remove_volume(volume.name)


def lock_name(project: str) -> str:
    """The name of the volume that is the lock."""
    return f"devstack-lock-{project}"


@record
class Holder:
    """Who has a lock. `machine` is the same for processes that see each other; `since` is in seconds since
    the epoch."""

    token: str
    machine: str = ""
    host: str = ""
    pid: int = 0
    command: str = ""
    since: float = 0.0

    @classmethod
    def of_this_process(cls) -> Holder:
        """A new one: two locks of one process are told apart."""
        # Program and task alone: the arguments may be secret.
        command = " ".join((Path(sys.argv[0]).name, *sys.argv[1:2]))
        return cls(secrets.token_hex(6), _machine(), socket.gethostname(), os.getpid(), command, time.time())

    @classmethod
    def read(cls, text: str) -> Holder:
        """From a label. A label that is not ours names nobody."""
        with suppress(ValueError, TypeError):
            return cls(**json.loads(text))
        return cls("")

    def to_label(self) -> str:
        return json.dumps(asdict(self))

    def __str__(self) -> str:
        if not self.command:
            return "another command"
        where = "" if self.machine == _machine() else f" on {self.host}"
        since = datetime.fromtimestamp(self.since).strftime("%H:%M:%S")
        return f"`{self.command}` (pid {self.pid}{where}, since {since})"

    def is_parent(self) -> bool:
        """Whether this process was started under its lock."""
        return bool(self.token) and self.token == _inherited()

    def has_ended(self) -> bool:
        """Whether its process is known to be gone (only one of this machine can be), or is this one and has
        given the lock up."""
        import psutil

        if self.token in _left:
            return True
        if self.machine != _machine():
            return False
        try:
            return bool(psutil.Process(self.pid).create_time() > self.since + _CLOCK_STEP)
        except psutil.NoSuchProcess:
            return True
        except psutil.Error:
            return False


class _Lock:
    """One command's side of a project's lock."""

    def __init__(self, engine: Engine, project: str) -> None:
        self._engine = engine
        self._project = project
        self._name = lock_name(project)
        self._own = Holder.of_this_process()
        self._heard: tuple[object, float] = (None, time.monotonic())
        self._beating = False  # whether there were heartbeats

    def acquire(self) -> Holder | None:
        """Takes the lock: None. Where somebody has it: who; one that is gone loses it, so ask again. Raises
        EngineError, or Interrupted where the engine is not to be asked any more."""
        with self._left_on_error():  # the engine may have done what it did not answer
            holder = self._claim(self._name)
            if holder is not None and not holder.is_parent() and self._is_gone(holder):
                self._take_over(self._name, holder)
                return self._claim(self._name)
            return holder

    @contextmanager
    def _left_on_error(self) -> Iterator[None]:
        try:
            yield
        except (EngineError, Interrupted):
            _left[self._own.token] = self._project
            raise

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keeps the lock while entered, and passes it on to the commands that this process starts."""
        ended = threading.Event()
        threading.Thread(target=self._beat, args=(ended,), daemon=True).start()
        _inherited()  # what we inherited ourselves is read before it is replaced
        before, os.environ[INHERITED] = os.environ.get(INHERITED), self._own.token
        passed: tuple[type[DevstackError], ...] = (EngineError, Interrupted)  # what ended the work says more
        try:
            yield
            passed = (EngineError,)
        finally:
            ended.set()
            os.environ.pop(INHERITED)
            if before is not None:
                os.environ[INHERITED] = before
            with suppress(*passed):  # the next command sees that we have ended
                self.release()

    def release(self) -> None:
        """Removes the lock. Raises as `acquire` does."""
        with self._left_on_error():
            if self._claim(self._name) is None:  # or somebody took it from us
                self._engine.remove_volume(self._name)
            if self._beating:
                self._remove_volumes_of(self._own)

    def _claim(self, name: str) -> Holder | None:
        """Creates the volume `name` for us: None. Where there is one already: whose it is."""
        stored = self._engine.claim_volume(name, self._labels())
        holder = Holder.read(stored.get(labels.LOCK_HOLDER, ""))
        return None if holder.token == self._own.token else holder

    def _labels(self) -> dict[str, str]:
        return {labels.LOCK: self._project, labels.LOCK_HOLDER: self._own.to_label()}

    def _take_over(self, name: str, gone: Holder) -> None:
        """Removes `name`, the volume of a holder that is gone. Whoever creates the guard may; it names
        that one holder, so that nobody removes the lock of a later one."""
        guard = f"{name}.{gone.token}"
        other = self._claim(guard)
        if other is not None:
            if self._is_gone(other):
                self._take_over(guard, other)
            return
        try:
            now = self._claim(name)
            if now is not None and now.token == gone.token:
                self._engine.remove_volume(name)
                self._remove_volumes_of(gone)
        finally:
            self._engine.remove_volume(guard)

    def _is_gone(self, holder: Holder) -> bool:
        if not holder.token:
            return True  # an engine that was killed while it removed the volume may have lost its labels
        return holder.has_ended() if holder.machine == _machine() else self._is_silent(holder)

    def _is_silent(self, holder: Holder) -> bool:
        """Whether no heartbeat came for so long that we waited. No clocks are compared."""
        heard = sorted((item["Name"], item.get("CreatedAt")) for item in self._volumes_of(holder))
        if heard != self._heard[0]:
            self._heard = (heard, time.monotonic())
        return time.monotonic() - self._heard[1] > _SILENT

    def _beat(self, ended: threading.Event) -> None:
        names = [f"{self._name}.{self._own.token}.{number}" for number in (0, 1)]
        while not ended.wait(_BEAT):
            self._beating = True
            with suppress(EngineError):
                self._engine.claim_volume(names[0], self._labels())
                self._remove(names[1])
            names.reverse()

    def _volumes_of(self, holder: Holder) -> Iterator[dict[str, str]]:
        for item in self._engine.list_volumes({"label": [f"{labels.LOCK}={self._project}"]}):
            if Holder.read((item.get("Labels") or {}).get(labels.LOCK_HOLDER, "")).token == holder.token:
                yield {"Name": str(item["Name"]), "CreatedAt": str(item.get("CreatedAt"))}

    def _remove_volumes_of(self, holder: Holder) -> None:
        for item in self._volumes_of(holder):
            self._remove(item["Name"])

    def _remove(self, name: str) -> None:
        with suppress(EngineError):
            self._engine.remove_volume(name)


@cache
def _inherited() -> str:
    """The token of the lock under which a parent started this process."""
    return os.environ.get(INHERITED, "")


@cache
def _machine() -> str:
    """Equal for processes that can see each other: a container has its own processes."""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("utf-8").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    return socket.gethostname()
