"""The doctor's checks, each on what it would find."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from invoke_devstack.definition import load
from invoke_devstack.planning.labels import STAND_IN
from invoke_devstack.settings import Settings
from invoke_devstack.setup.doctor import Check, run_doctor
from invoke_devstack.setup.doctor.check import Subject
from invoke_devstack.setup.doctor.host_checks import (
    check_clock,
    check_disk,
    check_file_events,
    check_memory,
    file_system_of,
    measure_file_event,
)
from invoke_devstack.setup.doctor.network_checks import (
    check_proxy,
    check_rate_limit,
    check_registry,
    read_logins,
)
from invoke_devstack.setup.doctor.stack_checks import (
    check_architecture,
    check_env_file,
    check_images,
    check_ports,
)
from invoke_devstack.setup.machine import Machine, System
from invoke_devstack.setup.registry import Reached
from tests.fakes import FakeEngine

DEBIAN = Machine(System("debian", "Debian"), (), terminal=False)


def subject(folder: Path, compose: str = "", **fields: Any) -> Subject:
    if compose:
        (folder / "compose.yaml").write_text(compose)
        fields["definition"] = load(folder)
    return Subject(DEBIAN, folder, Settings(), **fields)


def only(checks: Iterable[Check]) -> Check:
    (check,) = checks
    return check


# files and the machine


def test_room_on_disk_is_well(tmp_path: Path) -> None:
    check = only(check_disk(subject(tmp_path)))
    assert check.state in ("ok", "warning")
    assert "GiB free" in check.found


def test_services_that_may_take_more_memory_than_there_is_are_told(tmp_path: Path) -> None:
    compose = "services: {a: {image: x, mem_limit: 900g, scale: 2}}"
    check = only(check_memory(subject(tmp_path, compose)))
    assert check.state == "warning"
    assert "the services may use 1800.0 GiB" in check.found


def test_an_engine_whose_clock_is_off_is_told(tmp_path: Path) -> None:
    check = only(check_clock(subject(tmp_path, info={"SystemTime": "2020-01-01T00:00:00.123456789Z"})))
    assert check.state == "warning"
    assert "differs from this machine's" in check.found


def test_file_events_come_within_a_moment(tmp_path: Path) -> None:
    seconds = measure_file_event()
    assert seconds is not None
    assert seconds < 1.0
    assert only(check_file_events(subject(tmp_path))).state in ("ok", "warning")


def test_the_file_system_of_a_folder_is_that_of_the_nearest_mount() -> None:
    assert file_system_of(Path("/proc/self")) == "proc"


# networks


def test_a_registry_that_answers_is_well_and_says_whether_there_is_a_login() -> None:
    check = check_registry(Reached("ghcr.io", 0.12), [], logged_in=True)
    assert (check.state, check.found) == ("ok", "answered in 120 ms, logged in")


def test_a_registry_out_of_reach_matters_by_what_is_missing() -> None:
    gone = Reached("registry-1.docker.io", 3.0, "no answer in time")
    assert check_registry(gone, [], logged_in=False).state == "warning"
    assert check_registry(gone, ["redis:8"], logged_in=False).fix == "invoke setup"
    hopeless = check_registry(gone, ["redis:8", "postgres:17"], logged_in=False)
    assert (hopeless.state, hopeless.matters) == (
        "failed",
        "Missing, and no stand-in can be built: postgres:17.",
    )


def test_a_certificate_that_is_not_trusted_is_fixed_with_the_authority() -> None:
    gone = Reached("ghcr.io", 0.1, "its certificate is not trusted here (self-signed)", is_untrusted=True)
    assert "update-ca-certificates" in check_registry(gone, [], logged_in=False).fix


def test_logins_are_those_of_dockers_configuration(tmp_path: Path) -> None:
    config = {"auths": {"https://index.docker.io/v1/": {}}, "credHelpers": {"ghcr.io": "x"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert read_logins({"DOCKER_CONFIG": str(tmp_path)}) == {"registry-1.docker.io", "ghcr.io"}


def test_a_broken_configuration_has_no_login(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    assert read_logins({"DOCKER_CONFIG": str(tmp_path)}) == frozenset()


@pytest.mark.parametrize(("left", "state"), [(76, "ok"), (3, "warning"), (0, "failed")])
def test_the_pulls_that_are_left_are_told(registry: str, left: int, state: str) -> None:
    check = only(check_rate_limit(f"http://{registry}/token", f"http://{registry}/limit/{left}"))
    assert check.state == state
    assert check.found == f"{left} of 100 pulls left for this address"


def test_a_limit_that_cannot_be_asked_for_is_left_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host = f"127.0.0.1:{listener.getsockname()[1]}"
    assert list(check_rate_limit(f"http://{host}/token", f"http://{host}/limit/1")) == []


def test_a_proxy_is_told_without_its_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://ann:secret@proxy.test:3128")
    check = only(check_proxy(subject(tmp_path)))
    assert "proxy.test:3128" in check.found
    assert "secret" not in check.found


# the stack


def test_a_port_that_a_process_holds_is_named_with_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        compose = f"services: {{web: {{image: x, ports: ['{port}:80']}}}}"
        checks = list(check_ports(subject(tmp_path, compose, engine=FakeEngine())))
    assert checks[0].state == "failed"
    assert checks[0].found.startswith("in use by ")
    assert f"pid {os.getpid()}" in checks[0].found
    assert checks[0].fix == "invoke up --ports auto"


def test_missing_images_and_stand_ins_are_told(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.add_image("redis:8", labels={STAND_IN: "redis:8"})
    compose = "services: {a: {image: 'redis:8'}, b: {image: 'mysql:9'}}"
    checks = {check.name: check for check in check_images(subject(tmp_path, compose, engine=engine))}
    assert checks["images"].found == "missing: mysql:9"
    assert checks["stand-ins"].found == "built from Debian packages: redis:8"


class Emulating(FakeEngine):
    """Its images are for another processor."""

    def inspect_image(self, reference: str) -> Mapping[str, Any]:
        return {**super().inspect_image(reference), "Architecture": "arm64"}


def test_an_image_for_another_processor_is_named(tmp_path: Path) -> None:
    engine = Emulating()
    engine.add_image("redis:8")
    check = only(check_architecture(subject(tmp_path, "services: {a: {image: 'redis:8'}}", engine=engine)))
    assert check.found == "the engine is amd64, but not redis:8 (arm64)"
    assert check.fix == "docker pull --platform linux/amd64 redis:8"


def test_an_env_file_is_compared_with_its_example(tmp_path: Path) -> None:
    (tmp_path / ".env.example").write_text("A=1\nB=2\n# C=3\n")
    assert only(check_env_file(subject(tmp_path))).found == "missing"
    (tmp_path / ".env").write_text("A=1\nC=3\nD=4\n")
    lacks, unknown = check_env_file(subject(tmp_path))
    assert lacks.found == "without B"
    assert unknown.found == "not in .env.example: D"
    (tmp_path / ".env").write_text("A=1\nB=5\n")
    assert only(check_env_file(subject(tmp_path))).state == "ok"


@pytest.mark.parametrize("name", [".env", ".env.example"])
def test_an_env_file_that_is_not_utf_8_is_a_failed_check(tmp_path: Path, name: str) -> None:
    for file in (".env", ".env.example"):
        (tmp_path / file).write_text("A=1\n")
    (tmp_path / name).write_bytes("A=grün\n".encode("latin-1"))
    check = only(check_env_file(subject(tmp_path)))
    assert (check.name, check.state) == (".env", "failed")
    assert check.found == f"line 1 of {name} is not UTF-8: byte 0xfc"
    assert check.fix == f"Save {name} as UTF-8 text."


def test_without_an_engine_and_a_definition_the_rest_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    checks = {check.name: check for check in run_doctor(DEBIAN, tmp_path, lambda: load(tmp_path), Settings())}
    assert checks["engine"].state == "failed"
    assert "unset DOCKER_HOST" in checks["engine"].fix
    assert checks["definition"].state == "failed"
    assert checks["disk"].found
