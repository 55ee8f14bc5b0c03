"""Threads that carry out actions. They are daemons, so a call that hangs does not keep the process alive."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from queue import SimpleQueue
from typing import TypeVar

Job = Callable[[], None]
Result = TypeVar("Result")


def at_once(calls: Sequence[Callable[[], Result]]) -> list[Result]:
    """The results of all calls, each in a thread of its own. Raises the error of the first that fails."""
    if len(calls) < 2:
        return [call() for call in calls]
    ended: SimpleQueue[tuple[int, Result | None, BaseException | None]] = SimpleQueue()

    def run(number: int, call: Callable[[], Result]) -> None:
        try:
            ended.put((number, call(), None))
        except BaseException as error:  # it belongs to the caller, whatever it is
            ended.put((number, None, error))

    for number, call in enumerate(calls):
        threading.Thread(target=partial(run, number, call), name="at-once", daemon=True).start()
    results: dict[int, Result] = {}
    for _ in calls:
        number, result, error = ended.get()
        if error is not None:
            raise error
        results[number] = result  # type: ignore[assignment]  # a result of None is one too
    return [results[number] for number in range(len(calls))]


class Workers:
    """As many threads as there are jobs at once. Idle threads, and their connections, are reused."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._idle = 0
        self._threads = 0

    def submit(self, job: Job) -> None:
        """Runs `job`, which must not raise, at once in a thread of its own."""
        with self._lock:
            if self._idle:
                self._idle -= 1
            else:
                self._threads += 1
                threading.Thread(target=self._work, name=f"worker-{self._threads}", daemon=True).start()
        self._jobs.put(job)

    def close(self) -> None:
        """Ends the threads once they are idle."""
        with self._lock:
            for _ in range(self._threads):
                self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
            with self._lock:
                self._idle += 1
