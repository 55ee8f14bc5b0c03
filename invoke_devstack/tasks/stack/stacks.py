"""`invoke stacks`: every stack on the engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from invoke_devstack.errors import UsageError
from invoke_devstack.tasks.declare import split_names, task

if TYPE_CHECKING:
    from invoke_devstack.tasks.work import Work


@task(
    "stacks",
    json="answer",
    flags={"stop": "Stop this stack gracefully, wherever it is; repeatable. Removes nothing."},
)
def stacks(work: Work, stop: tuple[str, ...] = ()) -> None:
    """List all stacks on the engine, or stop one.

    Shows the directory of each, its running containers, ports and volumes.
    """
    for name in split_names(stop):
        _stop(work, name)
    if not stop:
        _list(work)


@task(
    "ls",
    json="answer",
    shorts={"quiet": "q"},
    flags={
        "quiet": "Only the names of the stacks.",
        "filter_": "`name=TEXT`: only stacks with this text in their name; repeatable.",
    },
)
def ls(work: Work, quiet: bool = False, filter_: tuple[str, ...] = (), json: bool = False) -> None:
    """List all stacks on the engine, as `stacks` does."""
    _list(work, quiet=quiet, json=json, parts=[_name_in(text) for text in filter_])


def _name_in(text: str) -> str:
    name, _, value = text.partition("=")
    if name != "name":
        raise UsageError(f"unknown filter `{text}`", hint="Write `--filter name=shop`.")
    return value


def _list(work: Work, *, quiet: bool = False, json: bool = False, parts: Sequence[str] = ()) -> None:
    from invoke_devstack.running.stack.stacks import all_stacks, rows

    every = all_stacks(work.engine)
    found = [item for item in every if not parts or any(part in item.name for part in parts)]
    if quiet:
        work.names((item.name for item in found), json=json)
        return
    columns = ("stack", "running", "containers", "ports", "volumes", "directory")
    work.table("stacks", columns, rows(found), "no stacks on this engine")


def _stop(work: Work, name: str) -> None:
    from pathlib import Path

    from invoke_devstack.definition.model import Definition
    from invoke_devstack.running.stack.lifecycle import stop_without_files
    from invoke_devstack.running.stack.stacks import find_stack

    found = find_stack(work.engine, name)
    definition = Definition(name=found.name, working_dir=Path(found.directory or "/"))
    with work.session(definition=definition) as session:
        stopped = stop_without_files(session)
    if not stopped:
        work.answer(f"{name} is already stopped")
