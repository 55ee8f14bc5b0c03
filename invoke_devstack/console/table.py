"""Tables: fitted to the terminal's width on one, aligned columns elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO
from typing import TYPE_CHECKING, Any

from invoke_devstack.console.amounts import age, duration, size
from invoke_devstack.console.screen import Screen
from invoke_devstack.events import Table

if TYPE_CHECKING:
    from rich.console import RenderableType

_GAP = "   "
_SIZES = {"size", "shared", "memory", "memory_limit", "received", "sent", "read", "written"}


def render_table(table: Table, screen: Screen) -> str:
    """The whole table with its heading, or what to say when it has no row."""
    if not table.rows:
        return f"{table.empty}\n" if table.empty else ""
    return _fitted(table, screen) if screen.terminal else _aligned(table)


def table_grid(table: Table) -> RenderableType:
    """The table for rich to fit."""
    from rich.table import Table as RichTable
    from rich.text import Text

    grid = RichTable(box=None, pad_edge=False, padding=(0, len(_GAP), 0, 0), header_style="bold")
    for column in table.columns:
        grid.add_column(_heading(column), overflow="fold")
    for row in table.rows:
        grid.add_row(*(Text(cell(column, row.get(column))) for column in table.columns))
    return grid


def _heading(column: str) -> str:
    return column.removesuffix("_at").removesuffix("_percent").replace("_", " ").upper()


def cell(column: str, value: Any) -> str:
    """A value as one line: times as ages, sizes in units, ports as `127.0.0.1:8080->80/tcp`."""
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
    lines = [
        [_heading(column) for column in table.columns],
        *([cell(column, row.get(column)) for column in table.columns] for row in table.rows),
    ]
    widths = [max(len(line[index]) for line in lines) for index in range(len(table.columns))]
    rows = (_GAP.join(text.ljust(width) for text, width in zip(line, widths, strict=True)) for line in lines)
    return "".join(f"{row.rstrip()}\n" for row in rows)


def _fitted(table: Table, screen: Screen) -> str:
    target = StringIO()
    console = screen.rich_console(target)
    console.print(table_grid(table))
    return "\n".join(line.rstrip() for line in target.getvalue().splitlines()) + "\n"
