"""Flags that users of Compose type, as they type them."""

from __future__ import annotations

import shlex
from collections.abc import Callable

from tests.functional.conftest import Project
from tests.functional.stack.test_words import states

STACK = """
    services:
      web: {image: IMAGE, init: true, command: sleep 600, depends_on: [db]}
      db: {image: IMAGE, init: true, command: sleep 600}
      tool: {image: IMAGE, init: true, command: sleep 600, profiles: [debug]}
"""


def test_what_is_typed_by_habit_does_what_is_meant(new_project: Callable[..., Project]) -> None:
    project = new_project(STACK)
    steps: tuple[tuple[str, dict[str, str]], ...] = (
        ("up --wait --no-deps --pull never --quiet-pull web", {"web": "running"}),
        ("up --wait --no-deps web", {"web": "running"}),
        ("--profile debug up -dy", {"web": "running", "db": "running", "tool": "running"}),
        ("rm -fv --stop tool", {"web": "running", "db": "running"}),
        ("stop --dry-run web", {"web": "running", "db": "running"}),
        ("stop db", {"web": "running", "db": "exited"}),
        ("up --no-deps web -d", {"web": "running", "db": "running"}),
        ("down -v --remove-orphans", {}),
    )
    for typed, expected in steps:
        ended = project.invoke(*shlex.split(typed))
        assert (ended.code, states(project)) == (0, expected), (typed, ended)


def test_what_is_refused_changes_nothing(new_project: Callable[..., Project]) -> None:
    project = new_project(STACK)
    for typed in (
        "up --no-recreate --force-recreate",
        "up --no-deps -d",
        "up --scale web",
        "up --abort-on-container-exit -d",
        "up --exit-code-from wbe",
        "scale wbe=3",
        "up --pull often",
        "up --file no",
    ):
        ended = project.invoke(*shlex.split(typed))
        assert (ended.code, states(project)) == (2, {}), (typed, ended)
