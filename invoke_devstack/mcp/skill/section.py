"""A part of a file that is ours, between two marks, in a file that may be a person's."""

from __future__ import annotations

from invoke_devstack.errors import DevstackError

BEGIN = "<!-- devstack: begin. `invoke agents.init` writes what is between these lines. -->"
END = "<!-- devstack: end -->"
_BEGIN, _END = "<!-- devstack: begin", "<!-- devstack: end"


def with_section(before: str, section: str, name: str) -> str:
    """The text of a file with `section` between the marks: in the place of the old one, else at the end.
    Everything else stays as it is, to the byte; line ends are those of the file. Raises DevstackError, which
    names the lines, if the marks do not fit together."""
    newline = "\r\n" if "\r\n" in before else "\n"
    ours = newline.join((BEGIN, *section.split("\n"), END))
    place = _place(before, name)
    if place is None:
        return f"{before}{_gap(before, newline)}{ours}{newline}"
    start, stop = place
    return f"{before[:start]}{ours}{before[stop:]}"


def has_section(text: str) -> bool:
    """Whether there are marks, right or wrong."""
    return any(_mark_in(line) for line in text.split("\n"))


def _mark_in(line: str) -> str:
    """The mark that a line is, from its `<` on; "" for any other line."""
    content = line.strip().lstrip("\ufeff")
    return content if content.startswith((_BEGIN, _END)) else ""


def _gap(before: str, newline: str) -> str:
    """What is missing for an empty line before the section."""
    if not before.strip("\ufeff"):
        return ""
    ends = before.endswith("\n")
    empty = before.endswith(("\n\n", "\r\n\r\n"))
    return "" if empty else newline if ends else newline * 2


def _place(text: str, name: str) -> tuple[int, int] | None:
    """Where the old section begins and stops, marks included; None if there is none."""
    found: list[tuple[int, int, str]] = []  # line, place in the text, mark
    place = 0
    for number, line in enumerate(text.split("\n"), 1):
        if mark := _mark_in(line):
            found.append((number, place + line.index("<"), mark))
        place += len(line) + 1
    if not found:
        return None
    if [mark.startswith(_BEGIN) for _, _, mark in found] != [True, False]:
        raise _broken(name, [number for number, _, _ in found])
    (_, start, _), (_, last, mark) = found
    return start, last + len(mark)


def _broken(name: str, lines: list[int]) -> DevstackError:
    where = ", ".join(map(str, lines))
    return DevstackError(
        f"the marks in {name} do not fit together: line{'s' * (len(lines) > 1)} {where}",
        hint=f"Leave one `{_BEGIN} … -->` and one `{_END} -->` after it, or remove all; then run it again.",
    )
