"""Hints keep the flags that were typed."""

from __future__ import annotations

import io

import pytest

from invoke_devstack.console import choose
from invoke_devstack.errors import UsageError
from invoke_devstack.tasks.boundary import failure
from invoke_devstack.tasks.calling.repeating import RepeatingConsole, words_after

AUTO = "Use a free one: `invoke up --ports auto`"


@pytest.mark.parametrize(
    ("typed", "hint", "shown"),
    [
        (("--scale", "web=2", "-d"), AUTO, "`invoke up --scale web=2 -d --ports auto`"),
        (("--ports", "fixed", "web"), AUTO, "`invoke up web --ports auto`"),
        (("--ports=fixed", "web"), AUTO, "`invoke up web --ports auto`"),
        (("-s", "a b"), AUTO, "`invoke up -s 'a b' --ports auto`"),
        (("--no-deps", "-d"), "So: `invoke up --no-deps web`.", "`invoke up -d --no-deps web`"),
        ((), AUTO, "`invoke up --ports auto`"),
        (("--detach",), "Start it: `invoke up -s db`.", "`invoke up --detach -s db`"),
        (("--detach",), "See `invoke logs --tail 3`.", "`invoke logs --tail 3`"),
        (("--detach",), "Start it: `invoke up`.", "`invoke up`"),
    ],
)
def test_a_hint_to_call_the_task_again_has_what_was_typed(
    typed: tuple[str, ...], hint: str, shown: str
) -> None:
    out = io.TextIOWrapper(written := io.BytesIO(), encoding="utf-8")
    console = RepeatingConsole(choose(out=out, err=out), "up", typed)
    console.emit(failure(UsageError("no", hint=hint)))
    console.close()
    out.flush()
    assert shown in written.getvalue().decode()


@pytest.mark.parametrize(
    ("line", "after"),
    [
        ("invoke up -d web", ("-d", "web")),
        ("invoke build up -d", ("-d",)),
        ("invoke up logs", ()),
        ("invoke up up", ()),
        ("invoke exec web -- up", ()),
        ("invoke --debug up --scale a=2", ("--scale", "a=2")),
        ("pytest -q", ()),
    ],
)
def test_the_words_after_the_only_task_are_its_own(line: str, after: tuple[str, ...]) -> None:
    assert words_after("up", line.split(), {"up", "build", "logs"}) == after
