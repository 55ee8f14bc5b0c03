"""Work that another thread can cancel, or that may take only so long: a silent registry or build step delays
nobody."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Generic, TypeVar

from invoke_devstack.errors import EngineError

if TYPE_CHECKING:
    from invoke_devstack.engine.cancellation import Cancellation
    from invoke_devstack.engine.protocol import OnProgress, Progress

Result = TypeVar("Result")


class _Work(Generic[Result]):
    """One piece of work, in its own thread."""

    def __init__(
        self, do: Callable[[OnProgress], Result], on_progress: OnProgress, cancellation: Cancellation
    ) -> None:
        self._do = do
        self._on_progress = on_progress
        self._cancellation = cancellation
        self._over = threading.Event()
        self._results: list[Result] = []
        self._error: BaseException | None = None

    def result(self) -> Result:
        with self._cancellation.calling(self._over.set):
            threading.Thread(target=self._run, name="engine-work", daemon=True).start()
            self._over.wait()
        if self._error is not None:
            raise self._error
        if not self._results:
            raise _cancelled()
        return self._results[0]

    def _run(self) -> None:
        try:
            self._results.append(self._do(self._tell))
        except BaseException as error:
            self._error = error
        self._over.set()

    def _tell(self, progress: Progress) -> None:
        if self._cancellation.cancelled:
            raise _cancelled()
        self._on_progress(progress)


def run(
    do: Callable[[OnProgress], Result], on_progress: OnProgress, cancellation: Cancellation | None
) -> Result:
    """The result of `do`. Once cancelled, raises EngineError (reason `cancelled`) at once; `do` itself ends
    at its next progress report."""
    if cancellation is None:
        return do(on_progress)
    return _Work(do, on_progress, cancellation).result()


def _cancelled() -> EngineError:
    return EngineError("cancelled", reason="cancelled")


def within(seconds: float, work: Callable[[], Result]) -> Result:
    """The result of `work`, which runs in a thread of its own. Raises TimeoutError after `seconds`, while
    the thread goes on: it is a daemon, so it does not keep the process alive."""
    outcomes: SimpleQueue[Result | BaseException] = SimpleQueue()

    def run() -> None:
        try:
            outcomes.put(work())
        except BaseException as error:  # it belongs to the caller, whatever it is
            outcomes.put(error)

    threading.Thread(target=run, name="within", daemon=True).start()
    try:
        outcome = outcomes.get(timeout=max(seconds, 0.0))
    except Empty:
        raise TimeoutError(f"not done within {seconds:g} s") from None
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome
