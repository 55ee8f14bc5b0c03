"""How a service is reached: host, port, user, password, and all of them as one connection string.

A service that says `x-devstack: {connect: [redis, mysql]}` is given the connections of these services as
variables: `REDIS_URL`, `REDIS_HOST`, `REDIS_PORT`, `MYSQL_URL`, `MYSQL_USER` and so on. What its own
`environment` sets wins. Compose ignores keys that begin with `x-`, in its hash too: it leaves alone the
container that we made, but one that it makes itself has no such variables. Ours remembers what it was
given (`planning.inputs`), and one of Compose's is made anew by the next `up`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from invoke_devstack.errors import DefinitionError
from invoke_devstack.planning.known_images import Kind, Login, connection_string, kind_of, login
from invoke_devstack.planning.mounts import secret_target
from invoke_devstack.records import record

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, FileObject, Service

EXTENSION = "x-devstack"
_SECRET_FILE = "_FILE"

NO_LOGIN = Login()

ReadFile = Callable[[str], str]
"""The content of a file of this machine; "" where it cannot be read."""


@record
class Connection:
    """Where a service is reached. `kind` None is a server that is not known: it has a `url` only where
    it is known to be a page."""

    service: str
    host: str
    port: int
    kind: Kind | None = None
    login: Login = NO_LOGIN
    page: str = ""

    @property
    def url(self) -> str:
        if self.kind is None:
            return self.page
        return connection_string(self.kind, self.login, self.host, self.port)

    def variables(self) -> dict[str, str]:
        """`MYSQL_URL`, `MYSQL_HOST`, `MYSQL_PORT`, `MYSQL_USER`, `MYSQL_PASSWORD`, `MYSQL_DATABASE` for a
        service `mysql`, as far as there is something to say."""
        prefix = re.sub(r"[^A-Z0-9]", "_", self.service.upper())
        values = {
            "URL": self.url,
            "HOST": self.host,
            "PORT": str(self.port),
            "USER": self.login.user,
            "PASSWORD": self.login.password,
            "DATABASE": self.login.database,
        }
        return {f"{prefix}_{name}": value for name, value in values.items() if value}


def service_kind(definition: Definition, service: Service) -> Kind | None:
    """What the service's image is known to serve."""
    return kind_of(service.image_name(definition.name))


def service_login(definition: Definition, service: Service, read: ReadFile = lambda _: "") -> Login:
    """User, password and database as the service itself is given them. `read` opens the files of secrets
    (`MYSQL_PASSWORD_FILE`); without it these stay unknown."""
    kind = service_kind(definition, service)
    if kind is None:
        return NO_LOGIN
    variables = {name: value or "" for name, value in service.environment.items()}
    for name, path in list(variables.items()):
        if name.endswith(_SECRET_FILE):
            variables.setdefault(name.removesuffix(_SECRET_FILE), _secret_at(definition, service, path, read))
    return login(kind, variables, service.command or ())


def _secret_at(definition: Definition, service: Service, path: str, read: ReadFile) -> str:
    for reference in service.secrets:
        found: FileObject | None = definition.secrets.get(reference.source)
        if found and secret_target(reference) == path:
            return (found.content or (read(found.file) if found.file else "")).rstrip("\n")
    return ""


def inside(definition: Definition, service: Service, read: ReadFile = lambda _: "") -> Connection | None:
    """The connection as other services of the stack have it; None where no port is known."""
    kind = service_kind(definition, service)
    targets = [port.target for port in service.ports if port.protocol == "tcp"]
    exposed = [
        int(entry.partition("/")[0]) for entry in service.expose if entry.partition("/")[0].isdecimal()
    ]
    number = kind.port if kind else next(iter([*targets, *exposed]), 0)
    if not number:
        return None
    return Connection(service.name, service.name, number, kind, service_login(definition, service, read))


def injected(definition: Definition, service: Service) -> dict[str, str]:
    """The variables that `x-devstack.connect` gives to a service, without those that it sets itself.
    Raises DefinitionError for a name that is no service."""
    every = {**definition.disabled_services, **definition.services}
    found: dict[str, str] = {}
    for name in _connected(definition, service, every):
        connection = inside(definition, every[name])
        if connection:
            found |= connection.variables()
    return {name: value for name, value in found.items() if name not in service.environment}


def _connected(definition: Definition, service: Service, every: Mapping[str, Service]) -> tuple[str, ...]:
    names = _names(definition, service)
    for name in names:
        if name not in every:
            near = get_close_matches(name, every, n=1)
            raise _bad(
                definition,
                service,
                f"`{service.name}` connects to `{name}`, which is no service",
                f"Did you mean `{near[0]}`?" if near else f"Services: {', '.join(sorted(every))}.",
            )
    return names


def _names(definition: Definition, service: Service) -> tuple[str, ...]:
    extension: Any = service.extensions.get(EXTENSION) or {}
    listed: Any = extension.get("connect") if isinstance(extension, Mapping) else extension
    if listed is None:
        return ()
    if not isinstance(listed, list | tuple) or not all(isinstance(name, str) for name in listed):
        raise _bad(
            definition,
            service,
            f"`{EXTENSION}.connect` of `{service.name}` is not a list of services",
            f"Write `{EXTENSION}: {{connect: [redis, mysql]}}`.",
        )
    return tuple(listed)


def _bad(definition: Definition, service: Service, message: str, hint: str) -> DefinitionError:
    prefix = f"services.{service.name}.{EXTENSION}"
    origins = (item for key, item in definition.origins.items() if key.startswith(prefix))
    origin = next(origins, None) or definition.origins.get(f"services.{service.name}")
    return DefinitionError(message, hint=hint, position=origin.position if origin else None)
