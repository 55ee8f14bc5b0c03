"""Docker's configuration may hold anything: it is passed over, or named in the error."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from invoke_devstack.engine.endpoints import client_proxies, find_endpoint
from invoke_devstack.engine.images.references import Reference
from invoke_devstack.engine.images.transfers import credentials
from invoke_devstack.errors import EngineUnavailableError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


RUBBISH = (
    b"",
    b"[]",
    b"5",
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"auths": 5, "proxies": [], "credHelpers": "x", "credsStore": {}}',
    b'{"auths": {"docker.io": 5}, "proxies": {"default": "x"}, "credsStore": 7}',
    b'{"proxies": {"default": {"httpProxy": 5}}, "auths": {"docker.io": {"auth": 5}}}',
)


@pytest.mark.parametrize("content", RUBBISH)
def test_rubbish_is_passed_over(folder: Path, content: bytes) -> None:
    (folder / "config.json").write_bytes(content)
    find_endpoint()
    assert client_proxies("unix:///x") == {}
    assert credentials(Reference.parse("redis:8"))


@pytest.mark.parametrize("name", [5, ["x"], {"a": 1}])
def test_a_context_must_have_a_name(folder: Path, name: object) -> None:
    (folder / "config.json").write_text(json.dumps({"currentContext": name}))
    with pytest.raises(EngineUnavailableError, match="currentContext"):
        find_endpoint()


@pytest.mark.parametrize(
    "meta",
    [
        b"",
        b"[]",
        b"null",
        b"[" * 100_000,
        b"\xff",
        b'{"Endpoints": []}',
        b'{"Endpoints": {"docker": {"Host": 5}}}',
    ],
)
def test_a_context_of_rubbish_is_named(folder: Path, meta: bytes) -> None:
    place = folder / "contexts" / "meta" / hashlib.sha256(b"odd").hexdigest()
    place.mkdir(parents=True)
    (place / "meta.json").write_bytes(meta)
    with pytest.raises(EngineUnavailableError, match="`odd` is unusable: its file is invalid"):
        find_endpoint({**os.environ, "DOCKER_CONTEXT": "odd"})


def test_a_pipe_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "config.json")
    found: Mapping[str, Any] = client_proxies("unix:///x")
    assert found == {}


def test_a_helper_that_hangs_is_left_behind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper = folder / "docker-credential-hangs"
    helper.write_text("#!/bin/sh\nexec sleep 5\n")
    helper.chmod(0o755)
    (folder / "config.json").write_text('{"credsStore": "hangs"}')
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setattr("invoke_devstack.engine.images.transfers._HELPER", 0.3)
    assert credentials(Reference.parse("redis:8"))
