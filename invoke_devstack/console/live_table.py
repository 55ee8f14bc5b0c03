"""A table that is drawn anew in its own place, as `stats` does on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke_devstack.console.screen import Screen
from invoke_devstack.console.table import table_grid
from invoke_devstack.events import Table

if TYPE_CHECKING:
    from rich.live import Live


class LiveTable:
    """The last table stays when it ends."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._live: Live | None = None

    def show(self, table: Table) -> None:
        """Puts `table` in the place of the one before."""
        if self._live is None:
            self._live = self._start()
        self._live.update(table_grid(table), refresh=True)

    def end(self) -> None:
        """Leaves the last one as it is."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _start(self) -> Live:
        from rich.live import Live

        live = Live(
            console=self._screen.rich_console(),
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        live.start()
        return live
