"""What the flags of the tasks of a cluster name."""

from __future__ import annotations

from typing import Any, cast

import pytest

from invoke_devstack.deploying.cluster import Cluster
from invoke_devstack.errors import UsageError
from invoke_devstack.tasks.deploying.common import deploy_or_context, given_flags


@pytest.mark.parametrize(
    ("to", "number", "chosen"),
    [
        ((), "", ("", "")),
        (("3",), "", ("", "3")),
        (("node1",), "", ("node1", "")),
        (("node1", "3"), "", ("node1", "3")),
        (("3", "node1"), "", ("node1", "3")),
        (("node1",), "3", ("node1", "3")),
        (("7",), "3", ("7", "3")),  # a context that is named like a number
    ],
)
def test_a_number_is_a_deploy_and_all_else_a_context(
    to: tuple[str, ...], number: str, chosen: tuple[str, str]
) -> None:
    assert deploy_or_context(to, number) == chosen


@pytest.mark.parametrize(
    ("to", "number", "said"),
    [
        (("3", "4"), "", "two deploys given: `3` and `4`"),
        (("a", "b"), "", "two contexts given: `a` and `b`"),
        (("a", "4"), "3", "two contexts given: `a` and `4`"),
    ],
)
def test_two_of_a_kind_are_refused(to: tuple[str, ...], number: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        deploy_or_context(to, number)
    assert refused.value.message == said


def test_hints_name_the_cluster_and_the_stack_as_they_were_given() -> None:
    cluster = Cluster(cast(Any, None), "my shop", given_flags("node1", "my shop"))
    assert cluster.command("deploy.rollback") == "`invoke deploy.rollback --to node1 --stack 'my shop'`"
    assert Cluster(cast(Any, None), "shop", given_flags("", "")).command() == "`invoke deploy`"
