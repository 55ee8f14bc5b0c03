"""Tables: fitted to the width of a terminal, aligned columns elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO
from typing import TYPE_CHECKING, Any

from invoke_devstack.console.amounts import age, duration, size
from invoke_devstack.console.screen import Screen
from invoke_devstack.console.style import with_several
from invoke_devstack.events import Table, container_label

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

_GAP = "   "
_STYLES = {
    "healthy": "green",
    "unhealthy": "bold red",
    "dead": "bold red",
    "restarting": "yellow",
    "starting": "yellow",
}
_SIZES = {"size", "shared", "memory", "memory_limit", "received", "sent", "read", "written"}


def render_table(table: Table, screen: Screen) -> str:
    """The table with its heading, or its text for no rows."""
    if not table.rows:
        return f"{table.empty}\n" if table.empty else ""
    return _fitted(table, screen) if screen.cursor else _aligned(table)


def table_grid(table: Table) -> RenderableType:
    """The table as rich fits it to a terminal."""
    from rich.table import Table as RichTable
    from rich.text import Text

    grid = RichTable(box=None, pad_edge=False, padding=(0, len(_GAP), 0, 0), header_style="bold")
    for column in table.columns:
        grid.add_column(_heading(column), overflow="fold")
    several = _several(table)
    for row in table.rows:
        grid.add_row(
            *(Text(_text(column, row, several), style=_style(column, row)) for column in table.columns)
        )
    return grid


def _style(column: str, row: Mapping[str, Any]) -> str:
    """What is wrong is red, what has been seen to work green."""
    value = row.get(column)
    if column == "exit_code":
        return "bold red" if value else ""
    if column in ("health", "state"):
        return _STYLES.get(str(value), "bold red" if value == "exited" and row.get("exit_code") else "")
    return ""


def _heading(column: str) -> str:
    return column.removesuffix("_at").removesuffix("_percent").replace("_", " ").upper()


def _several(table: Table) -> frozenset[str]:
    return with_several(
        (str(row["service"]), str(row["container"]))
        for row in table.rows
        if {"service", "container"} <= row.keys()
    )


def _text(column: str, row: Mapping[str, Any], several: frozenset[str]) -> str:
    if column == "service" and row.get("container"):
        service = str(row["service"])
        return container_label(service, str(row["container"]), several=service in several)
    return cell(column, row.get(column))


def cell(column: str, value: Any) -> str:
    """A value on one line: times as ages, sizes with units, ports as `127.0.0.1:8080->80/tcp`."""
    if value is None or value == "":
        return ""
    if column.endswith("_at"):
        return age(str(value))
    if column in _SIZES and isinstance(value, int | float):
        return size(value)
    if column.endswith("_percent"):
        return f"{value} %"
    if column == "seconds":
        return duration(float(value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return _mapping(value)
    if isinstance(value, list | tuple):
        return ", ".join(cell(column, item) for item in value)
    return " ".join(str(value).split())


def _mapping(value: Mapping[str, Any]) -> str:
    if "container_port" not in value:
        return ", ".join(f"{key}={item}" for key, item in value.items())
    inside = f"{value['container_port']}/{value.get('protocol', 'tcp')}"
    if not value.get("host_port"):
        return inside
    host = value.get("host_ip") or "0.0.0.0"
    return f"{f'[{host}]' if ':' in host else host}:{value['host_port']}->{inside}"


def _aligned(table: Table) -> str:
    several = _several(table)
    lines = [
        [_heading(column) for column in table.columns],
        *([_text(column, row, several) for column in table.columns] for row in table.rows),
    ]
    widths = [max(len(line[index]) for line in lines) for index in range(len(table.columns))]
    rows = (_GAP.join(text.ljust(width) for text, width in zip(line, widths, strict=True)) for line in lines)
    return "".join(f"{row.rstrip()}\n" for row in rows)


def _fitted(table: Table, screen: Screen) -> str:
    target = StringIO()
    console = screen.rich_console(target)
    console.print(table_grid(table))
    return "\n".join(line.rstrip() for line in target.getvalue().splitlines()) + "\n"


class LiveTable:
    """When it ends, the last table stays."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._live: Live | None = None

    def show(self, table: Table) -> None:
        """Shows `table` instead of the previous one."""
        if self._live is None:
            self._live = self._screen.start_live(auto_refresh=False)
        self._live.update(table_grid(table), refresh=True)

    def end(self) -> None:
        """Ends the updates."""
        if self._live is not None:
            self._live.stop()
            self._live = None
