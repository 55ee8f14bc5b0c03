"""The screen of `status`: what is wrong is red, what is well green, and nothing is longer than the window."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from invoke_devstack.console.status import status_lines
from invoke_devstack.console.style import Paint, Palette

RED, GREEN, YELLOW, DIM = "\x1b[31m\x1b[1m", "\x1b[32m", "\x1b[33m", "\x1b[2m"


def service(name: str, state: str, mark: str, **rest: Any) -> dict[str, Any]:
    return {
        "service": name,
        "state": state,
        "mark": mark,
        "addresses": [],
        "restarts": 0,
        "rebuild": None,
        **rest,
    }


def moment(seconds: int) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()


def answer(**rest: Any) -> dict[str, Any]:
    return {
        "project": "shop",
        "services": [
            service("db", "healthy", "good"),
            service("web", "running", "good", addresses=["http://localhost:8080", "localhost:9229"]),
            service("worker", "exited 1", "bad", restarts=2),
            service(
                "mail", "no container", "quiet", rebuild={"what": "failed", "at": moment(9), "seconds": 1}
            ),
        ],
        "failure": {
            "cause": "worker exited with code 1",
            "service": "worker",
            "hint": "",
            "command": "invoke up",
            "at": moment(30),
            "over": False,
        },
        "up": {
            "steps": [{"action": "start shop-worker-1", "cause": "exited", "service": "worker"}],
            "error": "",
            "hint": "",
        },
        "busy": "",
        **rest,
    }


def lines(
    data: dict[str, Any], *, colour: bool = False, unicode: bool = True, columns: int = 80
) -> list[str]:
    paint = Paint(colour=colour, unicode=unicode, palette=Palette())
    return "\n".join(status_lines(data, paint, columns)).split("\n")


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_states_and_failures_have_their_colours() -> None:
    shown = "\n".join(lines(answer(), colour=True))
    assert f"{GREEN}healthy" in shown
    assert f"{RED}exited 1" in shown
    assert f"{YELLOW}2 restarts" in shown
    assert f"{DIM}no container" in shown
    assert f"{RED}failed 9 s ago" in shown
    assert f"{RED}worker exited with code 1" in shown
    assert f"{DIM}(exited)" in shown


def test_colours_change_no_column() -> None:
    assert [plain(line) for line in lines(answer(), colour=True)] == lines(answer())
    assert lines(answer())[:6] == [
        "shop: 4 services",
        "✔ db      healthy",
        "✔ web     running       http://localhost:8080",
        "                        localhost:9229",
        "✘ worker  exited 1                             2 restarts",
        "· mail    no container                                     failed 9 s ago",
    ]


def test_a_failure_that_is_over_is_not_red() -> None:
    failure = {**answer()["failure"], "over": True}
    shown = "\n".join(lines(answer(failure=failure), colour=True))
    assert "and the same has succeeded since" in shown
    assert f"{RED}worker exited" not in shown


def test_a_narrow_window_and_few_characters() -> None:
    up = {
        "steps": [],
        "error": "no such image `shop/worker:1` on this machine",
        "hint": "Run `invoke build`.",
    }
    shown = lines(answer(up=up), unicode=False, columns=44)
    assert max(map(len, shown[6:])) <= 44
    assert "\n".join(shown).isascii()
    assert "`invoke up` would fail: no such image" in shown


def test_tasks_have_the_names_that_they_are_called_by() -> None:
    paint = Paint(colour=False, unicode=True, palette=Palette())
    failing = answer(up={"steps": [], "error": "no engine", "hint": ""})
    for data in (answer(), failing, answer(up={"steps": [], "error": "", "hint": ""})):
        drawn = "\n".join(status_lines(data, paint, 79, prefix="shop."))
        assert "`invoke shop.up` would" in drawn
        assert "more: `invoke shop.explain-failure`" in drawn
