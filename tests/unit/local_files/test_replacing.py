"""A file is replaced whole, or stays as it was."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from invoke_devstack.errors import FileError
from invoke_devstack.local_files.replacing import remove_leftovers, replace_text, rewritten
from tests.unit.local_files.disk import fill, only_root, small_disk

OLD = "PASSWORD=only-copy\n" * 200


def partials(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir() if entry.name.endswith(".partial")]


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    replace_text(tmp_path / ".env", "A=1\n")
    assert (tmp_path / ".env").read_text() == "A=1\n"
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    assert partials(tmp_path) == []


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o755])
def test_the_mode_stays(tmp_path: Path, mode: int) -> None:
    file = tmp_path / ".env"
    file.write_text(OLD)
    file.chmod(mode)
    replace_text(file, "A=1\n")
    assert stat.S_IMODE(file.stat().st_mode) == mode


def test_links_stay_and_lead_to_what_is_written(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "env").write_text(OLD)
    (tmp_path / "second").symlink_to("shared/env")
    (tmp_path / ".env").symlink_to(tmp_path / "second")
    replace_text(tmp_path / ".env", "A=1\n")
    assert (tmp_path / ".env").is_symlink()
    assert (tmp_path / "second").is_symlink()
    assert (tmp_path / "shared" / "env").read_text() == "A=1\n"


def test_a_file_that_is_written_in_pieces_keeps_what_it_was_too(tmp_path: Path) -> None:
    (tmp_path / "real").write_text(OLD)
    (tmp_path / "real").chmod(0o640)
    (tmp_path / "link").symlink_to("real")
    with pytest.raises(RuntimeError), rewritten(tmp_path / "link", 0o600) as file:
        file.write(b"half")
        raise RuntimeError
    assert (tmp_path / "real").read_text() == OLD
    with rewritten(tmp_path / "link", 0o600, flushed=False) as file:
        file.write(b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"
    assert stat.S_IMODE((tmp_path / "real").stat().st_mode) == 0o640
    assert partials(tmp_path) == []


def test_a_link_to_a_file_that_is_still_missing_makes_it(tmp_path: Path) -> None:
    (tmp_path / ".env").symlink_to("later")
    replace_text(tmp_path / ".env", "A=1\n")
    assert (tmp_path / "later").read_text() == "A=1\n"
    assert (tmp_path / ".env").is_symlink()


def test_a_file_with_a_second_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(OLD)
    os.link(tmp_path / ".env", tmp_path / "other")
    with pytest.raises(FileError, match="second name") as error:
        replace_text(tmp_path / ".env", "A=1\n")
    assert error.value.reason == "owner"
    assert (tmp_path / ".env").read_text() == (tmp_path / "other").read_text() == OLD


def test_what_is_not_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "circle").symlink_to("circle")
    for name, reason in (("folder", "kind"), ("pipe", "kind"), ("circle", "links"), ("no/where", "missing")):
        with pytest.raises(FileError, match=name) as error:
            replace_text(tmp_path / name, "A=1\n")
        assert error.value.reason == reason, error.value.message
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["circle", "folder", "pipe"]


@only_root
def test_owner_group_and_attributes_stay(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(OLD)
    os.chown(file, 1234, 2345)
    file.chmod(0o660)
    with_attributes = True
    try:
        os.setxattr(file, "user.note", b"kept")
    except OSError:
        with_attributes = False
    replace_text(file, "A=1\n")
    status = file.stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (1234, 2345, 0o660)
    assert not with_attributes or os.getxattr(file, "user.note") == b"kept"


AS_OTHER = """
import os, sys
from pathlib import Path
import psutil
from invoke_devstack.errors import FileError
from invoke_devstack.local_files.replacing import replace_text
os.setgroups([]); os.setgid(4321); os.setuid(4321)
try:
    replace_text(Path(sys.argv[1]), "A=1\\n")
except FileError as error:
    print(error.reason)
"""


@pytest.fixture
def anywhere() -> Iterator[str]:
    """A folder that other users can get to: that of pytest is root's alone."""
    with tempfile.TemporaryDirectory() as folder:
        yield folder


@only_root
@pytest.mark.parametrize(
    ("owner", "mode", "folder_mode", "said"),
    [
        (4321, 0o600, 0o777, ""),
        (0, 0o666, 0o777, "owner"),  # could be written, but would belong to somebody else then
        (0, 0o644, 0o777, "permission"),
        (4321, 0o400, 0o777, "permission"),
        (4321, 0o600, 0o755, "permission"),  # nothing can be put beside it
    ],
)
def test_files_of_others(anywhere: str, owner: int, mode: int, folder_mode: int, said: str) -> None:
    place = Path(anywhere)
    place.chmod(folder_mode)
    file = place / ".env"
    file.write_text(OLD)
    os.chown(file, owner, owner)
    file.chmod(mode)
    ran = subprocess.run([sys.executable, "-c", AS_OTHER, file], capture_output=True, text=True)
    assert (ran.stdout.strip(), ran.stderr) == (said, "")
    assert file.read_text() == (OLD if said else "A=1\n")
    assert (file.stat().st_uid, stat.S_IMODE(file.stat().st_mode)) == (owner, mode)
    assert partials(place) == []


@only_root
def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        (disk / ".env").write_text(OLD)
        fill(disk)
        with pytest.raises(FileError, match="no space left") as error:
            replace_text(disk / ".env", OLD + "B=2\n")
        assert error.value.reason == "no-space"
        assert "df -h" in error.value.hint
        assert (disk / ".env").read_text() == OLD
        assert partials(disk) == []


@only_root
def test_a_read_only_disk_leaves_the_old_file(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        (disk / ".env").write_text(OLD)
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        with pytest.raises(FileError) as error:
            replace_text(disk / ".env", "A=1\n")
        assert error.value.reason in ("read-only", "permission")
        assert (disk / ".env").read_text() == OLD


KILLED_AT = """
import os, signal, sys
from pathlib import Path
from invoke_devstack.local_files import replacing
at, file = sys.argv[1:]
def dying(name, real):
    def call(*arguments, **named):
        if name == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **named)
    return call
os.open, os.fsync, os.fchmod = dying("open", os.open), dying("fsync", os.fsync), dying("fchmod", os.fchmod)
os.replace = dying("replace", os.replace)
Path.replace = dying("replace", Path.replace)
replacing._flush_folder = dying("after", replacing._flush_folder)
replacing.replace_text(Path(file), "NEW=1\\n")
"""


@pytest.mark.parametrize("at", ["open", "fchmod", "fsync", "replace", "after"])
def test_a_kill_leaves_the_old_file_or_the_new_one_and_the_next_write_tidies_up(
    tmp_path: Path, at: str
) -> None:
    file = tmp_path / ".env"
    for _ in range(2):  # the second kill meets what the first one left
        file.write_text(OLD)
        killed = subprocess.run([sys.executable, "-c", KILLED_AT, at, file])
        assert killed.returncode == -signal.SIGKILL
        assert file.read_text() == ("NEW=1\n" if at == "after" else OLD)
        assert len(partials(tmp_path)) <= 1
    replace_text(file, "A=1\n")
    assert partials(tmp_path) == []


def test_the_partial_file_of_a_living_process_stays(tmp_path: Path) -> None:
    alive = tmp_path / f".env.{os.getppid()}.partial"
    alive.write_text("half")
    remove_leftovers(tmp_path / ".env")
    assert alive.exists()
