"""Keeps a running stack as the files are. Entries: `watch(session, WatchOptions)`, and `Watcher` for one
that another thread ends.

changes (`source`, `batch`) -> actions (`planning.watching.turn`) -> each service's `lane` -> containers
(`target`, `helper`) and rebuilds (`replacing`).
"""

from invoke_devstack.running.watch.loop import Watcher, WatchOptions, watch

__all__ = ["WatchOptions", "Watcher", "watch"]
