"""What happened, as records. The console and `--json` read nothing else.

An event's `type` is its name in `--json`; its fields are the members of the JSON object. The first paragraph
of its docstring is what `docs/json.md` and the schemas say of it. Adding a field keeps `SCHEMA_VERSION`;
renaming or removing one raises it. Times are seconds, sizes are bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from itertools import accumulate, chain, groupby
from typing import Any, ClassVar

from invoke_devstack.records import Record

SCHEMA_VERSION = 2


class Event(Record):
    """Base of all events."""

    type: ClassVar[str] = "event"
    in_json: ClassVar[bool] = True
    """Whether `--json` prints it; if not, it is printed as other events."""

    def to_json(self) -> dict[str, Any]:
        """The event as a JSON object: `{"v": 2, "type": ..., <fields>}`."""
        body = {field.name: _plain(getattr(self, field.name)) for field in fields(self)}
        return {"v": SCHEMA_VERSION, "type": self.type, **body}


Emit = Callable[[Event], None]
"""Where a room sends its events. Called from several threads; must not raise."""


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, tuple | list | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


class Notice(Event, type="notice"):
    """A message for people. `level` is info or warning."""

    text: str
    level: str = "info"
    service: str = ""


class PlanMade(Event, type="plan"):
    """What is about to happen: one line per action, in an order in which they can run.

    `several`: services with more than one container.
    """

    project: str
    services: tuple[str, ...]
    lines: tuple[str, ...]
    several: tuple[str, ...] = ()


class ActionStarted(Event, type="action.started"):
    """An action of the plan started. `action` is its kind, `target` what it acts on, `cause` the reason in
    words, `cause_kind` the kind of reason.

    `cause_kind` is a `planning.causes.CauseKind`.
    """

    action: str
    target: str
    cause: str
    cause_kind: str = ""
    service: str = ""


class ActionProgress(Event, type="action.progress"):
    """Progress of an action. `item` identifies a parallel part (a layer, a build step); `unit` is bytes,
    steps or empty."""

    action: str
    target: str
    item: str = ""
    text: str = ""
    done: int | None = None
    total: int | None = None
    unit: str = ""  # "bytes", "steps" or ""


class ActionFinished(Event, type="action.finished"):
    """An action finished. `text` is a result worth showing, such as how many steps came from the cache.
    `skipped`: it changed nothing, and `text` says why: others use the network, or it was created meanwhile.
    """

    action: str
    target: str
    seconds: float
    service: str = ""
    text: str = ""  # a result: "image 9ab0…, 3 of 7 steps from the cache"
    skipped: bool = False  # it changed nothing, and `text` says why


class ActionFailed(Event, type="action.failed"):
    """An action failed after `seconds`. The error that ends the task follows."""

    action: str
    target: str
    seconds: float
    error: str
    service: str = ""


class ServiceWaiting(Event, type="service.waiting"):
    """A service started and is not ready yet. `probe` is how its readiness is checked, `last` the latest
    result."""

    service: str
    container: str
    probe: str
    last: str = ""


class ServiceReady(Event, type="service.ready"):
    """`state` is running, healthy or done (a one-shot that exited with 0); `changed` is false if it was
    already up; `seconds` counts from the start of the task."""

    service: str
    container: str
    state: str
    seconds: float
    addresses: tuple[str, ...] = ()
    changed: bool = True  # False: it was already up to date
    note: str = ""  # "stand-in image"


class ServiceStopped(Event, type="service.stopped"):
    """A service stopped. `killed`: it was still running after its grace period; `why` and `advice` if
    known."""

    service: str
    container: str
    exit_code: int | None
    seconds: float
    killed: bool = False
    why: str = ""
    advice: str = ""


class ServiceChanged(Event, type="service.changed"):
    """What befell a service while its logs are shown. `what` is exited, restarted (it exited, and the engine
    restarts it), unhealthy or healthy.

    `text` is the predicate of a sentence about it.
    """

    service: str
    container: str
    what: str
    text: str
    exit_code: int | None = None
    restarts: int = 0
    hint: str = ""


class UpFinished(Event, type="up.finished"):
    """All requested services are ready; `changed` is false if they already were."""

    project: str
    seconds: float
    changed: bool
    services: tuple[str, ...] = ()


class DownFinished(Event, type="down.finished"):
    """Everything is down. `removed` lists containers, networks and volumes; `kept_volumes` the named volumes
    that still hold data; `deleted_volumes` those that `--volumes` deleted. The other two say the same of
    anonymous volumes, as `SERVICE-NUMBER:PATH`."""

    project: str
    seconds: float
    removed: tuple[str, ...] = ()
    kept_volumes: tuple[str, ...] = ()
    deleted_volumes: tuple[str, ...] = ()
    kept_anonymous: tuple[str, ...] = ()
    deleted_anonymous: tuple[str, ...] = ()


class DeployFinished(Event, type="deploy.finished"):
    """The stack runs on the cluster. `revision` is the number of the deploy in `deploy.history`.

    `revision` is 0 where there is none.
    """

    stack: str
    seconds: float
    changed: bool
    services: tuple[str, ...] = ()
    revision: int = 0


class LogBlock(Event, type="log"):
    """One log line. `stream` is stdout or stderr; invalid UTF-8 is replaced. With `timestamps`, the line
    starts with its time. `prefixed` is about what people see: the service's name before the line.

    Here `data` is a block of whole lines, as bytes, in order; the last one ends with a newline, unless the
    container's last line has none. `--json` prints an event for each line.
    """

    service: str
    container: str
    stream: str  # stdout, stderr
    data: bytes
    timestamps: bool = False
    prefixed: bool = True


class LogSpan(Event, type="log.span"):
    """The log lines of several containers in one span of time; no line outside comes between. Each block
    has its stamps, which sort as bytes; lines of equal stamps are in the order of `blocks`.

    To read millions of lines in seconds, nothing is done for each of them before they are printed.
    """

    in_json: ClassVar[bool] = False

    blocks: tuple[LogBlock, ...]
    timestamps: bool = False  # whether to show the stamps
    stamp: int = 30  # bytes of a stamp, without the space after it

    def order(self, stamps: list[list[bytes]]) -> list[int]:
        """The numbers of the lines of all blocks, in the order to print them; `stamps` has those of each
        block. A container whose clock went back keeps its order: its lines count as simultaneous."""
        steady = [list(accumulate(items, max)) for items in stamps]
        keys = list(chain.from_iterable(steady))
        return sorted(range(len(keys)), key=keys.__getitem__)

    def in_order(self) -> Iterator[LogBlock]:
        """The same as blocks of one container each, in order."""
        lines = [block.data.removesuffix(b"\n").split(b"\n") for block in self.blocks]
        owners = [block for block, own in zip(self.blocks, lines, strict=True) for _ in own]
        texts = list(chain.from_iterable(lines))
        order = self.order([[line[: self.stamp] for line in own] for own in lines])
        skip = 0 if self.timestamps else self.stamp + 1
        for _, group in groupby(order, key=lambda index: id(owners[index])):
            numbers = list(group)
            data = b"".join(b"%b\n" % texts[number][skip:] for number in numbers)
            yield replace(owners[numbers[0]], data=data, timestamps=self.timestamps)


class WatchChanged(Event, type="watch.changed"):
    """Files changed. Each object is what one rule does with one file, as in `why`; of more than 50, the first
    ones."""

    files: tuple[dict[str, Any], ...]


class Synced(Event, type="watch.synced"):
    """Changed files are in the container: `files` copied, `deleted` removed."""

    service: str
    files: int
    deleted: int
    seconds: float
    paths: tuple[str, ...] = ()


class Rebuilt(Event, type="watch.rebuilt"):
    """A new container is running; `paths` are the files that changed."""

    service: str
    seconds: float
    paths: tuple[str, ...] = ()


class WatchFailed(Event, type="watch.failed"):
    """Handling a change failed; the watch continues."""

    service: str
    error: str
    hint: str = ""
    details: tuple[str, ...] = ()


class Watching(Event, type="watch.started"):
    """The watch now observes this many `paths`."""

    services: tuple[str, ...]
    paths: int
    seconds: float


class CommandStarted(Event, type="command.started"):
    """A command in a container now has the terminal: what follows is its output."""

    service: str
    container: str


class Explained(Event, type="explain"):
    """With `--explain`: the `docker` command that does a step by hand, and what it does."""

    command: str
    sentence: str


class Printed(Event, type="output"):
    """In the dashboard: a line that a function of tasks.py printed, or a program that it ran."""

    stream: str
    text: str


class Happened(Event, type="engine.event"):
    """An event of the engine (`invoke events`). `kind` is container, network or volume; `time` is seconds
    since the epoch."""

    kind: str
    action: str
    name: str
    time: float
    service: str = ""


class Checked(Event, type="doctor.check"):
    """A check of `setup` or `doctor`. `state` is ok, warning or failed; `matters` says what the result
    affects, `fix` how to fix it."""

    name: str
    state: str
    found: str
    matters: str = ""
    fix: str = ""


class Table(Event, type="table"):
    """The answer of a task that acts, as rows.

    For a task that only answers, `--json` prints `rows` alone, as an array.
    """

    title: str
    columns: tuple[str, ...]  # keys of `rows` to show, in order
    rows: tuple[dict[str, Any], ...]
    empty: str = ""  # text if there are no rows
    live: bool = False  # on a terminal, the next one replaces it


class Document(Event, type="document"):
    """The answer of a task that acts. `data` is the same answer for programs, or null.

    `with_secrets`: they were asked for, and are not masked.
    """

    text: str
    data: Any = None
    with_secrets: bool = False


class Status(Document, type="status"):
    """The answer of `status`, which the console draws from `data`. `prefix` stands before the names of the
    stack's tasks."""

    in_json = False
    prefix: str = ""


class Failed(Event, type="error"):
    """The task failed. `reason` is the kind of failure, for programs: see Reasons. `position` is
    file:line:column: key, if known; `exit_code` is the task's; `service` the one that failed, if it is
    about one.

    A `DevstackError` (errors.py), or, with the reason `bug`, any other exception.
    """

    error: str
    reason: str = ""
    hint: str = ""
    position: str = ""
    details: tuple[str, ...] = ()
    exit_code: int = 1
    service: str = ""


def container_label(service: str, container: str, *, several: bool = False) -> str:
    """The service; with the number from its second container on, or if it is known to have `several`: `web`,
    `web-2`."""
    rest, _, number = container.rpartition("-")
    numbered = rest.endswith(service) and number.isdigit() and (several or int(number) > 1)
    return f"{service}-{number}" if numbered else service
