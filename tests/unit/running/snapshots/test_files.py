"""An export that fails lets go of the engine."""

from __future__ import annotations

import errno
import io
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest

from invoke_devstack.planning.plans.snapshots import Snapshot
from invoke_devstack.running.session import Session
from invoke_devstack.running.snapshots import files


class FullDisk(io.BytesIO):
    def write(self, data: Any) -> int:
        raise OSError(errno.ENOSPC, "no space left")


class Blocks:
    closed = False

    def __iter__(self) -> Iterator[bytes]:
        return iter([b"x" * 512])

    def close(self) -> None:
        self.closed = True


def test_the_archive_is_given_up_before_its_container_is_removed() -> None:
    """Engine 20.10 would wait with the removal until somebody has read all of it."""
    blocks = Blocks()

    def get_archive(container: str, path: str) -> tuple[Mapping[str, Any], Blocks]:
        return {}, blocks

    session = SimpleNamespace(
        engine=SimpleNamespace(get_archive=get_archive), interrupt=SimpleNamespace(check=lambda: None)
    )
    snapshot = Snapshot("p", "web", "s", ("/d",), "2026-01-01T00:00:00Z", 1)
    with pytest.raises(OSError, match="no space"):
        files._write(cast("Session", session), snapshot, "c", FullDisk())
    assert blocks.closed
