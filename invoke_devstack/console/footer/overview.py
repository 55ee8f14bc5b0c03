"""How the services are: the state behind the footer. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from invoke_devstack import events as e
from invoke_devstack.console.amounts import duration
from invoke_devstack.console.event_views import Mark, action_text
from invoke_devstack.console.title import Progress
from invoke_devstack.records import record

_SHOWN = ("build", "pull", "stand-in", "create", "start", "await", "stop", "restart", "hook", "exec")
"""The actions that a service's line names while they run."""


@record
class ServiceNow:
    """One service as the engine has it. `state` is a word or two: `healthy`, `exited 1`, `2 of 3 running`."""

    service: str
    state: str
    mark: Mark
    addresses: tuple[str, ...] = ()
    restarts: int = 0


@record
class Rebuild:
    """The last time that a file's change reached a service: `what` is rebuilt, synced or failed. `at` is a
    clock's time, `seconds` how long it took."""

    what: str
    at: str
    seconds: float | None = None

    @property
    def text(self) -> str:
        return f"{'rebuild ' if self.what == 'failed' else ''}{self.what} {self.at}"

    @property
    def details(self) -> str:
        return "" if self.seconds is None else f" in {duration(self.seconds)}"


@dataclass(slots=True)
class Overview:
    """`busy`: what is being done to a service now, by its name."""

    project: str
    services: tuple[ServiceNow, ...] = ()
    busy: dict[str, str] = field(default_factory=dict)
    rebuilds: dict[str, Rebuild] = field(default_factory=dict)
    _addresses: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def names(self) -> tuple[str, ...]:
        """The services, in order."""
        return tuple(item.service for item in self.services)

    def addresses_of(self, now: ServiceNow) -> tuple[str, ...]:
        """Where it is reached, as it was told when it became ready, if those are still its ports: whoever
        waited for it knows whether it is a page."""
        told = self._addresses.get(now.service, ())
        same = {_bare(item) for item in told} == {_bare(item) for item in now.addresses}
        return told if same else now.addresses

    def pages(self) -> dict[str, str]:
        """Service -> the address of its page, for those that have one."""
        found = ((item.service, self.addresses_of(item)) for item in self.services)
        links = {name: [text for text in addresses if "://" in text] for name, addresses in found}
        return {name: texts[0] for name, texts in links.items() if texts}

    def headline(self) -> tuple[str, Progress, int]:
        """What the terminal's title says, and its progress: of what is broken, else of what is being done."""
        for item in self.services:
            if item.mark is Mark.BAD:
                return f"✘ {item.service} {item.state} - {self.project}", Progress.FAILED, 100
        for service, doing in self.busy.items():
            return f"{self.project}: {doing} {service}", Progress.UNKNOWN, 0
        return f"{self.project}: {counts(self.services)}", Progress.NONE, 0

    def apply(self, event: e.Event, clock: str) -> None:
        """Updates it. `clock` is the time now, as it is shown."""
        if change := _CHANGES.get(type(event)):
            change(self, event, clock)

    def _started(self, event: e.ActionStarted, clock: str) -> None:
        if event.service and event.action in _SHOWN:
            self.busy[event.service] = action_text(event.action).in_row

    def _finished(self, event: e.ActionFinished, clock: str) -> None:
        if event.service and event.action in _SHOWN:
            self.busy.pop(event.service, None)

    def _failed(self, event: e.ActionFailed, clock: str) -> None:
        self.busy.pop(event.service, None)
        if event.service and event.action == "build":
            self.rebuilds[event.service] = Rebuild("failed", clock)

    def _ready(self, event: e.ServiceReady, clock: str) -> None:
        self.busy.pop(event.service, None)
        if event.addresses and event.changed:
            self._addresses[event.service] = event.addresses

    def _stopped(self, event: e.ServiceStopped, clock: str) -> None:
        self.busy.pop(event.service, None)

    def _rebuilt(self, event: e.Rebuilt, clock: str) -> None:
        self.busy.pop(event.service, None)
        self.rebuilds[event.service] = Rebuild("rebuilt", clock, event.seconds)

    def _synced(self, event: e.Synced, clock: str) -> None:
        self.rebuilds[event.service] = Rebuild("synced", clock, event.seconds)

    def _watch_failed(self, event: e.WatchFailed, clock: str) -> None:
        if event.service:
            self.busy.pop(event.service, None)
            self.rebuilds[event.service] = Rebuild("failed", clock)


_CHANGES: dict[type[e.Event], Callable[[Overview, Any, str], None]] = {
    e.ActionStarted: Overview._started,
    e.ActionFinished: Overview._finished,
    e.ActionFailed: Overview._failed,
    e.ServiceReady: Overview._ready,
    e.ServiceStopped: Overview._stopped,
    e.Rebuilt: Overview._rebuilt,
    e.Synced: Overview._synced,
    e.WatchFailed: Overview._watch_failed,
}


def counts(rows: Iterable[ServiceNow]) -> str:
    """`3 healthy, 1 done`."""
    found = Counter(item.state for item in rows)
    return ", ".join(f"{count} {state}" for state, count in found.most_common()) or "no services"


def _bare(address: str) -> str:
    return address.partition("://")[2] or address


def folded(
    rows: Iterable[ServiceNow], limit: int, busy: Iterable[str]
) -> tuple[list[ServiceNow], list[ServiceNow]]:
    """At most `limit` rows, in order, preferring failed and busy ones, and those that are left out."""
    every, at_work = list(rows), set(busy)
    if len(every) <= limit:
        return every, []
    ranks = {Mark.BAD: 0, Mark.BUSY: 1, Mark.GOOD: 2, Mark.QUIET: 3}
    wanted = sorted(every, key=lambda row: 1 if row.service in at_work else ranks[row.mark])
    kept = {row.service for row in wanted[: max(limit - 1, 0)]}
    return [row for row in every if row.service in kept], [row for row in every if row.service not in kept]
