"""An sshd of the tests' own, with its own port and keys: through it an engine here is a remote one."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from getpass import getuser
from pathlib import Path

from tests.functional.conftest import find_free_port

PROGRAM = shutil.which("sshd") or "/usr/sbin/sshd"
_SERVER = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/key.pub
StrictModes no
PermitRootLogin prohibit-password
UsePAM no
PidFile none
MaxStartups 100
SetEnv DOCKER_HOST={engine}
"""
_CLIENT = """\
Host devbox
  HostName 127.0.0.1
  Port {port}
Host *
  IdentityFile {folder}/key
  IdentitiesOnly yes
  StrictHostKeyChecking no
  UserKnownHostsFile {folder}/known_hosts
  LogLevel ERROR
"""


@dataclass(frozen=True)
class Sshd:
    """`devbox` is the host's name in the configuration of ssh; no DNS knows it."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"ssh://{getuser()}@devbox"

    @property
    def variables(self) -> dict[str, str]:
        """The environment of a user whose engine is behind it."""
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return {"DOCKER_HOST": self.url, "PATH": path, "XDG_RUNTIME_DIR": str(self.folder / "run")}

    def background(self) -> list[str]:
        """The processes of ssh that keep a tunnel."""
        listed = subprocess.run(
            ["pgrep", "-af", str(self.folder / "run")], capture_output=True, text=True, check=False
        )
        return listed.stdout.splitlines()


@contextmanager
def running_sshd(engine: str) -> Iterator[Sshd]:
    """An sshd whose users' engine is the one at the address `engine`."""
    with tempfile.TemporaryDirectory(prefix="ds-ssh-") as name:
        sshd = Sshd(Path(name), find_free_port())
        _write_files(sshd, engine)
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # where it locks itself up before a login
        process = subprocess.Popen(
            [PROGRAM, "-D", "-f", sshd.folder / "sshd_config", "-E", sshd.folder / "log"]
        )
        try:
            _wait_until_it_listens(sshd, process)
            yield sshd
        finally:
            process.terminate()
            process.wait(20)


def _write_files(sshd: Sshd, engine: str) -> None:
    folder = sshd.folder
    (folder / "run").mkdir(mode=0o700)
    (folder / "bin").mkdir()
    for name in ("key", "host_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    (folder / "sshd_config").write_text(_SERVER.format(port=sshd.port, folder=folder, engine=engine))
    (folder / "ssh_config").write_text(_CLIENT.format(port=sshd.port, folder=folder))
    program = folder / "bin" / "ssh"  # ssh takes no other home directory than the user's
    program.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {folder}/ssh_config "$@"\n')
    program.chmod(0o755)


def _wait_until_it_listens(sshd: Sshd, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert process.poll() is None, (sshd.folder / "log").read_text()
        try:
            socket.create_connection(("127.0.0.1", sshd.port), 1.0).close()
            return
        except OSError:
            process_wait(process, 0.1)
    raise AssertionError("the sshd does not listen")


def process_wait(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Waits a moment, or until the process ends."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return
