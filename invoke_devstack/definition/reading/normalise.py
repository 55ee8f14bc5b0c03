"""Writes out what a definition implies: the default network, dependencies, names, variables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from invoke_devstack.definition.attributes.paths import clean
from invoke_devstack.definition.attributes.resources import FILLED_CONTENT
from invoke_devstack.definition.syntax.tree import Items, Location, Table, fail, items_of, kind_of, table_of

if TYPE_CHECKING:
    from invoke_devstack.definition.reading.environment import Environment


def resolve_environment(root: Table, environment: Environment) -> None:
    """Fills in the values that the file takes from the environment that it is read with, in place."""
    for service in (root.get("services") or {}).values():
        if isinstance(service.get("environment"), Items):
            service["environment"] = _resolved_list(service["environment"], environment, keep=True)
    for kind, key in (("secrets", FILLED_CONTENT), ("configs", "content")):
        for value in (root.get(kind) or {}).values():
            name = value.get("environment")
            if name in environment:
                value.put(key, environment[name], value.location_of("environment"))


def normalise(root: Table, project: str, environment: Environment) -> None:
    """Writes out all that is implied, in place."""
    _join_default_network(root)
    for service in root["services"].values():
        if service.get("pull_policy") == "if_not_present":
            service["pull_policy"] = "missing"
        _fill_build(service.get("build"), environment)
        if service.get("environment"):
            service["environment"] = _resolved(service["environment"], environment, keep=True)
        for mount in service.get("volumes") or ():
            if isinstance(mount.get("target"), str):
                mount["target"] = clean(mount["target"])
        _imply_dependencies(service)
    for kind in ("networks", "volumes", "configs", "secrets"):
        resources: Table = root.get(kind) or Table(root.location)
        for key, value in resources.items():
            if value is not None and not isinstance(value, Table):  # an invalid name is not checked
                message = f"`{kind}.{key}` must be a mapping, not {kind_of(value)}"
                raise fail(message, resources.location_of(key), (kind, key))
            resource = value if value is not None else Table(resources.location_of(key))
            if resource.get("name") is None:
                resource["name"] = key if resource.get("external") is True else f"{project}_{key}"
            resources[key] = resource


def _join_default_network(root: Table) -> None:
    used = False
    for service in root["services"].values():
        if "provider" in service or "network_mode" in service:
            continue
        if not service.get("networks"):
            service["networks"] = table_of({"default": None}, service.location)
        used = used or "default" in service["networks"]
    networks = root.get("networks") or Table(root.location)
    if used:
        networks.setdefault("default", None)
    if networks:
        root["networks"] = networks


def _fill_build(build: Any, environment: Environment) -> None:
    if not isinstance(build, Table):
        return
    if build.get("dockerfile") is None and build.get("dockerfile_inline") is None:
        build["dockerfile"] = "Dockerfile"
    if build.get("args"):
        build["args"] = _resolved(build["args"], environment, keep=False)


def _resolved(values: Any, environment: Environment, keep: bool) -> Any:
    if isinstance(values, Items):
        return _resolved_list(values, environment, keep)
    for key in [key for key, value in values.items() if value is None]:
        if key in environment:
            values[key] = environment[key]
        elif not keep:
            del values[key]
    return values


def _resolved_list(values: Items, environment: Environment, keep: bool) -> Items:
    def entry(text: Any, location: Location) -> tuple[Any, Location]:
        known = "=" not in text and text in environment
        return (f"{text}={environment[text]}" if known else text, location)

    entries = [entry(text, location) for text, location in values.entries()]
    return items_of([item for item in entries if keep or "=" in item[0]], values.location)


def _imply_dependencies(service: Table) -> None:
    """Links, shared namespaces and shared volumes are dependencies too."""
    implied: dict[str, tuple[bool, Location]] = {}
    for link, location in _entries(service.get("links")):
        parts = link.split(":")
        implied[parts[0] if len(parts) == 2 else link] = (True, location)
    for key in ("network_mode", "ipc", "pid", "uts", "cgroup"):
        mode = service.get(key)
        if isinstance(mode, str) and mode.startswith("service:"):
            implied.setdefault(mode.removeprefix("service:"), (True, service.location_of(key)))
    for source, location in _entries(service.get("volumes_from")):
        if not source.startswith("container:"):
            implied.setdefault(source.split(":")[0], (False, location))
    dependencies = service.get("depends_on") or Table(service.location)
    for name, (restart, location) in implied.items():
        condition = {"condition": "service_started", "restart": restart, "required": True}
        if name not in dependencies:
            dependencies.put(name, table_of(condition, location), location)
    if dependencies:
        service["depends_on"] = dependencies


def _entries(value: Items | None) -> Iterator[tuple[Any, Location]]:
    return iter(()) if value is None else value.entries()
