"""Why files did not arrive in a container."""

from __future__ import annotations

from invoke_devstack.errors import DevstackError


class SyncError(DevstackError):
    """Files did not arrive in a container."""


class DiskFullError(SyncError):
    """The disk is full; it may have space later."""


class ReadOnlyError(SyncError):
    """Their place is read-only."""


def sync_error(output: str, container: str) -> SyncError:
    """The error for the output of a tool in the container, or a message of the engine: both are only text."""
    lowered = output.lower()
    if "no space left" in lowered:
        hint = "Free some space in it: your next save also syncs what is missing."
        return DiskFullError(f"the disk of {container} is full: {output}", hint=hint)
    if "read-only" in lowered:
        hint = "Sync to a volume or tmpfs, or use `action: rebuild`."
        return ReadOnlyError(f"the target in {container} is read-only: {output}", hint=hint)
    return SyncError(f"{container}: {output}")
