"""Colors that can be read on dark and on light, and what containers of one service are called."""

from __future__ import annotations

import re

import pytest

from invoke_devstack import events as e
from invoke_devstack.console.live import ready_lines
from invoke_devstack.console.screen import Screen
from invoke_devstack.console.style import Paint, Palette
from invoke_devstack.console.table import render_table
from invoke_devstack.events import container_label
from tests.unit.console.conftest import Stream

_CUBE = (0, 95, 135, 175, 215, 255)


def luminance(number: int) -> float:
    """Of a color of the cube of 256, by the WCAG."""
    place = number - 16
    parts = (_CUBE[place // 36], _CUBE[place // 6 % 6], _CUBE[place % 6])
    linear = [part / 255 / 12.92 if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_each_service_has_a_colour_that_is_readable_on_black_and_on_white() -> None:
    palette = Palette()
    names = [f"service-{number}" for number in range(12)]
    palette.expect(names)
    colours = {palette.colour(name) for name in names}
    assert len(colours) == 12
    for colour in colours:
        found = re.fullmatch(r"\x1b\[38;5;(\d+)m", colour)
        assert found
        light = luminance(int(found[1]))
        assert (light + 0.05) / 0.05 >= 4.0, colour  # on black
        assert 1.05 / (light + 0.05) >= 3.0, colour  # on white


def test_a_terminal_with_few_colours_gets_no_blue() -> None:
    screen = Screen.of(Stream(terminal=True), {"TERM": "linux"})
    assert not screen.many_colours
    palette = Palette(many=False)
    assert {palette.colour(str(number)) for number in range(12)} == {
        "\x1b[36m", "\x1b[32m", "\x1b[35m", "\x1b[33m",
    }  # fmt: skip


def test_of_several_containers_each_has_its_number() -> None:
    assert container_label("web", "p-web-1") == "web"
    assert container_label("web", "p-web-1", several=True) == "web-1"
    assert container_label("web", "own-name", several=True) == "web"
    rows = tuple(
        {"service": name.rpartition("-")[0], "container": f"p-{name}"} for name in ("web-1", "web-2", "db-1")
    )
    shown = render_table(
        e.Table(title="", columns=("service",), rows=rows), Screen.of(Stream(terminal=False), {})
    )
    assert shown.split() == ["SERVICE", "web-1", "web-2", "db"]


def test_the_summary_of_a_start_numbers_them_too() -> None:
    paint = Paint(colour=False, unicode=False, palette=Palette())
    events = [
        e.ServiceReady(service="web", container=f"p-web-{number}", state="running", seconds=1.0)
        for number in (1, 2)
    ]
    assert [line.split()[1] for line in ready_lines(events, paint)] == ["web-1", "web-2"]


def test_what_is_wrong_is_red_in_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")  # which rich asks for
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLORTERM", "")
    columns = ("service", "state", "health", "exit_code")
    rows = (
        {"service": "web", "state": "running", "health": "healthy", "exit_code": None},
        {"service": "api", "state": "running", "health": "unhealthy", "exit_code": None},
        {"service": "job", "state": "exited", "health": "", "exit_code": 3},
        {"service": "one", "state": "exited", "health": "", "exit_code": 0},
    )
    table = e.Table(title="", columns=columns, rows=rows)
    coloured = render_table(table, Screen.of(Stream(terminal=True), {"TERM": "xterm-256color"}))
    web, api, job, one = coloured.splitlines()[1:]
    assert "\x1b[32mhealthy" in web
    assert "\x1b[1;31munhealthy" in api
    assert job.count("\x1b[1;31m") == 2
    assert "\x1b[1;31m" not in one
    plain = render_table(table, Screen.of(Stream(terminal=True), {"TERM": "xterm", "NO_COLOR": "1"}))
    assert "31m" not in plain
