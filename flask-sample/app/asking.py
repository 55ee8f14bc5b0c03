"""Asking a database that may be away, without ever waiting long for it."""

from __future__ import annotations

import contextvars
import errno
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from dataclasses import dataclass
from time import monotonic
from typing import Generic, TypeVar

# The first page of all makes the table: a busy disk takes over a second for that. The healthcheck waits 3.
ANSWER_WITHIN = 2.0  # seconds, for a connection to open and for each answer on it
GIVE_UP_AFTER = 2.5  # seconds, for all that one page asks of one database
NO_ANSWER = "it is there, but did not answer in time"

T = TypeVar("T")

# Looking up the name of a container that is gone may hang for many seconds, and no time limit of a client
# covers it. So every question is asked in a thread, and the page does not wait for the slow ones.
_askers = ThreadPoolExecutor(max_workers=16, thread_name_prefix="ask")


@dataclass(frozen=True)
class Answer(Generic[T]):
    """What came back: a value, or the trouble in plain words."""

    value: T | None = None
    trouble: str | None = None

    @property
    def here(self) -> bool:
        return self.trouble is None


class Question(Generic[T]):
    """A question that is on its way: asked when made, answered by `answer`. A part of the request's trace."""

    def __init__(self, ask: Callable[[], T]) -> None:
        self._until = monotonic() + GIVE_UP_AFTER
        self._future: Future[T] = _askers.submit(contextvars.copy_context().run, ask)

    def answer(self) -> Answer[T]:
        """Waits for the answer, until `GIVE_UP_AFTER` seconds have passed since the question."""
        try:
            return Answer(value=self._future.result(max(0, self._until - monotonic())))
        except NotInTime:
            self._future.cancel()
            return Answer(trouble=NO_ANSWER)
        except Exception as error:
            return Answer(trouble=in_plain_words(error))


def in_plain_words(error: BaseException) -> str:
    """Says why a database could not be asked, for someone who knows neither its client nor errno."""
    for cause in causes(error):
        if isinstance(cause, socket.gaierror):
            return "its name is not known on the network: its container is not running"
        if isinstance(cause, TimeoutError):
            return NO_ANSWER
        if isinstance(cause, OSError) and cause.errno == errno.ECONNREFUSED:
            return "it refuses connections: it is starting, or has stopped"
        if isinstance(cause, OSError) and cause.errno == errno.EHOSTUNREACH:
            return "it cannot be reached: its container is not running"
    return f"{type(error).__name__}: {error}"


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what led to it. PyMySQL keeps the first error in `original_exception`."""
    while error is not None:
        yield error
        error = getattr(error, "original_exception", None) or error.__cause__ or error.__context__
