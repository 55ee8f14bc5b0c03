"""Events -> one batch a save -> what became of each path."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from invoke_devstack.planning.watching.actions import Change
from invoke_devstack.running.watch.changes.change_batch import BatchCollector, PathEvent, net_changes
from invoke_devstack.running.watch.changes.walk import lstat

QUIET = 0.02


def unknown(path: str) -> int | None:
    return None


def status(mode: int) -> os.stat_result:
    return os.stat_result((mode, 1, 1, 1, 0, 0, 0, 1, 1, 1))


def settled(batch: BatchCollector, there: Mapping[str, os.stat_result]) -> list[Change]:
    return list(net_changes(batch.take(), unknown, there.get))


def test_a_batch_ends_after_a_moment_of_quiet() -> None:
    batch = BatchCollector(QUIET)
    batch.add("/a", PathEvent.SAVED, now=10.0)
    assert 0 < batch.wait(10.01) <= QUIET
    assert batch.wait(10.0 + 2 * QUIET) <= 0


def test_a_batch_waits_for_a_file_that_is_still_written() -> None:
    batch = BatchCollector(QUIET)
    batch.add("/a", PathEvent.CREATED, now=10.0)
    batch.add("/a", PathEvent.WRITTEN, now=10.0)
    assert batch.wait(10.1) > 0
    batch.add("/a", PathEvent.CLOSED, now=10.1)
    assert batch.wait(10.1 + 2 * QUIET) <= 0


def test_a_file_that_nobody_closes_is_taken_as_it_is_in_the_end() -> None:
    batch = BatchCollector(QUIET)
    batch.add("/a", PathEvent.WRITTEN, now=10.0)
    assert batch.wait(10.3) <= 0


def test_a_steady_stream_of_changes_is_cut_into_batches() -> None:
    batch = BatchCollector(QUIET)
    for tick in range(200):
        batch.add(f"/log{tick}", PathEvent.SAVED, now=10.0 + tick / 100)
    assert batch.wait(12.0) <= 0


def test_a_branch_switch_with_pauses_between_its_files_is_one_batch() -> None:
    batch = BatchCollector(QUIET)
    for number in range(500):
        batch.add(f"/f{number}", PathEvent.SAVED, now=10.0)
    assert batch.wait(10.15) > 0


def test_a_file_that_came_and_went_within_the_batch_is_no_change() -> None:
    batch = BatchCollector(QUIET)
    batch.add("/4913", PathEvent.CREATED, 1.0)
    batch.add("/4913", PathEvent.REMOVED, 1.0)
    assert settled(batch, {}) == []


def test_a_file_that_was_moved_away_and_written_anew_is_modified() -> None:
    batch = BatchCollector(QUIET)
    batch.add("/a", PathEvent.REMOVED, 1.0)
    batch.add("/a", PathEvent.CREATED, 1.0)
    batch.add("/a", PathEvent.CLOSED, 1.0)
    assert settled(batch, {"/a": status(0o100644)}) == [Change("/a", "added")]


def test_a_deleted_file_is_deleted() -> None:
    batch = BatchCollector(QUIET)
    batch.add("/a", PathEvent.REMOVED, 1.0)
    assert settled(batch, {}) == [Change("/a", "deleted")]


def test_a_directory_that_was_replaced_is_deleted_first() -> None:
    batch = BatchCollector(QUIET)
    batch.add("/d", PathEvent.REMOVED, 1.0, directory=True)
    batch.add("/d", PathEvent.CREATED, 1.0, directory=True)
    assert settled(batch, {"/d": status(0o040755)}) == [
        Change("/d", "deleted", directory=True),
        Change("/d", "added", directory=True),
    ]


def touched(before: int | None, found: os.stat_result) -> list[Change]:
    batch = BatchCollector(QUIET)
    batch.add("/a", PathEvent.TOUCHED, 1.0)
    batch.add("/a", PathEvent.CLOSED, 1.0)
    return list(net_changes(batch.take(), lambda path: before, lambda path: found))


def test_a_new_access_time_alone_is_no_change(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("x")
    os.utime(file, (1, 1))
    found = lstat(str(file))
    assert found is not None
    assert touched(0o644, found) == []


def test_a_new_mode_is_a_change(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("x")
    file.chmod(0o755)
    os.utime(file, (1, 1))
    found = lstat(str(file))
    assert found is not None
    assert touched(0o644, found) == [Change("/a", "modified")]


def test_a_touched_file_is_a_change(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.touch()
    found = lstat(str(file))
    assert found is not None
    assert touched(0o644, found) == [Change("/a", "modified")]


def test_attributes_of_a_file_that_was_never_looked_at_count_as_a_change(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("x")
    os.utime(file, (1, 1))
    found = lstat(str(file))
    assert found is not None
    assert touched(None, found) == [Change("/a", "modified")]
