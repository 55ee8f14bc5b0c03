"""Changes of a real tree that is looked at again and again."""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from invoke_devstack.running.watch.changes import polling_source
from tests.unit.running.watch.changes.conftest import Watched, rule_for


@pytest.fixture
def polled(tree: Path) -> Iterator[Watched]:
    found = Watched(tree, rule_for(tree), polling=True)
    yield found
    found.close()


def test_the_second_of_two_saves_within_a_second_is_seen_where_changes_are_polled_for(
    polled: Watched,
) -> None:
    time.sleep(1 - time.time() % 1)  # at the beginning of a second
    (polled.root / "a.py").write_text("one")
    polled.await_batch()
    (polled.root / "a.py").write_text("two")
    assert polled.turns() == [[("copy", "a.py")], [("copy", "a.py")]]


def test_two_saves_of_the_same_second_and_size_differ_by_their_content(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def whole_seconds(status: os.stat_result) -> tuple[int, int]:
        return int(status.st_mtime) * 1_000_000_000, int(status.st_ctime) * 1_000_000_000

    monkeypatch.setattr(polling_source, "_times", whole_seconds)
    polled = Watched(tree, rule_for(tree), polling=True)
    time.sleep(1 - time.time() % 1)
    (tree / "a.py").write_text("one")
    polled.await_batch()
    (tree / "a.py").write_text("two")
    (tree / "new.py").write_text("something else changes meanwhile")
    turns = polled.turns()
    polled.close()
    assert [turn for turn in turns if ("copy", "a.py") in turn] == turns
    assert len(turns) == 2


def test_directories_made_and_removed_again_and_again_end_as_the_host_has_them(polled: Watched) -> None:
    inside: set[str] = set()  # what a container would have
    for number in range(40):
        directory = polled.root / f"d{number % 5}"
        if directory.exists():
            shutil.rmtree(directory)
        else:
            directory.mkdir()
            (directory / "file").write_text(str(number))
        time.sleep(0.07)
    for turn in polled.turns():
        inside -= {name for name in inside for kind, gone in turn if kind == "delete" and _within(name, gone)}
        inside |= {name for kind, name in turn if kind == "copy"}
    assert inside == {
        str(path.relative_to(polled.root)) for path in polled.root.glob("d*/**/*") if path.exists()
    } | {path.name for path in polled.root.glob("d*")}


def _within(name: str, directory: str) -> bool:
    return name == directory or name.startswith(f"{directory}/")


def test_a_directory_that_cannot_be_read_for_a_moment_is_not_deleted(
    polled: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.scandir

    def scandir(path: str) -> object:
        if path.endswith("/sub"):
            raise OSError(errno.ESTALE, "Stale file handle")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    (polled.root / "a.py").write_text("changed")
    assert polled.turns() == [[("copy", "a.py")]]
