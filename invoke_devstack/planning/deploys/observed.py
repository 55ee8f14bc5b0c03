"""A stack as it is on a swarm. Specs name networks, as ours do; the swarm has their ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from invoke_devstack.planning.bodies.plain_keys import filled
from invoke_devstack.planning.deploys import names
from invoke_devstack.planning.plan import Body
from invoke_devstack.records import record

_OF_THE_SWARM = "com.docker.network.driver.overlay."
"""Before the options of a network that the swarm adds."""


@record
class ObservedStack:
    """`services` are those of the stack, by their names in the Compose file, `others` those of other stacks.
    `networks` and `files` (by kind) are all that the swarm has, by name."""

    stack: str
    services: Mapping[str, Body]
    tasks: tuple[Body, ...]
    networks: Mapping[str, Body]
    files: Mapping[str, Mapping[str, Body]]
    nodes: tuple[Body, ...] = ()
    others: tuple[Body, ...] = ()

    def tasks_of(self, service: str) -> tuple[Body, ...]:
        """The tasks of one service, the newest first."""
        found = self.services.get(service)
        own = (task for task in self.tasks if found and task.get("ServiceID") == found["ID"])
        return tuple(sorted(own, key=lambda task: str(task.get("CreatedAt")), reverse=True))

    def node_name(self, task: Body) -> str:
        """The host name of the task's node; "" if it has none yet."""
        hosts = (node for node in self.nodes if node["ID"] == task.get("NodeID"))
        return next(
            (str((node.get("Description") or {}).get("Hostname") or node["ID"]) for node in hosts), ""
        )

    @property
    def is_empty(self) -> bool:
        return not self.services


def observed_stack(
    stack: str,
    *,
    services: Iterable[Body],
    tasks: Iterable[Body],
    networks: Iterable[Body],
    configs: Iterable[Body],
    secrets: Iterable[Body],
    nodes: Iterable[Body],
) -> ObservedStack:
    """From the lists of the swarm's API."""
    known = {str(item["Id"]): str(item["Name"]) for item in networks}
    named = [{**item, "Spec": with_network_names(item["Spec"], known)} for item in services]
    own, others = {}, []
    for item in named:
        if (item["Spec"].get("Labels") or {}).get(names.STACK) == stack:
            own[names.short_name(stack, str(item["Spec"]["Name"]))] = item
        else:
            others.append(item)
    ids = {item["ID"] for item in own.values()}
    return ObservedStack(
        stack,
        own,
        tuple(_task(task, known) for task in tasks if task.get("ServiceID") in ids),
        {str(item["Name"]): item for item in networks},
        {
            kind: {str(item["Spec"]["Name"]): item for item in found}
            for kind, found in (("configs", configs), ("secrets", secrets))
        },
        tuple(nodes),
        tuple(others),
    )


def _task(task: Body, known: Mapping[str, str]) -> Body:
    return {**task, "Spec": with_network_names({"TaskTemplate": task["Spec"]}, known)["TaskTemplate"]}


def with_network_names(spec: Body, known: Mapping[str, str]) -> dict[str, Any]:
    """The spec with the names of networks in place of their ids."""
    return _with_targets(spec, known)


def with_ids(
    spec: Body, networks: Mapping[str, str], files: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    """The spec as the swarm takes it: with the ids of networks, configs and secrets, by their names."""
    result = _with_targets(spec, networks)
    container = dict(result["TaskTemplate"]["ContainerSpec"])
    for members, kind in (("Configs", "configs"), ("Secrets", "secrets")):
        if container.get(members):
            member = members[:-1]
            container[members] = [
                {**item, f"{member}ID": files[kind][item[f"{member}Name"]]} for item in container[members]
            ]
    result["TaskTemplate"] = {**result["TaskTemplate"], "ContainerSpec": container}
    return result


def _with_targets(spec: Body, replacing: Mapping[str, str]) -> dict[str, Any]:
    task = dict(spec["TaskTemplate"])
    if task.get("Networks"):
        task["Networks"] = [
            {**item, "Target": replacing.get(item["Target"], item["Target"])} for item in task["Networks"]
        ]
    return {**spec, "TaskTemplate": task}


def network_body(found: Body) -> dict[str, Any]:
    """The body with which a network of the swarm could be made again, without its name."""
    options = found.get("Options") or {}
    ipam = found.get("IPAM") or {}
    driver = "" if ipam.get("Driver") == "default" else ipam.get("Driver")
    return filled(
        {
            "Driver": found.get("Driver"),
            "Options": {key: value for key, value in options.items() if not key.startswith(_OF_THE_SWARM)},
            "Internal": found.get("Internal"),
            "Attachable": found.get("Attachable"),
            "EnableIPv6": found.get("EnableIPv6"),
            "IPAM": filled({"Driver": driver, "Config": [filled(pool) for pool in ipam.get("Config") or ()]}),
            "Labels": found.get("Labels") or {},
        }
    )
