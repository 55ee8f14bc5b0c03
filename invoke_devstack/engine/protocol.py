"""What the rest of the program needs from an engine. `DockerEngine` is the real one; unit tests have a small
fake. Bodies are Engine API JSON, errors are `EngineError` and its subclasses: nothing of the SDK gets out.

Every method raises EngineUnavailableError if the engine does not answer or goes away, and NotFoundError if
what it names does not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, TypedDict, Unpack

from invoke_devstack.events import ActionProgress
from invoke_devstack.records import record

if TYPE_CHECKING:
    from invoke_devstack.engine.cancellation import Cancellation
    from invoke_devstack.engine.endpoints import Endpoint
    from invoke_devstack.planning.observed import EngineInfo, Observed, ObservedImage
    from invoke_devstack.planning.plan import Body, BuildRequest

GO_DIRECTORY = 1 << 31
"""`mode` of `stat_path` for a directory: os.ModeDir of Go's os.FileMode, which the engine returns."""


@record
class Progress:
    """Progress of a transfer or build.

    Of a pull or push: `item` is the layer's id ("" for the whole), `text` is the engine's (`Downloading`,
    `Pull complete`), `done` and `total` are bytes. Of a build: `item` is `step 3/7`, `text` is the
    instruction when it begins, the instruction and ` (cached)`, or a line of its output; `done` and `total`
    are steps.
    """

    item: str
    text: str
    done: int | None = None
    total: int | None = None
    unit: str = ""  # bytes, steps

    def of(self, action: str, target: str) -> ActionProgress:
        """The event for an action that it is part of."""
        return ActionProgress(action=action, target=target, **self.__dict__)


OnWarning = Callable[[str], None]
OnProgress = Callable[[Progress], None]
"""Called in the calling thread. It may raise: the work ends, and the error passes through."""


class ExecSettings(TypedDict, total=False):
    """How a command runs in a container: by default as the image says, with its privileges."""

    user: str
    working_dir: str
    environment: Sequence[str]
    privileged: bool


@record
class ExecResult:
    exit_code: int
    output: bytes  # stdout and stderr as they came


@record
class BuildResult:
    """The result of a build. `steps` counts the Dockerfile's instructions, FROM included; `ran` are the
    places (`7/7`) of those that ran: neither FROM nor cached."""

    image_id: str
    cached_steps: int
    steps: int
    builder: str  # buildx, classic
    ran: tuple[str, ...] = ()


@record
class EngineEvent:
    """An event of the engine, such as `container` `die` or `container` `health_status: healthy`."""

    type: str
    action: str
    id: str
    attributes: Mapping[str, str]
    time: float  # seconds since the epoch


class LogStream(Protocol):
    """The log of one container, in whole frames; closing it ends the iteration."""

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        """(`stdout` or `stderr`, bytes). Blocks hold whole lines if the engine sends whole lines."""

    def close(self) -> None: ...


class Blocks(Iterator[bytes], Protocol):
    """A stream of bytes in blocks. Close it if you do not read it to its end."""

    def close(self) -> None: ...


class EventStream(Protocol):
    def __iter__(self) -> Iterator[EngineEvent]: ...

    def close(self) -> None: ...


class ExecSession(Protocol):
    """A running exec or an attached container, with its raw streams, for terminals and pipes."""

    def fileno(self) -> int: ...
    def read(self, size: int = 65536) -> tuple[str, bytes]:
        """(`stdout`/`stderr`, bytes); empty bytes at the end."""

    def pending(self) -> bool:
        """Whether `read` has data that a `select` on `fileno` would not show."""

    def write(self, data: bytes) -> None: ...
    def close_write(self) -> None:
        """End of input for the command (Ctrl-D in a pipe)."""

    def resize(self, rows: int, columns: int) -> None: ...
    def exit_code(self) -> int:
        """The command's code, once the stream has ended."""

    def close(self) -> None: ...


class Lists(Protocol):
    """The part of an engine that lists: enough to find a project's name."""

    def list_containers(self, filters: Mapping[str, Sequence[str]], *, all_: bool = True) -> list[Body]:
        """The entries of `GET /containers/json`."""

    def list_volumes(self, filters: Mapping[str, Sequence[str]]) -> list[Body]: ...


class Engine(Lists, Protocol):
    """A Docker-compatible engine. `endpoint` is where it was found."""

    endpoint: Endpoint
    lets_go_at_end: bool
    """Whether an `attach` ends exactly when the container's process does, as with Docker."""

    def info(self) -> EngineInfo:
        """The engine, with its architecture; costs a request. `Observed.engine` has the rest for free."""

    def system_info(self) -> Mapping[str, Any]:
        """The body of `GET /info`: disk, memory, processors, proxies, clock."""

    def disk_usage(self) -> Mapping[str, Any]:
        """The body of `GET /system/df`; it takes a busy engine seconds."""

    # observing
    def observe(
        self,
        project: str,
        *,
        images: Iterable[str] = (),
        networks: Iterable[str] = (),
        volumes: Iterable[str] = (),
        inspect: bool = False,
    ) -> Observed:
        """A project, and the named images, networks and volumes that exist, with or without its labels. Few
        requests, sent in parallel.

        The list of containers has nearly everything. `inspect` also inspects each container, which takes some
        milliseconds, and fills in `started_at`, the exact `created_at`, `stop_signal`, `stop_timeout`,
        `environment` and `command`."""

    def inspect_container(self, container: str) -> Mapping[str, Any]: ...
    def inspect_image(self, reference: str) -> Mapping[str, Any]: ...
    def find_image(self, reference: str) -> ObservedImage | None: ...
    def list_images(self, filters: Mapping[str, Sequence[str]]) -> list[Body]: ...
    def list_networks(self, filters: Mapping[str, Sequence[str]]) -> list[Body]: ...

    # images
    def pull(
        self,
        reference: str,
        *,
        platform: str = "",
        on_progress: OnProgress,
        cancellation: Cancellation | None = None,
    ) -> None:
        """Raises ImageUnavailableError; its `reason` says why."""

    def require_published(self, reference: str) -> None:
        """Raises ImageUnavailableError if the registry, as the engine sees it, does not give the image."""

    def push(
        self, reference: str, *, on_progress: OnProgress, cancellation: Cancellation | None = None
    ) -> None: ...
    def build(
        self, request: BuildRequest, *, on_progress: OnProgress, cancellation: Cancellation | None = None
    ) -> BuildResult:
        """With buildx if it is installed, or else the engine's classic builder. Raises BuildError with the
        failing step in its message and the end of its output in its details."""

    def import_image(
        self, archive: BinaryIO, reference: str, *, changes: Sequence[str] = (), platform: str = ""
    ) -> str:
        """Makes an image of a root file system (tar); `changes` are Dockerfile instructions. Returns its
        id."""

    def tag_image(self, image: str, reference: str) -> None: ...
    def remove_image(self, image: str, *, force: bool = False) -> list[Body]: ...
    def image_history(self, image: str) -> list[Body]: ...

    # networks and volumes
    def create_network(self, name: str, body: Body) -> str: ...
    def remove_network(self, network: str) -> None: ...
    def connect_network(self, network: str, container: str, endpoint: Body) -> None: ...
    def create_volume(self, name: str, body: Body) -> None: ...
    def claim_volume(self, name: str, labels: Mapping[str, str]) -> Mapping[str, str]:
        """Creates the volume where there is none, for one caller only. Returns the labels it has now."""

    def remove_volume(self, name: str) -> None: ...

    # containers
    def create_container(
        self, name: str, body: Body, *, platform: str = "", on_warning: OnWarning | None = None
    ) -> str:
        """Returns its id. `on_warning` gets what the engine cannot do of the body, such as a limit that its
        kernel does not have. Raises ConflictError if the name is taken, NotFoundError for a missing image."""

    def start(self, container: str) -> None:
        """Raises PortTakenError if a published port is in use."""

    def stop(self, container: str, *, signal: str = "", grace: float = 10.0) -> None:
        """Sends `signal` ("": the container's own), and SIGKILL after `grace` seconds. Returns once it has
        ended."""

    def restart(self, container: str, *, signal: str = "", grace: float = 10.0) -> None: ...
    def kill(self, container: str, signal: str = "SIGKILL") -> None: ...
    def pause(self, container: str) -> None: ...
    def unpause(self, container: str) -> None: ...
    def rename(self, container: str, new_name: str) -> None: ...
    def set_restart_policy(self, container: str, policy: Body) -> None:
        """`policy` is the `RestartPolicy` of a container's body."""

    def remove_container(self, container: str, *, volumes: bool = True, force: bool = False) -> None: ...
    def wait(self, container: str, *, timeout: float | None = None) -> int:
        """Its exit code, once it has ended. Raises TimeoutError after `timeout` seconds."""

    # inside a container
    def exec(
        self,
        container: str,
        command: Sequence[str],
        *,
        timeout: float | None = None,
        **settings: Unpack[ExecSettings],
    ) -> ExecResult:
        """Runs `command` to its end; an unknown command is exit code 126 or 127, as in a shell. Raises
        TimeoutError after `timeout` seconds, but the command goes on: the engine cannot end an exec. Raises
        ConflictError if the container is not running."""

    def exec_detached(self, container: str, command: Sequence[str], **settings: Unpack[ExecSettings]) -> None:
        """Starts `command` and leaves it running. Its output goes nowhere. Raises as `exec` does."""

    def open_exec(
        self,
        container: str,
        command: Sequence[str],
        *,
        tty: bool,
        stdin: bool,
        **settings: Unpack[ExecSettings],
    ) -> ExecSession: ...

    def attach(self, container: str, *, tty: bool, stdin: bool, detach_keys: str = "") -> ExecSession:
        """Call it before `start`, so that no output is lost. `exit_code()` is the container's. `detach_keys`:
        what the engine takes for the wish to detach."""

    def commit(
        self,
        container: str,
        reference: str,
        *,
        author: str = "",
        message: str = "",
        changes: Sequence[str] = (),
        pause: bool = True,
    ) -> str:
        """Makes an image of the container's file system and configuration, called `reference` if that is not
        "". `changes` are Dockerfile instructions. Unless `pause` is False, the container is paused meanwhile.
        Returns the image's id."""

    def export(self, container: str) -> Blocks:
        """The container's file system, without its volumes, as a tar stream."""

    def put_archive(
        self,
        container: str,
        path: str,
        archive: bytes | BinaryIO | Iterable[bytes],
        *,
        keep_kinds: bool = False,
    ) -> None:
        """Unpacks a tar into directory `path` of the container, running or not. With `keep_kinds`, no file
        takes the place of a directory, and no directory that of a file."""

    def get_archive(self, container: str, path: str) -> tuple[Mapping[str, Any], Blocks]:
        """(stat, tar stream) of `path`. Engine 20.10 blocks every other request for the container, even
        `stat_path`, until the stream is read to its end or closed."""

    def stat_path(self, container: str, path: str) -> Mapping[str, Any] | None: ...

    # streams
    def logs(
        self,
        container: str,
        *,
        follow: bool = False,
        tail: int | None = None,
        since: str = "",
        until: str = "",
        timestamps: bool = False,
        tty: bool = False,
    ) -> LogStream:
        """`since` and `until` are seconds since the epoch, with a fraction, or RFC 3339."""

    def events(
        self, filters: Mapping[str, Sequence[str]], *, since: str = "", until: str = ""
    ) -> EventStream:
        """`since` and `until` as for `logs`; without `until` it never ends."""

    def top(self, container: str) -> Body: ...
    def stats(self, container: str) -> Iterator[Body]: ...
    def sample(self, container: str) -> Body:
        """What it uses now, at once: without an earlier sample to compare with."""

    def changes(self, container: str) -> list[Body]: ...
    def close(self) -> None: ...
