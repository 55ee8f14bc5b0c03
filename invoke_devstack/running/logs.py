"""The logs of a stack: its history by time, and what comes after. Every line once."""

from __future__ import annotations

import re
from collections.abc import Callable

from invoke_devstack.errors import EngineError, EngineUnavailableError, UsageError
from invoke_devstack.events import LogBlock
from invoke_devstack.running import log_history
from invoke_devstack.running.choosing import check_services
from invoke_devstack.running.log_follow import Follower, Mark
from invoke_devstack.running.log_lines import STAMP, matching, without_stamps
from invoke_devstack.running.log_sources import Range, Source, moment, sources, uses_terminal
from invoke_devstack.running.options import LogOptions
from invoke_devstack.running.session import Session


def show(session: Session, options: LogOptions) -> None:
    """Emits LogBlocks: all history, or what the options leave of it; with `follow` also what comes,
    until a signal (Interrupted) or until the project has no container left.

    Raises UsageError for a service that does not exist, a time or an expression that is none.
    """
    check_services(session.definition, options.services)
    found = sources(session.engine, session.project, options.services)
    wanted = Range(moment(options.since, "since"), moment(options.until, "until"), options.tail)
    output = Output(session, options)
    if options.follow and not options.until:
        follow(session, options.services, output, show_history(session, found, wanted, output))
    elif len(found) == 1:
        _show_one(session, found[0], wanted, output)
    else:
        log_history.merge(session, found, wanted, output.stamped)


class Output:
    """From stamped lines to events: what `--timestamps` and `--grep` leave of them."""

    def __init__(self, session: Session, options: LogOptions) -> None:
        self._session = session
        self._stamps = options.timestamps
        self._pattern = _compile(options.grep)

    @property
    def needs_stamps(self) -> bool:
        return self._stamps

    def stamped(self, source: Source, stream: str, block: bytes) -> None:
        """Lines that begin with a stamp."""
        if self._pattern is not None:
            block = matching(block, self._pattern, STAMP + 1)
        self._emit(source, stream, block if self._stamps else without_stamps(block))

    def bare(self, source: Source, stream: str, block: bytes) -> None:
        """Lines as the container wrote them."""
        if self._pattern is not None:
            block = matching(block, self._pattern, 0)
        self._emit(source, stream, block)

    def _emit(self, source: Source, stream: str, block: bytes) -> None:
        if block:
            self._session.emit(
                LogBlock(
                    service=source.service,
                    container=source.name,
                    stream=stream,
                    data=block,
                    timestamps=self._stamps,
                )
            )


def _compile(pattern: str) -> re.Pattern[bytes] | None:
    if not pattern:
        return None
    try:
        return re.compile(pattern.encode())
    except re.error as error:
        raise UsageError(
            f"--grep `{pattern}` is no regular expression: {error}",
            hint=r"Put a backslash before characters that stand for themselves, as in `\[`.",
        ) from None


def _show_one(session: Session, source: Source, wanted: Range, output: Output) -> None:
    """One container: nothing to merge, so stamps are asked for only if they are shown."""
    try:
        tty = uses_terminal(session.engine, source.id)
        on_block: Callable[[Source, str, bytes], None] = output.bare
        if output.needs_stamps:
            on_block = output.stamped
        blocks = log_history.plain(session, source, wanted, stamps=output.needs_stamps, tty=tty)
        for stream, block in blocks:
            on_block(source, stream, block)
    except EngineUnavailableError:
        raise
    except EngineError as error:
        log_history.tell_unreadable(session, source, error)


def show_history(session: Session, found: list[Source], wanted: Range, output: Output) -> dict[str, Mark]:
    """Shows what there is so far and returns how far each container has been read, by its id."""
    marks = {source.id: Mark(wanted.since, partial=wanted.tail is not None) for source in found}

    def on_block(source: Source, stream: str, block: bytes) -> None:
        marks[source.id].advance(block)
        output.stamped(source, stream, block)

    def unseen(source: Source, stream: str, block: bytes) -> None:
        marks[source.id].advance(block)

    if wanted.tail == 0:  # nothing is shown, but where it goes on must be known
        log_history.merge(session, found, Range(tail=1), unseen)
    else:
        log_history.merge(session, found, wanted, on_block)
    return marks


def follow(
    session: Session,
    services: tuple[str, ...],
    output: Output,
    marks: dict[str, Mark],
    *,
    until_all_end: bool = False,
) -> None:
    """Shows what comes, on from `marks`. Raises Interrupted when a signal comes."""
    follower = Follower(session, services, output.stamped)
    with session.interrupt.calling(follower.stop):
        follower.run(marks, until_all_end=until_all_end)
    session.interrupt.check()
