"""A copy of the stack for one test session: brought up, asked, and removed."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from invoke_devstack.errors import UsageError

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition
    from invoke_devstack.engine.protocol import ExecResult
    from invoke_devstack.planning.connections import Connection
    from invoke_devstack.tasks.context import Work


class Devstack:
    """A running copy of the stack, as this machine reaches it."""

    def __init__(self, work: Work, definition: Definition) -> None:
        """`definition` is the copy's. For who writes a fixture of their own: see `isolated_stack`."""
        from invoke_devstack.tasks.connections import connections_of

        self.name = definition.name
        """The project: containers are called `NAME-SERVICE-1`."""
        self._work = work
        self._connections = {item.service: item for item in connections_of(work, (), inside=False)}

    @property
    def variables(self) -> dict[str, str]:
        """`REDIS_URL`, `MYSQL_HOST`, `MYSQL_PORT` … of all services, as `invoke env` prints them."""
        return {
            name: value for item in self._connections.values() for name, value in item.variables().items()
        }

    def connection(self, service: str) -> Connection:
        """Host, port, login and url of a service. Raises UsageError for one that publishes no port."""
        if service not in self._connections:
            known = ", ".join(self._connections) or "none does"
            raise UsageError(f"`{service}` publishes no port", hint=f"Services that do: {known}.")
        return self._connections[service]

    def url(self, service: str) -> str:
        """`mysql://user:password@127.0.0.1:49153/app`, `http://localhost:49154`; where the kind of server
        is not known, `127.0.0.1:49155`."""
        found = self.connection(service)
        return found.url or f"{found.host}:{found.port}"

    def exec(self, service: str, *command: str) -> ExecResult:
        """Runs a command in a service to its end: its exit code and output."""
        from invoke_devstack.tasks.targets import container

        return self._work.engine.exec(container(self._work, service).id, command)


@contextmanager
def isolated_stack(
    directory: Path, *, services: Sequence[str] = (), build: bool = False
) -> Iterator[Devstack]:
    """Brings up a copy of the stack in `directory` and removes it, with its data, at the end.

    The copy has a project name of its own, free ports and empty volumes; the team's hooks run for it, and
    commands in them that call `invoke` or `docker compose` mean the copy. It goes also when this process is
    killed, and what earlier dead runs left goes first. Raises DevstackError when it does not come up.
    """
    from invoke_devstack.running.options import UpOptions
    from invoke_devstack.running.up import bring_up
    from invoke_devstack.testing.owners import Owner, remove_leftovers, remove_project
    from invoke_devstack.testing.project import load_work
    from invoke_devstack.testing.watchdog import watched

    if not directory.is_dir():
        raise UsageError(
            f"{directory} is no folder", hint="It is where the tasks.py or the Compose files are."
        )
    work = load_work(directory)
    definition = _copied(work, Owner.of_this_process().labels())
    work.definition, work.project = definition, definition.name
    remove_leftovers(work.engine)
    work.context.config.run.env["COMPOSE_PROJECT_NAME"] = definition.name
    with watched(definition.name):
        try:
            with work.session(definition=definition) as session:
                bring_up(session, UpOptions(services=tuple(services), build=build, ports="fixed"))
            yield Devstack(work, definition)
        finally:
            remove_project(work.engine, definition.name)


def _copied(work: Work, labels: Mapping[str, str]) -> Definition:
    from invoke_devstack.definition import load, named_project
    from invoke_devstack.testing.isolation import isolated

    files = [work.directory / file for file in work.settings.files]
    original, _, _ = named_project(work.directory, files=files)
    name = f"{original}-test-{secrets.token_hex(4)}"
    loaded = load(work.directory, files=files, profiles=work.settings.profiles, project_name=name)
    return isolated(loaded, original, labels)
