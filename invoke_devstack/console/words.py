"""What a person is told of an event: at most a few lines, the same on a terminal and in a log file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from invoke_devstack import events as e
from invoke_devstack.console.amounts import duration
from invoke_devstack.console.folding import fold
from invoke_devstack.console.screen import Screen
from invoke_devstack.console.style import Paint
from invoke_devstack.records import record

_ONGOING = {
    "pull": "pulling",
    "push": "pushing",
    "build": "building",
    "stand-in": "making a stand-in for",
    "create": "creating",
    "hook": "running the hook",
    "exec": "running a command in",
    "install": "installing",
    "snapshot": "copying the data into the snapshot",
    "restore": "putting back the snapshot",
    "export": "writing the snapshot",
    "import": "reading the snapshot",
}
_CHECK_WIDTH = 14
_DONE = {
    "pull": "pulled",
    "push": "pushed",
    "build": "built",
    "stand-in": "made a stand-in for",
    "hook": "ran the hook",
    "create network": "created network",
    "create volume": "created volume",
    "remove": "removed",
    "remove network": "removed network",
    "remove volume": "removed volume",
    "remove image": "removed image",
    "restart": "restarted",
    "pause": "paused",
    "unpause": "unpaused",
    "kill": "sent a signal to",
    "install": "installed",
    "snapshot": "copied the data into the snapshot",
    "restore": "put back the snapshot",
    "export": "wrote the snapshot",
    "import": "read the snapshot",
}


@record
class Line:
    """One line for a person. An `answer` is what the task was asked for; the rest is progress."""

    text: str
    answer: bool = False


class Words:
    """Turns events into lines. Knows the longest service name, so that columns stand below each other."""

    def __init__(self, paint: Paint, screen: Screen) -> None:
        self._paint = paint
        self._screen = screen
        self._width = 0
        self._waiting: set[tuple[str, str]] = set()
        self._steps: set[tuple[str, str]] = set()
        self._ended: set[str] = set()
        self._sayings: dict[type[e.Event], Callable[..., Iterable[Line]]] = {
            e.Notice: self._notice,
            e.PlanMade: self._plan,
            e.ActionStarted: self._started,
            e.ActionProgress: self._progress,
            e.ActionFinished: self._finished,
            e.ActionFailed: self._failed_action,
            e.ServiceWaiting: self._service_waiting,
            e.ServiceReady: self._ready,
            e.ServiceStopped: self._stopped,
            e.UpFinished: self._up,
            e.DownFinished: self._down,
            e.Synced: self._synced,
            e.Rebuilt: self._rebuilt,
            e.WatchFailed: self._watch_failed,
            e.Watching: self._watching,
            e.Explained: self._explained,
            e.Checked: self._checked,
            e.Happened: self._happened,
            e.Failed: self._failed,
        }

    def expect(self, services: Iterable[str]) -> None:
        """Makes room for these names."""
        self._width = max(self._width, *(len(name) for name in services), 0)

    def lines(self, event: e.Event) -> tuple[Line, ...]:
        """What is worth saying of the event; nothing for most."""
        say = self._sayings.get(type(event))
        return tuple(say(event)) if say else ()

    def name(self, service: str) -> str:
        """The service's name as the first column of a line."""
        return self._paint.service(service, self._width)

    def _about(self, service: str, text: str) -> str:
        return f"{self.name(service)}  {text}" if service else text

    def _folded(self, sentence: str) -> str:
        return fold(sentence, self._screen.width, "  ") if self._screen.terminal else sentence

    def _indent(self) -> str:
        return " " * (self._width + 2)

    def _notice(self, event: e.Notice) -> Iterable[Line]:
        warning = self._paint.warn("warning: ") if event.level == "warning" else ""
        yield Line(self._folded(self._about(event.service, warning + event.text)))

    def _plan(self, event: e.PlanMade) -> Iterable[Line]:
        self.expect(event.services)
        return ()

    def _started(self, event: e.ActionStarted) -> Iterable[Line]:
        if event.action in _ONGOING:
            doing = f"{_ONGOING[event.action]} {event.target}"
            why = self._paint.dim(f" ({event.cause})") if event.cause not in ("", event.action) else ""
            yield Line(self._about(event.service, f"{doing}{why}"))

    def _progress(self, event: e.ActionProgress) -> Iterable[Line]:
        """The steps of a build, each once and not its output; and why a transfer is tried again."""
        if event.unit == "steps":
            if (event.target, event.item) not in self._steps:
                self._steps.add((event.target, event.item))
                yield Line(self._paint.dim(f"{event.target} {event.item}: {event.text}"))
        elif event.action in ("pull", "push") and not event.item:
            yield Line(f"{event.target}: {event.text}")

    def _finished(self, event: e.ActionFinished) -> Iterable[Line]:
        known = event.action == "remove" and event.service in self._ended  # its end was told
        if event.action in _DONE and not known:
            result = f": {event.text}" if event.text else ""
            done = f"{_DONE[event.action]} {event.target} in {duration(event.seconds)}{result}"
            yield Line(self._about(event.service, done))

    def _failed_action(self, event: e.ActionFailed) -> Iterable[Line]:
        yield Line(self._about(event.service, self._paint.bad(self.fault(event))))

    def fault(self, event: e.ActionFailed) -> str:
        """What went wrong, shorter than the error that follows: `not ready after 3.0 s`."""
        if event.action == "await":
            return f"not ready after {duration(event.seconds)}"
        doing = _ONGOING.get(event.action, event.action)
        return f"{doing} {event.target} failed after {duration(event.seconds)}"

    def _service_waiting(self, event: e.ServiceWaiting) -> Iterable[Line]:
        if event.probe != "running" and (event.service, event.container) not in self._waiting:
            self._waiting.add((event.service, event.container))
            yield Line(self._about(event.service, f"waiting: {event.probe}"))

    def _ready(self, event: e.ServiceReady) -> Iterable[Line]:
        time = f"after {duration(event.seconds)}" if event.changed else "already"
        parts = [f"{event.state} {time}", *map(self._paint.address, event.addresses)]
        note = f"  ({event.note})" if event.note else ""
        yield Line(self._about(event.service, "  ".join(parts) + self._paint.warn(note)), answer=True)

    def _stopped(self, event: e.ServiceStopped) -> Iterable[Line]:
        self._ended.add(event.service)
        yield Line(self._about(event.service, self.ending(event)), answer=True)
        if event.why:
            yield Line(f"{self._indent()}{self._paint.dim(event.why)}", answer=True)
        if event.advice:
            yield Line(f"{self._indent()}hint: {event.advice}", answer=True)

    def ending(self, event: e.ServiceStopped) -> str:
        """How a service ended: `stopped in 0.2 s, exit code 0`."""
        code = "" if event.exit_code is None else f", exit code {event.exit_code}"
        if event.killed:
            return self._paint.warn(f"had to be killed after {duration(event.seconds)}{code}")
        return f"stopped in {duration(event.seconds)}{code}"

    def _up(self, event: e.UpFinished) -> Iterable[Line]:
        yield Line(self.up_summary(event), answer=True)

    def up_summary(self, event: e.UpFinished) -> str:
        """The last line of `up`."""
        count = len(event.services)
        services = f"{count} service{'s' if count != 1 else ''}"
        if event.changed:
            return self._paint.good(f"{event.project} is up: {services} in {duration(event.seconds)}")
        return f"{event.project} is up already, nothing to do: {services} ({duration(event.seconds)})"

    def _down(self, event: e.DownFinished) -> Iterable[Line]:
        yield Line(self.down_summary(event), answer=True)

    def down_summary(self, event: e.DownFinished) -> str:
        """The last line of `down`."""
        if not event.removed:
            text = f"{event.project} is down already, nothing to do"
        else:
            text = f"{event.project} is down in {duration(event.seconds)}"
        for said, names in (("kept", event.kept_volumes), ("deleted", event.deleted_volumes)):
            if names:
                text += f"; {said}: {', '.join(names)}"
        return text

    def _synced(self, event: e.Synced) -> Iterable[Line]:
        deleted = f", deleted {event.deleted}" if event.deleted else ""
        files = f"{event.files} file{'s' if event.files != 1 else ''}"
        text = f"synced {files}{deleted} in {duration(event.seconds)}{self._some(event.paths)}"
        yield Line(self._about(event.service, text))

    def _rebuilt(self, event: e.Rebuilt) -> Iterable[Line]:
        text = f"rebuilt in {duration(event.seconds)}{self._some(event.paths)}"
        yield Line(self._about(event.service, text))

    def _some(self, paths: tuple[str, ...]) -> str:
        if not paths:
            return ""
        more = f" and {len(paths) - 2} more" if len(paths) > 2 else ""
        return self._paint.dim(f" ({', '.join(paths[:2])}{more})")

    def _watch_failed(self, event: e.WatchFailed) -> Iterable[Line]:
        yield Line(self._about(event.service, self._paint.bad(event.error)))
        yield from (Line(f"  {detail}") for detail in event.details)
        if event.hint:
            yield Line(f"hint: {event.hint}")

    def _watching(self, event: e.Watching) -> Iterable[Line]:
        names = ", ".join(event.services)
        yield Line(self._paint.dim(f"watching {event.paths} paths for {names} (Ctrl-C ends it)"))

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
        if event.mend:
            yield Line(f"{indent}{self._paint.bold('mend:')} {event.mend}", answer=True)

    def _happened(self, event: e.Happened) -> Iterable[Line]:
        moment = datetime.fromtimestamp(event.time, UTC).astimezone().strftime("%H:%M:%S")
        text = f"{event.kind} {event.action}  {self._paint.dim(event.name)}"
        yield Line(f"{self._paint.dim(moment)}  {self._about(event.service, text)}", answer=True)

    def _failed(self, event: e.Failed) -> Iterable[Line]:
        if event.error:
            yield Line(self._folded(f"{self._paint.bad('error:')} {event.error}"))
        if event.position:
            yield Line(f"  {self._paint.dim('at')} {event.position}")
        yield from (Line(f"  {detail}") for detail in event.details)
        if event.hint:
            yield Line(self._folded(f"{self._paint.bold('hint:')} {event.hint}"))
