"""A plan: actions, each with its target, its cause, and what it needs done first.

Each kind of action is a class. Bodies are Engine API JSON (https://docs.docker.com/reference/api/engine/),
which both the engine room and `--explain` read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Protocol

from invoke_devstack.planning.causes import Cause
from invoke_devstack.planning.known_images import ProbeKind
from invoke_devstack.records import Record, record

if TYPE_CHECKING:
    from invoke_devstack.planning.publishing.artifact import Layer

Body = Mapping[str, Any]
"""JSON of the Engine API."""

Condition = Literal["service_started", "service_healthy", "service_completed_successfully"]
STARTED: Final = "service_started"
HEALTHY: Final = "service_healthy"
COMPLETED: Final = "service_completed_successfully"


class Action(Record):
    """Base of all actions. `target` is the name of what it acts on. `needs` are ids of actions that must be
    done first, or ids of ends (`StopContainer.end`) that must be reached first."""

    kind: ClassVar[str] = ""

    target: str
    cause: Cause
    service: str = ""
    needs: frozenset[str] = frozenset()

    @classmethod
    def id_of(cls, target: str) -> str:
        return f"{cls.kind} {target}"

    @property
    def id(self) -> str:
        """Unique in a plan."""
        return self.id_of(self.target)


class PullImage(Action, kind="pull"):
    """`target` is the reference. If `optional`, a failure is a warning."""

    platform: str = ""
    optional: bool = False


class PushImage(Action, kind="push"):
    """`target` is the reference. If `optional`, a failure is a warning."""

    optional: bool = False


class BuildImage(Action, kind="build"):
    """`target` is the tag."""

    build: BuildRequest


class CreateNetwork(Action, kind="create network"):
    body: Body = field(default_factory=dict)


class CreateVolume(Action, kind="create volume"):
    body: Body = field(default_factory=dict)


class CreateContainer(Action, kind="create"):
    """`target` is the container's name. `body` is that of `POST /containers/create`. Networks that the
    API does not accept at creation are in `more_networks` (network -> endpoint settings). `files` are
    written into the container before it starts. `late` names values that are known only once earlier
    actions are done; `hashes.body_with_late_values` inserts them."""

    body: Body
    platform: str = ""
    more_networks: Mapping[str, Body] = field(default_factory=dict)
    files: tuple[InjectedFile, ...] = ()
    late: LateValues | None = None


class RenameContainer(Action, kind="rename"):
    """`target` is the current name, or the id."""

    new_name: str


class StartContainer(Action, kind="start"):
    """Starts a container that exists."""


class AwaitReady(Action, kind="await"):
    """Waits until container `target` meets `condition`; service_healthy means that `probe` succeeds.

    `late_probe`: its image was not on the engine at planning time, so the executor chooses the probe
    from the container's inspection (`probe_choice.probe_of_container`). `optional`: every service that
    waits for it has `required: false`, so a failure is a warning.
    """

    condition: Condition
    probe: Probe
    timeout: float  # seconds
    waited_for_by: tuple[str, ...] = ()  # services that depend on it
    late_probe: bool = False
    optional: bool = False

    @property
    def id(self) -> str:
        """A container may be awaited twice: until it is ready, and until it has completed."""
        return f"{super().id} done" if self.condition == COMPLETED else super().id


class RunHook(Action, kind="hook"):
    """A function in the team's tasks.py. `when`: before or after. `target`: `before web`, `after up`. `mark`:
    as which it is due until it has succeeded ("": it is not remembered, as in `plans/hooks.py`)."""

    when: str
    mark: str = ""


class RunCommand(Action, kind="exec"):
    """A lifecycle hook of the Compose Specification: a command inside the container. If `optional`, a
    failure is a warning. `mark` is as in `RunHook`."""

    mark: str = ""
    container: str
    command: tuple[str, ...]
    user: str = ""
    privileged: bool = False
    working_dir: str = ""
    environment: tuple[str, ...] = ()
    optional: bool = False


class StopContainer(Action, kind="stop"):
    """Sends `signal` ("": the container's own), and SIGKILL after `grace` seconds. `name` is for people."""

    name: str
    signal: str = ""
    grace: float = 10.0

    @property
    def end(self) -> str:
        """The id of a point that is reached during this action: the container's process has ended. The
        engine then still tears down its network and unmounts its volumes, which takes 0.1 s."""
        return self.end_of(self.target)

    @staticmethod
    def end_of(target: str) -> str:
        return f"end of {target}"


class RemoveContainer(Action, kind="remove"):
    """With `volumes`, its anonymous volumes too."""

    name: str
    volumes: bool = True
    force: bool = False


class RestartContainer(Action, kind="restart"):
    name: str
    signal: str = ""
    grace: float = 10.0


class PauseContainer(Action, kind="pause"):
    """Freezes the processes of a container."""


class UnpauseContainer(Action, kind="unpause"):
    """Lets them run again."""


class KillContainer(Action, kind="kill"):
    signal: str = "SIGKILL"


class RemoveNetwork(Action, kind="remove network"):
    """`target` is the name."""


class RemoveVolume(Action, kind="remove volume"):
    """`place` says where an anonymous volume is mounted: `SERVICE-NUMBER:PATH`. `record`: it has no data."""

    place: str = ""
    record: bool = False

    def __str__(self) -> str:
        return f"{self.place} (anonymous volume {self.target})" if self.place else self.target


class PublishDefinition(Action, kind="publish"):
    """`target` is the reference that gets `manifest`, once `layers` are uploaded."""

    manifest: bytes
    layers: tuple[Layer, ...]


class CommitContainer(Action, kind="commit"):
    """Makes an image of a container as it is now. `target` is the container's name, `reference` the image's
    ("": it has none), `changes` are Dockerfile instructions. If `pause`, the container is paused
    meanwhile."""

    reference: str = ""
    author: str = ""
    message: str = ""
    changes: tuple[str, ...] = ()
    pause: bool = True


class RemoveImage(Action, kind="remove image"):
    """`target` is a reference or an id. `only_untagged`: keep it if it has a name. `force` untags an
    image that is in use."""

    only_untagged: bool = False
    force: bool = False


@record
class LateValues:
    """Values of a container's body that are known only just before its creation: the id of `image`, which
    an earlier action pulls or builds ("" if it is known), and the ids of `containers`, which are targets
    of other creations of the plan. The config hash is made from `hash_input`. `anonymous` mounts the VOLUME
    paths of `image`."""

    image: str = ""
    containers: tuple[str, ...] = ()
    hash_input: str = ""
    anonymous: ImageMounts | None = None


class ImageMounts(Protocol):
    """See `bodies.anonymous_volumes.AnonymousVolumes`."""

    def image_mounts(self, paths: Iterable[str], taken: Iterable[str]) -> list[dict[str, Any]]: ...


@record
class InjectedFile:
    """A file written into a container before it starts. `mode` as in chmod. If `secret`, its content is
    never shown."""

    path: str
    content: bytes
    mode: int = 0o444
    uid: int = 0
    gid: int = 0
    secret: bool = False


@record
class BuildRequest:
    """What an image is built from, with the command's flags merged in. Paths are absolute.
    `dockerfile_inline` is the text of a Dockerfile."""

    context: str
    tag: str
    dockerfile: str = "Dockerfile"
    dockerfile_inline: str = ""
    target: str = ""
    args: Mapping[str, str | None] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    additional_contexts: Mapping[str, str] = field(default_factory=dict)
    cache_from: tuple[str, ...] = ()
    cache_to: tuple[str, ...] = ()
    secrets: tuple[tuple[str, str], ...] = ()  # (id, path of the file or env:NAME)
    ssh: tuple[str, ...] = ()
    network: str = ""
    platforms: tuple[str, ...] = ()
    extra_hosts: tuple[str, ...] = ()
    extra_tags: tuple[str, ...] = ()
    shm_size: int = 0  # bytes
    ulimits: Mapping[str, str] = field(default_factory=dict)
    privileged: bool = False
    isolation: str = ""
    no_cache: bool = False
    no_cache_filter: tuple[str, ...] = ()  # stages
    entitlements: tuple[str, ...] = ()
    pull: bool = False
    private: bool = False  # holds a secret that must not be in a command line


@record
class Probe:
    """How to ask a starting container whether it is ready. Times are seconds.

    `declared`: the definition says it; otherwise it is a guess, unless it `is_known_server` by its image and
    command. Where nobody answers on a guessed port, one of `other_ports` is enough."""

    kind: ProbeKind
    command: tuple[str, ...] = ()  # of a healthcheck, with its CMD or CMD-SHELL word first
    port: int = 0  # inside the container
    path: str = "/"
    timeout: float = 5.0  # for one probe
    interval: float = 30.0  # of the healthcheck
    retries: int = 3
    start_period: float = 0.0
    declared: bool = False
    is_known_server: bool = False
    other_ports: tuple[int, ...] = ()

    def __str__(self) -> str:
        if self.kind is ProbeKind.HEALTHCHECK:
            return f"healthcheck `{' '.join(self.command[1:])}`"
        return f"{self.kind} on port {self.port}" if self.port else str(self.kind)


class Plan:
    """Actions by id, in an order in which they can run. Raises ValueError for a need that is not planned."""

    def __init__(
        self,
        actions: tuple[Action, ...],
        *,
        project: str = "",
        unchanged: tuple[str, ...] = (),
        done: tuple[str, ...] = (),
        orphans: tuple[str, ...] = (),
        notices: tuple[str, ...] = (),
        replan: bool = False,
        obsolete: frozenset[str] = frozenset(),
    ) -> None:
        """`unchanged` are the services that are up as defined; `done` those of them that have completed and
        need not run again. `orphans` are containers of services that are not in the definition;
        `notices` are sentences for the user. `replan`: further actions depend on the images that these
        make; execute them, observe, and plan again. `obsolete` are hooks that are not due any more once
        the plan is carried out."""
        self.project = project
        self.unchanged = unchanged
        self.done = done
        self.orphans = orphans
        self.notices = notices
        self.replan = replan
        self.obsolete = obsolete
        self._actions = {action.id: action for action in actions}
        if len(self._actions) != len(actions):
            raise ValueError("two actions of one plan have the same id")
        needed = frozenset[str]().union(*(action.needs for action in actions))
        ends = {action.end: action for action in actions if isinstance(action, StopContainer)}
        missing = needed - self._actions.keys() - ends.keys()
        if missing:
            raise ValueError(f"needed but not planned: {', '.join(sorted(missing))}")
        self.awaited_ends = {end: stop for end, stop in ends.items() if end in needed}
        """Nodes of the plan beside the actions: each is reached while its stop is under way."""
        self._order = self._sorted()

    def _sorted(self) -> tuple[str, ...]:
        """The ids of the actions, one after the other. There an end is reached once its stop is done."""
        stops = {end: stop.id for end, stop in self.awaited_ends.items()}
        graph = {
            action.id: sorted(stops.get(need, need) for need in action.needs)
            for action in self._actions.values()
        }
        return tuple(TopologicalSorter(graph).static_order())

    def __contains__(self, action_id: str) -> bool:
        return action_id in self._actions

    def __getitem__(self, action_id: str) -> Action:
        return self._actions[action_id]

    def __iter__(self) -> Iterator[Action]:
        return (self._actions[action_id] for action_id in self._order)

    def __len__(self) -> int:
        return len(self._actions)

    @property
    def changed(self) -> frozenset[str]:
        """The services ("" for none) that the plan does more for than wait."""
        return frozenset(action.service for action in self if not isinstance(action, AwaitReady))

    @property
    def marks(self) -> frozenset[str]:
        """The hooks that are due from the plan's beginning until they have succeeded."""
        hooks = (action for action in self if isinstance(action, RunHook | RunCommand))
        return frozenset(action.mark for action in hooks if action.mark)

    @property
    def deleted_data(self) -> str:
        """The volumes that it deletes, for people. Records have no data."""
        volumes = (item for item in self if isinstance(item, RemoveVolume) and not item.record)
        return ", ".join(sorted(str(item) for item in volumes))

    def lines(self) -> tuple[str, ...]:
        """The plan as text, one line for each action: what `--dry-run` prints and what tests compare."""
        return tuple(f"{action.id}  ({action.cause})" for action in self)
