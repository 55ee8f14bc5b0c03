"""Whether a container is ready now, by the probe that `up` would use. Asks once, without waiting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from invoke_devstack.errors import ServiceError
from invoke_devstack.events import container_label
from invoke_devstack.planning.known_images import ProbeKind
from invoke_devstack.planning.labels import PROJECT
from invoke_devstack.planning.observed import ENDED, ObservedContainer
from invoke_devstack.planning.plans.hooks import due_hooks
from invoke_devstack.planning.probe_choice import declared_probe, probe_of_container
from invoke_devstack.planning.selection import is_wanted
from invoke_devstack.planning.verdicts.one_shots import has_completed
from invoke_devstack.records import record
from invoke_devstack.running.ports import addresses
from invoke_devstack.running.ports.reach import reach_of
from invoke_devstack.running.readiness import diagnosis, lives, probes
from invoke_devstack.running.workers import at_once

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition
    from invoke_devstack.engine.protocol import Engine
    from invoke_devstack.planning.observed import Observed
    from invoke_devstack.planning.plan import Probe

_PATIENCE = 1.0  # seconds for an answer over a port
DONE = "done"


def state_now(definition: Definition, container: ObservedContainer, observed: Observed) -> str:
    """`done` for a one-shot that succeeded, else the container's health, else its state. A stopped server is
    `exited`, whatever its exit code."""
    service = definition.all_services.get(container.service)
    ended = container.has_exited and service is not None
    if ended and service and has_completed(definition, service, container, observed, ()):
        return DONE
    return container.health or container.state


@record
class Readiness:
    """Whether a service is ready. `why` says what it lacks; `ended` is a container that will not come up by
    itself."""

    service: str
    state: str
    ready: bool
    why: str = ""
    ended: ObservedContainer | None = None


def service_ready(
    engine: Engine,
    definition: Definition,
    name: str,
    observed: Observed,
    *,
    patience: float,
    guess: float,
) -> Readiness:
    """Whether the service is as ready as `up` would leave it. `patience` is the most seconds that a
    healthcheck may take, `guess` is `Settings.guess`."""
    wanted = definition.all_services[name]
    if not is_wanted(wanted):
        return Readiness(name, "not wanted", True)
    containers = observed.of_service(name)
    asked = [partial(ready_now, engine, definition, item, observed, patience, guess) for item in containers]
    found = at_once(asked)
    lacking = wanted.scale_count() - len(found)
    state = ", ".join(dict.fromkeys(item.state for item in found)) or "not there"
    why = next((item.why for item in found if not item.ready), _due_hook(observed, name))
    if found and lacking > 0:
        why = why or f"{len(found)} of {wanted.scale_count()} containers exist"
    ended = next((item.ended for item in found if item.ended), None)
    ready = lacking <= 0 and not why and all(item.ready for item in found)
    return Readiness(name, state, ready, why, ended)


def _due_hook(observed: Observed, service: str) -> str:
    """What the service lacks if one of its hooks has not succeeded, else ""."""
    own = {f"after {service}", *(f"post_start {item.name}" for item in observed.of_service(service))}
    due = sorted(own & due_hooks(observed))
    return f"the hook `{due[0]}` is due" if due else ""


def ready_now(
    engine: Engine,
    definition: Definition,
    container: ObservedContainer,
    observed: Observed,
    patience: float,
    guess: float,
) -> Readiness:
    """The same for one container. One whose healthcheck succeeds is healthy, as for `up`, even before the
    engine has run it."""
    state = state_now(definition, container, observed)
    if state == DONE:
        return Readiness(container.service, state, True)
    if container.state in ENDED:
        why = diagnosis.exited(container.exit_code or 0)
        return Readiness(container.service, state, False, why, container)
    if container.state == "restarting":
        return _restarting(engine, container)
    if not container.is_running:
        return Readiness(container.service, state, False)
    if container.health == "unhealthy":
        return Readiness(container.service, state, False, "its healthcheck fails", container)
    probe = declared_probe(definition, definition.all_services[container.service])
    known = container.health == "healthy" and probe is None
    ready, why = (True, "") if known else _ask(engine, container, probe, patience, guess)
    return Readiness(container.service, "healthy" if ready and state == "starting" else state, ready, why)


def _restarting(engine: Engine, container: ObservedContainer) -> Readiness:
    crashes = lives.crashes(engine.inspect_container(container.id))
    loop = container if crashes >= lives.CRASHES else None
    return Readiness(container.service, container.state, False, _restarted(crashes), loop)


def _restarted(crashes: int) -> str:
    return f"restarted {crashes} time{'s' if crashes != 1 else ''}"


def _ask(
    engine: Engine, container: ObservedContainer, declared: Probe | None, patience: float, guess: float
) -> tuple[bool, str]:
    """Asks a running container. Returns whether it is ready, and what it said otherwise."""
    inspected = engine.inspect_container(container.id)
    probe = declared or probe_of_container(inspected)
    if probe.kind is ProbeKind.HEALTHCHECK:
        bounded = replace(probe, timeout=max(min(probe.timeout, patience), 0.001))
        answer = probes.run_healthcheck(engine, container.id, bounded)
        return answer.ready, answer.text
    if crashes := lives.crashes(inspected):
        return False, _restarted(crashes)
    address = _address(engine, container, inspected, probe.port)
    over = not (probe.declared or probe.is_known_server) and lives.age(inspected) > guess
    if address is None and 0 <= lives.age(inspected) < lives.Lives(inspected).proof():
        return False, "it started just now, and may crash"
    if address is None or over:
        return True, ""
    answer = probes.ask(probe.kind, address, path=probe.path, timeout=_PATIENCE)
    return answer.ready, answer.text


def _address(
    engine: Engine, container: ObservedContainer, inspected: Mapping[str, Any], port: int
) -> addresses.Address | None:
    reach = reach_of(engine.endpoint, container.labels.get(PROJECT, ""))
    return addresses.reachable(inspected, port, reach) if port else None


def failure(engine: Engine, found: Readiness) -> ServiceError:
    """The error of a service that has `ended`."""
    assert found.ended is not None
    inspected = engine.inspect_container(found.ended.id)
    label = container_label(found.service, found.ended.name)
    if found.ended.state in ENDED:
        code = found.ended.exit_code or 0
        return diagnosis.crash(engine, inspected, found.service, code, found.why, label=label)
    what = "keeps crashing" if found.ended.state == "restarting" else "is unhealthy"
    message, hint = f"{label} {what}: {found.why}", diagnosis.see_logs(found.service)
    return diagnosis.failure(engine, inspected, message, service=found.service, hint=hint)
