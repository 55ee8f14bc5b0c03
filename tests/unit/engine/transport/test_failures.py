"""The engine's refusals in plain words."""

from __future__ import annotations

import socket
import ssl

import pytest

from invoke_devstack.engine.transport.failures import lost, refusal
from invoke_devstack.errors import ConflictError, EngineError, NotFoundError, PortTakenError


@pytest.mark.parametrize(
    ("message", "host", "port"),
    [
        (
            "driver failed programming external connectivity on endpoint web (ab12): "
            "Bind for 127.0.0.1:8080 failed: port is already allocated",
            "127.0.0.1",
            8080,
        ),
        (
            "driver failed programming external connectivity on endpoint web (ab12): "
            "Error starting userland proxy: listen tcp4 0.0.0.0:3306: bind: address already in use",
            "0.0.0.0",
            3306,
        ),
        (
            "failed to set up container networking: driver failed programming external connectivity on "
            "endpoint web (1c): failed to bind host port for 127.0.0.1:40001:172.30.0.2:80/tcp: "
            "address already in use",
            "127.0.0.1",
            40001,
        ),
        (
            "Ports are not available: exposing port TCP 0.0.0.0:5000 -> 127.0.0.1:0: listen tcp "
            "0.0.0.0:5000: bind: address already in use",
            "0.0.0.0",
            5000,
        ),
        ("failed to bind host port for [::1]:81:172.18.0.2:80/tcp: address already in use", "::1", 81),
        ("rootlessport listen tcp 0.0.0.0:8081: bind: address already in use", "0.0.0.0", 8081),
    ],
)
def test_a_taken_port_is_found_in_what_every_engine_says(message: str, host: str, port: int) -> None:
    error = refusal(500, message)
    assert isinstance(error, PortTakenError)
    assert (error.host_ip, error.port) == (host, port)
    assert error.status == 500


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (
            "OCI runtime create failed: container_linux.go:380: starting container process caused: exec: "
            '"gunicorn": executable file not found in $PATH: unknown',
            "no command `gunicorn`",
        ),
        (
            "failed to create shim task: OCI runtime create failed: runc create failed: unable to start "
            'container process: error during container init: exec: "/run.sh": permission denied: unknown',
            "`/run.sh` cannot be executed",
        ),
        ("crun: executable file `nginx` not found in $PATH: No such file or directory", "no command `nginx`"),
        (
            'invalid mount config for type "bind": bind source path does not exist: /home/ann/x',
            "/home/ann/x does not exist",
        ),
        ("write /var/lib/docker/x: no space left on device", "disk is full"),
        (
            "could not find an available, non-overlapping IPv4 address pool among the defaults to assign",
            "no address range",
        ),
        ("all predefined address pools have been fully subnetted", "no address range"),
        (
            'error mounting "/a/conf" to rootfs at "/etc/conf": mount /a/conf: not a directory: unknown: Are '
            "you trying to mount a directory onto a file (or vice-versa)?",
            "a file on a directory",
        ),
        (
            'Error processing tar file(exit status 1): cannot overwrite non-directory "/tmp/z/d" '
            'with directory "/tmp/z"',
            "a directory over /tmp/z/d: it is a file",
        ),
        (
            'Error processing tar file(exit status 1): cannot overwrite directory "/tmp/z/d" '
            'with non-directory "/tmp/z"',
            "a file over /tmp/z/d: it is a directory",
        ),
        (
            "driver failed programming external connectivity on endpoint p-web-3 (f0b42): all ports are "
            "allocated",
            "all ports of the range",
        ),
        ("cannot expose privileged port 80, you can add net.ipv4.ip_unprivileged_port_start", "port 80"),
    ],
)
def test_a_refusal_is_told_in_plain_words_with_what_to_do(message: str, words: str) -> None:
    error = refusal(400, message)
    assert words in error.message
    assert error.hint


def test_what_is_not_known_keeps_the_engines_word_and_its_kind() -> None:
    assert isinstance(refusal(404, "No such container: x"), NotFoundError)
    assert isinstance(refusal(409, "name is in use"), ConflictError)
    other = refusal(500, "something\n  new")
    assert type(other) is EngineError
    assert other.message == "something new"
    assert refusal(502, "").message


@pytest.mark.parametrize(
    "words",
    [
        "Container 3f1c is not running: Removal In Progress",
        "can only create exec sessions on running containers: container state improper",
        "can only kill running containers. 3f1c is in state created: container state improper",
    ],
)
@pytest.mark.parametrize("status", [409, 500])
def test_a_container_that_is_not_running_is_a_conflict_whatever_the_status(status: int, words: str) -> None:
    error = refusal(status, words)
    assert isinstance(error, ConflictError)
    assert error.reason == "not-running"


def test_an_image_that_is_not_there_is_named() -> None:
    error = refusal(404, "No such image: redis:9")
    assert isinstance(error, NotFoundError)
    assert "redis:9" in error.message


@pytest.mark.parametrize("root", ["", "/var/lib/docker/overlay2/c6b31c2e87be/merged"])
def test_a_path_below_a_file_is_told_without_the_engines_own_path(root: str) -> None:
    error = refusal(500, f"lstat {root}/tmp/plain/x: not a directory")
    assert isinstance(error, NotFoundError)
    assert error.message == "the container has no /tmp/plain/x"


def test_lost_connections_are_told_apart() -> None:
    assert lost(TimeoutError("timed out"), "unix:///x").reason == "timeout"
    assert lost(ssl.SSLCertVerificationError("self-signed"), "tcp://x").reason == "tls"
    assert lost(ConnectionResetError("reset"), "unix:///x").reason == "gone"
    assert lost(socket.gaierror("unknown"), "tcp://x").reason == "gone"


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("Could not find the file /nope in container web-1", "the container has no /nope"),
        (
            "cannot join IPC of a non running container: non-shareable IPC (hint: use IpcMode:shareable)",
            "the container whose `ipc` it uses does not share it",
        ),
        (f"container {'ab' * 32} is paused", f"container {'ab' * 6} is paused"),
    ],
)
def test_a_refusal_is_told_without_the_engines_ids_and_names(message: str, shown: str) -> None:
    error = refusal(404, message)
    assert error.message == shown
    assert "IpcMode" not in error.hint
