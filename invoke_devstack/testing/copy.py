"""A copy of the stack for one test session."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from invoke_devstack.errors import DevstackError, UsageError

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition
    from invoke_devstack.planning.connections import Connection
    from invoke_devstack.running.options import UpOptions
    from invoke_devstack.running.session import Session
    from invoke_devstack.tasks.work import Work


@dataclass(frozen=True)
class CommandResult:
    """What a command in a service gave back. `output` is stdout and stderr as they came, `raw` its bytes."""

    exit_code: int
    output: str
    raw: bytes


class Devstack:
    """A running copy of the stack, as seen from this machine."""

    def __init__(self, work: Work, definition: Definition) -> None:
        """`definition` is that of the copy. To write a fixture of your own, use `isolated_stack`."""
        from invoke_devstack.tasks.reach.connections import connections_of

        self.name = definition.name
        """The project name: containers are called `NAME-SERVICE-1`."""
        self._work = work
        self._connections = {item.service: item for item in connections_of(work, (), inside=False)}

    @property
    def variables(self) -> dict[str, str]:
        """`REDIS_URL`, `MYSQL_HOST`, `MYSQL_PORT` … of all services, as `invoke env` prints them."""
        return {
            name: value for item in self._connections.values() for name, value in item.variables().items()
        }

    def connection(self, service: str) -> Connection:
        """Host, port, login and URL of a service. Raises UsageError if it publishes no port."""
        if service not in self._connections:
            self._work.service(service)
            known = ", ".join(self._connections) or "none"
            raise UsageError(f"`{service}` publishes no port", hint=f"Services with ports: {known}.")
        return self._connections[service]

    def url(self, service: str) -> str:
        """`mysql://user:password@127.0.0.1:49153/app`, `http://localhost:49154`, or `127.0.0.1:49155` if
        the kind of server is unknown."""
        found = self.connection(service)
        return found.url or f"{found.host}:{found.port}"

    def exec(self, service: str, *command: str) -> CommandResult:
        """Runs a command in a service. Returns its exit code and its output, stdout and stderr as text."""
        from invoke_devstack.tasks.lookup import container

        done = self._work.engine.exec(container(self._work, service).id, command)
        return CommandResult(done.exit_code, done.output.decode("utf-8", "replace"), done.output)


@contextmanager
def isolated_stack(
    directory: Path, *, services: Sequence[str] = (), build: bool = False
) -> Iterator[Devstack]:
    """Starts a copy of the stack in `directory`; at the end removes it with its data.

    The copy has its own project name, free ports and empty volumes. The team's hooks run for it, and in them
    `invoke` and `docker compose` act on the copy. It is removed even if this process is killed; what earlier
    runs left is removed first. Raises DevstackError if it does not start.
    """
    from invoke_devstack.running.options import UpOptions
    from invoke_devstack.testing.owners import Owner, remove_leftovers, remove_project
    from invoke_devstack.testing.project import load_work
    from invoke_devstack.testing.watchdog import watched

    if not directory.is_dir():
        raise UsageError(
            f"no such directory: {directory}", hint="It must hold the tasks.py or the Compose files."
        )
    work = load_work(directory)
    definition = _copied(work, Owner.of_this_process().labels())
    work.use(definition)
    remove_leftovers(work.engine)
    work.context.config.run.env["COMPOSE_PROJECT_NAME"] = definition.name
    with watched(definition.name):
        try:
            with work.session(definition=definition) as session:
                _start(session, UpOptions(services=tuple(services), build=build, ports="fixed"))
            yield Devstack(work, definition)
        finally:
            remove_project(work.engine, definition.name)


def _start(session: Session, options: UpOptions) -> None:
    from invoke_devstack.running.stack.up import bring_up

    try:
        bring_up(session, options)
    except DevstackError as error:
        hide = session.secrets.hide
        error.message, error.hint = hide(error.message), hide(error.hint)
        error.details = tuple(map(hide, error.details))
        raise


def _copied(work: Work, labels: Mapping[str, str]) -> Definition:
    from invoke_devstack.definition import load, named_project

    files = [work.directory / file for file in work.settings.files]
    original, _, _ = named_project(work.directory, files=files)
    name = f"{original}-test-{secrets.token_hex(4)}"
    loaded = load(work.directory, files=files, profiles=work.settings.profiles, project_name=name)
    return isolated(loaded, original, labels)


def isolated(definition: Definition, original: str, labels: Mapping[str, str]) -> Definition:
    """The copy's definition. `definition` was loaded under the copy's project name; `original` is that of the
    stack, whose images the copy uses. Nothing in it starts again by itself."""
    from invoke_devstack.planning.copies import isolated as copies

    return copies.isolated(
        definition, labels, lambda service: {"image": service.image_name(original), "restart": None}
    )
