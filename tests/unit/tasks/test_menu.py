from __future__ import annotations

from itertools import chain

from invoke_devstack import stack
from invoke_devstack.tasks import catalogue
from invoke_devstack.tasks.completion import SHELLS, script
from invoke_devstack.tasks.menu import GROUPS


def test_every_task_stands_in_one_group_of_the_menu() -> None:
    shown = list(chain.from_iterable(GROUPS.values()))
    every = {*catalogue.every(), "menu"}
    assert len(shown) == len(set(shown))
    assert (
        {name for name in every if "." not in name} <= set(shown) <= every
    )  # `agents.init` stands there too


def test_the_menu_is_what_invoke_shows_when_it_is_told_nothing() -> None:
    assert stack().default == "menu"


def test_completion_knows_the_tasks_that_take_a_service_first() -> None:
    for shell in SHELLS:
        text = script(shell)
        assert " shell" in text
        assert "@" not in text.replace("$@", "").replace("[@]", "").replace("(@)", "")
    assert script("powershell") == ""
