"""Carries a deploy out: creates what services need, changes the services in the order of their dependencies,
and watches all of them until they run as they should, and for a while longer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial

from invoke_devstack.deploying.cluster import Cluster
from invoke_devstack.deploying.failures import DeployError, failure_of
from invoke_devstack.errors import ConflictError, EngineError, NotFoundError
from invoke_devstack.events import ActionFinished, ActionStarted, Notice, ServiceReady, ServiceWaiting
from invoke_devstack.planning.deploys import names
from invoke_devstack.planning.deploys.commands import deploy_commands
from invoke_devstack.planning.deploys.observed import ObservedStack
from invoke_devstack.planning.deploys.plan import (
    ChangeService,
    CreateFile,
    RemoveFile,
    RemoveService,
    ServiceChange,
    in_rollout_order,
)
from invoke_devstack.planning.deploys.target import Target
from invoke_devstack.planning.deploys.verdicts import Judgement, State, failed_ids, judge
from invoke_devstack.planning.plan import Action, CreateNetwork, Plan, RemoveNetwork
from invoke_devstack.running.session import Session

_LOOK = 0.3  # seconds between two looks at the cluster
_TRIES = 20  # of a request that the swarm refuses because it has just changed the object itself
_RELEASE = 30.0  # seconds for the last tasks to let go of what is removed
MONITOR = 15.0  # seconds for which services are watched once they run, where the file says nothing
_NANO = 10**9


class Rollout:
    """One way from what is there to `target`, by `plan`."""

    def __init__(
        self,
        cluster: Cluster,
        session: Session,
        target: Target,
        plan: Plan,
        *,
        timeout: float,
        monitor: float = MONITOR,
        settles: bool = True,
    ) -> None:
        """`timeout`: seconds without any progress after which a service has failed. `monitor`: how long
        services that were changed are watched, unless what the file says or not `settles`."""
        self._cluster = cluster
        self._session = session
        self._target = target
        self._plan = plan
        self._timeout = timeout
        self._monitor = monitor
        self._settles = settles
        self._changes = {action.service: action for action in plan if isinstance(action, ChangeService)}
        self._known: frozenset[str] = frozenset()
        self._progress: dict[str, tuple[object, float]] = {}
        self._judged: dict[str, Judgement] = {}

    def run(self) -> None:
        """Raises DeployError for a service that does not run as it should; Interrupted after a signal."""
        for action in self._plan:
            if isinstance(action, CreateNetwork | CreateFile):
                self._carry_out(action, self._create)
        observed = self._cluster.observe()
        self._known = failed_ids(observed.tasks)
        self._roll_out(observed)
        if self._settles:
            self._settle()
        self._remove()

    # creating and removing
    def _carry_out(self, action: Action, do: Callable[[Action], None]) -> None:
        began = time.monotonic()
        name = action.id.removesuffix(f" {action.target}")
        self._session.emit(
            ActionStarted(
                action=name,
                target=action.target,
                cause=str(action.cause),
                cause_kind=action.cause.kind,
                service=action.service,
            )
        )
        if self._session.explain:
            for step in deploy_commands(action):
                self._session.emit(step)
        do(action)
        seconds = time.monotonic() - began
        self._session.emit(
            ActionFinished(action=name, target=action.target, seconds=seconds, service=action.service)
        )

    def _create(self, action: Action) -> None:
        """What a killed deploy has created already is there under the same name."""
        with suppress(ConflictError):
            if isinstance(action, CreateNetwork):
                self._cluster.engine.create_network(action.target, action.body)
            elif isinstance(action, CreateFile):
                item = action.file
                self._cluster.swarm.create(item.kind, item.name, item.labels, item.content or b"")

    def _remove(self) -> None:
        for action in self._plan:
            if isinstance(action, RemoveService | RemoveFile | RemoveNetwork):
                self._carry_out(action, self.remove)

    def remove(self, action: Action) -> None:
        """Removes it as soon as nothing uses it any more, and waits until it is gone: nodes keep a network
        until its last task has ended, and a deploy would find it by its name. What is still used then is left
        to the next deploy."""
        kinds = {RemoveService: "services", RemoveNetwork: "networks"}
        kind = action.file_kind if isinstance(action, RemoveFile) else kinds[type(action)]
        until = time.monotonic() + _RELEASE
        while True:
            try:
                self._cluster.swarm.remove(kind, action.target)
                if kind != "networks":
                    return
            except NotFoundError:
                if kind != "networks" or not self._has_network(action.target):
                    return
            except EngineError as error:
                if error.status is None:
                    raise
                if time.monotonic() > until:
                    text = f"{action.target} is still in use; the next deploy removes it"
                    self._session.emit(Notice(text=text, level="warning"))
                    return
            if time.monotonic() > until:
                return
            self._session.interrupt.pause(_LOOK)

    def _has_network(self, name: str) -> bool:
        return any(item["Name"] == name for item in self._cluster.swarm.networks({"name": [name]}))

    # services
    def _roll_out(self, observed: ObservedStack) -> None:
        pending = list(in_rollout_order(self._target))
        settled: set[str] = set()
        begun: set[str] = set()
        while len(settled) < len(self._target.services):
            ready = [name for name in pending if settled >= self._target.needs.get(name, {}).keys()]
            for name in ready:
                pending.remove(name)
                begun.add(name)
                if name in self._changes:
                    self._carry_out(self._changes[name], partial(self._change, observed))
                self._progress[name] = (None, time.monotonic())
            if ready and any(name in self._changes for name in ready):
                observed = self._cluster.observe()
            settled |= self._look(observed, begun - settled)
            if len(settled) < len(self._target.services) and not self._may_begin(pending, settled):
                self._session.interrupt.pause(_LOOK)
                observed = self._cluster.observe()

    def _may_begin(self, pending: Iterable[str], settled: set[str]) -> bool:
        return any(settled >= self._target.needs.get(name, {}).keys() for name in pending)

    def _change(self, observed: ObservedStack, action: Action) -> None:
        assert isinstance(action, ChangeService)
        for _ in range(_TRIES):
            try:
                self._send(action, observed)
                return
            except EngineError as error:
                if not _is_outdated(error, action):
                    raise _refused(action, error) from error
            self._session.interrupt.pause(_LOOK)
            observed = self._cluster.observe()
        raise DeployError(f"`{action.service}` changes all the time", service=action.service)

    def _send(self, action: ChangeService, observed: ObservedStack) -> None:
        swarm = self._cluster.swarm
        found = observed.services.get(action.service)
        wanted = action.spec
        if found and not action.recreates:
            # The swarm compares word for word: what only means the same would replace all tasks.
            wanted = {**wanted, **{key: found["Spec"].get(key) for key in ("TaskTemplate", "EndpointSpec")}}
        spec = self._cluster.resolved(wanted, observed)
        if action.change is ServiceChange.REPLACE and found:
            swarm.remove("services", found["ID"])
            found = None
        if found is None:
            swarm.create_service(spec)
            return
        turn = found["Spec"]["TaskTemplate"].get("ForceUpdate") or 0
        again = action.change is ServiceChange.RERUN
        spec["TaskTemplate"] = {**spec["TaskTemplate"], "ForceUpdate": turn + again}
        swarm.update_service(found["ID"], found["Version"]["Index"], spec)

    def _look(self, observed: ObservedStack, names_: set[str]) -> set[str]:
        """The services that have come to where they should be."""
        arrived = set()
        for name in sorted(names_):
            judged = self._judge(observed, name)
            if judged.state is State.FAILED:
                raise self._failure(observed, name, judged)
            if judged.state is not State.WAITING:
                arrived.add(name)
                self._tell_ready(name, judged)
            else:
                self._wait_for(observed, name, judged)
        return arrived

    def _judge(self, observed: ObservedStack, name: str) -> Judgement:
        service = observed.services.get(name)
        if service is None:
            return Judgement(State.WAITING, "the swarm makes it")
        return judge(service, observed.tasks_of(name), self._known)

    def _wait_for(self, observed: ObservedStack, name: str, judged: Judgement) -> None:
        tasks = [
            (task["ID"], task["Status"]["State"], task["DesiredState"]) for task in observed.tasks_of(name)
        ]
        seen, since = self._progress[name]
        if tasks != seen:
            self._progress[name] = (tasks, time.monotonic())
        elif time.monotonic() - since > self._timeout:
            raise self._failure(observed, name, judged, late=True)
        if self._judged.get(name) != judged:
            self._judged[name] = judged
            count = f"{judged.running} of {judged.wanted} running" if judged.wanted is not None else ""
            text = "; ".join(filter(None, (count, judged.text)))
            on_swarm = names.service_name(self._target.stack, name)
            self._session.emit(ServiceWaiting(service=name, container=on_swarm, probe="running", last=text))

    def _tell_ready(self, name: str, judged: Judgement) -> None:
        state = "done" if judged.state is State.DONE else "running"
        self._session.emit(
            ServiceReady(
                service=name,
                container=names.service_name(self._target.stack, name),
                state=state,
                seconds=self._session.seconds(),
                changed=name in self._changes,
                note="" if judged.wanted in (None, 1) else f"{judged.running} of {judged.wanted}",
            )
        )

    def _failure(
        self, observed: ObservedStack, name: str, judged: Judgement, *, late: bool = False
    ) -> DeployError:
        return failure_of(self._cluster, observed, name, judged, seconds=self._timeout if late else None)

    def _settle(self) -> None:
        """Watches what was changed for a while: a service may fail when it has just begun to run."""
        watched = {name for name, action in self._changes.items() if action.recreates}
        spans = [self._monitor_of(name) for name in watched]
        until = time.monotonic() + max(spans, default=0.0)
        observed = self._cluster.observe()
        self._known = failed_ids(observed.tasks)
        while time.monotonic() < until:
            self._session.interrupt.pause(min(_LOOK, max(until - time.monotonic(), 0.01)))
            observed = self._cluster.observe()
            for name in watched:
                self._check_still_running(observed, name)

    def _monitor_of(self, name: str) -> float:
        """Rollbacks and jobs have nothing to prove."""
        update = self._changes[name].spec.get("UpdateConfig")
        if update is None:
            return 0.0
        return float(update["Monitor"]) / _NANO if update.get("Monitor") else self._monitor

    def _check_still_running(self, observed: ObservedStack, name: str) -> None:
        judged = self._judge(observed, name)
        fresh = [task for task in observed.tasks_of(name) if task["ID"] in failed_ids([task]) - self._known]
        if fresh:
            raise self._failure(
                observed, name, Judgement(State.FAILED, "", fresh[0], judged.running, judged.wanted)
            )
        if judged.state is State.FAILED:
            raise self._failure(observed, name, judged)


def _is_outdated(error: EngineError, action: ChangeService) -> bool:
    """Whether the swarm has changed the service since it was looked at (it says so with status 500), or still
    has the one that is replaced."""
    if isinstance(error, ConflictError):
        return action.change in (ServiceChange.REPLACE, ServiceChange.CREATE)
    return isinstance(error, NotFoundError) or (
        error.status == 500 and action.change is not ServiceChange.CREATE
    )


def _refused(action: ChangeService, error: EngineError) -> DeployError:
    """Interrupted and lost connections pass; a refusal is about the service."""
    if error.status is None:
        raise error
    return DeployError(
        f"the swarm refuses `{action.service}`: {error.message}",
        service=action.service,
        details=error.details,
    )
