"""The same stack on a Docker Swarm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke_devstack.tasks.declare import task
from invoke_devstack.tasks.deploying.common import COMMON, FILE_HELP, WAIT_HELP
from invoke_devstack.tasks.flags import count, seconds

if TYPE_CHECKING:
    from invoke_devstack.tasks.work import Work


@task(
    "apply",
    json="events",
    explains=True,
    shorts={"file": "f"},
    flags={
        **COMMON,
        "file": FILE_HELP,
        "dry_run": "Check, and print the plan; build, push and change nothing.",
        "wait_timeout": WAIT_HELP,
    },
)
def apply(
    work: Work,
    to: str = "",
    stack: str = "",
    file: tuple[str, ...] = (),
    dry_run: bool = False,
    yes: bool = False,
    wait_timeout: str = "",
) -> None:
    """Deploy the stack to a Docker Swarm.

    Checks, plans, asks, rolls out, and watches. If a service does not run, the stack goes back.
    """
    from invoke_devstack.deploying.deploy import DeployOptions, deploy
    from invoke_devstack.tasks.deploying.common import (
        asks_to_return,
        checked_name,
        confirm_plan,
        given_flags,
        with_definition,
    )

    timeout = seconds("wait-timeout", wait_timeout)
    if stack:
        checked_name(stack)
    options = DeployOptions(
        confirm=lambda plan: confirm_plan(work, plan, yes=yes),
        asks_to_return=lambda: asks_to_return(work),
        timeout=300.0 if timeout is None else timeout,
        dry=dry_run,
    )
    definition = work.definition_for_production(stack, file)
    with with_definition(work, to, definition, given_flags(to, stack)) as (cluster, session):
        deploy(cluster, session, options)


@task(
    "diff",
    json="answer",
    shorts={"file": "f"},
    flags={**COMMON, "file": FILE_HELP},
)
def diff(work: Work, to: str = "", stack: str = "", file: tuple[str, ...] = ()) -> None:
    """Print what differs between the files and the cluster."""
    from invoke_devstack.deploying.deploy import DeployOptions, deploy
    from invoke_devstack.tasks.deploying.common import checked_name, given_flags, with_definition

    if stack:
        checked_name(stack)
    options = DeployOptions(confirm=lambda plan: None, dry=True)
    definition = work.definition_for_production(stack, file)
    with with_definition(work, to, definition, given_flags(to, stack)) as (cluster, session):
        deploy(cluster, session, options)


@task(
    "rollback",
    json="events",
    flags={
        **COMMON,
        "to": "A number: the deploy to go back to. Else a manager's Docker context. Repeatable, for both.",
        "number": "The deploy, where a context is named like a number.",
    },
)
def rollback(
    work: Work, to: tuple[str, ...] = (), stack: str = "", number: str = "", yes: bool = False
) -> None:
    """Go back to an earlier deploy. Asks first."""
    from invoke_devstack.deploying.deploy import DeployOptions
    from invoke_devstack.deploying.rollback import roll_back
    from invoke_devstack.tasks.deploying.common import (
        asks_to_return,
        confirm_plan,
        deploy_or_context,
        on_cluster,
    )

    context, deploy = deploy_or_context(to, number)
    wanted = count("number" if number else "to", deploy)
    options = DeployOptions(
        confirm=lambda plan: confirm_plan(work, plan, yes=yes), asks_to_return=lambda: asks_to_return(work)
    )
    with on_cluster(work, context, stack) as (cluster, session):
        roll_back(cluster, session, options, wanted)
