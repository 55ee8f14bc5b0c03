"""Events through `watchfiles`: on macOS and Windows as the system tells them, elsewhere by looking
again and again where no events arrive (network mounts, Windows drives in WSL)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from invoke_devstack.running.watch.batch import Story, lstat
from invoke_devstack.running.watch.git import GitLocks
from invoke_devstack.running.watch.stories import Stories

_POLL_MILLISECONDS = 300
_LONGEST_BATCH_MILLISECONDS = 1000
_SECOND_LOOK_MILLISECONDS = 1100
_ADDED = 1


class WatchfilesSource:
    """Watches the same as `InotifySource`; what `skips` excludes is looked at and not reported."""

    def __init__(
        self,
        roots: Iterable[str],
        skips: Callable[[str], bool],
        quiet: float,
        locks: GitLocks,
        *,
        polling: bool,
    ) -> None:
        from watchfiles._rust_notify import RustNotify

        self._roots = frozenset(roots)
        self._skips = skips
        self._step = max(5, round(quiet * 1000))
        self._locks = locks
        self._polling = polling
        self._recent: dict[str, tuple[int, int] | None] = {}
        self._stopped = threading.Event()
        self._notify = RustNotify(
            list(self._places()),
            False,  # debug
            polling,
            _POLL_MILLISECONDS,
            True,  # recursive
            True,  # what may not be read is passed over
        )

    def __len__(self) -> int:
        """How many paths are watched, each with all below it."""
        return len(self._places())

    def stop(self) -> None:
        """Ends `batches`; may be called from any thread."""
        self._stopped.set()

    def close(self) -> None:
        """Gives back what it holds, once `batches` has ended."""
        self._notify.close()

    def batches(self) -> Iterator[Stories]:
        """Waits for changes and yields them, batch by batch, until `stop`."""
        while True:
            batch = self._notify.watch(
                _LONGEST_BATCH_MILLISECONDS, self._step, self._look_again(), self._stopped
            )
            if isinstance(batch, str) and batch != "timeout":
                return
            since = time.monotonic() - self._step / 1000
            while pause := self._locks.wait():
                self._stopped.wait(pause)
            stories = self._missed() if isinstance(batch, str) else self._stories(batch)
            self._recent = {path: _mark(path) for path in stories} if self._polling else {}
            if stories:
                yield Stories(stories, since)

    def _look_again(self) -> int:
        """Milliseconds until what just changed is looked at once more; 0 for never. Polling compares
        whole seconds, so that the second of two quick saves would be missed."""
        return _SECOND_LOOK_MILLISECONDS if self._recent else 0

    def _missed(self) -> dict[str, Story]:
        changed = [path for path, mark in self._recent.items() if _mark(path) != mark]
        return {path: Story(born=False, directory=False, attributes_only=False) for path in changed}

    def _stories(self, batch: Iterable[tuple[int, str]]) -> dict[str, Story]:
        stories: dict[str, Story] = {}
        for kind, path in sorted(batch):
            if self._is_of_interest(path):
                born = kind == _ADDED and path not in stories
                stories[path] = Story(born=born, directory=Path(path).is_dir(), attributes_only=False)
        return stories

    def _places(self) -> tuple[str, ...]:
        """The roots, without those in others; of one that is not there, the nearest that is."""
        places = {_existing(root) for root in self._roots}
        return tuple(sorted(place for place in places if not any(_is_in(place, other) for other in places)))

    def _is_of_interest(self, path: str) -> bool:
        return not any(self._skips(str(parent)) for parent in (Path(path), *Path(path).parents))


def _existing(root: str) -> str:
    path = Path(root)
    while not path.exists():
        path = path.parent
    return str(path)


def _is_in(path: str, other: str) -> bool:
    return path.startswith(f"{other.rstrip('/')}/")


def _mark(path: str) -> tuple[int, int] | None:
    status = lstat(path)
    return None if status is None else (status.st_mtime_ns, status.st_size)
