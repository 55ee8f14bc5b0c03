"""Directories without subdirectories."""

from __future__ import annotations

import os
from pathlib import Path

from invoke_devstack.running.watch.changes.inotify_source import LeafDirectories, counting_devices

MOUNTINFO = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
23 22 0:20 / /proc rw,nosuid - proc proc rw
30 22 0:41 / /data rw,relatime - btrfs /dev/sdb rw
31 22 0:52 /sub\\040dir /work rw master:3 shared:9 - tmpfs tmpfs rw
"""


def test_only_file_systems_that_count_subdirectories_are_believed() -> None:
    assert counting_devices(MOUNTINFO) == {os.makedev(254, 0), os.makedev(0, 52)}


def test_without_mountinfo_nothing_is_believed(tmp_path: Path) -> None:
    assert not LeafDirectories("").is_leaf(str(tmp_path))


def test_a_directory_with_files_only_is_a_leaf_where_links_are_counted(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    here = tmp_path.stat()
    mountinfo = f"1 0 {os.major(here.st_dev)}:{os.minor(here.st_dev)} / / rw - ext4 /dev/x rw"
    leaves = LeafDirectories(mountinfo)
    assert leaves.is_leaf(str(tmp_path)) == (here.st_nlink == 2)
    (tmp_path / "below").mkdir()
    assert not leaves.is_leaf(str(tmp_path))


def test_what_went_away_is_no_leaf(tmp_path: Path) -> None:
    assert not LeafDirectories().is_leaf(str(tmp_path / "nowhere"))
