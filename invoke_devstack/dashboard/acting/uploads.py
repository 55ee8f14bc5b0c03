"""Files that a page sends: kept until what reads them has ended."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

from invoke_devstack.acting.host import Wish
from invoke_devstack.dashboard.acting.runs import Run

IMPORT = "snapshots.import"


class Upload:
    """A file of this user alone. It goes at the end of the `with`, or when a run has read it."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="devstack-import-")
        self._path = Path(self._folder.name) / "snapshot.tar"
        self._file = self._path.open("wb")
        self._is_kept = False

    def __enter__(self) -> Upload:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        if not self._is_kept:
            self._folder.cleanup()

    def write(self, piece: bytes) -> None:
        self._file.write(piece)

    def wish(self, options: dict[str, Any]) -> Wish:
        """To import it as a snapshot. Nothing can be written to it any more."""
        self._file.close()
        return Wish(IMPORT, (), {"file": str(self._path), **options}, "")

    def keep_until(self, run: Run) -> None:
        """It goes when the run has ended."""
        self._is_kept = True
        run.listen(lambda event: self._folder.cleanup() if event is None else None)
