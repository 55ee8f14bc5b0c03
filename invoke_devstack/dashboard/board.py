"""All parts of a running dashboard, and what each page is answered with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from invoke_devstack.acting.host import Host
from invoke_devstack.dashboard.acting.runs import Runs
from invoke_devstack.dashboard.details import data, machine
from invoke_devstack.dashboard.details.planned import planned
from invoke_devstack.dashboard.details.service import detail
from invoke_devstack.dashboard.hub import Hub
from invoke_devstack.dashboard.logs.feed import Feed
from invoke_devstack.dashboard.logs.reading import Reading
from invoke_devstack.dashboard.logs.store import Store
from invoke_devstack.dashboard.traces.answering import Answering
from invoke_devstack.dashboard.traces.collector import Collector
from invoke_devstack.dashboard.watching.activity import Activity
from invoke_devstack.dashboard.watching.meters import Meters
from invoke_devstack.dashboard.watching.stack import Stack
from invoke_devstack.running.session import Session
from invoke_devstack.setup.doctor import run_doctor
from invoke_devstack.setup.machine import this_machine

_FIRST_LINE = 2**31  # leaves room before the lines that are read first
_FIRST_LOOK = 3.0  # seconds that a page waits for the engine


class Board:
    """Starts and stops everything that runs beside the web server."""

    def __init__(self, host: Host, *, read_only: bool = False) -> None:
        self.host = host
        self.hub = Hub()
        self.stack = Stack(host, self.hub, {"read_only": read_only, "version": _version()})
        self.runs = Runs(host, self.hub, self.stack)
        self.meters = Meters(self.stack, self.hub)
        self.activity = Activity(host.directory, self.hub, self.stack)
        self.store = Store(first=_FIRST_LINE)
        self.feed = Feed(lambda: self.stack.session, self.hub, self.store)
        self.logs = Reading(self._current, self.store, self.feed)
        self.collector = Collector(host.project, self._current, self.hub, host.secrets)
        self.traces = Answering(self.collector)

    def start(self) -> None:
        self.stack.start()
        self.feed.start()
        self.meters.start()
        self.activity.start()
        self.collector.start()

    def stop(self) -> None:
        self.runs.cancel_all()
        self.collector.stop()
        self.activity.stop()
        self.meters.stop()
        self.feed.stop()
        self.stack.stop()
        self.hub.close()

    def first_events(self) -> list[tuple[str, Any]]:
        """What a tab is told that knows nothing yet."""
        return [("project", self.project()), ("services", self.stack.services())]

    def project(self) -> dict[str, Any]:
        self.stack.wait_until_seen(_FIRST_LOOK)
        return self.stack.project()

    def services(self) -> list[dict[str, Any]]:
        self.stack.wait_until_seen(_FIRST_LOOK)
        return self.stack.services()

    def actions(self) -> list[dict[str, Any]]:
        return [asdict(item) for item in self.host.commands()]

    def plan(self, query: Mapping[str, str], _: object = ()) -> dict[str, Any]:
        return planned(self._current(), query)

    def snapshots(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._hidden(data.snapshots(self._current()))
        return found

    def data(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._hidden(data.services_with_data(self._current()))
        return found

    def stacks(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._hidden(machine.stacks(self._current()))
        return found

    def disk(self) -> dict[str, Any]:
        found: dict[str, Any] = self._hidden(machine.disk(self._current()))
        return found

    def doctor(self) -> list[dict[str, Any]]:
        """Takes seconds. Needs no engine."""
        settings = self.host.settings
        checks = run_doctor(this_machine(), self.host.directory, lambda: self._current().definition, settings)
        found: list[dict[str, Any]] = self._hidden([asdict(check) for check in checks])
        return found

    def service(self, name: str, query: Mapping[str, str]) -> dict[str, Any] | None:
        self.stack.wait_until_seen(_FIRST_LOOK)
        parts = frozenset(part for part in query.get("parts", "").split(",") if part)
        return detail(self.stack, name, parts)

    def exported(self, name: str, service: str) -> Iterator[bytes]:
        return data.exported(self._current(), name, service)

    def _hidden(self, found: Any) -> Any:
        """With masks. Whatever an engine or a file said goes through here, or was masked where it came in."""
        return self.host.secrets.hide_in(found)

    def _current(self) -> Session:
        """The stack on the engine. Raises DevstackError while there is none."""
        self.stack.wait_until_seen(_FIRST_LOOK)
        return self.stack.session


def _version() -> str:
    from importlib.metadata import version

    return version("invoke-devstack")
