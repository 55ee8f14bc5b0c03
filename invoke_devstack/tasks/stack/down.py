"""`invoke down`: stop the stack and remove its containers and networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from invoke_devstack.tasks.declare import task
from invoke_devstack.tasks.flags import STOP_HELP, choice, seconds

if TYPE_CHECKING:
    from invoke_devstack.running.options import DownOptions
    from invoke_devstack.tasks.work import Work

_IMAGES: Mapping[str, Literal["built", "all"]] = {"local": "built", "all": "all"}


@task(
    "down",
    json="events",
    plans=True,
    shorts={"volumes": "v", "timeout": "t"},
    flags={
        "volumes": "Also delete volumes and their data. Asks first.",
        "rmi": "Also remove images: `local` (built here, without an `image`) or `all` of the services.",
        "timeout": STOP_HELP,
    },
)
def down(work: Work, volumes: bool = False, rmi: str = "", yes: bool = False, timeout: str = "") -> None:
    """Stop and remove the stack gracefully; keep data.

    Removes containers and networks, dependents first. Volumes stay.
    """
    from invoke_devstack.running.options import DownOptions
    from invoke_devstack.running.stack.down import take_down

    options = DownOptions(
        volumes=volumes,
        timeout=seconds("timeout", timeout),
        images=_IMAGES[choice("rmi", rmi, ("local", "all"))] if rmi else "",
    )
    _bear_unreadable_files(work, volumes=volumes)
    if volumes:
        _confirm_loss_of_volumes(work, options, yes=yes)
    with work.session() as session:
        take_down(session, options)


def _bear_unreadable_files(work: Work, *, volumes: bool) -> None:
    """Works on what the containers' labels say if the Compose files cannot be read. Raises DefinitionError if
    no stack was started here, or if data is to be deleted."""
    from invoke_devstack.definition.model import Definition
    from invoke_devstack.errors import DefinitionError
    from invoke_devstack.events import Notice
    from invoke_devstack.running.stack.stacks import stack_started_in

    try:
        _ = work.bound_definition
    except DefinitionError as error:
        found = None if volumes else stack_started_in(work.engine, work.directory, work.copy_name)
        if found is None:
            raise
        place = f" ({error.position})" if error.position else ""
        text = f"{error.message}{place}; the stack {found.name} is stopped as its containers' labels say"
        work.tell(Notice(text=text, level="warning"))
        work.use(Definition(name=found.name, working_dir=work.directory))


def _confirm_loss_of_volumes(work: Work, options: DownOptions, *, yes: bool) -> None:
    from invoke_devstack.running.stack.down import plan

    with work.session() as session:
        names = plan(session, options).deleted_data
    if names:
        work.confirm(f"Delete {names} and all data in it?", yes=yes, loses=f"the volumes {names}")
