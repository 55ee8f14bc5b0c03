"""What is on the engine for a definition, and what else a plan depends on outside of it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from invoke_devstack.engine.protocol import Engine
from invoke_devstack.errors import DefinitionError
from invoke_devstack.planning.body import seccomp_path
from invoke_devstack.planning.observed import Observed

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Service

_PROXIES = {
    "httpProxy": "HTTP_PROXY",
    "httpsProxy": "HTTPS_PROXY",
    "ftpProxy": "FTP_PROXY",
    "noProxy": "NO_PROXY",
    "allProxy": "ALL_PROXY",
}


def observe(definition: Definition, engine: Engine, *, inspect: bool = False) -> Observed:
    """All of the project on the engine, and what its files name there: images, networks, volumes.
    `inspect` is as in `Engine.observe`."""
    services = (*definition.services.values(), *definition.disabled_services.values())
    return engine.observe(
        definition.name,
        images=sorted({name for service in services for name in _images(definition, service)}),
        networks=sorted({network.name for network in definition.networks.values()}),
        volumes=sorted({volume.name for volume in definition.volumes.values()}),
        inspect=inspect,
    )


def _images(definition: Definition, service: Service) -> Iterable[str]:
    yield service.image_name(definition.name)
    yield from (mount.source for mount in service.volumes if mount.type == "image" and mount.source)


def client_proxies() -> dict[str, str]:
    """What Docker's client configuration gives every container: its proxies, in both spellings.
    https://docs.docker.com/engine/cli/proxy/"""
    folder = os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker"
    try:
        config = json.loads((Path(folder) / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    proxies = config.get("proxies") or {}
    host = os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
    chosen: Mapping[str, str] = proxies.get(host) or proxies.get("default") or {}
    found: dict[str, str] = {}
    for key, name in _PROXIES.items():
        if chosen.get(key):
            found[name] = found[name.lower()] = chosen[key]
    return found


def seccomp_profiles(definition: Definition) -> dict[str, str]:
    """Path -> compact JSON of the profiles that `security_opt` names. Raises DefinitionError."""
    found: dict[str, str] = {}
    for service in definition.services.values():
        for option in service.security_opt:
            if path := seccomp_path(option):
                found[path] = _read_profile(definition.working_dir / path, service.name)
    return found


def _read_profile(path: Path, service: str) -> str:
    try:
        return json.dumps(json.loads(path.read_text(encoding="utf-8")), separators=(",", ":"))
    except (OSError, ValueError) as error:
        raise DefinitionError(
            f"the seccomp profile {path} of `{service}` cannot be read: {error}",
            hint="`security_opt` names a JSON file beside the Compose file.",
        ) from None
