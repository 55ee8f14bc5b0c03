"""What is seen of a project on a real engine."""

from __future__ import annotations

import time

from invoke_devstack.engine.docker_engine import DockerEngine
from tests.engine.conftest import Run, until

FOREVER = "while :; do sleep 0.05; done"


def test_the_engine_says_what_it_is(engine: DockerEngine) -> None:
    info = engine.info()
    assert info.api >= (1, 41)
    assert info.version[0].isdigit()
    assert info.architecture
    assert info.os == "linux"


def test_containers_are_seen_with_all_that_the_planner_asks_for(
    engine: DockerEngine, run: Run, project: str, busybox: str
) -> None:
    engine.create_network(f"{project}_net", {"Labels": {"com.docker.compose.project": project}})
    engine.create_volume(f"{project}_data", {"Labels": {"com.docker.compose.project": project}})
    made = run(
        FOREVER,
        ExposedPorts={"80/tcp": {}},
        HostConfig={
            "NetworkMode": f"{project}_net",
            "PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}]},
            "Mounts": [{"Type": "volume", "Source": f"{project}_data", "Target": "/data"}],
        },
        StopSignal="SIGINT",
    )
    seen = engine.observe(project, images=[busybox, "no-such:1"], networks=["bridge"])
    (container,) = seen.containers
    assert container.id == made
    assert container.name == f"{project}-web-1"
    assert container.service == "web"
    assert container.state == "running"
    assert container.exit_code is None
    assert container.image == busybox
    assert container.image_id == seen.images[busybox].id
    assert [(port.host_ip, port.container_port) for port in container.ports] == [("127.0.0.1", 80)]
    assert container.ports[0].host_port > 0
    assert container.networks == {f"{project}_net": seen.networks[f"{project}_net"].id}
    assert [(mount.type, mount.name, mount.target) for mount in container.mounts] == [
        ("volume", f"{project}_data", "/data")
    ]
    assert set(seen.networks) == {"bridge", f"{project}_net"}
    assert set(seen.volumes) == {f"{project}_data"}
    assert set(seen.images) == {busybox}
    (inspected,) = engine.observe(project, inspect=True).containers
    assert inspected.started_at.startswith("20")
    assert inspected.stop_signal == "SIGINT"
    assert inspected.environment == {"PATH": "/bin"}


def test_the_code_of_a_container_that_ended_is_seen(engine: DockerEngine, run: Run, project: str) -> None:
    engine.wait(run("exit 42"))
    deadline = time.monotonic() + 60
    while (container := engine.observe(project).containers[0]).state != "exited":
        assert time.monotonic() < deadline  # the list of containers may be a moment behind
        time.sleep(0.02)
    assert (container.state, container.exit_code) == ("exited", 42)


def test_a_container_that_never_ran_has_no_code(engine: DockerEngine, run: Run, project: str) -> None:
    run("true", started=False)
    (container,) = engine.observe(project, inspect=True).containers
    assert (container.state, container.exit_code, container.started_at) == ("created", None, "")


def test_health_is_seen_as_it_changes(engine: DockerEngine, run: Run, project: str) -> None:
    check = {"Test": ["CMD", "test", "-e", "/tmp/fine"], "Interval": 200_000_000, "Retries": 1000}
    made = run(FOREVER, Healthcheck=check)
    assert engine.observe(project).containers[0].health == "starting"
    engine.exec(made, ["touch", "/tmp/fine"])
    until(lambda: engine.observe(project).containers[0].health == "healthy")


def test_a_volume_without_labels_is_seen_by_its_name(engine: DockerEngine, project: str) -> None:
    name = f"{project}-bare"
    engine.create_volume(name, {})
    try:
        assert name not in engine.observe(project).volumes
        assert name in engine.observe(project, volumes=[name]).volumes
    finally:
        engine.remove_volume(name)


def test_observing_three_services_takes_a_few_milliseconds(
    engine: DockerEngine, run: Run, project: str, busybox: str
) -> None:
    for name in ("one", "two", "three"):
        run(FOREVER, name=name)
    times, listings = [], []
    for _ in range(10):
        began = time.perf_counter()
        engine.observe(project, images=[busybox], networks=["bridge"])
        times.append(time.perf_counter() - began)
        began = time.perf_counter()
        engine.list_containers({})
        listings.append(time.perf_counter() - began)
    assert min(times) < max(0.015, 8 * min(listings))  # on a machine that does other things too
