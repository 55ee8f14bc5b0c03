"""The plan from what a stack is to what it should be, with the cause of each change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from enum import StrEnum
from typing import Any

from invoke_devstack.planning.causes import Cause, CauseKind, by_command, missing
from invoke_devstack.planning.deploys import names
from invoke_devstack.planning.deploys.differences import cause_of, changed_paths, is_job, mode_of, recreates
from invoke_devstack.planning.deploys.observed import ObservedStack
from invoke_devstack.planning.deploys.target import FileKind, Target, WantedFile, is_same_network
from invoke_devstack.planning.deploys.verdicts import State, judge
from invoke_devstack.planning.plan import Action, Body, CreateNetwork, Plan, RemoveNetwork
from invoke_devstack.records import record

_FILE_WORDS = {FileKind.CONFIG: "config", FileKind.SECRET: "secret"}


class CreateFile(Action, kind="create file"):
    """A config or secret; `target` is its name."""

    file: WantedFile

    @property
    def id(self) -> str:
        return f"create {_FILE_WORDS[self.file.kind]} {self.target}"


class RemoveFile(Action, kind="remove file"):
    file_kind: FileKind

    @property
    def id(self) -> str:
        return f"remove {_FILE_WORDS[self.file_kind]} {self.target}"


class ServiceChange(StrEnum):
    """What is done to a service."""

    CREATE = "create service"
    UPDATE = "update service"
    REPLACE = "replace service"  # its mode is another one, which no update can change
    RERUN = "run again"  # a job that has not succeeded


class ChangeService(Action, kind="change service"):
    """`target` is the name on the swarm; `spec` names networks, configs and secrets. `recreates`: its tasks
    are replaced. `before` is the spec that it has."""

    change: ServiceChange
    spec: Body = field(default_factory=dict)
    recreates: bool = True
    before: Body = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{self.change} {self.target}"


class RemoveService(Action, kind="remove service"):
    """`target` is the name on the swarm."""


@record
class KeptFiles:
    """What earlier deploys need that can be come back to, and so is not removed."""

    names: frozenset[tuple[FileKind, str]] = frozenset()


def plan_deploy(target: Target, observed: ObservedStack, kept: KeptFiles | None = None) -> Plan:
    """What to create, change and remove, in an order in which it can be done."""
    made = [*_networks(target, observed), *_files(target, observed)]
    needs = frozenset(action.id for action in made)
    changes = list(_changes(target, observed, needs))
    removals = list(_removals(target, observed, frozenset(action.id for action in changes) | needs))
    gone = frozenset(action.id for action in (*changes, *removals)) | needs
    leftovers = list(_leftovers(target, observed, kept or KeptFiles(), gone))
    changed = {action.service for action in changes}
    return Plan(
        (*made, *changes, *removals, *leftovers),
        project=target.stack,
        unchanged=tuple(name for name in target.services if name not in changed),
    )


def _networks(target: Target, observed: ObservedStack) -> Iterator[Action]:
    for name, body in target.networks.items():
        there = observed.networks.get(name)
        if there is None:
            yield CreateNetwork(target=name, cause=missing("network"), body=body)
        elif not is_same_network(there, body):
            # Only after a look at another target: `target_of` gives it a name that is free.
            yield CreateNetwork(target=name, cause=Cause(CauseKind.NETWORK, "changed"), body=body)


def _files(target: Target, observed: ObservedStack) -> Iterator[Action]:
    for item in target.files:
        if item.content is not None and item.name not in observed.files[item.kind]:
            word = _FILE_WORDS[item.kind]
            there = any(_key(found) == item.key for found in observed.files[item.kind].values())
            cause = Cause(CauseKind.DEFINITION, f"{word} has changed") if there else missing(word)
            yield CreateFile(target=item.name, cause=cause, file=item)


def _key(found: Body) -> str:
    return str((found["Spec"].get("Labels") or {}).get(names.KEY) or "")


def _changes(target: Target, observed: ObservedStack, needs: frozenset[str]) -> Iterator[Action]:
    planned: dict[str, Action] = {}
    for name in in_rollout_order(target):
        action = _change(target, observed, name)
        if action is not None:
            before = {planned[other].id for other in target.needs.get(name, {}) if other in planned}
            planned[name] = action.__class__(**{**action.__dict__, "needs": needs | before})
            yield planned[name]


def _change(target: Target, observed: ObservedStack, name: str) -> ChangeService | None:
    spec, found = target.services[name], observed.services.get(name)
    on_swarm = names.service_name(target.stack, name)

    def change(what: ServiceChange, cause: Cause, recreates: bool = True) -> ChangeService:
        before = found["Spec"] if found else {}
        return ChangeService(
            target=on_swarm,
            cause=cause,
            service=name,
            change=what,
            spec=spec,
            recreates=recreates,
            before=before,
        )

    if found is None:
        return change(ServiceChange.CREATE, missing("service"))
    if mode_of(found["Spec"]) != mode_of(spec):
        return change(ServiceChange.REPLACE, Cause(CauseKind.DEFINITION, "another `deploy.mode`"))
    cause = cause_of(found["Spec"], spec)
    if cause is not None:
        paths = changed_paths(found["Spec"], spec)
        return change(ServiceChange.UPDATE, cause, recreates=recreates(paths))
    if is_job(spec) and judge(found, observed.tasks_of(name)).state is State.FAILED:
        return change(ServiceChange.RERUN, Cause(CauseKind.STATE, "its last run failed"))
    return None


def in_rollout_order(target: Target) -> tuple[str, ...]:
    """The services, each after those that it needs."""
    from invoke_devstack.planning.graph import in_order

    return in_order({name: target.needs.get(name, {}) for name in target.services})


def _removals(target: Target, observed: ObservedStack, needs: frozenset[str]) -> Iterator[Action]:
    for name, found in observed.services.items():
        if name not in target.services:
            cause = Cause(CauseKind.ORPHAN, "not in the Compose files")
            on_swarm = str(found["Spec"]["Name"])
            yield RemoveService(target=on_swarm, cause=cause, service=name, needs=needs)


def _leftovers(
    target: Target, observed: ObservedStack, kept: KeptFiles, needs: frozenset[str]
) -> Iterator[Action]:
    cause = Cause(CauseKind.LEFTOVER, "nothing uses it any more")
    used = {(item.kind, item.name) for item in target.files} | kept.names
    for kind in FileKind:
        for name, found in observed.files[kind].items():
            if _is_of(found["Spec"], target.stack) and (kind, name) not in used:
                yield RemoveFile(target=name, cause=cause, file_kind=kind, needs=needs)
    for name, found in observed.networks.items():
        if _is_of(found, target.stack) and name not in target.networks and found.get("Scope") == "swarm":
            yield RemoveNetwork(target=name, cause=cause, needs=needs)


def _is_of(holder: Mapping[str, Any], stack: str) -> bool:
    """Whether it belongs to the stack, and is neither a revision nor the lock."""
    labels = holder.get("Labels") or {}
    return labels.get(names.STACK) == stack and not {names.REVISION, names.LOCK} & labels.keys()


def plan_removal(observed: ObservedStack) -> Plan:
    """All that goes with the stack, volumes apart."""
    cause = by_command("deploy.down")
    services = [
        RemoveService(target=str(found["Spec"]["Name"]), cause=cause, service=name)
        for name, found in observed.services.items()
    ]
    needs = frozenset(action.id for action in services)
    others: list[Action] = []
    for kind in FileKind:
        for name, found in observed.files[kind].items():
            labels = found["Spec"].get("Labels") or {}
            if labels.get(names.STACK) == observed.stack and names.LOCK not in labels:
                others.append(RemoveFile(target=name, cause=cause, file_kind=kind, needs=needs))
    for name, found in observed.networks.items():
        if _is_of(found, observed.stack) and found.get("Scope") == "swarm":
            others.append(RemoveNetwork(target=name, cause=cause, needs=needs))
    return Plan((*services, *others), project=observed.stack)


def differences_from(target: Target, observed: ObservedStack) -> tuple[str, ...]:
    """The services that are not as in the target; jobs do not count, whose past cannot be changed."""
    names_ = [name for name, spec in target.services.items() if not is_job(spec)]
    wrong = [
        name
        for name in names_
        if (found := observed.services.get(name)) is None or cause_of(found["Spec"], target.services[name])
    ]
    return (*wrong, *(name for name in observed.services if name not in target.services))


def used_files(targets: Iterable[Target]) -> KeptFiles:
    """What these need."""
    return KeptFiles(frozenset((item.kind, item.name) for target in targets for item in target.files))
