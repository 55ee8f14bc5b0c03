"""Lets one person at a time change a stack. The lock is a config of the swarm: its managers create a name for
one caller only. Whoever has it changes a label of it as a heartbeat; one whose process on this machine is
gone, or whose heart stands still, loses it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from invoke_devstack.deploying.cluster import Cluster
from invoke_devstack.errors import ConflictError, DevstackError, EngineError
from invoke_devstack.events import Notice
from invoke_devstack.planning.deploys import names
from invoke_devstack.planning.plan import Body
from invoke_devstack.running.locks import Holder
from invoke_devstack.running.session import Session

_RETRY = 0.3  # seconds between two attempts
_BEAT = 5.0  # seconds between two heartbeats
_SILENT = 25.0  # seconds without one after which a holder on another machine is gone


class LockedError(DevstackError):
    """Somebody else changes the stack."""

    reason = "locked"


@contextmanager
def stack_lock(cluster: Cluster, session: Session, *, patience: float | None = None) -> Iterator[None]:
    """While entered, nobody else deploys the stack. Waits for who does (`patience` seconds, None: as long as
    it takes) and says who it is. Raises LockedError."""
    lock = _Lock(cluster)
    until = None if patience is None else time.monotonic() + patience
    told = False
    while (holder := lock.acquire()) is not None:
        if until is not None and time.monotonic() > until:
            raise LockedError(
                f"{holder} is changing {cluster.stack}",
                hint=f"Wait until it has ended: {cluster.command('deploy.status')}",
            )
        if not told:
            session.emit(
                Notice(text=f"Waiting for {holder}, which is changing {cluster.stack}.", level="warning")
            )
            told = True
        session.interrupt.pause(_RETRY)
    with lock.held():
        yield


class _Lock:
    def __init__(self, cluster: Cluster) -> None:
        self._swarm = cluster.swarm
        self._stack = cluster.stack
        self._name = names.lock_name(cluster.stack)
        self._own = Holder.of_this_process()
        self._id = ""
        self._heard: tuple[object, float] = (None, time.monotonic())

    def acquire(self) -> Holder | None:
        """Takes the lock: None. Where somebody has it: who; one that is gone loses it."""
        labels = {names.STACK: self._stack, names.LOCK: self._own.to_label(), names.BEAT: "0"}
        try:
            self._id = self._swarm.create("configs", self._name, labels, b"lock")
            return None
        except ConflictError:
            pass
        found = self._find()
        if found is None:
            return self.acquire()
        holder = Holder.read((found["Spec"].get("Labels") or {}).get(names.LOCK, ""))
        if holder.has_ended() or self._is_silent(found):
            with suppress(EngineError):  # whoever is first removes it, by its id: never a later one
                self._swarm.remove("configs", found["ID"])
            return self.acquire()
        return holder

    def _find(self) -> Body | None:
        found = self._swarm.objects("configs", {"name": [self._name]})
        return next((item for item in found if item["Spec"]["Name"] == self._name), None)

    def _is_silent(self, found: Body) -> bool:
        """Whether nothing was heard for so long that we waited. No clocks are compared."""
        beat = (found["ID"], found["Version"]["Index"])
        if beat != self._heard[0]:
            self._heard = (beat, time.monotonic())
        return time.monotonic() - self._heard[1] > _SILENT

    @contextmanager
    def held(self) -> Iterator[None]:
        ended = threading.Event()
        threading.Thread(target=self._beat, args=(ended,), daemon=True).start()
        try:
            yield
        finally:
            ended.set()
            with suppress(EngineError):
                self._swarm.remove("configs", self._id)

    def _beat(self, ended: threading.Event) -> None:
        count = 0
        while not ended.wait(_BEAT):
            count += 1
            with suppress(EngineError):
                found = self._find()
                if found is None or found["ID"] != self._id:
                    continue
                self._swarm.relabel("configs", found, {**found["Spec"]["Labels"], names.BEAT: str(count)})
