"""The two sides of a comparison: `invoke` and `docker compose` on one copy of the same project."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.pairing import BenchmarkError

REPOSITORY = Path(__file__).resolve().parent.parent
LONGEST = 300.0  # seconds that any one command may take


def free_port() -> int:
    """A TCP port of the loopback that nothing holds now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Project:
    """A copy of the example stack in a folder of its own, on ports of its own."""

    directory: Path
    ports: dict[str, int] = field(default_factory=dict)
    engine: str = ""  # its address, where it is not the one that the environment names

    @classmethod
    def copy_example(cls, directory: Path) -> Project:
        """Copies tasks.py, services/ and flask-sample/ into `directory`, which must not be there."""
        directory.mkdir(parents=True)
        shutil.copy(REPOSITORY / "tasks.py", directory)
        for folder in ("services", "flask-sample"):
            shutil.copytree(REPOSITORY / folder, directory / folder)
        return cls(directory, {name: free_port() for name in ("WEB_PORT", "REDIS_PORT", "MYSQL_PORT")})

    @property
    def name(self) -> str:
        return self.directory.name

    @property
    def environment(self) -> dict[str, str]:
        ports = {name: str(port) for name, port in self.ports.items()}
        return {**os.environ, **ports, **({"DOCKER_HOST": self.engine} if self.engine else {})}

    def run(self, command: Sequence[str]) -> float:
        """Runs one command of a side to its end and returns its seconds."""
        began = time.perf_counter()
        done = subprocess.run(
            command,
            cwd=self.directory,
            env=self.environment,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=LONGEST,
            check=False,
        )
        taken = time.perf_counter() - began
        if done.returncode:
            tail = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()[-3:]
            raise BenchmarkError(f"`{' '.join(command)}` ended with {done.returncode}: {' / '.join(tail)}")
        return taken

    def await_page(self, path: str = "/healthz") -> float:
        """Seconds until the sample answers 200 on `path`."""
        began = time.perf_counter()
        while time.perf_counter() - began < LONGEST:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.ports['WEB_PORT']}{path}", timeout=2):
                    return time.perf_counter() - began
            except (urllib.error.URLError, OSError):
                time.sleep(0.005)
        raise BenchmarkError(f"{path} did not answer")


@dataclass(frozen=True)
class Side:
    """One tool on one project."""

    label: str
    project: Project
    prefix: tuple[str, ...]
    up_words: tuple[str, ...]

    def up(self) -> float:
        """Seconds until the command is back and the page answers."""
        return self.project.run([*self.prefix, *self.up_words]) + self.project.await_page()

    def down(self, *, volumes: bool = False) -> float:
        words = ["down", "--volumes"] if volumes else ["down"]
        if volumes and self.label == "invoke":
            words.append("--yes")
        return self.project.run([*self.prefix, *words])

    def require_ready(self) -> None:
        """Raises BenchmarkError unless every container runs and is healthy by its own healthcheck."""
        listed = subprocess.run(
            ["docker", "ps", "-a", "--format", "{{json .}}", "--filter",
             f"label=com.docker.compose.project={self.project.name}"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        for line in listed.stdout.splitlines():
            row = json.loads(line)
            if not row["Status"].startswith("Up"):
                raise BenchmarkError(f"{row['Names']} is {row['Status']}")


def invoke_side(project: Project) -> Side:
    """The `invoke` that stands beside the running Python."""
    program = str(Path(sys.executable).with_name("invoke"))
    return Side("invoke", project, (program,), ("up", "--detach"))


def compose_side(project: Project) -> Side:
    """Docker Compose on the same files."""
    files = [word for path in sorted(project.directory.glob("services/*.yaml")) for word in ("-f", str(path))]
    prefix = ("docker", "compose", "--project-directory", ".", *files)
    return Side("compose", project, prefix, ("up", "--detach", "--wait"))
