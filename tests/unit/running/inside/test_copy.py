"""What is refused before anything is copied, and where a copy goes on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from invoke_devstack.errors import FileError, NotFoundError, UsageError
from invoke_devstack.running.inside.copy import _target_here, copy
from invoke_devstack.running.options import UpOptions
from invoke_devstack.running.session import Session
from invoke_devstack.running.stack.up import bring_up
from tests.fakes import FakeEngine
from tests.unit.planning.building import stack


def test_a_directory_that_is_missing_is_told_with_what_makes_it(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="does not exist") as raised:
        _target_here(f"{tmp_path}/none/x", is_folder=False, contents=False)
    assert raised.value.hint == f"Create it: `mkdir -p {tmp_path}/none`."


def test_a_file_where_a_directory_is_needed_is_named_and_no_mkdir_is_advised(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("kept")
    with pytest.raises(FileError, match=f"{tmp_path}/plain is a file") as raised:
        _target_here(f"{tmp_path}/plain/x", is_folder=False, contents=False)
    assert "mkdir" not in raised.value.hint


@pytest.mark.parametrize(("source", "destination"), [("", "web:/x"), ("web:/x", "")])
def test_an_empty_path_is_no_directory_to_copy(source: str, destination: str) -> None:
    with pytest.raises(UsageError, match="empty"):
        copy(cast("Session", None), source, destination)


@pytest.mark.parametrize(("source", "destination"), [("web:", "."), ("x.sql", "web:")])
def test_a_service_without_a_path_is_not_all_its_files(source: str, destination: str) -> None:
    engine = FakeEngine()
    engine.add_image("image")
    session = Session(stack({"web": {"image": "image"}}), engine, lambda event: None)
    bring_up(session, UpOptions())
    with pytest.raises(UsageError, match="empty path in `web:`") as raised:
        copy(session, source, destination)
    assert "`web:/`" in raised.value.hint
