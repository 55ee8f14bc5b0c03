"""One command at a time changes a project on one engine, whichever way the engine was found."""

from __future__ import annotations

from pathlib import Path

import pytest

from invoke_devstack.definition.model import Definition
from invoke_devstack.engine.endpoints import Endpoint
from invoke_devstack.errors import DevstackError
from invoke_devstack.events import Event
from invoke_devstack.running.locks import project_lock
from invoke_devstack.running.session import Session
from tests.fakes import FakeEngine


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The locks of these tests are nobody else's."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


def session_at(url: str, source: str) -> Session:
    engine = FakeEngine()
    engine.endpoint = Endpoint(url, source)
    events: list[Event] = []
    return Session(Definition(name="p", working_dir=Path("/p")), engine, events.append)


def test_two_contexts_have_two_locks(tmp_path: Path) -> None:
    one = session_at(f"unix://{tmp_path}/one.sock", "context one")
    two = session_at(f"unix://{tmp_path}/two.sock", "context two")
    with project_lock(one), project_lock(two, timeout=0):
        pass


def test_one_engine_has_one_lock_however_it_was_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "var").symlink_to(tmp_path / "run")
    by_default = session_at(f"unix://{tmp_path}/var/docker.sock", "default")
    by_host = session_at(f"unix://{tmp_path}/run/docker.sock", "DOCKER_HOST")
    with project_lock(by_default):
        monkeypatch.setenv("DOCKER_HOST", by_host.engine.endpoint.url)
        with pytest.raises(DevstackError, match="is held by"), project_lock(by_host, timeout=0):
            pass
