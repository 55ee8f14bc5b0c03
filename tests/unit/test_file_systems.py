"""Which file systems have to be polled."""

from __future__ import annotations

import pytest

from invoke_devstack.file_systems import lacks_events


@pytest.mark.parametrize(
    "file_system", ["nfs4", "9p", "virtiofs", "fuse.sshfs", "fuse.vmhgfs-fuse", "vmhgfs-fuse"]
)
def test_network_and_shared_file_systems_have_to_be_polled(file_system: str) -> None:
    assert lacks_events(file_system)


@pytest.mark.parametrize("file_system", ["ext4", "btrfs", "xfs", "overlay", "apfs", "fuseblk", ""])
def test_local_file_systems_report_changes(file_system: str) -> None:
    assert not lacks_events(file_system)
