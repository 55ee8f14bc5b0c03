"""The list of paths that were synced into a container, kept in the container itself.

It distinguishes files deleted on the host while nothing was watching from those that the container created:
only the former are in the list. A container has none before its first watch.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator

from invoke_devstack.planning.watching.actions import Change, CompiledRule, relative
from invoke_devstack.running.watch.changes.tree_scan import walk_names
from invoke_devstack.running.watch.delivery.sync_container import SyncContainer
from invoke_devstack.running.watch.delivery.sync_errors import SyncError
from invoke_devstack.running.watch.delivery.upload import Upload, UploadItem

STATE_FILE = "/.devstack-watched"
_READ = f"[ ! -f {STATE_FILE} ] || cat {STATE_FILE}"


def read_sync_state(container: SyncContainer) -> bytes:
    """Lines of paths in the container, with a slash at the end of directories; empty if it has no list."""
    return container.ask(_READ) or b""


def deleted_since(state: bytes, rule: CompiledRule) -> Iterator[Change]:
    """What was synced for `rule`, and no longer exists on the host."""
    for line in io.BytesIO(state):
        path = os.fsdecode(line.rstrip(b"\n"))
        inside = relative(path.rstrip("/"), rule.target)
        if inside:
            host = f"{rule.root}/{inside}"
            directory = path.endswith("/")
            if not os.path.lexists(host) and rule.covers(host, directory=directory):
                yield Change(host, "deleted", directory)


def write_sync_state(container: SyncContainer, rules: Iterable[CompiledRule], state: bytes) -> None:
    """Lists what the host has now, unless `state`, which was read before, equals that."""
    lines = bytearray()
    for rule in rules:
        for path, directory in walk_names(rule):
            lines += os.fsencode(rule.container_path(path)) + (b"/\n" if directory else b"\n")
    if bytes(lines) == state or not container.has_shell:
        return
    content = bytes(lines)
    item = UploadItem(STATE_FILE, "file", 0o600, 0.0, "", content, len(content), as_root=True)
    try:
        container.deliver(Upload(items=[item]))
    except SyncError:
        return  # a read-only container has no list
