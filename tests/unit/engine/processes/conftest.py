from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from invoke_devstack.engine.processes import folders


@pytest.fixture(autouse=True)
def fixed_place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Tests that run at the same time do not find each other's processes."""
    base = Path(tempfile.mkdtemp(prefix="f-", dir="/tmp"))
    monkeypatch.setattr(folders, "BASE", str(base))
    yield base
    shutil.rmtree(base)
