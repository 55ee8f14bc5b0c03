"""The commands that a rule runs in its containers after a sync."""

from __future__ import annotations

from collections.abc import Iterable

from invoke_devstack.errors import DevstackError
from invoke_devstack.planning.watching import Command
from invoke_devstack.running.session import Session
from invoke_devstack.running.watch.target import Target


class CommandFailedError(DevstackError):
    """`exec` of a rule ended with a code other than 0."""


def run_commands(session: Session, targets: Iterable[Target], commands: Iterable[Command]) -> None:
    """Runs each command in each running container. Raises CommandFailedError."""
    wanted = tuple(commands)
    for target in targets:
        for command in wanted if target.running else ():
            result = session.engine.exec(
                target.id,
                command.command,
                user=command.user,
                working_dir=command.working_dir,
                environment=command.environment,
                privileged=command.privileged,
            )
            if result.exit_code:
                raise CommandFailedError(
                    f"`{' '.join(command.command)}` in {target.name} ended with {result.exit_code}",
                    details=result.output.decode("utf-8", "replace").splitlines()[-20:],
                )
