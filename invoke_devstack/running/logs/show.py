"""Shows the logs of a stack: its history by time, then new lines. Every line once."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from invoke_devstack.errors import EngineError, EngineUnavailableError, UsageError
from invoke_devstack.events import LogBlock, LogSpan
from invoke_devstack.running.logs import history
from invoke_devstack.running.logs.follow import Follower
from invoke_devstack.running.logs.lines import STAMP, matching, without_stamps
from invoke_devstack.running.logs.position import Position
from invoke_devstack.running.logs.sources import Range, Source, moment, sources, uses_terminal
from invoke_devstack.running.options import LogOptions
from invoke_devstack.running.selection import check_services
from invoke_devstack.running.session import Session


def show(session: Session, options: LogOptions) -> None:
    """Emits LogBlocks: the history that the options select, and with `follow` new lines, until a signal
    (Interrupted) or until the project has no container left.

    Raises UsageError for an unknown service and an invalid time or regular expression.
    """
    check_services(session.definition, options.services)
    found = sources(session.engine, session.project, options.services)
    output = Output(session, options)
    tail = None if output.counts_matches else options.tail
    wanted = Range(moment(options.since, "since"), moment(options.until, "until"), tail)
    if options.follow and not options.until:
        follow(session, options.services, output, show_history(session, found, wanted, output))
    elif len(found) == 1 and not output.counts_matches:
        _show_one(session, found[0], wanted, output)
    elif output.counts_matches:
        with output.last_matches() as on_block:
            history.merge(session, found, wanted, on_block)
    else:
        for span in history.spans(session, found, wanted):
            output.span(span)


class Output:
    """Turns lines into events, as `--timestamps`, `--grep`, `--index` and `--no-log-prefix` say."""

    def __init__(self, session: Session, options: LogOptions) -> None:
        self._session = session
        self._stamps = options.timestamps
        self._pattern = _compile(options.grep)
        self._tail = options.tail
        self._prefixes = options.prefixes
        self._number = options.number

    @property
    def counts_matches(self) -> bool:
        """Whether `--tail` is about the lines that `--grep` finds."""
        return self._pattern is not None and bool(self._tail)

    @contextmanager
    def last_matches(self) -> Iterator[history.OnBlock]:
        """Takes stamped lines. With `--grep` and `--tail` only the last matches of each container are shown,
        at the end."""
        if self._pattern is None or not self._tail:
            yield self.stamped
            return
        kept = LastMatches(self._pattern, self._tail)
        yield kept.add
        for source, stream, line in kept.in_order():
            self.stamped(source, stream, line)

    @property
    def needs_stamps(self) -> bool:
        return self._stamps

    def stamped(self, source: Source, stream: str, block: bytes) -> None:
        """Takes lines that start with a stamp."""
        if self._pattern is not None:
            block = matching(block, self._pattern, STAMP + 1)
        self._emit(source, stream, block if self._stamps else without_stamps(block))

    def span(self, parts: list[history.Part]) -> None:
        """Takes lines that start with a stamp, of several containers and of one span of time."""
        if len(parts) == 1:
            self.stamped(*parts[0])
            return
        blocks = tuple(block for part in parts if (block := self._block(*part)) is not None)
        if blocks:
            self._session.emit(LogSpan(blocks=blocks, timestamps=self._stamps))

    def _block(self, source: Source, stream: str, block: bytes) -> LogBlock | None:
        """What is shown of stamped lines, with their stamps."""
        if self._pattern is not None:
            block = matching(block, self._pattern, STAMP + 1)
        if not block or self._number not in (0, source.number):
            return None
        return LogBlock(
            service=source.service,
            container=source.name,
            stream=stream,
            data=block,
            timestamps=True,
            prefixed=self._prefixes,
        )

    def bare(self, source: Source, stream: str, block: bytes) -> None:
        """Takes lines as the container wrote them."""
        if self._pattern is not None:
            block = matching(block, self._pattern, 0)
        self._emit(source, stream, block)

    def _emit(self, source: Source, stream: str, block: bytes) -> None:
        if block and self._number in (0, source.number):
            self._session.emit(
                LogBlock(
                    service=source.service,
                    container=source.name,
                    stream=stream,
                    data=block,
                    timestamps=self._stamps,
                    prefixed=self._prefixes,
                )
            )


class LastMatches:
    """The last lines of each container that match."""

    def __init__(self, pattern: re.Pattern[bytes], count: int) -> None:
        self._pattern = pattern
        self._count = count
        self._lines: dict[str, deque[tuple[Source, str, bytes]]] = {}

    def add(self, source: Source, stream: str, block: bytes) -> None:
        """Takes stamped lines."""
        kept = self._lines.setdefault(source.id, deque(maxlen=self._count))
        if found := matching(block, self._pattern, STAMP + 1):
            lines = found.removesuffix(b"\n").split(b"\n")
            kept.extend((source, stream, line + b"\n") for line in lines)

    def in_order(self) -> list[tuple[Source, str, bytes]]:
        """(container, stream, stamped line) of all, by time."""
        every = (item for kept in self._lines.values() for item in kept)
        return sorted(every, key=lambda item: item[2][:STAMP])


def _compile(pattern: str) -> re.Pattern[bytes] | None:
    if not pattern:
        return None
    try:
        return re.compile(pattern.encode())
    except re.error as error:
        raise UsageError(
            f"invalid --grep `{pattern}`: {error}",
            hint=r"Put a backslash before special characters, for example `\[`.",
        ) from None


def _show_one(session: Session, source: Source, wanted: Range, output: Output) -> None:
    """A single container needs no merging, so stamps are only requested if they are shown."""
    try:
        tty = uses_terminal(session.engine, source.id)
        on_block: Callable[[Source, str, bytes], None] = output.bare
        if output.needs_stamps:
            on_block = output.stamped
        blocks = history.plain(session, source, wanted, stamps=output.needs_stamps, tty=tty)
        for stream, block in blocks:
            on_block(source, stream, block)
    except EngineUnavailableError:
        raise
    except EngineError as error:
        history.warn_unreadable(session, source, error)


def show_history(session: Session, found: list[Source], wanted: Range, output: Output) -> dict[str, Position]:
    """Shows the lines so far. Returns the position in each container's log, by container id."""
    positions = {source.id: Position(wanted.since, partial=wanted.tail is not None) for source in found}

    def unseen(source: Source, stream: str, block: bytes) -> None:
        positions[source.id].advance(block)

    if wanted.tail == 0:  # shows nothing, but finds the positions
        history.merge(session, found, Range(tail=1), unseen)
        return positions
    if not output.counts_matches:
        for span in history.spans(session, found, wanted):
            for source, _, block in span:
                positions[source.id].advance(block)
            output.span(span)
        return positions
    with output.last_matches() as show_block:

        def on_block(source: Source, stream: str, block: bytes) -> None:
            positions[source.id].advance(block)
            show_block(source, stream, block)

        history.merge(session, found, wanted, on_block)
    return positions


def follow(
    session: Session,
    services: tuple[str, ...],
    output: Output,
    positions: dict[str, Position],
    *,
    until_all_end: bool = False,
) -> None:
    """Shows new lines from `positions` on. Raises Interrupted after a signal."""
    follower = Follower(session, services, output.stamped)
    with session.interrupt.calling(follower.stop):
        follower.run(positions, until_all_end=until_all_end)
    session.interrupt.check(is_done=True)
