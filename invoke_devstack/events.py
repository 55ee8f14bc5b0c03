"""What happened, as frozen dataclasses. The console and `--json` read nothing else.

An event's `type` is its name in `--json`; its fields are the members of the JSON object
(`to_json`). The schema is versioned: a field may be added, none renamed or removed, without
raising `SCHEMA_VERSION`. Times are seconds; sizes are bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any, ClassVar

from invoke_devstack.records import record

SCHEMA_VERSION = 1


@record(kw_only=True)
class Event:
    """Base of all events."""

    type: ClassVar[str] = "event"

    def to_json(self) -> dict[str, Any]:
        """The event as a JSON-ready object: `{"v": 1, "type": ..., <fields>}`."""
        body = {field.name: _plain(getattr(self, field.name)) for field in fields(self)}
        return {"v": SCHEMA_VERSION, "type": self.type, **body}


Emit = Callable[[Event], None]
"""Where a room sends its events. Called from several threads at once; must not raise."""


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, tuple | list | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


@record(kw_only=True)
class Notice(Event):
    """A sentence for a person. `level`: info, warning."""

    type: ClassVar[str] = "notice"
    text: str
    level: str = "info"
    service: str = ""


@record(kw_only=True)
class PlanMade(Event):
    """What is about to be done: one line an action, in an order in which they can run."""

    type: ClassVar[str] = "plan"
    project: str
    services: tuple[str, ...]
    lines: tuple[str, ...]


@record(kw_only=True)
class ActionStarted(Event):
    """One action of the plan began. `action` is its kind, `target` what it acts on."""

    type: ClassVar[str] = "action.started"
    action: str
    target: str
    cause: str
    service: str = ""


@record(kw_only=True)
class ActionProgress(Event):
    """How far an action is. `item` tells parallel parts apart (a layer's id, a build step's number)."""

    type: ClassVar[str] = "action.progress"
    action: str
    target: str
    item: str = ""
    text: str = ""
    done: int | None = None
    total: int | None = None
    unit: str = ""  # "bytes", "steps" or ""


@record(kw_only=True)
class ActionFinished(Event):
    type: ClassVar[str] = "action.finished"
    action: str
    target: str
    seconds: float
    service: str = ""
    text: str = ""  # a result worth a word: "image 9ab0…, 3 of 7 steps from the cache"


@record(kw_only=True)
class ActionFailed(Event):
    type: ClassVar[str] = "action.failed"
    action: str
    target: str
    seconds: float
    error: str
    service: str = ""


@record(kw_only=True)
class ServiceWaiting(Event):
    """A service started and is not ready yet; `probe` says how it is asked, `last` what it last said."""

    type: ClassVar[str] = "service.waiting"
    service: str
    container: str
    probe: str
    last: str = ""


@record(kw_only=True)
class ServiceReady(Event):
    """`state`: running, healthy, or done (a one-shot that exited 0). `seconds` since the command began."""

    type: ClassVar[str] = "service.ready"
    service: str
    container: str
    state: str
    seconds: float
    addresses: tuple[str, ...] = ()
    changed: bool = True  # False: it was already up and as the definition wants it
    note: str = ""  # "stand-in image"


@record(kw_only=True)
class ServiceStopped(Event):
    """How a service ended. `killed`: it outlived its grace period. `why` and `advice` where known."""

    type: ClassVar[str] = "service.stopped"
    service: str
    container: str
    exit_code: int | None
    seconds: float
    killed: bool = False
    why: str = ""
    advice: str = ""


@record(kw_only=True)
class UpFinished(Event):
    type: ClassVar[str] = "up.finished"
    project: str
    seconds: float
    changed: bool
    services: tuple[str, ...] = ()


@record(kw_only=True)
class DownFinished(Event):
    type: ClassVar[str] = "down.finished"
    project: str
    seconds: float
    removed: tuple[str, ...] = ()
    kept_volumes: tuple[str, ...] = ()
    deleted_volumes: tuple[str, ...] = ()


@record(kw_only=True)
class LogBlock(Event):
    """Whole log lines of one container, as bytes, in order. The last one ends with a newline,
    unless the container's last line had none. With `timestamps` each line starts with an RFC 3339
    time and a space."""

    type: ClassVar[str] = "log"
    service: str
    container: str
    stream: str  # stdout, stderr
    data: bytes
    timestamps: bool = False


@record(kw_only=True)
class Synced(Event):
    type: ClassVar[str] = "watch.synced"
    service: str
    files: int
    deleted: int
    seconds: float
    paths: tuple[str, ...] = ()


@record(kw_only=True)
class Rebuilt(Event):
    type: ClassVar[str] = "watch.rebuilt"
    service: str
    seconds: float
    paths: tuple[str, ...] = ()


@record(kw_only=True)
class WatchFailed(Event):
    """A turn of the watch that failed; the watch goes on."""

    type: ClassVar[str] = "watch.failed"
    service: str
    error: str
    hint: str = ""
    details: tuple[str, ...] = ()


@record(kw_only=True)
class Watching(Event):
    type: ClassVar[str] = "watch.started"
    services: tuple[str, ...]
    paths: int
    seconds: float


@record(kw_only=True)
class CommandStarted(Event):
    """A command in a container has the terminal from here on: what follows is its own."""

    type: ClassVar[str] = "command.started"
    service: str
    container: str


@record(kw_only=True)
class Explained(Event):
    """The `docker` command that does a step by hand, with one sentence on what it is for (`--explain`)."""

    type: ClassVar[str] = "explain"
    command: str
    sentence: str


@record(kw_only=True)
class Happened(Event):
    """Something that the engine tells of a container, network or volume. `kind` is which of them;
    `time` is seconds since the epoch."""

    type: ClassVar[str] = "engine.event"
    kind: str
    action: str
    name: str
    time: float
    service: str = ""


@record(kw_only=True)
class Checked(Event):
    """One check of `doctor`. `state`: ok, warning, failed. `matters` says what comes of it, `mend` what
    changes it."""

    type: ClassVar[str] = "doctor.check"
    name: str
    state: str
    found: str
    matters: str = ""
    mend: str = ""


@record(kw_only=True)
class Table(Event):
    """The answer of a task that lists things. `--json` prints `rows` alone, as an array."""

    type: ClassVar[str] = "table"
    title: str
    columns: tuple[str, ...]  # the keys of `rows` to show, in order
    rows: tuple[dict[str, Any], ...]
    empty: str = ""  # what to say when there is no row
    live: bool = False  # on a terminal the next one takes its place


@record(kw_only=True)
class Document(Event):
    """The answer of a task that prints a text. `data` is the same for `--json`."""

    type: ClassVar[str] = "document"
    text: str
    data: Any = None


@record(kw_only=True)
class Failed(Event):
    """The task failed: what a `DevstackError` says."""

    type: ClassVar[str] = "error"
    error: str
    hint: str = ""
    position: str = ""
    details: tuple[str, ...] = ()
    exit_code: int = 1
