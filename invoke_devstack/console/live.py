"""The live view at the bottom of the terminal: what is happening now. It disappears when that is done."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from invoke_devstack import events as e
from invoke_devstack.console.amounts import duration, size
from invoke_devstack.console.board import Board, Row, changes_a_row
from invoke_devstack.console.escapes import clean_event
from invoke_devstack.console.event_views import EventLines, Mark
from invoke_devstack.console.lost_output import LostOutput
from invoke_devstack.console.plain import PlainConsole
from invoke_devstack.console.screen import Screen
from invoke_devstack.console.style import Paint, with_several
from invoke_devstack.console.table import LiveTable
from invoke_devstack.console.title import Progress, Title
from invoke_devstack.events import ServiceReady, ServiceStopped, container_label

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

    from invoke_devstack.console.footer.footer import Footer
    from invoke_devstack.console.footer.pilot import Pilot

_GRACE = 0.12  # seconds; a task that is done before shows no picture
_FRAMES_A_SECOND = 10
_BAR_WIDTH = 24
_TIME_WIDTH = 10
_START_OF_LINE = "\r\x1b[K"  # the terminal may have echoed `^C`
_HOOK = "hook"  # a function in tasks.py, which prints as it likes
_LASTING = (
    "pull",
    "push",
    "build",
    "stand-in",
    "install",
    "pause",
    "unpause",
    "kill",
    "remove",
    "remove image",
)


class LiveConsole(PlainConsole):
    """Shows a stage (a plan, or actions without one) as rows on `err`. When it ends, prints one line for each
    service on `out`. Outside a stage it prints lines like PlainConsole."""

    def __init__(
        self, out: Screen, err: Screen, lost: LostOutput, environment: Mapping[str, str] = os.environ
    ) -> None:
        super().__init__(out, err, lost)
        self._title = Title(err, environment)
        self._stage = _Stage()
        self._paint = Paint(colour=out.colour, unicode=out.unicode, palette=self._palette)
        self._view = _View(err, self._palette.colour)
        self._planned = False
        self._ready: dict[tuple[str, str], e.ServiceReady] = {}
        self._stopped: list[e.ServiceStopped] = []
        self._done: list[str] = []
        self._table = LiveTable(out)
        self._watching = False
        self._order: dict[str, int] = {}
        self._screens = (out, err)
        self._footer: Footer | None = None

    def expect(self, services: Iterable[str]) -> None:
        names = tuple(services)
        super().expect(names)
        for name in names:
            self._order.setdefault(name, len(self._order))

    def ask(self, question: str) -> str:
        with self._writing():
            self._view.end()
        return super().ask(question)

    def stay(self, pilot: Pilot) -> Footer | None:
        from invoke_devstack.console.footer.keyboard import is_possible

        if not (self.out.cursor and self.err.cursor and is_possible()):
            return None
        from invoke_devstack.console.footer.footer import Footer

        return Footer(self.out, self._paint, pilot, self._writing, self._stand_above, self._title)

    def _stand_above(self, footer: Footer | None) -> None:
        """From now on, all is printed above the footer."""
        from invoke_devstack.console.footer.place import ScreenAbove

        self._view.end()
        self._footer = footer
        self.out, self.err = self._screens
        if footer is not None:
            self.out, self.err = (ScreenAbove.on(screen, footer.place) for screen in self._screens)

    def close(self) -> None:
        if self._footer is not None:
            self._footer.end()
        with self._writing():
            self._table.end()
            self._end_stage()

    def _show(self, event: e.Event) -> None:
        if isinstance(event, e.Table) and event.live and self.out.cursor:
            self._table.show(clean_event(event))
            return
        if isinstance(event, e.Table | e.Document):
            self._end_stage()
        super()._show(event)

    def _write_log(self, block: e.LogBlock) -> None:
        if self._footer is not None:
            self._footer.log(block.service, self._logs.render(block))
        elif not self._view.shown or not self.out.terminal:
            super()._write_log(block)
        else:
            self._view.print_above(self._logs.render(block).decode("utf-8", "replace").rstrip("\n"))

    def _write_span(self, span: e.LogSpan) -> None:
        if self._footer is None and (not self._view.shown or not self.out.terminal):
            super()._write_span(span)
            return
        for block in span.in_order():
            self._write_log(block)

    def _say(self, event: e.Event) -> None:
        if self._footer is not None:
            self._footer.take(event)
        if isinstance(event, e.ActionProgress) and (self._watching or self._footer is not None):
            return
        if isinstance(event, e.UpFinished | e.DownFinished):
            self._done.clear()
        if isinstance(event, e.UpFinished | e.DownFinished | e.Failed | e.CommandStarted):
            self._end_stage()
        if isinstance(event, e.Watching):
            self._watching = True
        if isinstance(event, e.PlanMade) and self._footer is None:
            self._planned = True
            self._stage = _Stage(event.project, len(event.lines))
            self._view.board.expect(sorted(event.services, key=lambda name: self._order.get(name, 0)))
        elif changes_a_row(event) and not self._watching and self._footer is None:
            self._note(event)
        elif self._view.shown:
            for line in self._progress.lines(event):
                self._view.print_above(line.text)
        else:
            if isinstance(event, e.Notice) and self._footer is None:
                self.err.write(_START_OF_LINE)
            super()._say(event)

    def _note(self, event: e.Event) -> None:
        if isinstance(event, e.ServiceReady):
            self._ready[event.service, event.container] = event
        elif isinstance(event, e.ServiceStopped):
            self._stopped.append(event)
        elif isinstance(event, e.ActionStarted) and event.action == _HOOK:
            self._view.hold(self._progress.lines(event)[0].text)
        elif isinstance(event, e.ActionFinished) and event.action == _HOOK:
            self._view.release()
            self._view.keep(self._progress.lines(event)[0].text)
        elif isinstance(event, e.ActionFailed):
            name = self._progress.name(event.service or event.target)
            self._done.append(f"{self._paint.bad_mark} {name}  {self._progress.fault(event)}")
        elif isinstance(event, e.ActionFinished) and event.action in _LASTING:
            for line in self._progress.lines(event):
                self._done.append(line.text) if self._planned else self._view.keep(line.text)
        self._view.apply(event)
        self._stage.count(event)
        if self._planned and self._view.shown:
            self._title.say(self._stage.text, self._stage.progress, self._stage.percent)

    def _end_stage(self) -> None:
        self._view.end()
        if self._footer is None:
            self._title.end()
        names = self._order
        ready = sorted(
            self._ready.values(), key=lambda it: (names.get(it.service, 0), len(it.container), it.container)
        )
        for line in (
            *stopped_lines(self._stopped, self._answers, self._paint),
            *ready_lines(ready, self._paint),
        ):
            self.out.write_line(line)
        for text in self._done:
            self.err.write_line(text)
        self._planned = False
        self._done.clear()
        self._ready.clear()
        self._stopped.clear()


@dataclass(slots=True)
class _Stage:
    """How far a plan is."""

    project: str = ""
    total: int = 0
    done: int = 0
    progress: Progress = Progress.PART

    def count(self, event: e.Event) -> None:
        """One action more may be done."""
        if isinstance(event, e.ActionFailed):
            self.progress = Progress.FAILED
        self.done = min(self.done + isinstance(event, e.ActionFinished), self.total)

    @property
    def percent(self) -> int:
        return 100 * self.done // max(self.total, 1)

    @property
    def text(self) -> str:
        return f"{self.project}: {self.done} of {self.total}"


class _View:
    """The picture. It appears if a stage takes long, and is wiped when the stage ends.

    The board has its own lock: rich draws in another thread, which must not wait for an `emit` that waits for
    it.
    """

    def __init__(self, screen: Screen, colour_of: Callable[[str], str]) -> None:
        self._screen = screen
        self._colour_of = colour_of
        self._lock = threading.Lock()
        self._starting = threading.Lock()
        self._live: Live | None = None
        self._timer: threading.Timer | None = None
        self._holds = 0
        self.board = Board(time.monotonic())

    @property
    def shown(self) -> bool:
        return self._live is not None

    def apply(self, event: e.Event) -> None:
        with self._lock:
            self.board.apply(event, time.monotonic())
        if self._timer is None and not self._holds:
            self._timer = threading.Timer(_GRACE, self._appear)
            self._timer.daemon = True
            self._timer.start()

    def hold(self, text: str) -> None:
        """Wipes the picture until `release` and prints `text`: others write to the terminal."""
        self._wipe()
        self._holds += 1
        self._screen.write_line(text)

    def release(self) -> None:
        """Ends a `hold`."""
        self._holds = max(self._holds - 1, 0)

    def end(self) -> None:
        """Wipes the picture and forgets its rows."""
        self._wipe()
        self._holds = 0
        with self._lock:
            self.board = Board(time.monotonic())

    def _wipe(self) -> None:
        with self._starting:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if self._live is not None:
                self._live.stop()
                self._live = None

    def keep(self, text: str) -> None:
        """Prints a line that stays, above the picture if there is one."""
        if self.shown:
            self.print_above(text)
        else:
            self._screen.write_line(text)

    def print_above(self, text: str) -> None:
        from rich.text import Text

        with self._starting:
            if self._live is not None:
                self._live.console.print(Text.from_ansi(text), soft_wrap=True)

    def _appear(self) -> None:
        with self._starting:
            if self._timer is not None and self._live is None:
                self._live = self._screen.start_live(
                    get_renderable=self._picture, transient=True, refresh_per_second=_FRAMES_A_SECOND
                )

    def _picture(self) -> RenderableType:
        from rich.table import Table
        from rich.text import Text

        now = time.monotonic()
        with self._lock:
            rows, hidden = self.board.rows(limit=max(self._height() - 2, 3))
            cells = [self._cells(row, now) for row in rows]
        grid = Table.grid(padding=(0, 2, 0, 0), expand=True)
        grid.add_column(width=1)
        grid.add_column(no_wrap=True, width=max((len(row.name) for row in rows), default=1))
        grid.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        grid.add_column(no_wrap=True, justify="right", width=_TIME_WIDTH)
        for row_cells in cells:
            grid.add_row(*row_cells)
        if hidden:
            grid.add_row("", "", Text(f"and {hidden} more", style="dim"), "")
        return grid

    def _height(self) -> int:
        return self._live.console.height if self._live is not None else 24

    def _cells(self, row: Row, now: float) -> tuple[RenderableType, ...]:
        from rich.text import Text

        elapsed = row.elapsed(now)
        name = Text.from_ansi(f"{self._colour_of(row.name)}{row.name}") if row.is_service else Text(row.name)
        time_taken = Text(duration(elapsed) if elapsed is not None else "", style="dim")
        return self._mark(row, now), name, self._doing(row), time_taken

    def _mark(self, row: Row, now: float) -> RenderableType:
        from rich.text import Text

        fancy = self._screen.unicode
        if row.mark is Mark.GOOD:
            return Text("✔" if fancy else "+", style="green")
        if row.mark is Mark.BAD:
            return Text("✘" if fancy else "x", style="bold red")
        if row.mark is Mark.QUIET:
            return Text("·" if fancy else "-", style="dim")
        frames = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏" if fancy else "|/-\\"
        return Text(frames[int(now * _FRAMES_A_SECOND) % len(frames)], style="cyan")

    def _doing(self, row: Row) -> RenderableType:
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        fraction = row.fraction()
        if fraction is None:
            said = row.latest()
            return Text(f"{row.text}  {said}" if said else row.text)
        done, total, unit = fraction
        amounts = f"{size(done)} of {size(total)}" if unit == "bytes" else f"{done} of {total}"
        line = Table.grid(padding=(0, 2, 0, 0))
        line.add_row(
            Text(row.text),
            ProgressBar(total=total, completed=done, width=_BAR_WIDTH),
            Text(amounts),
            Text(row.latest() if unit != "bytes" else "", style="dim", overflow="ellipsis", no_wrap=True),
        )
        return line


def ready_lines(events: Sequence[ServiceReady], paint: Paint) -> Iterable[str]:
    """Mark, service, state, addresses, and the time it took, or `was up`."""
    states = max((len(event.state) for event in events), default=0)
    several = with_several((event.service, event.container) for event in events)
    labels = [
        container_label(event.service, event.container, several=event.service in several) for event in events
    ]
    names = max(map(len, labels), default=0)
    addresses = max((len("  ".join(event.addresses)) for event in events), default=0)
    for event, label in zip(events, labels, strict=True):
        time = duration(event.seconds) if event.changed else paint.dim("was up")
        address = "  ".join(event.addresses)
        columns = (
            f"{paint.good_mark} {paint.service(event.service, names, shown=label)}",
            event.state.ljust(states),
            paint.address(address) + " " * (addresses - len(address)),
            time,
        )
        note = f"  {paint.warn(event.note)}" if event.note else ""
        yield "  ".join(columns) + note


def stopped_lines(events: Sequence[ServiceStopped], progress: EventLines, paint: Paint) -> Iterable[str]:
    """Mark, service, how it ended; below, why it was killed and what to change."""
    several = with_several((event.service, event.container) for event in events)
    for event in events:
        mark = paint.warn_mark if event.killed else paint.good_mark
        label = container_label(event.service, event.container, several=event.service in several)
        name = progress.name(event.service, label)
        yield f"{mark} {name}  {progress.ending(event)}"
        if event.why:
            yield f"    {paint.dim(event.why)}"
        if event.advice:
            yield f"    {paint.bold('hint:')} {event.advice}"
