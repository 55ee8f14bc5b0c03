"""A plan: a set of actions, each with its target, its cause and what it needs done before.

One class an action kind; the executor matches on the class and decides nothing itself. Bodies
are Engine API JSON (https://docs.docker.com/reference/api/engine/), which both the engine room
and `--explain` read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from graphlib import TopologicalSorter
from typing import Any, ClassVar

from invoke_devstack.records import record

Body = Mapping[str, Any]
"""JSON of the Engine API."""


@record(kw_only=True)
class Action:
    """Base of all actions. `target` is the name of what it acts on; `cause` is a phrase for people,
    such as `image changed: 3f1c… -> 9ab0…`; `needs` are the ids of actions that come before."""

    kind: ClassVar[str] = ""

    target: str
    cause: str
    service: str = ""
    needs: frozenset[str] = frozenset()

    @property
    def id(self) -> str:
        """Unique in a plan."""
        return f"{self.kind} {self.target}"


@record(kw_only=True)
class PullImage(Action):
    """`target` is the reference."""

    kind: ClassVar[str] = "pull"
    platform: str = ""


@record(kw_only=True)
class PushImage(Action):
    """`target` is the reference."""

    kind: ClassVar[str] = "push"


@record(kw_only=True)
class BuildImage(Action):
    """`target` is the tag. `build` is the definition's `Build` as plain data, paths absolute, with
    the flags of the command (no_cache, pull, build args) already merged in."""

    kind: ClassVar[str] = "build"
    build: BuildRequest


@record(kw_only=True)
class CreateNetwork(Action):
    kind: ClassVar[str] = "create network"
    body: Body = field(default_factory=dict)


@record(kw_only=True)
class CreateVolume(Action):
    kind: ClassVar[str] = "create volume"
    body: Body = field(default_factory=dict)


@record(kw_only=True)
class CreateContainer(Action):
    """Make a container called `target`. `body` is that of `POST /containers/create`, with
    `HostConfig` and `NetworkingConfig`; networks that the API cannot take at creation are in
    `more_networks` (network -> endpoint settings). `files` are written into it before it starts
    (configs and secrets with inline content). With `late`, the body lacks what only the actions
    before it bring about: `planning.settle.settled` puts it in."""

    kind: ClassVar[str] = "create"
    body: Body
    platform: str = ""
    more_networks: Mapping[str, Body] = field(default_factory=dict)
    files: tuple[InjectedFile, ...] = ()
    late: Late | None = None


@record(kw_only=True)
class RenameContainer(Action):
    """`target` is the name it has now, or its id."""

    kind: ClassVar[str] = "rename"
    new_name: str


@record(kw_only=True)
class StartContainer(Action):
    kind: ClassVar[str] = "start"


@record(kw_only=True)
class AwaitReady(Action):
    """Wait until container `target` meets `condition`: service_started, service_healthy (or, where
    there is no healthcheck, whatever `probe` asks), service_completed_successfully.

    `late_probe`: its image was not on the engine when this was planned, so that
    `planning.probes.probe_of_container` may know better from its inspection. `optional`: only services
    that can do without it wait for it (`required: false`), so that a failure is a warning.
    """

    kind: ClassVar[str] = "await"
    condition: str
    probe: Probe
    timeout: float  # seconds
    waited_for_by: tuple[str, ...] = ()  # services that depend on it
    late_probe: bool = False
    optional: bool = False

    @property
    def id(self) -> str:
        """A container may be awaited twice: until it is ready, and until it is done."""
        done = self.condition == "service_completed_successfully"
        return f"await {self.target} done" if done else f"await {self.target}"


@record(kw_only=True)
class RunHook(Action):
    """A function of the team's tasks.py. `when`: before or after. `target`: `before web`, `after up`."""

    kind: ClassVar[str] = "hook"
    when: str


@record(kw_only=True)
class RunCommand(Action):
    """A lifecycle hook of the Compose Specification: a command inside the container. If it is
    `optional`, its failure is a warning."""

    kind: ClassVar[str] = "exec"
    container: str
    command: tuple[str, ...]
    user: str = ""
    privileged: bool = False
    working_dir: str = ""
    environment: tuple[str, ...] = ()
    optional: bool = False


@record(kw_only=True)
class StopContainer(Action):
    """`signal` ("" = the container's own), then after `grace` seconds SIGKILL. `name` is for people."""

    kind: ClassVar[str] = "stop"
    name: str
    signal: str = ""
    grace: float = 10.0

    @property
    def end(self) -> str:
        """The id of the moment at which its process has ended, while the engine still tidies up behind it:
        takes its network apart, unmounts its volumes."""
        return f"end of {self.target}"


@record(kw_only=True)
class RemoveContainer(Action):
    """Anonymous volumes go too if `volumes`."""

    kind: ClassVar[str] = "remove"
    name: str
    volumes: bool = True
    force: bool = False


@record(kw_only=True)
class RestartContainer(Action):
    kind: ClassVar[str] = "restart"
    name: str
    signal: str = ""
    grace: float = 10.0


@record(kw_only=True)
class PauseContainer(Action):
    kind: ClassVar[str] = "pause"


@record(kw_only=True)
class UnpauseContainer(Action):
    kind: ClassVar[str] = "unpause"


@record(kw_only=True)
class KillContainer(Action):
    kind: ClassVar[str] = "kill"
    signal: str = "SIGKILL"


@record(kw_only=True)
class RemoveNetwork(Action):
    kind: ClassVar[str] = "remove network"


@record(kw_only=True)
class RemoveVolume(Action):
    """`anonymous`: nobody gave it a name, and it went from container to container as they were replaced."""

    kind: ClassVar[str] = "remove volume"
    anonymous: bool = False


@record(kw_only=True)
class RemoveImage(Action):
    """`target` is a reference or an id. `only_untagged`: not if it has a name by now. One that is in
    use stays, unless `force` takes its name away."""

    kind: ClassVar[str] = "remove image"
    only_untagged: bool = False
    force: bool = False


@record
class Late:
    """What a container's body needs and only the engine can tell, just before the creation: the id of
    `image`, which an action before it pulls or builds ("" if it is known), and those of `containers`,
    which are the targets of other creations of the plan and stand in the body. `hash_input` is the
    text that the config hash is made of."""

    image: str = ""
    containers: tuple[str, ...] = ()
    hash_input: str = ""


@record
class InjectedFile:
    """A file put into a container before it starts. `mode` as in chmod. The content of a `secret` one
    is shown nowhere."""

    path: str
    content: bytes
    mode: int = 0o444
    uid: int = 0
    gid: int = 0
    secret: bool = False


@record
class BuildRequest:
    """What an image is built from. Paths are absolute; `dockerfile_inline` stands for a file."""

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
    pull: bool = False


@record
class Probe:
    """How to ask a starting container whether it is ready.

    `kind`: healthcheck (run `command` inside, as the engine would), http, redis, mysql, postgres
    (talk to `port`), port (connects and holds), running (nothing more is known).
    """

    kind: str
    command: tuple[str, ...] = ()  # with its CMD or CMD-SHELL word first
    port: int = 0  # inside the container
    path: str = "/"
    timeout: float = 5.0  # seconds for one probe
    interval: float = 30.0  # of the healthcheck, seconds
    retries: int = 3
    start_period: float = 0.0

    def __str__(self) -> str:
        if self.kind == "healthcheck":
            return f"healthcheck `{' '.join(self.command[1:])}`"
        if self.kind in ("http", "redis", "mysql", "postgres", "port"):
            return f"{self.kind} on port {self.port}"
        return "running"


class Plan:
    """Actions by id, in an order in which they can run. Raises ValueError on a need that is not there."""

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
    ) -> None:
        """`unchanged` are the services that are up as the definition wants them; `done` those of them
        that ended with 0 and need not run again. `orphans` are containers of services that the
        definition does not have; `notices` sentences for the user. `replan`: what comes next depends
        on the images that these actions make; carry them out, observe, and plan again."""
        self.project = project
        self.unchanged = unchanged
        self.done = done
        self.orphans = orphans
        self.notices = notices
        self.replan = replan
        self._actions = {action.id: action for action in actions}
        if len(self._actions) != len(actions):
            raise ValueError("two actions of one plan have the same id")
        missing = {need for action in actions for need in action.needs} - self._actions.keys()
        if missing:
            raise ValueError(f"needed but not planned: {', '.join(sorted(missing))}")
        self._order = tuple(self.sorter().static_order())

    def sorter(self) -> TopologicalSorter[str]:
        """A fresh sorter over the actions' ids."""
        return TopologicalSorter({action.id: sorted(action.needs) for action in self._actions.values()})

    def schedule(self) -> TopologicalSorter[str]:
        """A fresh sorter for whoever carries the actions out. It has moments too: what ends a container, its
        `pre_stop` hooks included, waits for no more than the `end` of those that depend on it."""
        graph = {action.id: sorted(self._needs_in_time(action)) for action in self._actions.values()}
        stops = (self._actions[stop_id] for stop_id in self.awaited_ends)
        graph.update({stop.end: graph[stop.id] for stop in stops if isinstance(stop, StopContainer)})
        return TopologicalSorter(graph)

    @property
    def awaited_ends(self) -> frozenset[str]:
        """The ids of the stops for whose `end` another action waits."""
        waiting = (item for item in self._actions.values() if isinstance(item, StopContainer | RunCommand))
        needed = frozenset[str]().union(*(action.needs for action in waiting))
        return frozenset(need for need in needed if isinstance(self._actions[need], StopContainer))

    def _needs_in_time(self, action: Action) -> frozenset[str]:
        if not isinstance(action, StopContainer | RunCommand):
            return action.needs
        needed = (self._actions[need] for need in action.needs)
        return frozenset(item.end if isinstance(item, StopContainer) else item.id for item in needed)

    def __contains__(self, action_id: str) -> bool:
        return action_id in self._actions

    def __getitem__(self, action_id: str) -> Action:
        return self._actions[action_id]

    def __iter__(self) -> Iterator[Action]:
        return (self._actions[action_id] for action_id in self._order)

    def __len__(self) -> int:
        return len(self._actions)

    def lines(self) -> tuple[str, ...]:
        """The plan as text, one line an action: what `--dry-run` prints and what tests compare."""
        return tuple(f"{action.id}  ({action.cause})" for action in self)
