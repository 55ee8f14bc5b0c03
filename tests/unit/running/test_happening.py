"""Which events of the engine are those of healthchecks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import cast

import pytest

from invoke_devstack.engine.protocol import Engine, EngineEvent
from invoke_devstack.running.stack.happening import happening


class Past:
    """An engine with these events, whose containers all have the healthcheck `probe`."""

    def __init__(self, events: Iterable[tuple[str, str]], *, checked: bool = True) -> None:
        self._events = [
            EngineEvent(
                type="container",
                action=action,
                id="c1",
                time=1.0,
                attributes={
                    "execID": execution,
                    "name": "p-web-1",
                    "com.docker.compose.project": "p",
                    "com.docker.compose.service": "web",
                },
            )
            for action, execution in events
        ]
        self._checked = checked

    def events(self, *_: object, **__: object) -> Iterator[EngineEvent]:
        return iter(self._events)

    def inspect_container(self, _: str) -> dict[str, object]:
        return {"Config": {"Healthcheck": {"Test": ["CMD", "probe"]}} if self._checked else {}}

    def list_networks(self, _: object) -> list[object]:
        return []

    list_volumes = list_networks


CHECK = [("exec_create: probe", "1"), ("exec_start: probe", "1"), ("exec_die", "1")]
HEALTHY = ("health_status: healthy", "")
OWN = [("exec_create: ls", "2"), ("exec_start: ls", "2"), ("exec_die", "2")]


@pytest.mark.parametrize(
    ("events", "shown"),
    [
        (CHECK + OWN, OWN),
        ([*CHECK, HEALTHY], [HEALTHY]),
        (CHECK[1:] + OWN, OWN),
        ([CHECK[2], *OWN], OWN),  # it began before `--since`
        ([OWN[0], CHECK[2], *OWN[1:]], OWN),
    ],
)
def test_healthchecks_are_left_out_and_commands_are_not(
    events: list[tuple[str, str]], shown: list[tuple[str, str]]
) -> None:
    found = happening(cast("Engine", Past(events)), "p", healthchecks=False)
    assert [event.action for event in found] == [action for action, _ in shown]


def test_without_a_healthcheck_an_unknown_end_is_a_command() -> None:
    found = happening(cast("Engine", Past([("exec_die", "9")], checked=False)), "p", healthchecks=False)
    assert [event.action for event in found] == ["exec_die"]
