"""Why there is no engine, told apart. Small servers stand for engines of other kinds."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from invoke_devstack.engine.connect import connect
from invoke_devstack.engine.endpoints import Endpoint, TlsFiles
from invoke_devstack.errors import EngineUnavailableError

Serve = Callable[..., str]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts a server on a unix socket, or on TCP, that gives one answer to all; returns its URL."""
    listeners: list[socket.socket] = []

    def start(answer: bytes, *, tcp: bool = False, tls: ssl.SSLContext | None = None) -> str:
        if tcp:
            listener = socket.create_server(("127.0.0.1", 0))
            url = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        else:
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(str(tmp_path / "engine.sock"))
            listener.listen()
            url = f"unix://{tmp_path / 'engine.sock'}"
        listeners.append(listener)
        threading.Thread(target=answer_all, args=(listener, answer, tls), daemon=True).start()
        return url

    yield start
    for listener in listeners:
        listener.close()


def answer_all(listener: socket.socket, answer: bytes, tls: ssl.SSLContext | None) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        try:
            if tls is not None:
                client = tls.wrap_socket(client, server_side=True)
            if client.recv(65536):
                client.sendall(answer)
        except OSError:
            pass
        if answer:
            client.close()
        else:
            kept.append(client)


kept: list[socket.socket] = []  # clients that wait for an answer that never comes


def http(headers: str, status: str = "200 OK", body: str = "OK") -> bytes:
    return f"HTTP/1.1 {status}\r\n{headers}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


def failure(url: str, *, source: str = "DOCKER_HOST", tls: TlsFiles | None = None) -> EngineUnavailableError:
    with pytest.raises(EngineUnavailableError) as caught:
        connect(2.0, endpoint=Endpoint(url, source, tls))
    assert caught.value.hint
    return caught.value


def test_the_api_version_is_the_newest_that_both_speak(serve: Serve) -> None:
    engine = connect(endpoint=Endpoint(serve(http("Api-Version: 1.99\r\nServer: Docker/99"))))
    assert engine._version == (1, 51)


def test_an_engine_that_is_too_old_says_what_is_needed(serve: Serve) -> None:
    error = failure(serve(http("Api-Version: 1.40\r\nServer: Docker/19.03.5 (linux)")))
    assert error.reason == "too-old"
    assert "19.03.5" in error.message
    assert "20.10" in error.hint


def test_a_socket_that_is_no_engines_is_said_to_be_none(serve: Serve) -> None:
    assert "not a Docker engine" in failure(serve(http("Server: nginx"))).message


def test_a_socket_that_nobody_listens_on_is_an_engine_that_does_not_run(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "dead.sock"))
    error = failure(f"unix://{tmp_path}/dead.sock")
    assert error.reason == "not-running"
    assert "unset DOCKER_HOST" in error.hint


def test_no_socket_and_no_program_is_no_engine_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    error = failure(f"unix://{tmp_path}/none.sock", source="default")
    assert error.reason == "not-installed"
    assert "invoke setup" in error.hint
    (tmp_path / "dockerd").write_text("#!/bin/sh\n")
    (tmp_path / "dockerd").chmod(0o755)
    assert failure(f"unix://{tmp_path}/none.sock", source="default").reason == "not-running"


def test_a_socket_that_one_may_not_use_names_its_group(serve: Serve) -> None:
    """Root may use every socket, so another process without its rights asks."""
    url = serve(http("Api-Version: 1.41"))
    path = Path(url.removeprefix("unix://"))
    path.chmod(0o600)
    if os.getuid() == 0:
        os.chown(path, 0, 12)  # group `man` on Debian
    script = (
        "import os, sys\n"
        "from invoke_devstack.engine.connect import connect\n"
        "from invoke_devstack.engine.endpoints import Endpoint\n"
        "import grp, invoke_devstack.engine.docker_engine\n"
        "os.getuid() or (os.setgid(65534), os.setgroups([]), os.setuid(65534))\n"
        "try: connect(endpoint=Endpoint(sys.argv[1]))\n"
        "except Exception as error: print(error.reason, '|', error.message, '|', error.hint)\n"
    )
    for folder in path.parents:
        if folder.stat().st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o011)
    if os.getuid() != 0:
        path.chmod(0)
    python = [sys.executable, "-c", script, url]
    said = subprocess.run(python, capture_output=True, text=True, check=True).stdout
    assert said.startswith("permission")
    if os.getuid() == 0:
        assert "`man`" in said
        assert "usermod -aG man" in said


def test_an_engine_that_says_nothing_does_not_hold_the_command_up(serve: Serve) -> None:
    assert failure(serve(b"")).reason == "timeout"


def test_a_host_that_is_unknown_is_out_of_reach() -> None:
    error = failure("tcp://engine.invalid:2375")
    assert error.reason == "unreachable"
    assert "unknown" in error.message


def test_a_host_where_nothing_listens_is_said_so() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # so that nobody else listens there meanwhile
        error = failure(f"tcp://127.0.0.1:{free.getsockname()[1]}")
    assert error.reason == "unreachable"
    assert "nothing listens" in error.message


def test_a_scheme_that_is_none_is_named() -> None:
    assert "ftp://x" in failure("ftp://x").message


def test_an_engine_behind_tls_asked_without_says_what_to_set(serve: Serve) -> None:
    answer = http("X: y", "400 Bad Request", "Client sent an HTTP request to an HTTPS server.\n")
    error = failure(serve(answer, tcp=True))
    assert error.reason == "needs-tls"
    assert "DOCKER_TLS_VERIFY" in error.hint


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1: cert.pem and key.pem."""
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=x"
    name = ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command.split(), *name], cwd=folder, check=True, capture_output=True)
    return folder


def server_context(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def test_an_engine_behind_tls_is_used_with_its_authority(serve: Serve, certificate: Path) -> None:
    url = serve(http("Api-Version: 1.45"), tcp=True, tls=server_context(certificate))
    trusted = TlsFiles(ca=str(certificate / "cert.pem"))
    assert connect(endpoint=Endpoint(url, "DOCKER_HOST", trusted))._version == (1, 45)
    unverified = TlsFiles(verify=False)
    assert connect(endpoint=Endpoint(url, "DOCKER_HOST", unverified))._version == (1, 45)


def test_an_engine_whose_certificate_nobody_vouches_for_is_refused(serve: Serve, certificate: Path) -> None:
    url = serve(http("Api-Version: 1.45"), tcp=True, tls=server_context(certificate))
    error = failure(url, tls=TlsFiles())
    assert error.reason == "tls"
    assert "DOCKER_CERT_PATH" in error.hint


def test_certificates_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    assert failure("tcp://127.0.0.1:1", tls=TlsFiles(ca=str(tmp_path / "ca.pem"))).reason == "tls"


def fake_ssh(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "ssh").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_an_engine_over_ssh_is_spoken_to_through_dial_stdio(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "answer").write_bytes(http("Api-Version: 1.44\r\nServer: Docker/25"))
    fake_ssh(tmp_path, f'echo "$@" > {tmp_path}/args; cat {tmp_path}/answer; sleep 1', monkeypatch)
    engine = connect(endpoint=Endpoint("ssh://ann@box:2222", "context box"))
    assert engine._version == (1, 44)
    said = (tmp_path / "args").read_text()
    assert said.strip().endswith("-T -l ann -p 2222 -- box docker system dial-stdio")


def test_what_ssh_complains_of_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_ssh(tmp_path, "echo 'box: Permission denied (publickey).' >&2; exit 255", monkeypatch)
    error = failure("ssh://ann@box")
    assert error.details == ("box: Permission denied (publickey).",)
    assert "ssh ann@box docker version" in error.hint
