"""How to reach a service: host, port, user, password, and a connection string.

A service with `x-devstack: {connect: [redis, mysql]}` gets the connections of these services as variables:
`REDIS_URL`, `REDIS_HOST`, `REDIS_PORT`, `MYSQL_URL`, `MYSQL_USER` and so on. Its own `environment` overrides
them. Compose ignores keys that begin with `x-`, also in its hash: it keeps containers that we created, but
those it creates have no such variables. The fingerprint in a label of our containers contains them, so the
next `up` recreates a container of Compose's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from invoke_devstack.errors import DefinitionError, did_you_mean
from invoke_devstack.planning.known_images import KnownImage, known_image
from invoke_devstack.planning.names import secret_target
from invoke_devstack.records import record

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, FileObject, Service

EXTENSION = "x-devstack"
_SECRET_FILE = "_FILE"


@record
class Login:
    """Who connects to which database; "" for what is unknown or not needed."""

    user: str = ""
    password: str = ""
    database: str = ""


NO_LOGIN = Login()

Variables = Mapping[str, str]
ReadFile = Callable[[str], str]
"""The content of a file on this machine; "" if it cannot be read."""


@record
class Connection:
    """Where a service is reached. An unknown server (`image` is None) has a `url` only if it serves a web
    page."""

    service: str
    host: str
    port: int
    image: KnownImage | None = None
    login: Login = NO_LOGIN
    page: str = ""

    @property
    def url(self) -> str:
        if self.image is None:
            return self.page
        return connection_string(self.image, self.login, self.host, self.port)

    def variables(self) -> dict[str, str]:
        """`MYSQL_URL`, `MYSQL_HOST`, `MYSQL_PORT`, `MYSQL_USER`, `MYSQL_PASSWORD`, `MYSQL_DATABASE` for a
        service `mysql`, without empty ones."""
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


def image_of(definition: Definition, service: Service) -> KnownImage | None:
    """The service's image, if it is known and has connection strings."""
    image = known_image(service.image_name(definition.name))
    return image if image and image.scheme else None


def service_login(definition: Definition, service: Service, read: ReadFile = lambda _: "") -> Login:
    """User, password and database from the service's own variables. `read` reads the files of secrets
    (`MYSQL_PASSWORD_FILE`); without it, their values are unknown."""
    image = image_of(definition, service)
    if image is None:
        return NO_LOGIN
    variables = {name: value or "" for name, value in service.environment.items()}
    for name, path in list(variables.items()):
        if name.endswith(_SECRET_FILE):
            variables.setdefault(name.removesuffix(_SECRET_FILE), _secret_at(definition, service, path, read))
    return login_of(image, variables, service.command or ())


def _secret_at(definition: Definition, service: Service, path: str, read: ReadFile) -> str:
    for reference in service.secrets:
        found: FileObject | None = definition.secrets.get(reference.source)
        if found and secret_target(reference) == path:
            return (found.content or (read(found.file) if found.file else "")).rstrip("\n")
    return ""


def inside(definition: Definition, service: Service, read: ReadFile = lambda _: "") -> Connection | None:
    """The connection for other services of the stack; None if no port is known."""
    image = image_of(definition, service)
    targets = [port.target for port in service.ports if port.protocol == "tcp"]
    exposed = [
        int(entry.partition("/")[0]) for entry in service.expose if entry.partition("/")[0].isdecimal()
    ]
    number = image.port if image else next(iter([*targets, *exposed]), 0)
    if not number:
        return None
    return Connection(service.name, service.name, number, image, service_login(definition, service, read))


def injected(definition: Definition, service: Service) -> dict[str, str]:
    """The variables that a service gets from `x-devstack.connect`, without those that it sets itself. Raises
    DefinitionError for an unknown service."""
    every = definition.all_services
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
            raise bad_extension(
                definition,
                service,
                f"unknown service `{name}` in `{EXTENSION}.connect` of `{service.name}`",
                did_you_mean(name, every, f"Services: {', '.join(sorted(every))}."),
            )
    return names


def _names(definition: Definition, service: Service) -> tuple[str, ...]:
    extension: Any = service.extensions.get(EXTENSION) or {}
    listed: Any = extension.get("connect") if isinstance(extension, Mapping) else extension
    if listed is None:
        return ()
    if not isinstance(listed, list | tuple) or not all(isinstance(name, str) for name in listed):
        raise bad_extension(
            definition,
            service,
            f"`{EXTENSION}.connect` of `{service.name}` must be a list of services",
            f"Use `{EXTENSION}: {{connect: [redis, mysql]}}`.",
        )
    return tuple(listed)


def bad_extension(definition: Definition, service: Service, message: str, hint: str) -> DefinitionError:
    """The error of an invalid `x-devstack`, with its position."""
    prefix = f"services.{service.name}.{EXTENSION}"
    origins = (item for key, item in definition.origins.items() if key.startswith(prefix))
    origin = next(origins, None) or definition.origins.get(f"services.{service.name}")
    return DefinitionError(message, hint=hint, position=origin.position if origin else None)


def login_of(image: KnownImage, variables: Variables, command: Sequence[str] = ()) -> Login:
    """The login that the server gets from its variables, or from its command (Redis)."""
    user = _first(image.user, variables) or image.defaults.get("user", "")
    return Login(
        user,
        _first(image.password, variables) or _required_password(command, variables),
        _first(image.database, variables) or image.defaults.get("database", ""),
    )


def _required_password(command: Sequence[str], variables: Variables) -> str:
    """The word after `--requirepass`, with the container's variables put in."""
    found = re.search(r"--requirepass[ =]+(?:\"([^\"]*)\"|'([^']*)'|(\S+))", " ".join(command))
    if not found:
        return ""
    word = next(item for item in found.groups() if item is not None)
    return re.sub(r"\$\{?(\w+)\}?", lambda match: variables.get(match[1], ""), word)


def _encode(part: str) -> str:
    return quote(part, safe="")


def connection_string(
    image: KnownImage, login: Login, host: str, port: int, *, encode: Callable[[str], str] = _encode
) -> str:
    """`mysql://user:password@host:port/database`, each part percent-encoded."""
    name, secret = encode(login.user), encode(login.password)
    before = f"{name}:{secret}@" if secret else f"{name}@" if name else ""
    path = f"/{encode(login.database)}" if login.database else ""
    if image.scheme == "mongodb" and name:
        path = f"{path or '/'}?authSource=admin"  # where the image makes its root user
    return f"{image.scheme}://{before}{host}:{port}{path}"


def _first(names: tuple[str, ...], variables: Variables) -> str:
    return next((variables[name] for name in names if variables.get(name)), "")
