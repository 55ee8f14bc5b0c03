"""Traces for a terminal: a list, and one as a tree with bars. Fits the width, which is in columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_BAR = "█"
_PARTS = " ▏▎▍▌▋▊▉"
_STATEMENTS = (
    "db.query.text",
    "db.statement",
    "url.full",
    "http.url",
    "url.path",
    "http.target",
    "rpc.method",
)
_TIME = 9
_MOST_LINES = 400
_CUT = "…"


def milliseconds_text(value: float) -> str:
    """`0.41 ms`, `41 ms`, `1.2 s`, `2 min 05 s`."""
    if value < 9.95:
        return f"{value:.2g} ms" if value < 0.995 else f"{value:.1f} ms"
    if value < 999.5:
        return f"{value:.0f} ms"
    if value < 99_950:
        return f"{value / 1000:.1f} s"
    minutes, seconds = divmod(round(value / 1000), 60)
    return f"{minutes} min {seconds:02d} s"


def list_text(entries: Sequence[Mapping[str, Any]], ages: Sequence[str], width: int) -> str:
    """A line for each trace; `ages` says when each was, for people."""
    heads = ("TRACE", "STARTED", "DURATION", "SPANS", "ERRORS", "SERVICE")
    rows = [
        (
            entry["trace_id"][:8],
            age,
            milliseconds_text(entry["duration_ms"]),
            str(entry["spans"]),
            str(entry["errors"] or ""),
            _fit(_line(entry["service"]), 20),
        )
        for entry, age in zip(entries, ages, strict=True)
    ]
    widths = [max(_width(row[index]) for row in (heads, *rows)) for index in range(len(heads))]
    names = ["NAME", *(_line(entry["name"]) or "(no name)" for entry in entries)]
    lines = []
    for row, name in zip((heads, *rows), names, strict=True):
        left = "  ".join(
            _padded(text, size) if index in (0, 1, 5) else text.rjust(size)
            for index, (text, size) in enumerate(zip(row, widths, strict=True))
        )
        lines.append(f"{left}  {_fit(name, max(width - _width(left) - 2, 8))}".rstrip())
    return "\n".join(lines)


def tree_text(trace: Mapping[str, Any], age: str, width: int) -> str:
    """The waterfall: who called whom, when and for how long, with statements and errors."""
    spans = trace["spans"]
    whole = max((span["offset_ms"] + span["duration_ms"] for span in spans), default=0.0)
    lines = [_fit(line, width) for line in _head(trace, age)]
    label = min(max(width // 2, 24), 60)
    branches: list[bool] = []
    for index, span in enumerate(spans[:_MOST_LINES]):
        del branches[span["depth"] :]
        branches.append(_is_last(spans, index))
        lines += _span_lines(span, branches, whole, label, width)
    hidden = len(spans) - min(len(spans), _MOST_LINES) + trace["more"]
    if hidden:
        lines.append(f"{hidden} more spans: the dashboard and `--json` have them.")
    return "\n".join(lines)


def _head(trace: Mapping[str, Any], age: str) -> Iterator[str]:
    errors = trace["errors"]
    told = f", {errors} error{'' if errors == 1 else 's'}" if errors else ""
    count = len(trace["spans"]) + trace["more"]
    yield f"{_line(trace['service'])}: {_line(trace['name'])}"
    spans = f"{count} span{'' if count == 1 else 's'}"
    yield f"trace {trace['trace_id']}"
    yield f"{milliseconds_text(trace['duration_ms'])}, {spans}{told}, {age}"
    yield ""


def _is_last(spans: Sequence[Mapping[str, Any]], index: int) -> bool:
    """Whether no other span with the same parent follows."""
    depth = spans[index]["depth"]
    for span in spans[index + 1 : index + 1 + _MOST_LINES]:
        if span["depth"] == depth:
            return False
        if span["depth"] < depth:
            return True
    return True


def _span_lines(
    span: Mapping[str, Any], branches: Sequence[bool], whole: float, label: int, width: int
) -> Iterator[str]:
    stem = "".join("   " if last else "│  " for last in branches[1:-1])
    joint = "" if len(branches) == 1 else "└─ " if branches[-1] else "├─ "
    title = f"{_line(span['service'])} {_line(span['name'])}"
    failed = span["status"] == "error"
    time = milliseconds_text(span["duration_ms"]).rjust(_TIME)
    mark = " ERROR" if failed else ""
    bar = _bar(span, whole, max(width - label - _TIME - 8, 4))
    yield f"{_padded(_fit(_short(stem, label) + joint + title, label), label)} {bar}{time}{mark}".rstrip()
    below = _short(stem, label) + ("" if len(branches) == 1 else "   " if branches[-1] else "│  ") + "   "
    for text in _notes(span):
        yield _fit(below + text, width)


def _notes(span: Mapping[str, Any]) -> Iterator[str]:
    attributes = span["attributes"]
    statement = next((attributes[name] for name in _STATEMENTS if attributes.get(name)), "")
    if statement and str(statement) not in span["name"]:
        yield _line(statement)
    if span["status_text"]:
        yield f"error: {_line(span['status_text'])}"
    for event in span["events"]:
        if event["name"] == "exception":
            found = event["attributes"]
            text = f"{found.get('exception.type', 'exception')}: {found.get('exception.message', '')}"
            if _line(text) != _line(span["status_text"]):
                yield _line(text)
    if span["orphan"]:
        yield "(its parent has not arrived)"
    if span["shift_ms"]:
        yield f"(moved by {span['shift_ms']:+g} ms: the clock of {_line(span['service'])} differs)"


def _bar(span: Mapping[str, Any], whole: float, size: int) -> str:
    if whole <= 0:
        return " " * size
    start = span["offset_ms"] / whole * size
    length = span["duration_ms"] / whole * size
    first = min(int(start), size - 1)
    full = int(min(length, size - first))
    rest = _PARTS[int((length - full) * len(_PARTS))] if full < size - first and length < size else ""
    drawn = (" " * first + _BAR * full + (rest if rest.strip() or full else "▏"))[:size]
    return drawn.ljust(size)


def _short(stem: str, label: int) -> str:
    """Deep nesting leaves room for the names."""
    most = label // 2
    return stem if len(stem) <= most else _CUT + stem[len(stem) - most + 1 :]


def _line(text: Any) -> str:
    return " ".join(str(text).split())


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _padded(text: str, size: int) -> str:
    return text + " " * (size - _width(text))


def _fit(text: str, size: int) -> str:
    """The text, cut if it is wider."""
    if _width(text) <= size:
        return text
    while _width(text) > size - 1:
        text = text[: min(len(text) - 1, size - 1)] if len(text) > size else text[:-1]
    return text + _CUT
