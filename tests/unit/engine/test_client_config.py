"""What Docker's client configuration gives to containers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from invoke_devstack.engine.endpoints import client_proxies, read_config


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    return tmp_path


def test_proxies_are_those_of_the_engine_or_the_default(folder: Path) -> None:
    proxies = {"tcp://far:2375": {"httpProxy": "http://far:1"}, "default": {"noProxy": "near"}}
    (folder / "config.json").write_text(json.dumps({"proxies": proxies}))
    assert client_proxies("tcp://far:2375") == {"HTTP_PROXY": "http://far:1", "http_proxy": "http://far:1"}
    assert client_proxies("unix:///var/run/docker.sock") == {"NO_PROXY": "near", "no_proxy": "near"}


@pytest.mark.parametrize("text", [None, "{", "[]"])
def test_a_missing_or_unreadable_configuration_is_empty(folder: Path, text: str | None) -> None:
    if text:
        (folder / "config.json").write_text(text)
    assert read_config() == {}
    assert client_proxies("unix:///x") == {}
