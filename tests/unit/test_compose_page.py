"""docs/reference/compose.md: every flag of Docker Compose has a meaning here, and the page says which."""

from __future__ import annotations

import pytest

from invoke_devstack.tasks.catalogue import every
from invoke_devstack.tasks.command_line.habits import COMMANDS, habits_of
from tools.compose_page import PAGE, commands, declared_flags, meaning, page

FLAGS = [
    (name, flag)
    for name, flags in commands().items()
    if name not in COMMANDS and name != "docker"
    for flag in flags
]


def test_the_page_is_what_the_code_says() -> None:
    assert PAGE.read_text("utf-8") == page()


@pytest.mark.parametrize(("command", "flag"), FLAGS)
def test_every_flag_means_something(command: str, flag: str) -> None:
    assert meaning(command, flag)


@pytest.mark.parametrize("command", commands())
def test_every_command_is_a_task_or_has_another_way(command: str) -> None:
    assert (command in every()) != (command in COMMANDS) or command == "docker"


@pytest.mark.parametrize("command", sorted({name for name, _ in FLAGS}))
def test_no_long_flag_is_both_declared_and_a_habit(command: str) -> None:
    own = {name for names in habits_of(command) for name in [names]} - set(habits_of(""))
    assert own & declared_flags(every()[command]) == set()
