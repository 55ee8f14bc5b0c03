"""The life of containers on a real engine."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import pytest

from invoke_devstack.engine.docker_engine import DockerEngine
from invoke_devstack.errors import ConflictError, EngineError, NotFoundError, PortTakenError
from tests.engine.conftest import Run

FOREVER = "trap 'exit 3' TERM; trap 'exit 4' USR1; echo ready; while :; do sleep 0.05; done"


def test_a_container_runs_from_creation_to_removal(engine: DockerEngine, run: Run) -> None:
    made = run("exit 5")
    assert engine.wait(made) == 5
    engine.remove_container(made)
    with pytest.raises(NotFoundError):
        engine.inspect_container(made)


def test_a_name_that_is_taken_is_a_conflict(engine: DockerEngine, run: Run) -> None:
    run("true", started=False)
    with pytest.raises(ConflictError):
        run("true", started=False)


def test_an_image_that_is_not_there_is_named(engine: DockerEngine, run: Run) -> None:
    with pytest.raises(NotFoundError, match="nosuch:1"):
        run("true", started=False, Image="nosuch:1")


def test_stop_sends_the_containers_own_signal(engine: DockerEngine, run_ready: Run) -> None:
    made = run_ready(FOREVER)
    engine.stop(made, grace=5)
    assert engine.wait(made) == 3


def test_stop_sends_another_signal_on_request(engine: DockerEngine, run_ready: Run) -> None:
    made = run_ready(FOREVER)
    engine.stop(made, signal="SIGUSR1", grace=5)
    assert engine.wait(made) == 4


@pytest.mark.parametrize("grace", [1.0, 0.3])
def test_stop_kills_what_outlives_its_grace_period(
    engine: DockerEngine, run_ready: Run, grace: float
) -> None:
    made = run_ready("trap '' TERM; echo ready; while :; do sleep 0.05; done")
    began = time.monotonic()
    engine.stop(made, grace=grace)
    assert engine.wait(made) == 137
    assert grace <= time.monotonic() - began < 10, "the default grace period is no shorter"


def test_stopping_a_container_that_has_ended_is_no_error(engine: DockerEngine, run: Run) -> None:
    made = run("true")
    engine.wait(made)
    engine.stop(made)
    engine.stop(made, signal="SIGUSR1", grace=0.2)


def test_a_stopped_container_does_not_come_back_by_its_restart_policy(
    engine: DockerEngine, run_ready: Run
) -> None:
    made = run_ready(FOREVER, HostConfig={"RestartPolicy": {"Name": "always"}})
    engine.stop(made, signal="SIGUSR1", grace=2.5)
    time.sleep(0.3)
    assert not engine.inspect_container(made)["State"]["Running"]


def test_restart_starts_it_anew(engine: DockerEngine, run: Run) -> None:
    made = run(FOREVER)
    before = engine.inspect_container(made)["State"]["StartedAt"]
    engine.restart(made, grace=1)
    after = engine.inspect_container(made)["State"]
    assert after["Running"]
    assert after["StartedAt"] > before


def test_killing_a_container_that_does_not_run_is_a_conflict(engine: DockerEngine, run: Run) -> None:
    with pytest.raises(ConflictError):
        engine.kill(run("true", started=False))


def test_pause_and_unpause(engine: DockerEngine, run: Run) -> None:
    made = run(FOREVER)
    engine.pause(made)
    assert engine.inspect_container(made)["State"]["Paused"]
    engine.unpause(made)
    assert not engine.inspect_container(made)["State"]["Paused"]


def test_rename_gives_another_name(engine: DockerEngine, run: Run, project: str) -> None:
    made = run("true", started=False)
    engine.rename(made, f"{project}-other")
    assert engine.inspect_container(f"{project}-other")["Id"] == made


def test_wait_gives_up_after_its_time(engine: DockerEngine, run: Run) -> None:
    made = run(FOREVER)
    with pytest.raises(TimeoutError):
        engine.wait(made, timeout=0.2)


def test_wait_returns_as_soon_as_the_container_ends(engine: DockerEngine, run: Run) -> None:
    made = run(FOREVER)
    ended: list[float] = []

    def wait() -> None:
        engine.wait(made)
        ended.append(time.monotonic())

    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(0.2)
    engine.kill(made)
    waiting.join(60)
    assert ended


def test_removing_a_running_container_needs_force(engine: DockerEngine, run: Run) -> None:
    made = run(FOREVER)
    with pytest.raises(ConflictError):
        engine.remove_container(made)
    engine.remove_container(made, force=True)


def test_two_that_remove_the_same_container_both_find_it_gone(engine: DockerEngine, run: Run) -> None:
    made = run(FOREVER)
    errors: list[Exception] = []

    def remove() -> None:
        try:
            engine.remove_container(made, force=True)
        except NotFoundError:
            pass
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=remove) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    with pytest.raises(NotFoundError):
        engine.inspect_container(made)


def test_a_port_that_is_taken_is_named(engine: DockerEngine, run: Run) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        binding = {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(port)}]}
        made = run(FOREVER, started=False, ExposedPorts={"80/tcp": {}}, HostConfig={"PortBindings": binding})
        with pytest.raises(PortTakenError) as caught:
            engine.start(made)
    assert caught.value.port == port
    assert caught.value.host_ip == "127.0.0.1"
    assert str(port) in caught.value.message
    assert "--ports auto" in caught.value.hint


def test_a_port_that_another_container_has_is_named(engine: DockerEngine, run: Run) -> None:
    binding = {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}]}
    first = run(FOREVER, ExposedPorts={"80/tcp": {}}, HostConfig={"PortBindings": binding})
    port = engine.inspect_container(first)["NetworkSettings"]["Ports"]["80/tcp"][0]["HostPort"]
    binding = {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": port}]}
    second = run(
        FOREVER, name="two", started=False, ExposedPorts={"80/tcp": {}}, HostConfig={"PortBindings": binding}
    )
    with pytest.raises(PortTakenError) as caught:
        engine.start(second)
    assert caught.value.port == int(port)


def test_a_command_that_is_not_in_the_image_is_named(engine: DockerEngine, run: Run) -> None:
    made = run("true", started=False, Cmd=["no-such-program"])
    with pytest.raises(EngineError, match="no command `no-such-program`") as caught:
        engine.start(made)
    assert "entrypoint" in caught.value.hint


def test_a_bind_source_that_is_missing_is_named(run: Run, tmp_path: Path) -> None:
    mount = {"Type": "bind", "Source": str(tmp_path / "none"), "Target": "/data"}
    with pytest.raises(EngineError, match=f"{tmp_path}/none does not exist"):
        run("true", HostConfig={"Mounts": [mount]})


def test_top_lists_processes(engine: DockerEngine, run_ready: Run) -> None:
    made = run_ready(FOREVER)
    assert any("while" in " ".join(row) for row in engine.top(made)["Processes"])


def test_changes_name_files_that_differ_from_the_image(engine: DockerEngine, run: Run) -> None:
    made = run("echo x > /root/new")
    engine.wait(made)
    assert {"Path": "/root/new", "Kind": 1} in engine.changes(made)


def test_stats_come_as_they_are_made(engine: DockerEngine, run: Run) -> None:
    readings = engine.stats(run(FOREVER))
    assert next(readings)["memory_stats"]
    assert next(readings)["read"] > "20"


def test_thirty_two_threads_may_use_one_engine_at_once(engine: DockerEngine, run: Run) -> None:
    made = run(FOREVER)
    failures: list[Exception] = []

    def work(number: int) -> None:
        try:
            for turn in range(5):
                result = engine.exec(made, ["echo", f"{number} {turn}"]) if turn % 2 else None
                assert result is None or result.output == f"{number} {turn}\n".encode()
                engine.list_containers({"label": [f"number={number}"]})
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
