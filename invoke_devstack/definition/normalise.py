"""What a definition implies without saying so: the default network, dependencies, names, variables."""

from __future__ import annotations

from typing import Any

from invoke_devstack.definition.environment import Environment
from invoke_devstack.definition.paths import clean
from invoke_devstack.definition.tree import Items, Mark, Table, items_of, table_of

CONTENT = "x-#value"  # where the value of a secret from the environment is kept until it is decoded


def resolve_environment(root: Table, environment: Environment) -> None:
    """Fills in what a file takes from the environment of the files it was read with, in place."""
    for service in (root.get("services") or {}).values():
        if isinstance(service.get("environment"), Items):
            service["environment"] = _resolved_list(service["environment"], environment, keep=True)
    for kind, key in (("secrets", CONTENT), ("configs", "content")):
        for value in (root.get(kind) or {}).values():
            name = value.get("environment")
            if name in environment:
                value.put(key, environment[name], value.mark_of("environment"))


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
    _name_resources(root, project)


def _join_default_network(root: Table) -> None:
    used = False
    for service in root["services"].values():
        if "provider" in service or "network_mode" in service:
            continue
        if not service.get("networks"):
            service["networks"] = table_of({"default": None}, service.mark)
        used = used or "default" in service["networks"]
    networks = root.get("networks") or Table(root.mark)
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
    def entry(text: Any, mark: Mark) -> tuple[Any, Mark]:
        known = "=" not in text and text in environment
        return (f"{text}={environment[text]}" if known else text, mark)

    entries = [entry(text, mark) for text, mark in values.entries()]
    return items_of([item for item in entries if keep or "=" in item[0]], values.mark)


def _imply_dependencies(service: Table) -> None:
    """Links, shared namespaces and shared volumes are dependencies too."""
    implied: dict[str, bool] = {}
    for link in service.get("links") or ():
        parts = link.split(":")
        implied[parts[0] if len(parts) == 2 else link] = True
    for key in ("network_mode", "ipc", "pid", "uts", "cgroup"):
        mode = service.get(key)
        if isinstance(mode, str) and mode.startswith("service:"):
            implied.setdefault(mode.removeprefix("service:"), True)
    for source in service.get("volumes_from") or ():
        if not source.startswith("container:"):
            implied.setdefault(source.split(":")[0], False)
    dependencies = service.get("depends_on") or Table(service.mark)
    for name, restart in implied.items():
        condition = {"condition": "service_started", "restart": restart, "required": True}
        dependencies.setdefault(name, table_of(condition, service.mark))
    if dependencies:
        service["depends_on"] = dependencies


def _name_resources(root: Table, project: str) -> None:
    for kind in ("networks", "volumes", "configs", "secrets"):
        resources: Table = root.get(kind) or Table(root.mark)
        for key, value in resources.items():
            resource = value if value is not None else Table(resources.mark_of(key))
            if resource.get("name") is None:
                resource["name"] = key if resource.get("external") is True else f"{project}_{key}"
            resources[key] = resource
