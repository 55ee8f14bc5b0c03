"""What the footer looks like: lines for a width and a height. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size

from invoke_devstack.console.amounts import counted
from invoke_devstack.console.event_views import Mark
from invoke_devstack.console.footer.overview import Overview, ServiceNow, counts, folded
from invoke_devstack.console.style import Paint

_MOST = 12  # lines
_SHARE = 3  # of the terminal's height: the footer takes a third
_GAP = "  "
_KEYS = (
    ("d", "detach"),
    ("o", "open"),
    ("r", "restart"),
    ("b", "rebuild"),
    ("l", "logs"),
    ("/", "search"),
    ("q", "stop"),
    ("?", "help"),
)
_FEWEST_NAME = 6
_NARROW = 10  # columns that a list needs

_Painter = Callable[[str], str]
_Cell = tuple[str, _Painter]


@dataclass(frozen=True, slots=True)
class Look:
    """What is shown besides the services. `only`: the service whose logs are shown. `word` is searched for,
    and `found` lines had it. `said` replaces the keys: a question, or the answer to a key."""

    only: str = ""
    word: str = ""
    found: int = 0
    said: str = ""


def draw(overview: Overview, look: Look, width: int, height: int, paint: Paint) -> list[str]:
    """The lines, none of which takes the last column: a terminal would wrap it. At least one, at most a third
    of the height."""
    room = max(width - 1, 1)
    allowed = max(1, min(height // _SHARE, _MOST))
    last = _fit(look.said, room) if look.said else _keys(room, paint)
    if allowed == 1 or room < _NARROW:
        return [last if look.said else _in_one_line(overview, room, paint)]
    if allowed == 2:
        return [_in_one_line(overview, room, paint), last]
    rows, left_out = folded(overview.services, allowed - 2, overview.busy)
    lines = [_rule(overview, look, room, paint), *_rows(overview, rows, room, paint)]
    if left_out:
        lines.append(paint.dim(_fit(f"  and {len(left_out)} more: {counts(left_out)}", room)))
    return [*lines, last]


def _rule(overview: Overview, look: Look, room: int, paint: Paint) -> str:
    parts = [overview.project]
    if look.only:
        parts.append(f"logs of {look.only}")
    if look.word:
        parts.append(f"`{look.word}` in {counted(look.found, 'line')}")
    dash = "─" if paint.unicode else "-"
    title = _fit(f"{dash * 2} {f' {dash} '.join(parts)} ", room)
    return paint.dim(title + dash * (room - cell_len(title)))


def _keys(room: int, paint: Paint) -> str:
    long = sum(len(key) + len(word) + 1 for key, word in _KEYS) + len(_GAP) * (len(_KEYS) - 1)
    if long <= room:
        return _GAP.join(f"{paint.bold(key)} {paint.dim(word)}" for key, word in _KEYS)
    return _fit(" ".join(key for key, _ in _KEYS), room)


def _in_one_line(overview: Overview, room: int, paint: Paint) -> str:
    bad = [item for item in overview.services if item.mark is Mark.BAD]
    if bad:
        text = ", ".join(f"{item.service} {item.state}" for item in bad)
        return paint.bad(_fit(text, room))
    return _fit(f"{overview.project}: {counts(overview.services)}", room)


def _rows(overview: Overview, rows: Sequence[ServiceNow], room: int, paint: Paint) -> list[str]:
    cells = [_cells(overview, item, paint) for item in rows]
    columns = [max((cell_len(line[index][0]) for line in cells), default=0) for index in range(6)]
    widths = _widths(columns, room - 2)
    marks = {
        Mark.GOOD: paint.good_mark,
        Mark.BAD: paint.bad_mark,
        Mark.BUSY: paint.warn("…" if paint.unicode else "~"),
        Mark.QUIET: paint.quiet_mark,
    }
    lines = []
    for item, line in zip(rows, cells, strict=True):
        mark = marks[Mark.BUSY if item.service in overview.busy else item.mark]
        texts = (
            painter(shown) + " " * (width - cell_len(shown))
            for (text, painter), width in zip(line, widths, strict=True)
            if width
            for shown in (_fit(text, width),)
        )
        lines.append(f"{mark} {_GAP.join(texts)}".rstrip())
    return lines


def _cells(overview: Overview, item: ServiceNow, paint: Paint) -> tuple[_Cell, ...]:
    """Name, state, first address, restarts, last rebuild, and the other addresses."""
    addresses = overview.addresses_of(item)
    rebuild = overview.rebuilds.get(item.service)
    busy = overview.busy.get(item.service)
    painters: dict[Mark, _Painter] = {Mark.BAD: paint.bad, Mark.BUSY: paint.warn, Mark.QUIET: paint.dim}
    restarts = counted(item.restarts, "restart") if item.restarts else ""
    failed = rebuild is not None and rebuild.what == "failed"
    return (
        (item.service, lambda text: paint.service(item.service, shown=text)),
        (busy or item.state, paint.warn if busy else painters.get(item.mark, paint.plain)),
        (addresses[0] if addresses else "", paint.address),
        (restarts, paint.warn),
        (rebuild.text if rebuild else "", paint.bad if failed else paint.dim),
        (_GAP.join((rebuild.details.strip() if rebuild else "", *addresses[1:])).strip(), paint.dim),
    )


def _widths(columns: Sequence[int], room: int) -> list[int]:
    """Name and state are always there, cut if they must be; of the others, each column that fits: half an
    address is of no use."""
    name, state, *others = columns
    if name + len(_GAP) + state > room:
        name = min(name, max(room - len(_GAP) - state, min(_FEWEST_NAME, room)))
        state = max(min(state, room - len(_GAP) - name), 0)
    widths = [name, state]
    left = room - name - state - (len(_GAP) if state else 0)
    for wanted in others:
        fits = wanted and wanted + len(_GAP) <= left
        widths.append(wanted if fits else 0)
        left -= wanted + len(_GAP) if fits else 0
    return widths


def _fit(text: str, room: int) -> str:
    """Cut to `room` columns, with an ellipsis."""
    if cell_len(text) <= room:
        return text
    return set_cell_size(text, max(room - 1, 0)).rstrip() + "…" if room > 1 else set_cell_size(text, room)
