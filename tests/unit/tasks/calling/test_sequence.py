"""Which task is the last that Invoke runs: only an `up` that is last stays attached."""

from __future__ import annotations

from typing import Any

import pytest
from invoke.collection import Collection
from invoke.context import Context
from invoke.program import Program
from invoke.tasks import task

from invoke_devstack.tasks.calling import sequence
from invoke_devstack.tasks.declare import Declaration, DevstackTask

last: list[bool] = []


def run_up(context: Context) -> None:
    last.append(sequence.comes_last(DECLARED))


def declared(work: object) -> None:
    """Up."""


DECLARED = Declaration("up", declared, {})


def namespace() -> Collection:
    up = DevstackTask(run_up, "up", lambda: DECLARED)

    def check(context: Context) -> None:
        """Check."""

    def calls(context: Context) -> None:
        """Call."""
        up(context)

    tasks: dict[str, Any] = {
        "up": up,
        "check": task(check),
        "before": task(check, pre=[up]),
        "after": task(check, post=[up]),
        "calls": task(calls),
    }
    found = Collection()
    for name, item in tasks.items():
        found.add_task(item, name=name)
    return found


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("up", True),
        ("check up", True),
        ("up check", False),
        ("before", False),
        ("after", True),
        ("calls", False),
    ],
)
def test_up_knows_whether_another_task_follows(words: str, expected: bool) -> None:
    last.clear()
    Program(namespace=namespace()).run(["invoke", *words.split()], exit=False)
    assert last == [expected]
