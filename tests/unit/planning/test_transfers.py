"""Which images a pull gets and a push brings away."""

from __future__ import annotations

import pytest

from invoke_devstack.errors import UsageError
from invoke_devstack.planning.transfers import plan_pull, plan_push
from tests.unit.planning.building import stack

BUILD = {"context": "/src"}
STACK = stack(
    {
        "db": {"image": "db:1"},
        "replica": {"image": "db:1"},
        "web": {"image": "registry.example.com/web:1", "build": BUILD},
        "tool": {"image": None, "build": BUILD},
    }
)


def test_a_pull_gets_each_image_once_and_none_that_is_built_here() -> None:
    assert [action.target for action in plan_pull(STACK, ())] == ["db:1"]


def test_an_image_that_is_built_here_is_pulled_when_it_is_asked_for_and_has_a_name() -> None:
    assert [action.target for action in plan_pull(STACK, ("web",))] == ["registry.example.com/web:1"]
    assert list(plan_pull(STACK, ("tool",))) == []


def test_a_push_brings_what_is_built_here_and_says_where_to() -> None:
    assert [action.target for action in plan_push(STACK, ())] == ["registry.example.com/web:1"]
    assert [action.target for action in plan_push(STACK, ("tool",), tag="registry.example.com/t:2")] == [
        "registry.example.com/t:2"
    ]


@pytest.mark.parametrize(("name", "reason"), [("db", "has no `build`"), ("tool", "has no `image`")])
def test_a_push_of_what_cannot_be_pushed_is_refused_by_name(name: str, reason: str) -> None:
    with pytest.raises(UsageError, match=f"`{name}` {reason}"):
        plan_push(STACK, (name,))
