"""A project on the faults' engine, and the `invoke` command in it as a user runs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from docker.errors import DockerException

from tests.faults.engine import BUSYBOX, OwnEngine

PATIENCE = 75.0  # seconds after which a command is said to hang
TASKS = "from invoke_devstack import stack\n\nnamespace = stack()\n"
_OWN_VARIABLES = ("COMPOSE_", "INVOKE_", "DEVSTACK_", "NO_COLOR", "FORCE_COLOR", "DOCKER_")


@dataclass(frozen=True)
class Ended:
    """How a command ended. `text` is all that it wrote."""

    words: tuple[str, ...]
    code: int
    text: str
    seconds: float
    hung: bool = False

    @property
    def tail(self) -> str:
        return " / ".join(self.text.strip().splitlines()[-6:])[-500:]


class Running:
    """A command that runs; all that it writes goes into a file, so that no pipe can hold it."""

    def __init__(self, words: tuple[str, ...], folder: Path, environment: dict[str, str]) -> None:
        self.words = words
        self._began = time.monotonic()
        with tempfile.NamedTemporaryFile(dir=folder.parent, suffix=".out", delete=False) as output:
            self._output = Path(output.name)
            command = (str(Path(sys.executable).with_name("invoke")), *words)
            self.process = subprocess.Popen(
                command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )

    @property
    def text(self) -> str:
        return self._output.read_text(encoding="utf-8", errors="replace")

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self, seconds: float = PATIENCE) -> Ended:
        """Waits for its end; what has not ended in time is killed, and said to hang."""
        hung = False
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            hung = True
            self.process.kill()
            self.process.wait()
        text = self.text
        self._output.unlink(missing_ok=True)
        return Ended(self.words, self.process.returncode, text, time.monotonic() - self._began, hung)

    def says(self, wanted: str, seconds: float = 20.0) -> bool:
        """Whether `wanted` is shown within this time."""
        return eventually(lambda: wanted in self.text or self.process.poll() is not None, seconds) and (
            wanted in self.text
        )


@dataclass
class Project:
    """A folder with a tasks.py and Compose files, under a project name of its own."""

    engine: OwnEngine
    folder: Path
    name: str
    variables: dict[str, str] = field(default_factory=dict)

    def write(self, path: str, text: str) -> Path:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text).replace("IMAGE", BUSYBOX).lstrip("\n"), encoding="utf-8")
        return file

    @property
    def environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(_OWN_VARIABLES)}
        scratch = self.folder.parent / "tmp"
        scratch.mkdir(exist_ok=True)
        own = {
            "COMPOSE_PROJECT_NAME": self.name,
            "DOCKER_HOST": self.engine.url,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}",
            "TMPDIR": str(scratch),
            "XDG_RUNTIME_DIR": str(scratch),
        }
        return {**kept, **own, **self.variables}

    def start(self, *words: str) -> Running:
        return Running(words, self.folder, self.environment)

    def invoke(self, *words: str, seconds: float = PATIENCE) -> Ended:
        return self.start(*words).end(seconds)

    def containers(self) -> dict[str, dict[str, Any]]:
        """Name of the container, without the project's -> what the engine tells of it."""
        mine = {"label": [f"com.docker.compose.project={self.name}"]}
        listed = self.engine.client.api.containers(all=True, filters=mine)
        return {item["Names"][0][1:].removeprefix(f"{self.name}-"): item for item in listed}

    def states(self) -> dict[str, str]:
        return {name: item["State"] for name, item in self.containers().items()}

    def run_in(self, service: str, script: str) -> tuple[int, str]:
        """Exit code and output of a shell script in the service's container; 125 and why, where it does not
        run at the moment."""
        return self.run_within(f"{service}-1", script)

    def run_within(self, container: str, script: str) -> tuple[int, str]:
        """The same, in a container that is named without its project."""
        api = self.engine.client.api
        try:
            made = api.exec_create(f"{self.name}-{container}", ["sh", "-c", script])
            output = api.exec_start(made["Id"])
            return api.exec_inspect(made["Id"])["ExitCode"], output.decode(errors="replace")
        except DockerException as error:
            return 125, str(error)

    def rows(self) -> list[dict[str, Any]]:
        """What `invoke ps --all --json` lists."""
        done = self.invoke("ps", "--all", "--json")
        return list(json.loads(done.text[done.text.index("[") :]))


def eventually(happens: Callable[[], bool], seconds: float) -> bool:
    """Whether it happens within this time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if happens():
            return True
        time.sleep(0.05)
    return False
