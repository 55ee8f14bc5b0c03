"""What the tools in a container print -> an error with its kind."""

from __future__ import annotations

import pytest

from invoke_devstack.running.watch.delivery.sync_errors import (
    DiskFullError,
    ReadOnlyError,
    SyncError,
    sync_error,
)


@pytest.mark.parametrize(
    ("output", "kind"),
    [
        ("tar: write error: No space left on device", DiskFullError),
        ("mkdir: can't create directory '/app': Read-only file system", ReadOnlyError),
        ("container rootfs is marked read-only", ReadOnlyError),
        ("chown: Operation not permitted", SyncError),
    ],
)
def test_the_output_of_a_tool_becomes_an_error_of_its_kind(output: str, kind: type[SyncError]) -> None:
    error = sync_error(output, "app-web-1")
    assert type(error) is kind
    assert "app-web-1" in error.message and output in error.message
