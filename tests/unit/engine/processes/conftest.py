"""Where the processes of each test are kept: away from those of other tests."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from invoke_devstack.engine.processes import folders

if TYPE_CHECKING:
    from tests.unit.engine.processes.place import Place


@pytest.fixture(autouse=True)
def fixed_place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Tests that run at the same time do not find each other's processes."""
    base = Path(tempfile.mkdtemp(prefix="f-", dir="/tmp"))
    monkeypatch.setattr(folders, "BASE", str(base))
    yield base
    shutil.rmtree(base)


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    from tests.unit.engine.processes.place import Place, short_folder, until  # what Windows cannot import

    runtime = short_folder()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    made = Place(folders.directory_of("unix:///var/run/docker.sock"))
    yield made
    for kept in made.keeper.all():
        assert runtime in kept.folder.parents, "another one's"
        made.keeper.remove(kept, force=True)
    until(lambda: not made.supervisors() and not made.recorders())
    assert not list(made.directory.glob("*"))
    shutil.rmtree(runtime)
