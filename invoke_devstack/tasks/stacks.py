"""All stacks of the machine: stacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke_devstack.tasks.command import command, split_names

if TYPE_CHECKING:
    from invoke_devstack.tasks.context import Work


@command(
    "stacks",
    json="answer",
    flags={"stop": "Stop this stack gracefully, wherever it lives; may be repeated. Nothing is removed."},
)
def stacks(work: Work, stop: tuple[str, ...] = (), json: bool = False) -> None:
    """List every stack on the engine, or stop one.

    Where it lives, how many of its containers run, its ports and its volumes.
    """
    from invoke_devstack.running import stacks as running

    for name in split_names(stop):
        _stop(work, name)
    if not stop:
        rows = running.rows(running.all_stacks(work.engine))
        columns = ("stack", "running", "containers", "ports", "volumes", "directory")
        work.table("stacks", columns, rows, "no stack is on this engine")


def _stop(work: Work, name: str) -> None:
    from pathlib import Path

    from invoke_devstack.definition.model import Definition
    from invoke_devstack.running import stacks as running

    found = running.find_stack(work.engine, name)
    definition = Definition(name=found.name, working_dir=Path(found.directory or "/"))
    with work.session(definition=definition) as session:
        stopped = running.stop(session)
    if not stopped:
        work.answer(f"{name} was stopped already")
