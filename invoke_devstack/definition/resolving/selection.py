"""Which services and resources take part: profiles, named services, resources in use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from invoke_devstack.definition.attributes.decode import is_empty
from invoke_devstack.definition.attributes.part import Part
from invoke_devstack.definition.attributes.service import Service
from invoke_devstack.definition.syntax.tree import Table
from invoke_devstack.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from invoke_devstack.definition.reading.environment import Environment
    from invoke_devstack.definition.resolving.merged_files import MergedFiles

Services = Mapping[str, Service]


def active_profiles(
    given: Sequence[str], environment: Environment, services: Iterable[str], root: Table
) -> list[str]:
    """The given profiles, else those of COMPOSE_PROFILES; and those of the named services. As for Compose, an
    unset COMPOSE_PROFILES activates the profile ""."""
    names = list(given)
    if not names:
        names = [name.strip() for name in environment.get("COMPOSE_PROFILES", "").split(",")]
    for service in services:
        value = root["services"].get(service)
        if isinstance(value, Table) and not set(value.get("profiles") or ()) & {*names, "*"}:
            names += value.get("profiles") or ()
    return list(dict.fromkeys(names))


def split_by_profiles(services: Services, profiles: Sequence[str]) -> tuple[Services, Services]:
    """The enabled services and the disabled ones (Compose Specification, "Profiles")."""

    def is_enabled(service: Service) -> bool:
        own = service.profiles
        return not own or "*" in profiles or bool(set(own) & set(profiles))

    enabled = {name: service for name, service in services.items() if is_enabled(service)}
    return enabled, {name: service for name, service in services.items() if name not in enabled}


def select_services(files: MergedFiles, wanted: Iterable[str]) -> tuple[Services, Services]:
    """The wanted services with their dependencies, and all others. Raises UsageError for an unknown one."""
    names = list(wanted)
    if not names:
        return files.services, files.disabled_services
    chosen: set[str] = set()
    while names:
        name = names.pop()
        if name not in files.services:
            known = {**files.services, **files.disabled_services}
            hint = did_you_mean(name, known, f"Services: {', '.join(known)}.")
            raise UsageError(f"unknown service `{name}`", hint=hint)
        if name not in chosen:
            chosen.add(name)
            names += [other for other in files.services[name].depends_on if other in files.services]
    enabled = {
        name: _with_dependencies(service, chosen)
        for name, service in files.services.items()
        if name in chosen
    }
    others = {name: service for name, service in files.services.items() if name not in chosen}
    return enabled, {**files.disabled_services, **others}


def _with_dependencies(service: Service, chosen: set[str]) -> Service:
    kept = {name: item for name, item in service.depends_on.items() if name in chosen}
    return service if len(kept) == len(service.depends_on) else service.copy_with({"depends_on": kept})


def used_resources(files: MergedFiles, services: Services) -> dict[str, dict[str, Any]]:
    """The networks, volumes, secrets, configs and models that the services use."""
    used: dict[str, set[str]] = {
        kind: set() for kind in ("networks", "volumes", "secrets", "configs", "models")
    }
    for service in services.values():
        used["networks"] |= set(service.networks)
        used["models"] |= set(service.models)
        used["volumes"] |= {
            mount.source for mount in service.volumes if mount.type == "volume" and mount.source
        }
        used["configs"] |= {item.source for item in service.configs}
        references = (*service.secrets, *(service.build.secrets if service.build else ()))
        used["secrets"] |= {item.source for item in references}
    return {
        kind: {key: value for key, value in getattr(files, kind).items() if key in names}
        for kind, names in used.items()
    }


def keys_not_carried_out(services: Services, resources: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """The dotted keys that have no effect on a single engine."""
    for name, service in services.items():
        yield from _not_carried_out(service, f"services.{name}")
        if service.deploy and service.deploy.mode not in (None, "replicated"):
            yield f"services.{name}.deploy.mode"
    for kind in ("secrets", "configs"):
        for name, value in resources[kind].items():
            yield from _not_carried_out(value, f"{kind}.{name}")
    yield from (f"models.{name}" for name in resources["models"])


def _not_carried_out(part: Part, place: str) -> Iterator[str]:
    for key in part.keys.values():
        value = part.__dict__.get(key.name)
        if is_empty(value):
            continue
        if not key.carried_out:
            yield f"{place}.{key.name}"
        elif isinstance(value, Part):
            yield from _not_carried_out(value, f"{place}.{key.name}")
