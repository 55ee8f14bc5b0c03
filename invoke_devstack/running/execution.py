"""What the actions of one plan share while they run."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from queue import SimpleQueue
from typing import Any

from invoke_devstack.engine.cancellation import Cancellation
from invoke_devstack.engine.protocol import BuildResult, Engine
from invoke_devstack.errors import DevstackError
from invoke_devstack.planning.plan import Action, AwaitReady, Plan, StopContainer
from invoke_devstack.records import record
from invoke_devstack.running.container_events import ContainerEvents
from invoke_devstack.running.session import Session

_EXECS_AT_ONCE = 4  # each keeps a core of the engine's machine busy for tens of milliseconds


class Cancelled(DevstackError):  # noqa: N818 - another action failed, or the user interrupted
    """An action that was cancelled because the command ends; never shown."""


class Skipped(str):
    """The result of an action that changed nothing, because somebody else uses or made the thing: why."""


@record
class Ended:
    """An action succeeded, or failed with `error`."""

    action: Action
    error: BaseException | None = None


@record
class Risen:
    """A container that became ready in this plan, `deaths` of its process after the plan began."""

    action: AwaitReady
    container: str  # id
    inspected: Mapping[str, Any]
    deaths: int


@record
class Reached:
    """The process of a container that is being stopped has ended (`StopContainer.end`)."""

    end: str


@record
class Signalled:
    """The user interrupted the command."""


Message = Ended | Reached | Signalled


class Execution:
    """One plan that is being executed. `cancel` ends all waits; what must not be interrupted goes on."""

    def __init__(self, session: Session, plan: Plan) -> None:
        self.session = session
        self.plan = plan
        self.changed = plan.changed
        self.messages: SimpleQueue[Message] = SimpleQueue()
        """To the executor, from any thread."""
        self.events = ContainerEvents(session.engine, session.project, remember=True)
        self.exec_slots = threading.Semaphore(_EXECS_AT_ONCE)
        self.built: dict[str, BuildResult] = {}
        """By tag."""
        self.made: dict[str, str] = {}
        """The ids of images made of containers, by the container's name."""
        self.risen: list[Risen] = []
        self.left: list[str] = []
        """Networks, volumes and images that were not removed because others use them."""
        self.cancellation = Cancellation()

    @property
    def engine(self) -> Engine:
        return self.session.engine

    def is_end_awaited(self, stop: StopContainer) -> bool:
        """Whether another action waits for the end of the container's process."""
        return stop.end in self.plan.awaited_ends

    def check(self) -> None:
        """Raises Cancelled once the command has failed or was interrupted."""
        if self.cancellation.cancelled:
            raise Cancelled("cancelled")

    def cancel(self) -> None:
        """Ends all waits of this execution at once."""
        self.cancellation.cancel()
