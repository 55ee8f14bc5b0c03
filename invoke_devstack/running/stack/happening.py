"""The engine's events about a project: its containers, networks and volumes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from invoke_devstack.engine.protocol import Engine, EngineEvent
from invoke_devstack.errors import DevstackError
from invoke_devstack.events import Happened
from invoke_devstack.planning.labels import PROJECT, SERVICE

_NONE = "none"
_KINDS = ("container", "network", "volume")


def happening(
    engine: Engine, project: str, *, since: str = "", until: str = "", healthchecks: bool = True
) -> Iterator[Happened]:
    """The project's events, with those of `healthchecks` or without; without `until`, it never ends. See
    `Engine.events`. That a container has become healthy is no event of its healthcheck."""
    own, checks = _Own(engine, project), _Healthchecks(engine)
    for event in engine.events({"type": _KINDS}, since=since, until=until):
        if own.has(event) and (healthchecks or not checks.has(event)):
            yield Happened(
                kind=event.type,
                action=event.action,
                service=event.attributes.get(SERVICE, ""),
                name=event.attributes.get("name", event.id if event.type == "volume" else event.id[:12]),
                time=event.time,
            )


class _Own:
    """What belongs to the project. Events of networks and volumes carry no labels, so their owners are looked
    up; of one that is gone, the name decides."""

    def __init__(self, engine: Engine, project: str) -> None:
        self._engine = engine
        self._project = project
        self._owners: dict[tuple[str, str], str] = {}
        self._look()

    def has(self, event: EngineEvent) -> bool:
        if event.type == "container":
            return event.attributes.get(PROJECT) == self._project
        name = event.attributes.get("name", event.id)
        if (event.type, name) not in self._owners:
            self._look()
        gone = self._project if name.startswith(f"{self._project}_") else ""
        return self._owners.setdefault((event.type, name), gone) == self._project

    def _look(self) -> None:
        for kind, found in (
            ("network", self._engine.list_networks({})),
            ("volume", self._engine.list_volumes({})),
        ):
            owners = {(kind, item["Name"]): (item.get("Labels") or {}).get(PROJECT, "") for item in found}
            self._owners |= owners


class _Healthchecks:
    """The events of the commands that the engine runs in containers for their healthchecks."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._commands: dict[str, str] = {}
        self._running: set[str] = set()
        self._others: set[str] = set()

    def has(self, event: EngineEvent) -> bool:
        action, _, command = event.action.partition(": ")
        if event.type != "container" or not action.startswith("exec_"):
            return False
        execution = event.attributes.get("execID", "")
        if execution and execution in self._running:
            if action == "exec_die":
                self._running.discard(execution)
            return True
        if action == "exec_die":  # begun before `since`, if it is not known: nearly always a healthcheck
            return execution not in self._others and self._command(event.id) != _NONE
        if command.strip() != self._command(event.id):
            self._others.add(execution)
            return False
        self._running.add(execution)
        return True

    def _command(self, container: str) -> str:
        """As the engine names it in its events."""
        if container not in self._commands:
            test: list[str] = []
            with suppress(DevstackError):
                config = self._engine.inspect_container(container).get("Config") or {}
                test = (config.get("Healthcheck") or {}).get("Test") or []
                if test[:1] == ["CMD-SHELL"]:
                    test = ["", *(config.get("Shell") or ("/bin/sh", "-c")), *test[1:]]
            self._commands[container] = " ".join(test[1:]).strip() or _NONE
        return self._commands[container]
