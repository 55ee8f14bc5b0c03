"""Errors of the operating system, as sentences with a hint that helps."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from invoke_devstack.definition.output.secret_values import learn_variables
from invoke_devstack.local_files.failures import file_error
from invoke_devstack.secrets import SecretValues


def failed(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def test_a_full_disk_is_looked_at_where_the_directory_itself_is(tmp_path: Path) -> None:
    assert file_error(failed(errno.ENOSPC), "write", tmp_path).hint.endswith(f"`df -h {tmp_path}`.")
    assert file_error(failed(errno.ENOSPC), "write", tmp_path / "x").hint.endswith(f"`df -h {tmp_path}`.")


def test_a_directory_that_is_missing_is_made_before_a_file_in_it_is_written(tmp_path: Path) -> None:
    missing = tmp_path / "none" / "x"
    hint = file_error(failed(errno.ENOENT), "write", missing).hint
    assert hint == f"Create the directory: `mkdir -p {missing.parent}`."
    assert "mkdir" not in file_error(failed(errno.ENOENT), "read", missing).hint


@pytest.fixture
def gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current directory is removed."""
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()


@pytest.mark.usefixtures("gone")
def test_a_current_directory_that_was_removed_is_told_so() -> None:
    with pytest.raises(FileNotFoundError) as raised:
        Path.cwd()
    error = file_error(raised.value)
    assert error.message == "the current directory no longer exists"
    assert "`cd`" in error.hint
    assert "x" in file_error(failed(errno.ENOENT), "read", "x").message


@pytest.mark.usefixtures("gone")
def test_secrets_are_learned_without_a_current_directory_or_no_error_would_be_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB_PASSWORD", "s3cr3t-of-mine")
    values = SecretValues()
    learn_variables(values, tmp_path, ())
    assert "s3cr3t-of-mine" not in values.hide("it was s3cr3t-of-mine")
