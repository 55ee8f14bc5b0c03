"""What a signal does to a task: it ends, and says how things were left."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from invoke_devstack.errors import CommandExited, DevstackError, Interrupted
from invoke_devstack.events import Notice
from invoke_devstack.running.ending import seen_to

if TYPE_CHECKING:
    from invoke_devstack.tasks.work import Work


@contextmanager
def handling_signals(work: Work) -> Iterator[None]:
    """While entered, a signal ends the body within a second. Raises Interrupted then."""
    interrupt = work.interrupt
    with interrupt:
        try:
            with (
                seen_to(interrupt, lambda: work.connected, lambda: _warn(work), lambda: _leave(work)),
                interrupt.raising(),
            ):
                yield
        except CommandExited:
            raise
        except (KeyboardInterrupt, DevstackError) as error:
            if not interrupt.requested.is_set():
                raise
            ended = error if isinstance(error, Interrupted) else interrupt.error()
            if not ended.is_done:
                _tell(work)
            raise ended from error
        finally:
            if work.connected is not None:
                work.connected.close()  # or the interpreter waits for requests in other threads


def _tell(work: Work) -> None:
    if text := how_it_was_left(work):
        work.tell(Notice(text=text, level="warning"))


def how_it_was_left(work: Work) -> str:
    """A sentence about the engine after a signal; "" if there is nothing to say."""
    if work.connected is None:
        return "Interrupted. Nothing was changed."
    traffic, url = work.connected.traffic, work.connected.endpoint.url
    if traffic.is_unanswered:
        return (
            f"Interrupted. The engine at {url} has not answered the last request and may still carry it out. "
            "See what is there: `invoke ps`"
        )
    if traffic.has_changed:
        return "Interrupted. What was done so far stays. See what is there: `invoke ps`"
    return "Interrupted. Nothing was changed." if traffic.ending() is not None else ""


def _warn(work: Work) -> None:
    text = "The engine does not answer. Interrupt once more to end without it."
    work.tell(Notice(text=text, level="warning"))


def _leave(work: Work) -> None:
    """The last words of a process that is ended from another thread."""
    _tell(work)
    work.console.close()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
