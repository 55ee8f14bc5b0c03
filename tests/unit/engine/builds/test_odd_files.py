"""A Dockerfile or an ignore file that is a pipe, a device or endless is refused, and hangs nothing."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from invoke_devstack.engine.builds.context import BuildContext, read_dockerfile
from invoke_devstack.errors import DevstackError
from invoke_devstack.planning.plan import BuildRequest

QUICK = 5.0  # seconds


@pytest.mark.parametrize("name", ["Dockerfile", ".dockerignore", "Dockerfile.dockerignore"])
@pytest.mark.parametrize("kind", ["pipe", "device", "sparse"])
def test_it_is_refused_at_once(tmp_path: Path, name: str, kind: str) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    file = tmp_path / name
    file.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(file)
    elif kind == "device":
        file.symlink_to("/dev/zero")
    else:
        file.touch()
        os.truncate(file, 1 << 40)
    began = time.monotonic()
    with pytest.raises(DevstackError, match=name):
        BuildContext.of(BuildRequest(context=str(tmp_path), dockerfile="Dockerfile", tag="x"))
    if name == "Dockerfile":
        with pytest.raises(DevstackError, match=name):
            read_dockerfile(BuildRequest(context=str(tmp_path), dockerfile="Dockerfile", tag="x"))
    assert time.monotonic() - began < QUICK
