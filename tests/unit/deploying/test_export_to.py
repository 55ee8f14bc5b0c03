"""Writing the export: private secrets, nothing half done, nothing replaced unasked."""

from __future__ import annotations

from pathlib import Path

import pytest

from invoke_devstack.definition import load
from invoke_devstack.definition.model import Definition
from invoke_devstack.deploying.export import export_to, is_occupied
from invoke_devstack.errors import DevstackError, FileError


def definition_with(folder: Path, secret: Path) -> Definition:
    (folder / "compose.yaml").write_text(
        f"services: {{a: {{image: x, secrets: [f]}}}}\nsecrets: {{f: {{file: {secret}}}}}\n"
    )
    return load(folder, environment={}, project_name="p")


def test_files_are_written_and_secrets_are_private(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"\x00\xff")
    target = tmp_path / "out" / "k8s"
    _, files = export_to(definition_with(tmp_path, secret), target)
    assert files == ("a.yaml", "secrets/.gitignore", "secrets/f", "kustomization.yaml")
    assert (target / "secrets/f").read_bytes() == b"\x00\xff"
    assert (target / "secrets").stat().st_mode & 0o77 == 0
    assert (target / "secrets/f").stat().st_mode & 0o777 == 0o600


def test_a_missing_secret_leaves_no_directory(tmp_path: Path) -> None:
    with pytest.raises(FileError):
        export_to(definition_with(tmp_path, tmp_path / "none"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_large_secret_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"x" * ((1 << 20) + 1))
    with pytest.raises(DevstackError, match="at most 1048576"):
        export_to(definition_with(tmp_path, secret), tmp_path / "out")


def test_only_an_empty_directory_is_free(tmp_path: Path) -> None:
    assert not is_occupied(tmp_path / "missing")
    assert not is_occupied(tmp_path)
    (tmp_path / "a").touch()
    assert is_occupied(tmp_path)
    with pytest.raises(FileError):
        is_occupied(tmp_path / "a")
