"""A place for processes of one test alone, and what is asked of it. Only where there is a supervisor."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil

from invoke_devstack.engine.processes.keeper import Keeper
from invoke_devstack.engine.processes.process import KeptProcess
from invoke_devstack.engine.processes.recorder import MARK
from invoke_devstack.planning.labels import PROJECT


def short_folder() -> Path:
    """One whose name leaves room for a socket's."""
    return Path(tempfile.mkdtemp(prefix="p-", dir="/tmp"))


class Place:
    """A directory of processes, as that of an engine."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.keeper = Keeper(directory)

    def create(self, *command: str, **body: Any) -> KeptProcess:
        labels = {PROJECT: "p", **body.pop("Labels", {})}
        return self.keeper.create("p", "p-1", {"Cmd": list(command), "Labels": labels, **body})

    def started(self, *command: str, **body: Any) -> KeptProcess:
        """Once it has printed something."""
        kept = self.create(*command, **body)
        self.keeper.start(kept)
        until(lambda: (kept.folder / "log").stat().st_size > 0)
        return kept

    def supervisors(self) -> list[psutil.Process]:
        return list(_processes("supervisor.supervisord", str(self.directory)))

    def recorders(self) -> list[psutil.Process]:
        return list(_processes("recorder.py", str(self.directory)))


def _processes(*words: str) -> Iterator[psutil.Process]:
    for item in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            line = " ".join(item.cmdline())
            if all(word in line for word in words):
                yield item


def until(says: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not says():
        assert time.monotonic() < end
        time.sleep(0.01)


def marked(kept: KeptProcess) -> list[psutil.Process]:
    found = []
    for item in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if item.environ().get(MARK) == kept.id and item.status() != psutil.STATUS_ZOMBIE:
                found.append(item)
    return found
