"""The files of a release: complete, the same each time, and fit for an index."""

from __future__ import annotations

import os
import subprocess
import tarfile
import time
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from tests.functional.conftest import ROOT
from tests.functional.package.conftest import EPOCH, Built
from tools.release import build, check, supported_pythons, version

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def metadata(wheel: Path) -> dict[str, list[str]]:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        message = Parser().parsestr(archive.read(name).decode())
    return {key: [str(value) for value in message.get_all(key, [])] for key in message}


def test_an_index_takes_both_files(built: Built) -> None:
    check(built.files)


def test_a_second_build_gives_the_same_bytes(
    built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Later, in another time zone, by somebody whose files nobody else may read."""
    monkeypatch.setenv("TZ", "Asia/Seoul")
    time.tzset()
    mask = os.umask(0o077)
    try:
        again = build(tmp_path, EPOCH)
    finally:
        os.umask(mask)
        monkeypatch.undo()
        time.tzset()
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in built.files]


def test_the_wheel_has_every_file_of_the_package_and_no_other(built: Built) -> None:
    known = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "invoke_devstack"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    with zipfile.ZipFile(built.wheel) as archive:
        brought = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert brought == {name for name in known.stdout.splitlines() if (ROOT / name).is_file()}


def test_the_sdist_has_what_a_distributor_needs(built: Built) -> None:
    with tarfile.open(built.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    needed = {"LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml", "tasks.py", "requirements-dev.txt"}
    assert needed <= names
    assert {f"tests/unit/{name}" for name in ("__init__.py", "test_docs.py")} <= names
    assert not any(name.startswith((".venv", ".env", "dist")) for name in names)


def test_the_metadata_say_what_a_stranger_asks(built: Built) -> None:
    found = metadata(built.wheel)
    assert found["Version"] == [version()]
    assert found["License-Expression"] == ["MIT"]
    assert found["License-File"] == ["LICENSE"]
    assert found["Requires-Python"] == [">=3.11"]
    assert supported_pythons() == ["3.11", "3.12", "3.13", "3.14"]
    assert set(found["Provides-Extra"]) == set(PROJECT["optional-dependencies"])
    assert "Project-URL" not in found
