"""Changes through `watchfiles`: the native events of macOS and Windows. On Linux `inotify_source` is used; it
says why.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from invoke_devstack.planning.watching.actions import relative
from invoke_devstack.running.watch.changes.change_batch import ChangeBatch, PathHistory
from invoke_devstack.running.watch.changes.git import GitLocks

if TYPE_CHECKING:
    from watchfiles.main import FileChange

_MAX_BATCH_MILLISECONDS = 1000
_TIMEOUT_MILLISECONDS = 100  # also the time that it takes to start


class WatchfilesSource:
    """Watches the same as `InotifySource`; what `skips` excludes is watched but not reported."""

    def __init__(
        self,
        roots: Iterable[str],
        skips: Callable[[str], bool],
        quiet: float,
        locks: GitLocks,
    ) -> None:
        from watchfiles import watch

        self._roots = frozenset(roots)
        self._skips = skips
        self._step = max(5, round(quiet * 1000))
        self._locks = locks
        self._stopped = threading.Event()
        self._watching = watch(
            *self._places(),
            watch_filter=None,
            debounce=_MAX_BATCH_MILLISECONDS,
            step=self._step,
            stop_event=self._stopped,
            rust_timeout=_TIMEOUT_MILLISECONDS,
            yield_on_timeout=True,
            raise_interrupt=False,
            force_polling=False,
            ignore_permission_denied=True,
        )
        # The generator starts watching when it is first asked for an item.
        self._batches = chain((next(self._watching, set()),), self._watching)

    def __len__(self) -> int:
        """How many paths are watched, each with everything below it."""
        return len(self._places())

    def stop(self) -> None:
        """Ends `batches`. May be called from any thread."""
        self._stopped.set()

    def close(self) -> None:
        """Releases its resources, once `batches` has ended."""
        self._watching.close()

    def batches(self) -> Iterator[ChangeBatch]:
        """Waits for changes and yields them, batch by batch, until `stop`."""
        for changes in self._batches:
            since = time.monotonic() - self._step / 1000
            if not changes:
                continue
            while pause := self._locks.wait():
                self._stopped.wait(pause)
            if paths := self._histories(changes):
                yield ChangeBatch(paths, since)

    def _histories(self, changes: set[FileChange]) -> dict[str, PathHistory]:
        paths: dict[str, PathHistory] = {}
        for kind, path in sorted(changes):
            if not self._is_skipped(path):
                born = kind.name == "added" and path not in paths
                paths[path] = PathHistory(born=born, directory=Path(path).is_dir(), attributes_only=False)
        return paths

    def _places(self) -> tuple[str, ...]:
        """The roots that are not within others; for a missing one, its nearest parent that exists."""
        places = {_existing(root) for root in self._roots}
        return tuple(sorted(place for place in places if not any(relative(place, other) for other in places)))

    def _is_skipped(self, path: str) -> bool:
        return any(self._skips(str(parent)) for parent in (Path(path), *Path(path).parents))


def _existing(root: str) -> str:
    path = Path(root)
    while not path.exists():
        path = path.parent
    return str(path)
