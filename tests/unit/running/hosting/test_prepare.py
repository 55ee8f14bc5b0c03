"""What cannot run on this machine is refused before anything is done."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from invoke_devstack.definition import load
from invoke_devstack.definition.model import Definition
from invoke_devstack.definition.processes.process import Process
from invoke_devstack.engine.endpoints import Endpoint
from invoke_devstack.engine.processes import folders
from invoke_devstack.errors import DefinitionError, UsageError
from invoke_devstack.planning.hosting.hosted import HostedService
from invoke_devstack.planning.hosting.paths import PrivateFile
from invoke_devstack.running.hosting.prepare import (
    Hosting,
    files_folder,
    host_services,
    read_host,
    write_files,
)
from invoke_devstack.settings import Settings

FILE = """
name: shop
services:
  web:
    image: a
    stop_signal: SIGINT
    stop_grace_period: 3s
    x-devstack: {host: {command: serve}}
  built:
    build: {context: ./app}
  lost:
    image: a
    x-devstack: {host: {command: serve, working_dir: ./lost}}
"""


def definition(folder: Path, more: str = "") -> Definition:
    (folder / "app").mkdir(parents=True)
    (folder / "app/Dockerfile").write_text('FROM a\nCMD ["python", "serve.py"]\n', encoding="utf-8")
    (folder / "compose.yaml").write_text(FILE + more, encoding="utf-8")
    return load(folder, environment={})


def engine(url: str) -> Any:
    """No request is made before the refusal."""
    return SimpleNamespace(endpoint=Endpoint(url))


def test_what_the_block_leaves_out_is_as_for_the_container(tmp_path: Path) -> None:
    process = read_host(definition(tmp_path), "web")
    assert process.working_dir == str(tmp_path)
    assert process.stop_signal == "SIGINT"
    assert float(process.stop_grace_period or 0) == 3


def test_a_service_without_a_block_is_told_what_to_add(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read_host(definition(tmp_path), "built")
    assert caught.value.details == (
        "x-devstack:",
        "  host:",
        "    command: python serve.py",
        "    working_dir: ./app",
    )
    assert "below `services.built` in compose.yaml" in caught.value.hint


def test_a_folder_that_is_not_there_is_told_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="there is no such folder") as caught:
        read_host(definition(tmp_path), "lost")
    assert caught.value.position is not None
    assert caught.value.position.key == "services.lost.x-devstack.host.working_dir"


def test_an_engine_on_another_machine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the engine is on another machine, far"):
        host_services(definition(tmp_path), engine("tcp://far:2376"), Settings(), ["web"])


def test_a_container_that_others_share_cannot_be_a_process(tmp_path: Path) -> None:
    shared = definition(tmp_path, '  side: {image: a, network_mode: "service:web"}\n')
    with pytest.raises(UsageError, match="`side` shares its container"):
        host_services(shared, engine("unix:///docker.sock"), Settings(), ["web"])


@pytest.mark.skipif(sys.platform == "win32", reason="there is no private folder on Windows")
def test_a_secret_may_be_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key store is no text."""
    runtime = tempfile.mkdtemp(prefix="p-", dir="/tmp")
    monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
    monkeypatch.setattr(folders, "BASE", runtime)
    (tmp_path / "keys").write_bytes(b"\xfe\xed\xfe\xed\0\xff")
    place = files_folder(engine("unix:///run/docker.sock"), "shop", "web") / "run/secrets/keys"
    files = (
        PrivateFile("secret `keys`", "/run/secrets/keys", str(place), source=str(tmp_path / "keys")),
        PrivateFile("secret `word`", "/run/secrets/word", f"{place}.word", content="grün"),
    )
    hosted = HostedService(process=Process(), variables={}, files=files)
    hosting = Hosting(definition(tmp_path), {"web": hosted})
    for _ in range(2):
        write_files(hosting)
    assert place.read_bytes() == b"\xfe\xed\xfe\xed\0\xff"
    assert Path(f"{place}.word").read_text("utf-8") == "grün"
    assert place.stat().st_mode & 0o777 == 0o600
    shutil.rmtree(runtime)


def test_windows_has_no_supervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(UsageError, match="not supported on Windows"):
        host_services(definition(tmp_path), engine("npipe:////./pipe/docker_engine"), Settings(), ["web"])
