"""A project that is deployed to a cluster by the commands that a person types."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.swarm.cluster import Cluster

TASKS = "from invoke_devstack import stack\nnamespace = stack()\n"
INVOKE = str(Path(sys.executable).with_name("invoke"))
_LONG = 150.0  # seconds


class Project:
    def __init__(self, cluster: Cluster, folder: Path, name: str) -> None:
        self.cluster = cluster
        self.folder = folder
        self.name = name
        self.variables: dict[str, str] = {}
        (folder / "tasks.py").write_text(TASKS)

    def write(self, text: str, file: str = "compose.yaml") -> None:
        """`IMAGE` in the text is the image in the cluster's registry."""
        text = text.replace("IMAGE", f"{self.cluster.registry}/busybox:1")
        (self.folder / file).write_text(f"name: {self.name}\n{text}")

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "DOCKER_HOST": self.cluster.url(1), "PYTHONUNBUFFERED": "1", **self.variables}

    def know(self, *nodes: int) -> None:
        """Makes Docker contexts for nodes, named as they are, which only this project's commands see."""
        self.variables["DOCKER_CONFIG"] = str(self.folder / "docker")
        for node in nodes:
            words = [
                "docker",
                "context",
                "create",
                f"node{node}",
                "--docker",
                f"host={self.cluster.url(node)}",
            ]
            subprocess.run(words, env=self.environment, check=True, capture_output=True)

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [INVOKE, *words],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def invoke(self, *words: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*words)
        out, err = process.communicate(timeout=_LONG)
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def deploy(self, *words: str) -> str:
        """Deploys; returns what it said. Fails if the deploy does."""
        done = self.invoke("deploy", "--yes", *words)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    def answer(self, task: str) -> Any:
        return json.loads(self.invoke(task, "--json").stdout)

    @property
    def api(self) -> Any:
        return self.cluster.client(1).api

    def specs(self) -> dict[str, Any]:
        """The specs of the stack's services, as `docker service inspect` prints them."""
        found = self.api.services(filters={"label": self.label})
        return {item["Spec"]["Name"]: item["Spec"] for item in found}

    @property
    def label(self) -> str:
        return f"com.docker.stack.namespace={self.name}"

    def running(self) -> set[str]:
        """The ids of the containers' tasks that should run."""
        tasks = self.api.tasks({"label": self.label, "desired-state": "running"})
        return {item["ID"] for item in tasks if item["Status"]["State"] == "running"}

    def is_being_updated(self) -> bool:
        """Whether the swarm replaces tasks of `web` now."""
        web = self.api.inspect_service(f"{self.name}_web")
        return (web.get("UpdateStatus") or {}).get("State") == "updating"

    def nodes_are_ready(self) -> bool:
        return all(node["Status"]["State"] == "ready" for node in self.api.nodes())

    def leftovers(self) -> list[str]:
        """Everything of the stack."""
        api = self.api
        filters = {"label": self.label}
        found = [*api.services(filters), *api.configs(filters), *api.secrets(filters)]
        return [
            *(item["Spec"]["Name"] for item in found),
            *(item["Name"] for item in api.networks(filters=filters)),
        ]
