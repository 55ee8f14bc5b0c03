"""Commands in hints act on the stack that the command line was about."""

from __future__ import annotations

import pytest

from invoke_devstack.tasks.command_line.prefixing import prefixed

NAMES = {"up", "logs", "images.rm"}
SELECTING = ("--file", "b c.yaml", "--profile", "x")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Start it: `invoke up -s web`.", "Start it: `invoke up --file 'b c.yaml' --profile x -s web`."),
        ("invoke up && invoke logs", "invoke up {0} && invoke logs {0}"),
        ("`invoke images.rm --yes`", "`invoke images.rm {0} --yes`"),
        ("`invoke up --file=b.yaml --ports auto`", "`invoke up --file=b.yaml --ports auto`"),
        ("`invoke up -d --profile x`", "`invoke up -d --profile x`"),
        ("Flags: `invoke --help up`.", "Flags: `invoke --help up`."),
        ("Ask `invoke seed` of the team.", "Ask `invoke seed` of the team."),
        ("Nothing to type.", "Nothing to type."),
    ],
)
def test_the_flags_that_say_which_stack_is_meant_are_in_each_command(said: str, shown: str) -> None:
    assert prefixed(said, "", NAMES, SELECTING) == shown.format("--file 'b c.yaml' --profile x")


def test_they_stand_after_the_name_that_the_task_has() -> None:
    assert prefixed("`invoke up`", "shop.", NAMES, ("--file", "b.yaml")) == "`invoke shop.up --file b.yaml`"
    assert prefixed("`invoke --help up`", "shop.", NAMES, ("--file", "b.yaml")) == "`invoke --help shop.up`"
