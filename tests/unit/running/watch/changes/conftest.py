"""A real tree that is watched, and what each batch of its changes asks for."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, SimpleQueue

import pytest

from invoke_devstack.planning.watching.actions import Change, CompiledRule, IgnoreRules, actions_for
from invoke_devstack.running.watch.changes.change_batch import ChangeBatch, net_changes
from invoke_devstack.running.watch.changes.source import open_change_source
from invoke_devstack.running.watch.changes.tree_scan import FileModes, scan_trees
from invoke_devstack.running.watch.changes.walk import lstat
from invoke_devstack.running.watch.rules import CompiledRules, TemporaryFiles

QUIET = 0.08  # a busy machine may stop a save in the middle for longer than the usual quiet
BUSY_MACHINE = 30.0  # seconds that the first report may take
Seen = list[tuple[str, str]]


class Watched:
    """A watched tree. `turns` gives what each batch asks for, as (`copy` or `delete`, name)."""

    def __init__(self, root: Path, rule: CompiledRule, *, polling: bool) -> None:
        self.root = root
        self._rules = CompiledRules((rule,), ())
        self._modes = FileModes()
        scan_trees(self._rules, self._modes)
        self._source = open_change_source(
            self._rules.roots, self._rules.skips, quiet=QUIET, force_polling=polling, notice=print
        )
        self._batches: SimpleQueue[ChangeBatch] = SimpleQueue()
        self._patience = 3.0 if polling else 0.4
        self._thread = threading.Thread(target=self._collect, daemon=True)
        self._thread.start()

    def __len__(self) -> int:
        return len(self._source)

    def _collect(self) -> None:
        for batch in self._source.batches():
            self._batches.put(batch)

    def turns(self) -> list[Seen]:
        """What each batch asks for, from the first until it has been quiet for a moment; batches that ask for
        nothing are left out."""
        found: list[Seen] = []
        deadline = time.monotonic() + BUSY_MACHINE
        while not found and time.monotonic() < deadline:
            found += self._until_quiet()
        return found

    def is_quiet(self) -> bool:
        """Whether no batch asks for anything for a moment."""
        return not self._until_quiet()

    def await_batch(self) -> None:
        """Returns once there is a batch that `turns` has not taken."""
        deadline = time.monotonic() + BUSY_MACHINE
        while self._batches.empty():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def _until_quiet(self) -> list[Seen]:
        found: list[Seen] = []
        while True:
            try:
                batch = self._batches.get(timeout=self._patience)
            except Empty:
                return [seen for seen in found if seen]
            changes = tuple(net_changes(batch.paths, self._modes.get, lstat))
            for change in changes:
                self._modes.update(change.path, lstat(change.path))
            found.append(self._asked(changes))

    def _asked(self, changes: tuple[Change, ...]) -> Seen:
        seen: Seen = []
        for wanted in actions_for(changes, self._rules.rules).values():
            seen += [("delete", os.path.relpath(item.host, self.root)) for item in wanted.deletions]
            seen += [("copy", os.path.relpath(item.host, self.root)) for item in wanted.copies]
        return sorted(seen)

    def close(self) -> None:
        self._source.stop()
        self._thread.join(30)
        self._source.close()
        assert not self._thread.is_alive()


def rule_for(root: Path, *ignored: tuple[str, IgnoreRules]) -> CompiledRule:
    return CompiledRule(
        service="web",
        root=str(root),
        action="sync",
        target="/app",
        ignored=ignored or ((str(root), TemporaryFiles()),),
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "src"
    root.mkdir()
    (root / "a.py").write_text("one\n")
    (root / "sub").mkdir()
    (root / "sub" / "b.py").write_text("two\n")
    long_ago = time.time() - 3600
    for path in (root / "a.py", root / "sub" / "b.py"):
        os.utime(path, (long_ago, long_ago))
    return root


@pytest.fixture
def watched(tree: Path) -> Iterator[Watched]:
    found = Watched(tree, rule_for(tree), polling=False)
    yield found
    found.close()
