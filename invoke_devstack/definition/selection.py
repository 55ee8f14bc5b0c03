"""Which services and resources take part: profiles, named services, what nobody uses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from invoke_devstack.definition.consistency import Draft, Values
from invoke_devstack.definition.environment import Environment
from invoke_devstack.definition.shape import nearest
from invoke_devstack.definition.tree import Table
from invoke_devstack.errors import UsageError


def active_profiles(
    given: Sequence[str], environment: Environment, services: Iterable[str], root: Table
) -> list[str]:
    """The profiles that are asked for, else those of COMPOSE_PROFILES, and those of the named services."""
    names = list(given)
    if not names:
        names = [name.strip() for name in environment.get("COMPOSE_PROFILES", "").split(",")]
    for service in services:
        value = root["services"].get(service)
        if isinstance(value, Table) and not set(value.get("profiles") or ()) & {*names, "*"}:
            names += value.get("profiles") or ()
    return [name for name in dict.fromkeys(names) if name]


def split_by_profiles(
    services: dict[str, Values], profiles: Sequence[str]
) -> tuple[dict[str, Values], dict[str, Values]]:
    """The services that take part, and those that do not (Compose Specification, "Profiles")."""

    def is_enabled(service: Values) -> bool:
        own = service.get("profiles")
        return not own or "*" in profiles or bool(set(own) & set(profiles))

    enabled = {name: service for name, service in services.items() if is_enabled(service)}
    return enabled, {name: service for name, service in services.items() if name not in enabled}


def selected_services(draft: Draft, wanted: Iterable[str]) -> tuple[dict[str, Values], dict[str, Values]]:
    """The wanted services and what they depend on, and all others. Raises UsageError for an unknown one."""
    names = list(wanted)
    if not names:
        return draft.services, draft.disabled_services
    chosen: set[str] = set()
    while names:
        name = names.pop()
        if name not in draft.services:
            known = tuple({**draft.services, **draft.disabled_services})
            hint = nearest(name, known) or f"Services: {', '.join(known)}."
            raise UsageError(f"no such service: `{name}`", hint=hint)
        if name not in chosen:
            chosen.add(name)
            names += [
                other for other in draft.services[name].get("depends_on") or {} if other in draft.services
            ]
    enabled = {name: service for name, service in draft.services.items() if name in chosen}
    others = {name: service for name, service in draft.services.items() if name not in chosen}
    for service in enabled.values():
        dependencies = service.get("depends_on") or {}
        for other in [other for other in dependencies if other not in chosen]:
            del dependencies[other]
        if not dependencies:
            service.pop("depends_on", None)
    return enabled, {**draft.disabled_services, **others}


def used_resources(draft: Draft, services: dict[str, Values]) -> dict[str, dict[str, Any]]:
    """The networks, volumes, secrets, configs and models that the services use."""
    used: dict[str, set[str]] = {
        kind: set() for kind in ("networks", "volumes", "secrets", "configs", "models")
    }
    for service in services.values():
        used["networks"] |= set(service.get("networks") or ())
        used["models"] |= set(service.get("models") or ())
        used["volumes"] |= {
            mount["source"]
            for mount in service.get("volumes") or ()
            if mount.get("type") == "volume" and mount.get("source")
        }
        used["configs"] |= {item.get("source", "") for item in service.get("configs") or ()}
        build = service.get("build") or {}
        references = [*(service.get("secrets") or ()), *(build.get("secrets") or ())]
        used["secrets"] |= {item.get("source", "") for item in references}
    return {
        kind: {key: value for key, value in getattr(draft, kind).items() if key in names}
        for kind, names in used.items()
    }


_SWARM = ("endpoint_mode", "update_config", "rollback_config", "placement", "labels")


def names_not_carried_out(services: dict[str, Values], resources: dict[str, dict[str, Any]]) -> list[str]:
    """What belongs to a swarm, a provider or Windows alone, as dotted keys."""
    names: list[str] = []
    for name, service in services.items():
        place = f"services.{name}"
        names += [f"{place}.{key}" for key in ("provider", "models", "credential_spec") if service.get(key)]
        deploy = service.get("deploy") or {}
        names += [f"{place}.deploy.{key}" for key in _SWARM if deploy.get(key)]
        if deploy.get("mode", "replicated") not in ("replicated",):
            names.append(f"{place}.deploy.mode")
        reservations = (deploy.get("resources") or {}).get("reservations") or {}
        if reservations.get("generic_resources"):
            names.append(f"{place}.deploy.resources.reservations.generic_resources")
    for kind in ("secrets", "configs"):
        for name, value in resources[kind].items():
            names += [
                f"{kind}.{name}.{key}"
                for key in ("external", "driver", "driver_opts", "template_driver")
                if value.get(key)
            ]
    return names + [f"models.{name}" for name in resources["models"]]
