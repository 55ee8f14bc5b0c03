"""What the tasks of a cluster share: their flags, the cluster, and questions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from invoke_devstack.console import can_ask
from invoke_devstack.errors import DevstackError, EngineError, UsageError
from invoke_devstack.events import Notice

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition
    from invoke_devstack.deploying.cluster import Cluster
    from invoke_devstack.engine.docker_engine import DockerEngine
    from invoke_devstack.planning.plan import Plan
    from invoke_devstack.running.session import Session
    from invoke_devstack.tasks.work import Work

TO_HELP = "The Docker context of a manager. Default: the engine in use."
STACK_HELP = "The stack's name on the cluster. Default: the project's."
FILE_HELP = "A Compose file; repeatable, later ones win. Default: the project's, and compose.prod.yaml."
WAIT_HELP = "Seconds without progress until a service has failed (default 300)."
COMMON = {"to": TO_HELP, "stack": STACK_HELP}


def engine_of(work: Work, to: str) -> DockerEngine:
    """The manager that `--to` names. Raises EngineUnavailableError."""
    from invoke_devstack.engine.connect import connect
    from invoke_devstack.engine.docker_engine import DockerEngine
    from invoke_devstack.engine.endpoints import endpoint_of_context

    if not to:
        _ = work.engine
        assert isinstance(work.connected, DockerEngine)
        return work.connected
    work.connected = connect(endpoint=endpoint_of_context(to))
    return work.connected


def stack_name(work: Work, stack: str) -> str:
    """The stack that a task is about, without reading more of the files than their name."""
    if stack:
        return checked_name(stack)
    from invoke_devstack.definition import named_project

    return named_project(work.directory, files=[work.directory / file for file in work.settings.files])[0]


def checked_name(stack: str) -> str:
    from invoke_devstack.definition.reading.discover import normalised_name

    if normalised_name(stack) != stack:
        raise UsageError(
            f"invalid stack name `{stack}`",
            hint="Use lowercase letters, digits, `-` and `_`, and start with a letter or digit.",
        )
    return stack


def given_flags(to: str, stack: str) -> tuple[str, ...]:
    """Those of them that were given."""
    named = {"--to": to, "--stack": stack}
    return tuple(word for flag, value in named.items() if value for word in (flag, value))


def deploy_or_context(to: Sequence[str], number: str) -> tuple[str, str]:
    """(context, number of a deploy) for a rollback: `--to` takes both, of which a number is a deploy, unless
    `--number` has it already. Raises UsageError for two of a kind."""
    numbers = [] if number else [item for item in to if item.isdecimal()]
    contexts = [item for item in to if item not in numbers]
    for found, what in ((numbers, "deploys"), (contexts, "contexts")):
        if len(found) > 1:
            raise UsageError(
                f"two {what} given: `{found[0]}` and `{found[1]}`",
                hint="Give a deploy and a context, once each: `invoke deploy.rollback --to 3 --to node1`",
            )
    return next(iter(contexts), ""), number or next(iter(numbers), "")


@contextmanager
def on_cluster(work: Work, to: str, stack: str) -> Iterator[tuple[Cluster, Session]]:
    """The cluster and a session, for a task that needs no definition."""
    from invoke_devstack.definition.model import Definition

    name = stack_name(work, stack)
    definition = Definition(name=name, working_dir=work.directory)
    with with_definition(work, to, definition, given_flags(to, stack)) as both:
        yield both


@contextmanager
def with_definition(
    work: Work, to: str, definition: Definition, flags: Sequence[str] = ()
) -> Iterator[tuple[Cluster, Session]]:
    """The cluster and a session for the stack that has the definition's name. With `--to`, images are built
    on the engine in use, if there is one. `flags` are those of the two, for hints."""
    from dataclasses import replace

    from invoke_devstack.deploying.cluster import Cluster

    if to and any(service.build for service in definition.services.values()):
        try:
            builder = work.engine
        except EngineError:
            builder = None
    else:
        builder = None
    engine = engine_of(work, to)
    if "engine" not in work.__dict__:
        work.__dict__["engine"] = engine
    with work.session(definition) as session:
        cluster = Cluster(engine, definition.name, flags)
        cluster.check_manager()
        yield cluster, replace(session, engine=builder or engine)


def confirm_plan(work: Work, plan: Plan, *, yes: bool) -> None:
    """Shows the plan and asks. Raises UsageError if nobody can be asked, DevstackError for a no."""
    for line in plan.lines():
        work.tell(Notice(text=f"  {line}"))
    confirm(work, "Carry it out?", yes=yes)


def confirm(work: Work, question: str, *, yes: bool) -> None:
    if yes:
        return
    if not can_ask():
        raise UsageError(
            "needs confirmation: this changes the cluster",
            hint="There is no terminal to ask on. To confirm, add `--yes`.",
        )
    with work.interrupt.raising():
        answer = work.console.ask(f"{question} [y/N]").strip().lower()
    if answer not in ("y", "yes"):
        raise DevstackError("cancelled: nothing was changed")


def asks_to_return(work: Work) -> bool:
    """After Ctrl-C in a rollout: whether to roll back. Where nobody can be asked, it is left."""
    if not can_ask():
        return False
    question = "Interrupted. Leave the stack as it is now, or roll it back? [leave/roll back]"
    return work.console.ask(question).strip().lower() in ("r", "roll", "roll back", "rollback", "b", "back")
