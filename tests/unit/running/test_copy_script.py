"""The script that copies a volume: blocks are shared where `cp` and the file system can."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from invoke_devstack.running import copy_container

SCRIPT = Path(copy_container.__file__).with_name("copy.sh")
OLD_CP = """#!/bin/sh
echo "$@" >>"$SAID"
case "$*" in *--reflink*) echo "unknown option" >&2; exit 1 ;; esac
exec PROGRAM "$@"
"""
NEW_CP = """#!/bin/sh
echo "$@" >>"$SAID"
exec PROGRAM "$@"
"""


def copied(folder: Path, program: str) -> str:
    """How `cp` was called for the data, which has arrived."""
    cp = folder / "programs" / "cp"
    cp.parent.mkdir()
    cp.write_text(program.replace("PROGRAM", shutil.which("cp") or "cp"))
    cp.chmod(0o755)
    (folder / "from" / "deep").mkdir(parents=True)
    (folder / "from" / "deep" / "file").write_text("data")
    (folder / "to").mkdir()
    text = SCRIPT.read_text().replace("/to", f"{folder}/to").replace("/from", f"{folder}/from")
    ended = subprocess.run(
        ["sh", "-c", text],
        env={"PATH": f"{cp.parent}:{os.environ['PATH']}", "SAID": str(folder / "said")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    assert ended.stdout.splitlines()[-1].startswith("entries ")
    assert (folder / "to" / "deep" / "file").read_text() == "data"
    return (folder / "said").read_text().splitlines()[-1]


def test_a_cp_that_knows_no_reflinks_copies(tmp_path: Path) -> None:
    assert copied(tmp_path, OLD_CP).startswith("-a /")


def test_a_cp_that_knows_reflinks_is_asked_for_them(tmp_path: Path) -> None:
    known = subprocess.run(
        ["cp", "--reflink=auto", "/dev/null", "/dev/zero"], capture_output=True, check=False
    )
    if known.returncode:
        pytest.skip("this machine's cp knows no reflinks")
    assert copied(tmp_path, NEW_CP).startswith("-a --reflink=auto /")
