"""`use_api_socket`: the service gets the engine's socket and the logins of Docker's configuration.

As Compose does, this completes the service itself, so that the hash in the label is the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Service

_SOCKET = "/var/run/docker.sock"
_CONFIG = "#apisocket"  # no file can have a config of this name
_FOLDER = "/run/secrets/docker"


def with_api_socket(definition: Definition, logins: str) -> Definition:
    """The definition with the socket and `logins` (a `config.json`) in the services that use them."""
    from invoke_devstack.definition.model import Config

    users = [name for name, service in definition.services.items() if service.use_api_socket]
    if not users:
        return definition
    completed = {name: _completed(definition.services[name]) for name in users}
    configs = {**definition.configs, _CONFIG: Config(name=_CONFIG, content=logins)}
    return definition.copy_with({"services": {**definition.services, **completed}, "configs": configs})


def _completed(service: Service) -> Service:
    from invoke_devstack.definition.model import FileReference, Mount

    socket = Mount(type="bind", source=_SOCKET, target=_SOCKET)
    environment = {"DOCKER_CONFIG": _FOLDER, **service.environment}
    login = FileReference(source=_CONFIG, target=f"{_FOLDER}/config.json")
    return service.copy_with(
        {
            "volumes": (*service.volumes, socket),
            "environment": dict(sorted(environment.items())),
            "configs": (*service.configs, login),
        }
    )
