"""Observes the engine for a definition, and reads what else a plan depends on."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from invoke_devstack.engine.protocol import Engine
from invoke_devstack.errors import DefinitionError, FileError
from invoke_devstack.local_files.reading import read_bytes, read_text
from invoke_devstack.planning.host_files import HostFile, differs, referenced_files
from invoke_devstack.planning.labels import PROJECT
from invoke_devstack.planning.observed import Observed

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Service

_LARGEST = 64 << 20  # bytes of a secret or config that is copied into a container


def observe(definition: Definition, engine: Engine, *, inspect: bool = False) -> Observed:
    """What the engine has of the project, and the images, networks and volumes that its files name.
    `inspect`: as in `Engine.observe`."""
    services = definition.all_services.values()
    return engine.observe(
        definition.name,
        images=sorted({name for service in services for name in _images(definition, service)}),
        networks=sorted({network.name for network in definition.networks.values()}),
        volumes=sorted({volume.name for volume in definition.volumes.values()}),
        inspect=inspect,
    )


def with_guests(observed: Observed, engine: Engine, networks: Iterable[str]) -> Observed:
    """The same with the `guests` of `networks`, which takes a request for each."""
    seen = {
        name: replace(observed.networks[name], guests=_guests(observed, engine, name)) for name in networks
    }
    return replace(observed, networks={**observed.networks, **seen})


def _guests(observed: Observed, engine: Engine, network: str) -> tuple[str, ...]:
    on_it = engine.list_containers({"network": (network,)}, all_=False)
    foreign = (item for item in on_it if (item.get("Labels") or {}).get(PROJECT) != observed.project)
    return tuple(sorted(item["Names"][0].lstrip("/") for item in foreign))


def host_files(definition: Definition, engine: Engine) -> dict[str, HostFile]:
    """Path -> the file on this machine that secrets and configs of the definition come from. One that a
    remote engine may have and this machine does not is left out."""
    found: dict[str, HostFile] = {}
    for service in definition.services.values():
        for reference, path in referenced_files(definition, service):
            file = found.get(path) or _host_file(Path(path))
            if file.exists or engine.endpoint.is_local:
                found[path] = _with_content(file, Path(path)) if differs(reference, file) else file
    return found


def _host_file(path: Path) -> HostFile:
    try:
        state = path.stat()
    except OSError as error:
        # What we may not look at, the engine may.
        return HostFile(exists=not isinstance(error, FileNotFoundError | NotADirectoryError))
    return HostFile(uid=state.st_uid, gid=state.st_gid, mode=stat.S_IMODE(state.st_mode))


def _with_content(file: HostFile, path: Path) -> HostFile:
    """The file with its content, if it is a regular one that can be read. Raises FileError for a huge one."""
    if file.content is None and path.is_file() and os.access(path, os.R_OK):
        return replace(file, content=read_bytes(path, _LARGEST))
    return file


def docker_logins(definition: Definition) -> str:
    """The `config.json` for services with `use_api_socket`; "" if there are none."""
    if not any(service.use_api_socket for service in definition.services.values()):
        return ""
    from invoke_devstack.engine.images.transfers import logins

    return logins()


def _images(definition: Definition, service: Service) -> Iterable[str]:
    yield service.image_name(definition.name)
    yield from (mount.source for mount in service.volumes if mount.type == "image" and mount.source)


def seccomp_profiles(definition: Definition) -> dict[str, str]:
    """Path -> compact JSON of the profiles in `security_opt`. Raises DefinitionError."""
    from invoke_devstack.planning.bodies.container import seccomp_path

    found: dict[str, str] = {}
    for service in definition.services.values():
        for option in service.security_opt:
            if path := seccomp_path(option):
                found[path] = _read_profile(definition.working_dir / path, service.name)
    return found


def _read_profile(path: Path, service: str) -> str:
    try:
        return json.dumps(json.loads(read_text(path)), separators=(",", ":"))
    except (FileError, ValueError, RecursionError) as error:
        why = error.message.partition(": ")[2] if isinstance(error, FileError) else error
        raise DefinitionError(
            f"service `{service}`: cannot read the seccomp profile {path}: {why}",
            hint="`security_opt` takes the path of a JSON file, relative to the Compose file.",
        ) from None
