"""Who is named as the user of a port."""

from __future__ import annotations

from pathlib import Path

import pytest

from invoke_devstack.engine.containers import port_holders
from invoke_devstack.engine.containers.port_holders import find_holder
from invoke_devstack.engine.docker_engine import DockerEngine
from tests.engine.conftest import Run
from tests.functional.conftest import find_free_port


def _published(run: Run, port: int) -> str:
    bindings = {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(port)}]}
    return run("sleep 60", ExposedPorts={"80/tcp": {}}, HostConfig={"PortBindings": bindings})


def test_a_container_is_named_and_not_the_engines_proxy(engine: DockerEngine, run: Run) -> None:
    port = find_free_port()
    made = _published(run, port)
    name = engine.inspect_container(made)["Name"].lstrip("/")
    assert find_holder(engine, port).startswith(f"container {name} (project ")


def test_the_proxy_leads_to_its_container_before_the_engine_lists_the_port(
    engine: DockerEngine, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = find_free_port()
    made = _published(run, port)
    pid = port_holders._listening(port)
    if not pid or Path(f"/proc/{pid}/comm").read_text("utf-8").strip() != "docker-proxy":
        pytest.skip("this engine publishes ports without a proxy process that we can see")
    name = engine.inspect_container(made)["Name"].lstrip("/")
    monkeypatch.setattr(port_holders, "_publishing", lambda engine, port: None)
    assert find_holder(engine, port).startswith(f"container {name} (project ")
