from __future__ import annotations

from itertools import chain

from invoke_devstack import stack
from invoke_devstack.tasks.completion import SHELLS, script
from invoke_devstack.tasks.menu import GROUPS, help_lines


def test_every_task_stands_in_one_group_of_the_menu() -> None:
    shown = list(chain.from_iterable(GROUPS.values()))
    collections = {name.partition(".")[0] for name in stack().task_names if "." in name}
    wanted = {name for name in help_lines() if name.partition(".")[0] not in collections} | collections
    assert sorted(shown) == sorted(wanted)


def test_the_menu_is_what_invoke_shows_when_it_is_told_nothing() -> None:
    assert stack().default == "menu"


def test_completion_knows_the_tasks_that_take_a_service_first() -> None:
    for shell in SHELLS:
        text = script(shell)
        assert " shell" in text
        assert "@" not in text.replace("$@", "").replace("[@]", "").replace("(@)", "")
    assert script("powershell") == ""
