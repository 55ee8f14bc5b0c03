"""The live view: a calm picture of what is under way at the bottom of the terminal, gone when it is done."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from invoke_devstack import events as e
from invoke_devstack.console.amounts import duration, size
from invoke_devstack.console.board import Board, Mark, Row
from invoke_devstack.console.escapes import clean_event
from invoke_devstack.console.live_table import LiveTable
from invoke_devstack.console.plain import PlainConsole
from invoke_devstack.console.screen import Screen
from invoke_devstack.console.style import Paint
from invoke_devstack.console.summary import ready_lines, stopped_lines

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

_GRACE = 0.12  # seconds in which a quick task is over without a picture that flickers by
_FRAMES_A_SECOND = 10
_BAR_WIDTH = 24
_TIME_WIDTH = 10
_STAGE_EVENTS = (
    e.ActionStarted,
    e.ActionProgress,
    e.ActionFinished,
    e.ActionFailed,
    e.ServiceWaiting,
    e.ServiceReady,
    e.ServiceStopped,
)
_START_OF_LINE = "\r\x1b[K"  # the terminal may have echoed `^C`
_HOOK = "hook"  # a function of the team's: it prints as it likes
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
    """Shows a stage (from a plan, or a first action, to its end) as a picture of rows on `err`, and
    leaves one line a service on `out`. Outside a stage it prints lines as PlainConsole does."""

    def __init__(self, out: Screen, err: Screen, *, reader_gone: Callable[[], None]) -> None:
        super().__init__(out, err, reader_gone=reader_gone)
        self._paint = Paint(colour=out.colour, unicode=out.unicode, palette=self._palette)
        self._view = _View(err, self._palette.colour)
        self._planned = False
        self._ready: dict[tuple[str, str], e.ServiceReady] = {}
        self._stopped: list[e.ServiceStopped] = []
        self._done: list[str] = []
        self._table = LiveTable(out)
        self._watching = False
        self._order: dict[str, int] = {}

    def expect(self, services: Iterable[str]) -> None:
        names = tuple(services)
        super().expect(names)
        for name in names:
            self._order.setdefault(name, len(self._order))

    def ask(self, question: str) -> str:
        with self._lock:
            self._view.end()
            return super().ask(question)

    def close(self) -> None:
        with self._lock:
            self._table.end()
            self._end_stage()

    def _show(self, event: e.Event) -> None:
        if isinstance(event, e.Table) and event.live and self.out.terminal:
            self._table.show(clean_event(event))
            return
        if isinstance(event, e.Table | e.Document):
            self._end_stage()
        super()._show(event)

    def _write_log(self, block: e.LogBlock) -> None:
        if not self._view.shown or not self.out.terminal:
            super()._write_log(block)
        else:
            self._view.print_above(self._logs.render(block).decode("utf-8", "replace").rstrip("\n"))

    def _say(self, event: e.Event) -> None:
        if isinstance(event, e.ActionProgress) and self._watching:
            return
        if isinstance(event, e.UpFinished | e.DownFinished):
            self._done.clear()
        if isinstance(event, e.UpFinished | e.DownFinished | e.Failed | e.CommandStarted):
            self._end_stage()
        if isinstance(event, e.Watching):
            self._watching = True
        if isinstance(event, e.PlanMade):
            self._planned = True
            self._view.board.expect(sorted(event.services, key=lambda name: self._order.get(name, 0)))
        elif isinstance(event, _STAGE_EVENTS) and not self._watching:
            self._note(event)
        elif self._view.shown:
            for line in self._words.lines(event):
                self._view.print_above(line.text)
        else:
            if isinstance(event, e.Notice):
                self.err.write(_START_OF_LINE)
            super()._say(event)

    def _note(self, event: e.Event) -> None:
        if isinstance(event, e.ServiceReady):
            self._ready[event.service, event.container] = event
        elif isinstance(event, e.ServiceStopped):
            self._stopped.append(event)
        elif isinstance(event, e.ActionStarted) and event.action == _HOOK:
            self._view.hold(self._words.lines(event)[0].text)
        elif isinstance(event, e.ActionFinished) and event.action == _HOOK:
            self._view.release()
        elif isinstance(event, e.ActionFailed):
            name = self._words.name(event.service or event.target)
            self._done.append(f"{self._paint.bad_mark} {name}  {self._words.fault(event)}")
        elif isinstance(event, e.ActionFinished) and event.action in _LASTING:
            for line in self._words.lines(event):
                self._done.append(line.text) if self._planned else self._view.keep(line.text)
        self._view.apply(event)

    def _end_stage(self) -> None:
        self._view.end()
        ready = sorted(self._ready.values(), key=lambda event: self._order.get(event.service, 0))
        for line in (
            *ready_lines(ready, self._paint),
            *stopped_lines(self._stopped, self._answers, self._paint),
        ):
            self.out.write_line(line)
        for text in self._done:
            self.err.write_line(text)
        self._planned = False
        self._done.clear()
        self._ready.clear()
        self._stopped.clear()


class _View:
    """The picture itself. It appears when a stage lasts, and is wiped when the stage ends.

    The board has a lock of its own: rich draws from its thread, which must never wait for an `emit`
    that waits for it.
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
        """Wipes the picture until `release`, and prints `text`: somebody else writes to the terminal."""
        self._wipe()
        self._holds += 1
        self._screen.write_line(text)

    def release(self) -> None:
        """The terminal is ours again."""
        self._holds = max(self._holds - 1, 0)

    def end(self) -> None:
        """Wipes the picture, and forgets what it showed."""
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
        """Prints a line that stays, above the picture where there is one."""
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
                self._live = self._start_live()

    def _start_live(self) -> Live:
        from rich.live import Live

        live = Live(
            console=self._screen.rich_console(),
            get_renderable=self._picture,
            transient=True,
            refresh_per_second=_FRAMES_A_SECOND,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        live.start()
        return live

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
