"""Work that another thread may end: a registry that does not answer and a build step that says nothing
for minutes hold nobody up."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from invoke_devstack.engine.protocol import Cancellation, OnProgress, Progress
from invoke_devstack.errors import EngineError

Result = TypeVar("Result")


class _Work(Generic[Result]):
    """One piece of work in a thread of its own."""

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
            raise _given_up()
        return self._results[0]

    def _run(self) -> None:
        try:
            self._results.append(self._do(self._tell))
        except BaseException as error:
            self._error = error
        self._over.set()

    def _tell(self, progress: Progress) -> None:
        if self._cancellation.cancelled:
            raise _given_up()
        self._on_progress(progress)


def run(
    do: Callable[[OnProgress], Result], on_progress: OnProgress, cancellation: Cancellation | None
) -> Result:
    """The result of `do`. Once cancelled it raises EngineError at once; what `do` does then ends at its
    next word of progress."""
    if cancellation is None:
        return do(on_progress)
    return _Work(do, on_progress, cancellation).result()


def _given_up() -> EngineError:
    return EngineError("given up")
