"""A container, or a service without one, as the page shows it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from invoke_devstack.planning import labels
from invoke_devstack.planning.connections import image_of
from invoke_devstack.planning.graph import dependencies
from invoke_devstack.planning.known_images import ProbeKind
from invoke_devstack.planning.observed import Observed, ObservedContainer
from invoke_devstack.planning.probe_choice import declared_probe, probe_of_container
from invoke_devstack.planning.selection import is_wanted
from invoke_devstack.running.ports.addresses import to_open
from invoke_devstack.running.readiness.diagnosis import exited
from invoke_devstack.running.readiness.ready_now import DONE, state_now
from invoke_devstack.running.stack.stacks import row
from invoke_devstack.secrets import SecretValues

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Service
    from invoke_devstack.planning.plan import Probe

Entry = dict[str, Any]
Inspected = Mapping[str, Mapping[str, Any]]
"""By the id of a container."""

ABSENT = "absent"
_NEVER = "0001-"
_SHOWN_OF_PROBE = 400  # characters of a probe's answer


def entries(definition: Definition, observed: Observed, inspected: Inspected) -> list[Entry]:
    """One for each container, and one for each service without. By service and number."""
    waiting = _waited_for_by(definition)
    own = [item for item in observed.containers if not item.oneoff]
    present = {item.service for item in own}
    found = [_of_container(definition, observed, item, inspected.get(item.id, {}), waiting) for item in own]
    services = definition.services.values()
    lacking = (item for item in services if item.name not in present and is_wanted(item))
    found += [_of_service(definition, service, waiting) for service in lacking]
    return sorted(found, key=lambda item: (item["service"], item["number"], item["container"]))


def stack_state(found: Iterable[Entry]) -> str:
    """Of the whole: up, partly, down, empty."""
    wanted = [item for item in found if item["defined"]]
    if not wanted:
        return "empty"
    up = [item["state"] in ("running", "paused", "restarting") or item["ready"] for item in wanted]
    running = any(item["state"] in ("running", "paused", "restarting") for item in wanted)
    return "up" if all(up) and running else "partly" if running else "down"


def hidden(entry: Entry, secrets: SecretValues) -> Entry:
    """The entry with masks. Its `key` is a name, whatever the word may mean elsewhere."""
    masked: Entry = secrets.hide_in(entry)
    return {**masked, "key": secrets.hide(entry["key"])}


def _of_container(
    definition: Definition,
    observed: Observed,
    container: ObservedContainer,
    body: Mapping[str, Any],
    waiting: Mapping[str, list[str]],
) -> Entry:
    service = definition.all_services.get(container.service)
    probe = _probe(definition, service, body)
    ready, why = _readiness(definition, observed, container)
    web = probe is not None and probe.kind is ProbeKind.HTTP
    return {
        **row(container),
        "key": container.name,
        "number": container.number,
        "ready": ready,
        "why": why,
        "since": since(container, body),
        "probe": shown_probe(probe, body),
        "addresses": list(to_open(container.ports, web=web)) if container.is_active else [],
        "stand_in": labels.STAND_IN in container.labels,
        "image_note": "stand-in image" if labels.STAND_IN in container.labels else "",
        **_relations(definition, service, container.service, waiting),
    }


def _of_service(definition: Definition, service: Service, waiting: Mapping[str, list[str]]) -> Entry:
    empty = ObservedContainer("", "", service.name, 1, service.image_name(definition.name), "", ABSENT)
    return {
        **row(empty),
        "key": service.name,
        "number": 1,
        "ready": False,
        "why": "it has no container",
        "since": "",
        "probe": None,
        "addresses": [],
        "stand_in": False,
        "image_note": "",
        **_relations(definition, service, service.name, waiting),
    }


def _relations(
    definition: Definition, service: Service | None, name: str, waiting: Mapping[str, list[str]]
) -> Entry:
    return {
        "waits_for": waits_for(definition, service) if service else {},
        "waited_for_by": waiting.get(name, []),
        "orphan": service is None,
        "defined": name in definition.services,
        "profiles": list(service.profiles) if service else [],
        "where": "container",
        "last_cause": None,
        "cpu_percent": None,
        "memory": None,
        "memory_limit": None,
    }


def waits_for(definition: Definition, service: Service) -> dict[str, str]:
    """Service -> the condition under which it is waited for."""
    return {
        other: service.depends_on[other].condition if other in service.depends_on else "shared"
        for other in dependencies(service)
        if other in definition.services
    }


def _waited_for_by(definition: Definition) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, service in definition.services.items():
        for other in waits_for(definition, service):
            found.setdefault(other, []).append(name)
    return found


def _readiness(definition: Definition, observed: Observed, container: ObservedContainer) -> tuple[bool, str]:
    """Whether it is as ready as can be seen without asking it, and what it lacks."""
    if state_now(definition, container, observed) == DONE:
        return True, ""
    if container.has_exited or container.state == "dead":
        return False, exited(container.exit_code or 0)
    if not container.is_running:
        return False, f"it is {container.state}"
    return container.health in ("", "healthy"), _lacks(container.health)


def _lacks(health: str) -> str:
    return {"starting": "its healthcheck has not succeeded yet", "unhealthy": "its healthcheck fails"}.get(
        health, ""
    )


def since(container: ObservedContainer, body: Mapping[str, Any]) -> str:
    """When its present state began."""
    state = body.get("State") or {}
    moment = str(state.get("StartedAt" if container.is_active else "FinishedAt") or "")
    return container.created_at if not moment or moment.startswith(_NEVER) else moment


def _probe(definition: Definition, service: Service | None, body: Mapping[str, Any]) -> Probe | None:
    if not body:
        return None
    return (declared_probe(definition, service) if service else None) or probe_of_container(body)


def shown_probe(probe: Probe | None, body: Mapping[str, Any]) -> Entry | None:
    """How it is asked whether it is ready, and its last answer to the engine."""
    if probe is None:
        return None
    log = probe_log(body)
    last = log[0] if log else {"text": "", "at": "", "ok": None}
    text = " ".join(probe.command[1:]) if probe.command else f"port {probe.port}" if probe.port else ""
    return {
        "kind": str(probe.kind),
        "text": text,
        "last": last["text"],
        "at": last["at"],
        "ok": last["ok"],
    }


def probe_log(body: Mapping[str, Any]) -> list[Entry]:
    """The answers to the engine's probes, newest first."""
    log = ((body.get("State") or {}).get("Health") or {}).get("Log") or ()
    return [
        {
            "at": item.get("End") or item.get("Start") or "",
            "ok": item.get("ExitCode") == 0,
            "exit_code": item.get("ExitCode"),
            "text": str(item.get("Output") or "").strip()[:_SHOWN_OF_PROBE],
        }
        for item in reversed(log)
    ]


def is_web(definition: Definition, service: Service) -> bool:
    """Whether it may be a page for a browser: no other protocol is known."""
    return image_of(definition, service) is None
