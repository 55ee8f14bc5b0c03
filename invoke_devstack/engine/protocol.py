"""What the rest of the program asks of an engine. `DockerEngine` is the real one; the unit tests
have a small fake. No type and no error of the SDK passes through here: bodies are Engine API JSON,
errors are `EngineError` and its kin.

Every method raises EngineUnavailableError when the engine does not answer or goes away, and
NotFoundError where what is named is not there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO, Protocol

from invoke_devstack.engine.endpoints import Endpoint
from invoke_devstack.planning.observed import EngineInfo, Observed, ObservedImage
from invoke_devstack.planning.plan import Body, BuildRequest
from invoke_devstack.records import record


@record
class Progress:
    """One word of a long transfer or build.

    Of a pull or push: `item` is the layer's id ("" for the whole), `text` the engine's word
    (`Downloading`, `Pull complete`), `done`/`total` bytes of it. Of a build: `item` is `step 3/7`,
    `text` the instruction as it begins, the instruction and ` (cached)`, or a line of its output;
    `done` of `total` are steps.
    """

    item: str
    text: str
    done: int | None = None
    total: int | None = None
    unit: str = ""  # bytes, steps


OnProgress = Callable[[Progress], None]
"""Told as it goes, in the thread that called. It may raise: the work ends, and the error passes through."""


class Cancellation:
    """Lets another thread end a pull, push or build: `cancel()`, and that call raises EngineError within
    milliseconds, whatever it waits for."""

    def __init__(self) -> None:
        self.cancelled = False
        self._callbacks: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    def cancel(self) -> None:
        with self._lock:
            self.cancelled = True
            callbacks = tuple(self._callbacks)
        for callback in callbacks:
            callback()

    @contextmanager
    def calling(self, callback: Callable[[], None]) -> Iterator[None]:
        """While entered, `callback` is called by `cancel`; at once if that was called before."""
        with self._lock:
            self._callbacks.append(callback)
            cancelled = self.cancelled
        if cancelled:
            callback()
        try:
            yield
        finally:
            with self._lock:
                self._callbacks.remove(callback)


@record
class ExecResult:
    exit_code: int
    output: bytes  # stdout and stderr as they came


@record
class BuildResult:
    """What a build made. `steps` are the Dockerfile's instructions, FROM with them; `ran` are the places
    (`7/7`) of those that were carried out, neither a FROM nor taken from the cache."""

    image_id: str
    cached_steps: int
    steps: int
    builder: str  # buildx, classic
    ran: tuple[str, ...] = ()


@record
class EngineEvent:
    """Something that happened on the engine: `container` `die`, `container` `health_status: healthy`."""

    type: str
    action: str
    id: str
    attributes: Mapping[str, str]
    time: float  # seconds since the epoch


class LogStream(Protocol):
    """The log of one container as whole frames of the engine's stream; closing it ends the iteration."""

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        """(`stdout` or `stderr`, bytes). Blocks hold whole lines wherever the engine sends whole lines."""
        ...

    def close(self) -> None: ...


class Blocks(Iterator[bytes], Protocol):
    """A stream of bytes in blocks. What is not read to its end must be closed."""

    def close(self) -> None: ...


class EventStream(Protocol):
    def __iter__(self) -> Iterator[EngineEvent]: ...

    def close(self) -> None: ...


class ExecSession(Protocol):
    """A running exec or attached container with its raw streams, for terminals and pipes."""

    def fileno(self) -> int: ...
    def read(self, size: int = 65536) -> tuple[str, bytes]:
        """(`stdout`/`stderr`, bytes); empty bytes at the end."""
        ...

    def pending(self) -> bool:
        """Whether `read` has something already, which a `select` on `fileno` would not show."""
        ...

    def write(self, data: bytes) -> None: ...
    def close_write(self) -> None:
        """End of input for the command (Ctrl-D in a pipe)."""
        ...

    def resize(self, rows: int, columns: int) -> None: ...
    def exit_code(self) -> int:
        """The command's code, once the stream has ended."""
        ...

    def close(self) -> None: ...


class Engine(Protocol):
    """A Docker-compatible engine. `endpoint` is where it was found."""

    endpoint: Endpoint
    lets_go_at_end: bool
    """Whether an `attach` ends right when the container's process has, and never before. Docker's does."""

    def info(self) -> EngineInfo:
        """The engine, architecture included; costs a request. `Observed.engine` has the rest of it free."""
        ...

    def system_info(self) -> Mapping[str, Any]:
        """As `GET /info` gives it: its disk, memory, processors, proxies, clock."""
        ...

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
        """All of a project, and those of the named images, networks and volumes that are there
        (external ones and look-alikes without labels too). Few requests, sent at once.

        The list of containers says nearly everything. `inspect` asks for each container too, at some
        milliseconds more: `started_at`, the exact `created_at`, `stop_signal`, `stop_timeout`,
        `environment` and `command` are filled then."""
        ...

    def inspect_container(self, container: str) -> Mapping[str, Any]: ...
    def inspect_image(self, reference: str) -> Mapping[str, Any]: ...
    def find_image(self, reference: str) -> ObservedImage | None: ...
    def list_containers(self, filters: Mapping[str, Sequence[str]], *, all_: bool = True) -> list[Body]:
        """As `GET /containers/json` gives them."""
        ...

    def list_images(self, filters: Mapping[str, Sequence[str]]) -> list[Body]: ...
    def list_volumes(self, filters: Mapping[str, Sequence[str]]) -> list[Body]: ...
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
        """Raises ImageUnavailableError; its message tells a registry out of reach, a rate limit, a
        missing image and a refused login apart."""
        ...

    def push(
        self, reference: str, *, on_progress: OnProgress, cancellation: Cancellation | None = None
    ) -> None: ...
    def build(
        self, request: BuildRequest, *, on_progress: OnProgress, cancellation: Cancellation | None = None
    ) -> BuildResult:
        """Through buildx where it is there, else the engine's classic builder. Raises BuildError with
        the failing step in its message and the end of the step's output in its details."""
        ...

    def import_image(
        self, archive: BinaryIO, reference: str, *, changes: Sequence[str] = (), platform: str = ""
    ) -> str:
        """A root file system (tar) as an image; `changes` are Dockerfile instructions. Returns its id."""
        ...

    def tag_image(self, image: str, reference: str) -> None: ...
    def remove_image(self, image: str, *, force: bool = False) -> list[Body]: ...
    def image_history(self, image: str) -> list[Body]: ...

    # networks and volumes
    def create_network(self, name: str, body: Body) -> str: ...
    def remove_network(self, network: str) -> None: ...
    def connect_network(self, network: str, container: str, endpoint: Body) -> None: ...
    def create_volume(self, name: str, body: Body) -> None: ...
    def remove_volume(self, name: str) -> None: ...

    # containers
    def create_container(self, name: str, body: Body, *, platform: str = "") -> str:
        """Returns its id. Raises ConflictError when the name is taken, NotFoundError for an image."""
        ...

    def start(self, container: str) -> None:
        """Raises PortTakenError when a published port cannot be bound."""
        ...

    def stop(self, container: str, *, signal: str = "", grace: float = 10.0) -> None:
        """`signal` ("" = the container's own), and SIGKILL after `grace` seconds. Returns when it ended."""
        ...

    def restart(self, container: str, *, signal: str = "", grace: float = 10.0) -> None: ...
    def kill(self, container: str, signal: str = "SIGKILL") -> None: ...
    def pause(self, container: str) -> None: ...
    def unpause(self, container: str) -> None: ...
    def rename(self, container: str, new_name: str) -> None: ...
    def remove_container(self, container: str, *, volumes: bool = True, force: bool = False) -> None: ...
    def wait(self, container: str, *, timeout: float | None = None) -> int:
        """Its exit code, once it is not running. Raises TimeoutError after `timeout` seconds."""
        ...

    # inside a container
    def exec(
        self,
        container: str,
        command: Sequence[str],
        *,
        user: str = "",
        working_dir: str = "",
        environment: Sequence[str] = (),
        privileged: bool = False,
        timeout: float | None = None,
    ) -> ExecResult:
        """Runs `command` to its end; a command that is not there is exit code 126 or 127, as in a shell.
        Raises TimeoutError after `timeout` seconds: the engine cannot end an exec, it goes on inside.
        Raises ConflictError when the container does not run."""
        ...

    def open_exec(
        self,
        container: str,
        command: Sequence[str],
        *,
        tty: bool,
        stdin: bool,
        user: str = "",
        working_dir: str = "",
        environment: Sequence[str] = (),
        privileged: bool = False,
    ) -> ExecSession: ...

    def attach(self, container: str, *, tty: bool, stdin: bool) -> ExecSession:
        """Before `start`, so that no output is lost. `exit_code()` is the container's."""
        ...

    def put_archive(self, container: str, path: str, archive: bytes | BinaryIO | Iterable[bytes]) -> None:
        """Unpacks a tar into directory `path` of the container, running or not."""
        ...

    def get_archive(self, container: str, path: str) -> tuple[Mapping[str, Any], Blocks]:
        """(stat, tar stream) of `path`. Until the stream is read to its end or closed, Engine 20.10 lets
        nothing else be done with the container, not even a `stat_path`."""
        ...

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
        """`since`/`until` are engine time stamps: seconds since the epoch with fraction, or RFC 3339."""
        ...

    def events(
        self, filters: Mapping[str, Sequence[str]], *, since: str = "", until: str = ""
    ) -> EventStream:
        """`since`/`until` as for `logs`; without `until` it goes on."""
        ...

    def top(self, container: str) -> Body: ...
    def stats(self, container: str) -> Iterator[Body]: ...
    def changes(self, container: str) -> list[Body]: ...
    def close(self) -> None: ...
