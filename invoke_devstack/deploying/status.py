"""What a stack on the cluster does: services, tasks, nodes, and what is not as it should be."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from invoke_devstack.deploying import revisions
from invoke_devstack.deploying.cluster import Cluster
from invoke_devstack.deploying.returning import how_to_end
from invoke_devstack.deploying.revisions import Outcome
from invoke_devstack.planning.deploys.observed import ObservedStack
from invoke_devstack.planning.deploys.verdicts import State, error_of, judge, mode_word, state_of
from invoke_devstack.planning.plan import Body
from invoke_devstack.running.locks import Holder

COLUMNS = ("service", "state", "replicas", "image", "nodes", "ports", "problem")
TASK_COLUMNS = ("task", "state", "node", "since", "error")
HISTORY_COLUMNS = ("deploy", "outcome", "when", "who", "what", "services")
_ENDED = ("shutdown", "remove", "complete", "failed", "rejected", "orphaned")


def services(observed: ObservedStack) -> list[dict[str, object]]:
    """A row for each service."""
    return [_service(observed, name, found) for name, found in sorted(observed.services.items())]


def _service(observed: ObservedStack, name: str, found: Body) -> dict[str, object]:
    tasks = observed.tasks_of(name)
    judged = judge(found, tasks)
    live = [task for task in tasks if task["DesiredState"] not in _ENDED]
    image = str(found["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"])
    tag, _, digest = image.partition("@sha256:")
    return {
        "service": name,
        "state": judged.state.value,
        "replicas": f"{judged.running}/{judged.wanted if judged.wanted is not None else len(live)}",
        "mode": mode_word(found["Spec"]),
        "image": f"{tag}@{digest[:8]}" if digest else tag,
        "nodes": ", ".join(dict.fromkeys(filter(None, (observed.node_name(task) for task in live)))),
        "ports": ", ".join(_ports(found)),
        "problem": judged.text if judged.state in (State.FAILED, State.WAITING) else "",
        "tasks": [_task(observed, name, task) for task in tasks],
    }


def _ports(found: Body) -> list[str]:
    ports = (found["Spec"].get("EndpointSpec") or {}).get("Ports") or ()
    return [f"{item.get('PublishedPort', '')}->{item.get('TargetPort')}" for item in ports]


def _task(observed: ObservedStack, service: str, task: Body) -> dict[str, object]:
    slot = task.get("Slot") or observed.node_name(task)
    state = state_of(task)
    return {
        "task": f"{service}.{slot}",
        "id": task["ID"],
        "state": state,
        "node": observed.node_name(task),
        "since": str(task["Status"].get("Timestamp") or "")[:19],
        "error": error_of(task) if task["Status"].get("Err") else "",
    }


def task_rows(observed: ObservedStack) -> list[dict[str, object]]:
    """A row for each task, the newest first within a service."""
    return [
        _task(observed, name, task) for name in sorted(observed.services) for task in observed.tasks_of(name)
    ]


def notes(cluster: Cluster, observed: ObservedStack) -> list[str]:
    """What is to be known beside the services: nodes that are away, a deploy under way or half done."""
    from invoke_devstack.planning.deploys import names
    from invoke_devstack.planning.deploys.checks import hostname

    found = [
        f"node {hostname(node)} is {node['Status'].get('State')}"
        for node in observed.nodes
        if node["Status"].get("State") != "ready"
    ]
    lock = observed.files["configs"].get(names.lock_name(cluster.stack))
    holder = Holder.read((lock["Spec"].get("Labels") or {}).get(names.LOCK, "")) if lock else None
    if holder is not None and not holder.has_ended():
        found.append(f"{holder} is changing it")
    elif any(item.outcome is Outcome.PENDING for item in revisions.revisions(observed)):
        found.append(f"a deploy was killed half-way; {how_to_end(cluster)}")
    return found


def history(observed: ObservedStack) -> list[dict[str, object]]:
    """A row for each deploy that is kept, the newest first."""
    rows: list[dict[str, object]] = []
    for item in revisions.revisions(observed):
        when = item.about.get("when")
        about: dict[str, Any] = dict(item.about)
        rows.append(
            {
                "deploy": item.number,
                "outcome": item.outcome.value,
                "when": datetime.fromtimestamp(when).strftime("%Y-%m-%d %H:%M:%S")
                if isinstance(when, int)
                else "",
                "who": str(about.get("who", "")),
                "what": str(about.get("what", "")),
                "services": ", ".join(_images(item, observed.stack)),
            }
        )
    return rows


def _images(item: revisions.Revision, stack: str) -> list[str]:
    try:
        specs = item.target(stack).services
    except ValueError:
        return []
    images = {name: str(spec["TaskTemplate"]["ContainerSpec"]["Image"]) for name, spec in specs.items()}
    return [f"{name} {image.partition('@')[0]}" for name, image in sorted(images.items())]
