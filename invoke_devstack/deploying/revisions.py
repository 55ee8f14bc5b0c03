"""What was deployed, kept in the swarm itself: each deploy is a config with all that its services were. It
also has what was there before, so that whoever comes after a killed deploy can go back too."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from invoke_devstack.deploying.cluster import Cluster
from invoke_devstack.errors import DevstackError
from invoke_devstack.planning.deploys import names
from invoke_devstack.planning.deploys.observed import ObservedStack
from invoke_devstack.planning.deploys.target import Target, found_data
from invoke_devstack.planning.plan import Body
from invoke_devstack.records import record
from invoke_devstack.running.locks import Holder

KEPT = 5  # deploys that one can come back to
_LARGEST = 1000 * 1024  # bytes of a config


class Outcome(StrEnum):
    PENDING = "pending"  # under way, or killed
    DONE = "done"
    ROLLED_BACK = "rolled back"
    FAILED = "failed"  # and left as it was then


@record
class Revision:
    """`about` has who, when (seconds since the epoch) and why, for people."""

    number: int
    outcome: Outcome
    about: Mapping[str, Any]
    found: Body

    def target(self, stack: str) -> Target:
        """What was to be deployed."""
        return Target.from_bytes(stack, _parts(found_data(self.found))[0])

    def before(self, stack: str) -> Target | None:
        """What was there before; None for nothing."""
        content = _parts(found_data(self.found))[1]
        return Target.from_bytes(stack, content) if content else None


def revisions(observed: ObservedStack) -> tuple[Revision, ...]:
    """Those of the stack, the newest first."""
    found = (_read(item, observed.stack) for item in observed.files["configs"].values())
    return tuple(sorted((item for item in found if item), key=lambda item: item.number, reverse=True))


def _read(found: Body, stack: str) -> Revision | None:
    labels = found["Spec"].get("Labels") or {}
    if labels.get(names.STACK) != stack or not labels.get(names.REVISION, "").isdecimal():
        return None
    try:
        about = json.loads(labels.get(names.ABOUT) or "{}")
        outcome = Outcome(labels.get(names.OUTCOME, Outcome.PENDING))
    except ValueError:
        about, outcome = {}, Outcome.FAILED
    return Revision(int(labels[names.REVISION]), outcome, about if isinstance(about, dict) else {}, found)


def current(found: Iterable[Revision]) -> Revision | None:
    """The last one that was carried out."""
    return next((item for item in found if item.outcome is Outcome.DONE), None)


def begin(
    cluster: Cluster, observed: ObservedStack, target: Target, before: Target | None, about: str
) -> Revision:
    """Notes what is about to be done, and what is there before it."""
    known = revisions(observed)
    number = max((item.number for item in known), default=0) + 1
    content = _joined(target.to_bytes(), before.to_bytes() if before else b"")
    if len(content) > _LARGEST:
        raise DevstackError(
            f"the stack is too large: its {len(content):,} bytes are more than a config may have",
            hint="Move long environments and commands into configs.",
        )
    name = names.revision_name(cluster.stack, number)
    labels = {
        names.STACK: cluster.stack,
        names.REVISION: str(number),
        names.OUTCOME: Outcome.PENDING.value,
        names.ABOUT: json.dumps({"who": _who(), "when": round(time.time()), "what": about}),
    }
    cluster.swarm.create("configs", name, labels, content)
    found = cluster.swarm.objects("configs", {"name": [name]})
    made = _read(next(item for item in found if item["Spec"]["Name"] == name), cluster.stack)
    assert made is not None
    return made


def _who() -> str:
    import getpass

    try:
        return f"{getpass.getuser()}@{Holder.of_this_process().host}"
    except (OSError, KeyError):
        return Holder.of_this_process().host


def end(cluster: Cluster, revision: Revision, outcome: Outcome) -> None:
    """Notes how it ended."""
    (found,) = (
        item
        for item in cluster.swarm.objects("configs", {"id": [revision.found["ID"]]})
        if item["ID"] == revision.found["ID"]
    )
    labels = {**found["Spec"]["Labels"], names.OUTCOME: outcome.value}
    cluster.swarm.relabel("configs", found, labels)


def outdated(found: Iterable[Revision]) -> tuple[Revision, ...]:
    """Those that are not kept."""
    known = list(found)
    done = [item for item in known if item.outcome is Outcome.DONE]
    kept = {item.number for item in (*done[:KEPT], *known[:KEPT])}
    return tuple(item for item in known if item.number not in kept)


def to_come_back_to(found: Iterable[Revision]) -> tuple[Revision, ...]:
    """Those whose configs and secrets are kept."""
    return tuple(item for item in found if item.outcome is Outcome.DONE)[:KEPT]


def _joined(first: bytes, second: bytes) -> bytes:
    return len(first).to_bytes(4, "big") + first + second


def _parts(content: bytes) -> tuple[bytes, bytes]:
    size = int.from_bytes(content[:4], "big")
    return content[4 : 4 + size], content[4 + size :]
