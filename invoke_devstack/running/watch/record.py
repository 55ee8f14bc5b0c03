"""What a container was brought from the host, written down in the container itself.

Only so can a file that was deleted while nothing watched be told from one that the container made: it
is in the record, and the host has it no more. (There is none before the first watch of a container.)
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator

from invoke_devstack.planning.watching import Change, Rule, relative
from invoke_devstack.running.watch.parcel import Item, Parcel
from invoke_devstack.running.watch.survey import walk_names
from invoke_devstack.running.watch.target import SyncError, Target

RECORD = "/.devstack-watched"
_READ = f"[ ! -f {RECORD} ] || cat {RECORD}"


def read_record(target: Target) -> bytes:
    """Lines of paths in the container, a slash at the end of directories; empty where there is none."""
    return target.ask(_READ) or b""


def vanished(record: bytes, rule: Rule) -> Iterator[Change]:
    """What `rule` brought into the container once, and the host has no more."""
    for line in io.BytesIO(record):
        path = os.fsdecode(line.rstrip(b"\n"))
        inside = relative(path.rstrip("/"), rule.target)
        if inside:
            host = f"{rule.root}/{inside}"
            directory = path.endswith("/")
            if not os.path.lexists(host) and rule.covers(host, directory=directory):
                yield Change(host, "deleted", directory)


def write_record(target: Target, rules: Iterable[Rule], record: bytes) -> None:
    """Writes down what the host has now, unless `record`, which was read before, says the same."""
    lines = bytearray()
    for rule in rules:
        for path, directory in walk_names(rule):
            lines += os.fsencode(rule.container_path(path)) + (b"/\n" if directory else b"\n")
    if bytes(lines) == record or not target.has_helper:
        return
    content = bytes(lines)
    item = Item(RECORD, "file", 0o600, 0.0, "", content, len(content), as_root=True)
    try:
        target.deliver(Parcel(items=[item]))
    except SyncError:
        return  # a container that is read-only keeps no record
