"""The script that restores, stopped at each of its commands, and again in the settling: the data is either
all old or all new, in both volumes."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from invoke_devstack.running import copy_container

SCRIPT = Path(copy_container.__file__).with_name("restore.sh")
WRAPPED = ("mv", "mkdir", "cp", "rm", "sync")
WRAPPER = """#!/bin/sh
left=$(cat "$COUNTER")
if [ "$left" -le 1 ]; then
    for last; do :; done
    [ NAME != cp ] || /bin/mkdir -p "$last" 2>/dev/null  # a copy that is cut off has begun
    echo 0 >"$COUNTER"
    kill -9 $PPID
    exit 137
fi
echo $((left - 1)) >"$COUNTER"
exec PROGRAM "$@"
"""
KEYS = ("a", "b")
NEVER = 10_000


class Volumes:
    """Two volumes with old data, and a snapshot of new data. `run` stops the script before its n-th command,
    as if the container had been killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.counter = folder / "counter"
        self.programs = folder / "programs"
        self.programs.mkdir()
        for name in WRAPPED:
            text = WRAPPER.replace("NAME", name).replace("PROGRAM", shutil.which(name) or name)
            (self.programs / name).write_text(text)
            (self.programs / name).chmod(0o755)
        for key in KEYS:
            self._fill(folder / "to" / key, "old")
            self._fill(folder / "from" / key, "new")

    def _fill(self, folder: Path, word: str) -> None:
        (folder / "deep").mkdir(parents=True)
        for name in ("file", f"only-{word}", ".hidden", "deep/file"):
            (folder / name).write_text(word)

    def run(self, *arguments: str, stop: int = NEVER, shell: str = "sh") -> tuple[int, str]:
        self.counter.write_text(str(stop))
        text = (
            SCRIPT.read_text().replace("/to/", f"{self.folder}/to/").replace("/from", f"{self.folder}/from")
        )
        ended = subprocess.run(
            [shell, "-c", text, "sh", *arguments],
            env={"PATH": f"{self.programs}:{os.environ['PATH']}", "COUNTER": str(self.counter)},
            capture_output=True,
            text=True,
            check=False,
        )
        return ended.returncode, ended.stdout.strip()

    def commands(self) -> int:
        """How many commands the last run took."""
        return NEVER - int(self.counter.read_text())

    def content(self) -> str:
        """`old` or `new` if all data of both volumes is, and nothing else is there."""
        for word in ("old", "new"):
            wanted = {"file": word, f"only-{word}": word, ".hidden": word, "deep/file": word}
            if all(self._files(key) == wanted for key in KEYS):
                return word
        return f"half: {[self._files(key) for key in KEYS]}"

    def _files(self, key: str) -> dict[str, str]:
        root = self.folder / "to" / key
        return {str(path.relative_to(root)): path.read_text() for path in root.rglob("*") if path.is_file()}


@pytest.fixture
def volumes(tmp_path: Path) -> Volumes:
    return Volumes(tmp_path)


def _commands_of_restore(folder: Path) -> int:
    whole = Volumes(folder)
    assert whole.run("restore", "0", *KEYS) == (0, "result new")
    return whole.commands()


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
def test_a_restore_puts_the_new_data_in_place(volumes: Volumes, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    assert volumes.run("restore", "0", *KEYS) == (0, "result new")
    assert volumes.content() == "new"


def test_stopped_anywhere_twice_it_ends_as_all_old_or_all_new(tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    total = _commands_of_restore(tmp_path / "whole")
    results = []
    for first in range(1, total + 1):
        folder = tmp_path / str(first)
        folder.mkdir()
        volumes = Volumes(folder)
        assert volumes.run("restore", "0", *KEYS, stop=first)[0] == -9
        second = 1
        while volumes.run("finish", *KEYS, stop=second)[0] == -9:
            second += 1 + first % 3  # from one stop to the next, with different steps
        code, result = volumes.run("finish", *KEYS)
        assert code == 0
        assert result in ("result none", f"result {volumes.content()}")
        results.append(volumes.content())
        shutil.rmtree(folder)
    switched = results.index("new")
    assert set(results[:switched]) == {"old"}
    assert set(results[switched:]) == {"new"}


def test_a_damaged_snapshot_is_noticed_before_anything_changes(volumes: Volumes) -> None:
    assert volumes.run("restore", "13", *KEYS)[0] == 0  # two folders with six entries each, and their parent
    shutil.rmtree(volumes.folder)
    volumes.folder.mkdir()
    volumes = Volumes(volumes.folder)
    (volumes.folder / "from/b/deep/file").unlink()
    assert volumes.run("restore", "13", *KEYS)[0] == 26
    assert volumes.content() == "old"


def test_a_copy_that_fails_is_undone(volumes: Volumes) -> None:
    (volumes.programs / "cp").write_text(
        "#!/bin/sh\nmkdir -p \"$3\"; echo 'No space left on device' >&2; exit 1\n"
    )
    assert volumes.run("restore", "0", *KEYS) == (27, "result old")
    assert volumes.content() == "old"
