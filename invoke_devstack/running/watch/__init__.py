"""Keeps a running stack up to date with its files. Entries: `watch(session, WatchOptions)`, and `Watcher` for
a watch that another thread ends.

`changes/` reports changed files -> `planning.watching.actions` decides what to do -> `delivery/` does it, for
each service in its own queue. `definitions` reacts to changed Compose files.
"""

from invoke_devstack.running.watch.loop import Watcher, WatchOptions, watch

__all__ = ["WatchOptions", "Watcher", "watch"]
