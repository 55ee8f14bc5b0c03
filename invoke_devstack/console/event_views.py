"""How each event is shown: its lines, and how it changes the row of its service in the live view.

To show a new event, add it to the table in `EventLines`, to `_ROWS`, or to both. A new kind of action goes
into `_ACTIONS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from invoke_devstack import events as e
from invoke_devstack.console.amounts import counted, duration
from invoke_devstack.console.screen import Screen
from invoke_devstack.console.style import Paint
from invoke_devstack.events import container_label
from invoke_devstack.late_patterns import late
from invoke_devstack.records import record

_CHECK_WIDTH = 14
_STYLE = late(r"\x1b\[[0-9;]*m")


@record
class ActionText:
    """How an action is called. `doing` and `done` come before its target; `row` is shown without one. An
    action without `done` prints no line when it is finished."""

    doing: str
    done: str = ""
    row: str = ""
    says_start: bool = False

    @property
    def in_row(self) -> str:
        return self.row or self.doing


def _both(doing: str, done: str = "", row: str = "") -> ActionText:
    return ActionText(doing, done, row, says_start=True)


_ACTIONS: Mapping[str, ActionText] = {
    "pull": _both("pulling", "pulled"),
    "push": _both("pushing", "pushed"),
    "publish": _both("publishing", "published"),
    "commit": _both("making an image of", "made an image of"),
    "build": _both("building", "built"),
    "stand-in": _both("building a stand-in for", "built a stand-in for", row="building a stand-in"),
    "create": _both("creating"),
    "create network": ActionText("creating network", "created network"),
    "create volume": ActionText("creating volume", "created volume"),
    "start": ActionText("starting"),
    "await": ActionText("starting"),
    "stop": ActionText("stopping"),
    "restart": ActionText("restarting", "restarted"),
    "pause": ActionText("pausing", "paused"),
    "unpause": ActionText("resuming", "resumed"),
    "kill": ActionText("sending a signal to", "sent a signal to", row="sending a signal"),
    "remove": ActionText("removing", "removed"),
    "remove network": ActionText("removing network", "removed network"),
    "remove volume": ActionText("removing volume", "removed volume"),
    "remove image": ActionText("removing image", "removed image"),
    "create config": ActionText("creating config", "created config"),
    "create secret": ActionText("creating secret", "created secret"),
    "create service": _both("creating service"),
    "update service": _both("updating service"),
    "replace service": _both("replacing service"),
    "run again": _both("running again"),
    "remove service": ActionText("removing service", "removed service"),
    "remove config": ActionText("removing config", "removed config"),
    "remove secret": ActionText("removing secret", "removed secret"),
    "hook": _both("running the hook", "ran the hook"),
    "exec": _both("running a command in", row="running a command"),
    "install": _both("installing", "installed"),
    "snapshot": _both("saving the snapshot", "saved the snapshot"),
    "restore": _both("restoring the snapshot", "restored the snapshot"),
    "export": _both("exporting the snapshot", "exported the snapshot"),
    "import": _both("importing the snapshot", "imported the snapshot"),
}


def action_text(action: str) -> ActionText:
    """How the action is called; an unknown one by its name."""
    return _ACTIONS.get(action) or ActionText(action)


class Mark(Enum):
    """The state of a row."""

    QUIET = "quiet"  # nothing is happening yet
    BUSY = "busy"
    GOOD = "good"
    BAD = "bad"


@record
class RowChange:
    """What an event changes in the row of its service. `seconds` is set when the service is done."""

    service: str
    mark: Mark
    text: str
    seconds: float | None = None


def _failed_row(event: e.ActionFailed) -> RowChange:
    return RowChange(event.service or event.target, Mark.BAD, "failed", event.seconds)


def _waiting_row(event: e.ServiceWaiting) -> RowChange:
    *_, last = event.last.strip().splitlines() or [event.probe]  # a traceback ends with its error
    return RowChange(event.service, Mark.BUSY, f"waiting: {last.strip()}")


def _ready_row(event: e.ServiceReady) -> RowChange:
    return RowChange(event.service, Mark.GOOD, "  ".join((event.state, *event.addresses)), event.seconds)


def _stopped_row(event: e.ServiceStopped) -> RowChange:
    return RowChange(event.service, Mark.GOOD, "killed" if event.killed else "stopped", event.seconds)


_ROWS: dict[type[e.Event], Callable[[Any], RowChange]] = {
    e.ActionFailed: _failed_row,
    e.ServiceWaiting: _waiting_row,
    e.ServiceReady: _ready_row,
    e.ServiceStopped: _stopped_row,
}


def row_change(event: e.Event) -> RowChange | None:
    """How the event changes a row; None if it does not, or if it is about an action: see `Board`."""
    change = _ROWS.get(type(event))
    return change(event) if change else None


@record
class Line:
    """One line for a person. An `answer` goes to stdout, everything else to stderr."""

    text: str
    answer: bool = False


class EventLines:
    """Turns events into lines. Aligns them by the longest service name."""

    def __init__(self, paint: Paint, screen: Screen) -> None:
        self._paint = paint
        self._screen = screen
        self._width = 0
        self._waiting: set[tuple[str, str]] = set()
        self._steps: set[tuple[str, str]] = set()
        self._ended: set[str] = set()
        self._several: set[str] = set()
        self._lines_of: dict[type[e.Event], Callable[..., Iterable[Line]]] = {
            e.Notice: self._notice,
            e.PlanMade: self._plan,
            e.ActionStarted: self._started,
            e.ActionProgress: self._progress,
            e.ActionFinished: self._finished,
            e.ActionFailed: self._failed_action,
            e.ServiceWaiting: self._service_waiting,
            e.ServiceReady: self._ready,
            e.ServiceStopped: self._stopped,
            e.ServiceChanged: self._changed,
            e.UpFinished: self._up,
            e.DownFinished: self._down,
            e.DeployFinished: self._deployed,
            e.Synced: self._synced,
            e.Rebuilt: self._rebuilt,
            e.WatchFailed: self._watch_failed,
            e.Watching: self._watching,
            e.Explained: self._explained,
            e.Checked: self._checked,
            e.Happened: self._happened,
            e.Printed: self._printed,
            e.Failed: self._failed,
        }

    def expect(self, services: Iterable[str]) -> None:
        """Makes room for these names."""
        self._width = max(self._width, *(len(name) for name in services), 0)

    def lines(self, event: e.Event) -> tuple[Line, ...]:
        """The lines of an event; none for most."""
        lines = self._lines_of.get(type(event))
        return tuple(lines(event)) if lines else ()

    def name(self, service: str, label: str = "") -> str:
        """The service's name (or `label`) as the first column of a line."""
        return self._paint.service(service, self._width, shown=label)

    def _about(self, service: str, text: str) -> str:
        return f"{self.name(service)}  {text}" if service else text

    def _of_container(self, service: str, container: str, text: str) -> str:
        label = container_label(service, container, several=service in self._several)
        return f"{self.name(service, label)}  {text}"

    def _folded(self, sentence: str) -> str:
        if not self._screen.terminal:
            return sentence
        lines = sentence.split("\n")
        return "\n".join(fold(line, self._screen.width, _indent_of(line) + "  ") for line in lines)

    def _indent(self) -> str:
        return " " * (self._width + 2)

    def _notice(self, event: e.Notice) -> Iterable[Line]:
        warning = self._paint.warn("warning: ") if event.level == "warning" else ""
        yield Line(self._folded(self._about(event.service, warning + event.text)))

    def _plan(self, event: e.PlanMade) -> Iterable[Line]:
        self._several.update(event.several)
        self.expect([*event.services, *(f"{service}-1" for service in event.several)])
        return ()

    def _started(self, event: e.ActionStarted) -> Iterable[Line]:
        text = action_text(event.action)
        if text.says_start:
            obvious = not event.cause or event.cause_kind == "command"
            cause = "" if obvious else self._paint.dim(f" ({event.cause})")
            yield Line(self._about(event.service, f"{text.doing} {event.target}{cause}"))

    def _progress(self, event: e.ActionProgress) -> Iterable[Line]:
        """The steps of a build, once each and without output; and why a transfer is retried."""
        if event.unit == "steps":
            if (event.target, event.item) not in self._steps:
                self._steps.add((event.target, event.item))
                yield Line(self._paint.dim(f"{event.target} {event.item}: {event.text}"))
        elif event.action in ("pull", "push") and not event.item:
            yield Line(f"{event.target}: {event.text}")

    def _finished(self, event: e.ActionFinished) -> Iterable[Line]:
        done = action_text(event.action).done
        reported = event.action == "remove" and event.service in self._ended
        if done and not reported and not event.skipped:
            result = f": {event.text}" if event.text else ""
            text = f"{done} {event.target} in {duration(event.seconds)}{result}"
            yield Line(self._about(event.service, text))

    def _failed_action(self, event: e.ActionFailed) -> Iterable[Line]:
        yield Line(self._about(event.service, self._paint.bad(self.fault(event))))

    def fault(self, event: e.ActionFailed) -> str:
        """What failed, shorter than the error that follows: `not ready after 3.0 s`."""
        if event.action == "await":
            return f"not ready after {duration(event.seconds)}"
        return f"{action_text(event.action).doing} {event.target} failed after {duration(event.seconds)}"

    def _service_waiting(self, event: e.ServiceWaiting) -> Iterable[Line]:
        if event.probe != "running" and (event.service, event.container) not in self._waiting:
            self._waiting.add((event.service, event.container))
            yield Line(self._of_container(event.service, event.container, f"waiting: {event.probe}"))

    def _ready(self, event: e.ServiceReady) -> Iterable[Line]:
        time = f"after {duration(event.seconds)}" if event.changed else "already"
        parts = [f"{event.state} {time}", *map(self._paint.address, event.addresses)]
        text = "  ".join(parts) + self._paint.warn(f"  ({event.note})" if event.note else "")
        yield Line(self._of_container(event.service, event.container, text), answer=True)

    def _stopped(self, event: e.ServiceStopped) -> Iterable[Line]:
        self._ended.add(event.service)
        yield Line(self._of_container(event.service, event.container, self.ending(event)), answer=True)
        if event.why:
            yield Line(f"{self._indent()}{self._paint.dim(event.why)}", answer=True)
        if event.advice:
            yield Line(f"{self._indent()}hint: {event.advice}", answer=True)

    def _changed(self, event: e.ServiceChanged) -> Iterable[Line]:
        good = event.what == "healthy" or event.exit_code == 0
        paint = self._paint.good if good else self._paint.bad
        yield Line(self._of_container(event.service, event.container, paint(event.text)))
        if event.hint:
            yield Line(f"{self._indent()}hint: {event.hint}")

    def ending(self, event: e.ServiceStopped) -> str:
        """How a service ended: `stopped in 0.2 s, exit code 0`."""
        code = "" if event.exit_code is None else f", exit code {event.exit_code}"
        if event.killed:
            return self._paint.warn(f"killed after {duration(event.seconds)}{code}")
        return f"stopped in {duration(event.seconds)}{code}"

    def _up(self, event: e.UpFinished) -> Iterable[Line]:
        yield Line(self.up_summary(event), answer=True)

    def up_summary(self, event: e.UpFinished) -> str:
        """The last line of `up`."""
        count = len(event.services)
        services = counted(count, "service")
        if event.changed:
            return self._paint.good(f"{event.project} is up: {services} in {duration(event.seconds)}")
        return f"{event.project} is already up, nothing to do: {services} ({duration(event.seconds)})"

    def _down(self, event: e.DownFinished) -> Iterable[Line]:
        yield Line(self.down_summary(event), answer=True)

    def down_summary(self, event: e.DownFinished) -> str:
        """The last line of `down`."""
        if not event.removed:
            text = f"{event.project} is already down, nothing to do"
        else:
            text = f"{event.project} is down in {duration(event.seconds)}"
        kept = (*event.kept_volumes, *event.kept_anonymous)
        deleted = (*event.deleted_volumes, *event.deleted_anonymous)
        for verb, names in (("kept", kept), ("deleted", deleted)):
            if names:
                text += f"; {verb}: {', '.join(names)}"
        return text

    def _deployed(self, event: e.DeployFinished) -> Iterable[Line]:
        services = counted(len(event.services), "service")
        if event.changed:
            time = duration(event.seconds)
            text = f"{event.stack} is deployed: {services} in {time} (deploy {event.revision})"
            yield Line(self._paint.good(text), answer=True)
        else:
            text = f"{event.stack} is already deployed, nothing to do: {services} ({duration(event.seconds)})"
            yield Line(text, answer=True)

    def _synced(self, event: e.Synced) -> Iterable[Line]:
        done = [f"synced {counted(event.files, 'file')}"] if event.files or not event.deleted else []
        done += [f"deleted {event.deleted}"] if event.deleted else []
        text = f"{', '.join(done)} in {duration(event.seconds)}{self._some(event.paths)}"
        yield Line(self._about(event.service, text))

    def _rebuilt(self, event: e.Rebuilt) -> Iterable[Line]:
        text = f"rebuilt in {duration(event.seconds)}{self._some(event.paths)}"
        yield Line(self._about(event.service, text))

    def _some(self, paths: tuple[str, ...]) -> str:
        more = f" and {len(paths) - 2} more" if len(paths) > 2 else ""
        return self._paint.dim(f" ({', '.join(paths[:2])}{more})") if paths else ""

    def _watch_failed(self, event: e.WatchFailed) -> Iterable[Line]:
        label = "" if event.service else "error: "
        yield Line(self._about(event.service, self._paint.bad(label + event.error)))
        yield from (Line(f"  {detail}") for detail in event.details)
        if event.hint:
            yield Line(f"hint: {event.hint}")

    def _watching(self, event: e.Watching) -> Iterable[Line]:
        names = ", ".join(event.services)
        yield Line(self._paint.dim(f"watching {counted(event.paths, 'path')} for {names} (Ctrl-C to end)"))

    def _explained(self, event: e.Explained) -> Iterable[Line]:
        if event.command.startswith("#"):
            yield Line(self._paint.dim(event.command))
            return
        yield Line(self._paint.dim(f"# {event.sentence}"))
        yield Line(self._paint.dim(f"$ {event.command}"))

    def _checked(self, event: e.Checked) -> Iterable[Line]:
        marks = {"ok": self._paint.good_mark, "warning": self._paint.warn_mark}
        mark = marks.get(event.state, self._paint.bad_mark)
        yield Line(f"{mark} {event.name.ljust(_CHECK_WIDTH)}  {event.found}", answer=True)
        indent = " " * (_CHECK_WIDTH + 4)
        if event.matters:
            yield Line(f"{indent}{self._paint.dim(event.matters)}", answer=True)
        if event.fix:
            yield Line(f"{indent}{self._paint.bold('fix:')} {event.fix}", answer=True)

    def _happened(self, event: e.Happened) -> Iterable[Line]:
        moment = datetime.fromtimestamp(event.time, UTC).astimezone().strftime("%H:%M:%S")
        text = f"{event.kind} {event.action}  {self._paint.dim(event.name)}"
        yield Line(f"{self._paint.dim(moment)}  {self._about(event.service, text)}", answer=True)

    def _printed(self, event: e.Printed) -> Iterable[Line]:
        yield Line(event.text, answer=event.stream == "stdout")

    def _failed(self, event: e.Failed) -> Iterable[Line]:
        if event.error:
            yield Line(self._folded(f"{self._paint.bad('error:')} {event.error}"))
        if event.position:
            yield Line(f"  {self._paint.dim('at')} {event.position}")
        yield from (Line(f"  {detail}") for detail in event.details)
        if event.hint:
            yield Line(self._folded(f"{self._paint.bold('hint:')} {event.hint}"))


def _indent_of(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" "))]


def fold(text: str, width: int, indent: str = "") -> str:
    """`text` on lines of at most `width` columns; all but the first begin with `indent`. Breaks only between
    words, so that paths and commands can be copied. Styles take no columns."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if line and len(_STYLE.sub("", longer)) > width:
            lines.append(line)
            longer = indent + word
        line = longer
    return "\n".join([*lines, line])
