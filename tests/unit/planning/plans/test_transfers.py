"""Which images a pull gets and a push brings away."""

from __future__ import annotations

import pytest

from invoke_devstack.errors import UsageError
from invoke_devstack.planning.explaining.docker_commands import docker_commands
from invoke_devstack.planning.options import CommitFlags, TransferFlags
from invoke_devstack.planning.plans.images import plan_commit, plan_pull, plan_push
from invoke_devstack.planning.selection import scaled
from tests.unit.planning.building import running, stack

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


def test_a_named_service_can_bring_what_it_depends_on() -> None:
    definition = stack({"db": {"image": "db:1"}, "web": {"image": "web:1", "depends_on": ["db"]}})
    flags = TransferFlags(with_dependencies=True)
    assert [action.target for action in plan_pull(definition, ("web",), flags)] == ["web:1", "db:1"]
    assert [action.target for action in plan_pull(definition, ("web",))] == ["web:1"]


def test_a_pull_can_leave_out_what_is_here_and_what_can_be_built_here() -> None:
    flags = TransferFlags(without_buildable=True)
    assert list(plan_pull(STACK, ("web",), flags)) == []
    assert list(plan_pull(STACK, (), present=("db:1",))) == []


def test_a_commit_is_of_the_container_that_is_named() -> None:
    two = scaled(stack({"web": {}}), {"web": 2})
    flags = CommitFlags(reference="web:broken", pause=False)
    assert plan_commit(running(two), "web", 2, flags).lines() == ("commit p-web-2  (commit)",)
    assert plan_commit(running(two), "web", 0, flags).lines() == ("commit p-web-1  (commit)",)
    (action,) = plan_commit(running(two), "web", 0, flags)
    (explained,) = docker_commands(action)
    assert explained.command == "docker commit --pause=false p-web-1 web:broken"
    with pytest.raises(UsageError, match=r"`web.3` has no container"):
        plan_commit(running(two), "web", 3, flags)
