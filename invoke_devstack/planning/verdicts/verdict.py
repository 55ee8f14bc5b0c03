"""What `up` decides about existing containers, and what it decides by."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Literal

from invoke_devstack.planning.causes import Cause, by_state, missing
from invoke_devstack.planning.observed import Observed, ObservedContainer
from invoke_devstack.planning.options import PlanningOptions
from invoke_devstack.records import record

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition

Act = Literal["keep", "done", "await", "start", "unpause", "restart", "recreate", "remove", "rename"]


@record
class ContainerVerdict:
    """An existing container, and what `up` does with it; without a cause there is nothing to do."""

    container: ObservedContainer
    act: Act
    cause: Cause = by_state("up to date")


@record
class ServiceVerdict:
    """The verdicts on a service's containers, and the numbers of those to add, with the cause."""

    containers: tuple[ContainerVerdict, ...] = ()
    added: tuple[int, ...] = ()
    added_cause: Cause = missing("container")

    @property
    def changed(self) -> bool:
        """Whether a container of it is created or started."""
        return bool(self.added) or bool(self.of_act("start", "restart", "recreate", "unpause", "rename"))

    @property
    def recreated(self) -> bool:
        return bool(self.of_act("recreate"))

    @property
    def started(self) -> bool:
        """Whether an existing container is started, so that whatever shares its namespaces must restart."""
        return bool(self.of_act("start", "restart", "rename"))

    @property
    def up_to_date(self) -> bool:
        """Whether there is nothing to do and nothing to wait for."""
        return not self.added and all(item.act in ("keep", "done") for item in self.containers)

    @property
    def done(self) -> bool:
        """Whether it is up to date, and a one-shot that has completed."""
        return self.up_to_date and bool(self.of_act("done"))

    def of_act(self, *acts: Act) -> tuple[ObservedContainer, ...]:
        return tuple(item.container for item in self.containers if item.act in acts)


@record
class UpState:
    """What the verdict on a service depends on, beside the service. `ids` is service -> id of the container
    that stays and that others mean by `service:NAME`. `verdicts` are those on earlier services."""

    definition: Definition
    observed: Observed
    options: PlanningOptions
    recreated_networks: frozenset[str] = frozenset()
    ids: dict[str, str] = field(default_factory=dict)
    verdicts: dict[str, ServiceVerdict] = field(default_factory=dict)
