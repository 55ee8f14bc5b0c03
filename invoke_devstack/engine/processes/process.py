"""One process container: its folder, and what the engine would say about it, as Engine API JSON."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import shlex
import signal
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from invoke_devstack.errors import EngineError, NotFoundError
from invoke_devstack.local_files.failures import file_error
from invoke_devstack.planning.labels import PROJECT
from invoke_devstack.planning.plan import Body
from invoke_devstack.planning.processes.image import PROCESS_IMAGE, PROCESS_IMAGE_ID, ports_of

_KILLED = 137


class KeptProcess:
    """The process of this folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.container: dict[str, Any] = json.loads((folder / "container.json").read_text("utf-8"))

    @property
    def id(self) -> str:
        return str(self.container["id"])

    @property
    def name(self) -> str:
        return str(self.container["name"])

    @property
    def body(self) -> Body:
        body: Body = self.container["body"]
        return body

    @property
    def project(self) -> str:
        return str(self.labels.get(PROJECT, ""))

    @property
    def labels(self) -> Mapping[str, str]:
        return self.body.get("Labels") or {}

    def has_recorder(self) -> bool:
        """Whether its recorder runs: it holds a lock, which ends with it however it ends."""
        try:
            with (self.folder / "lock").open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except FileNotFoundError:
            return False
        return False

    @property
    def keeps_running(self) -> bool:
        """Whether it is started again when its recorder was killed."""
        return str(self.container["restart"]) != "no"

    def is_new(self) -> bool:
        """Whether nobody has told it to start yet."""
        return not (self.folder / "environment.json").exists()

    def was_started(self) -> bool:
        """Whether there may be something that it left running."""
        return (self.folder / "lock").exists()

    def signal_recorder(self, number: int) -> None:
        """To its recorder, if one runs."""
        with contextlib.suppress(OSError, ValueError):
            if self.has_recorder():
                os.kill(int((self.folder / "lock").read_text()), number)

    def tell_to_start(self) -> bool:
        """Tells the recorder that waits for it. False if none waits."""
        try:
            pipe = os.open(self.folder / "go", os.O_WRONLY | os.O_NONBLOCK)
        except OSError:  # ENXIO: it was killed
            return False
        with contextlib.suppress(OSError):
            os.write(pipe, b"go")
        os.close(pipe)
        return True

    def state(self) -> dict[str, Any]:
        """What its recorder wrote: status, pid, exit_code, started_at, finished_at, error, starts."""
        state = self._noted()
        if state["status"] in ("running", "restarting") and not self.has_recorder():
            state = self._noted()  # it may have ended since the first look
            if state["status"] in ("running", "restarting"):
                killed = {"exit_code": _KILLED, "finished_at": state["started_at"]}
                return {**killed, **state, "status": "exited", "pid": 0}
        if state["status"] == "running" and (self.folder / "paused").exists():
            return {**state, "status": "paused"}
        return state

    def _noted(self) -> dict[str, Any]:
        try:
            state: dict[str, Any] = json.loads((self.folder / "state.json").read_text("utf-8"))
        except (OSError, ValueError):
            return {"status": "created"}
        return state

    def note(self, text: str) -> None:
        """Writes a line of ours into its log."""
        now = datetime.now(UTC)
        with (self.folder / "log").open("ab") as log:
            log.write(f"{now:%Y-%m-%dT%H:%M:%S.%f}000Z e invoke-devstack: {text}\n".encode())

    def rename(self, name: str) -> None:
        self.container["name"] = name
        write(self.folder / "container.json", self.container)

    def entry(self) -> dict[str, Any]:
        """As in `GET /containers/json`."""
        state = self.state()
        return {
            "Id": self.id,
            "Names": [f"/{self.name}"],
            "Image": PROCESS_IMAGE,
            "ImageID": PROCESS_IMAGE_ID,
            "Command": shlex.join(self.container["command"]),
            "Created": int(_seconds(self.container["created_at"])),
            "Ports": [
                {"IP": "127.0.0.1", "PrivatePort": inside, "PublicPort": outside, "Type": "tcp"}
                for inside, outside in self._ports()
            ],
            "Labels": dict(self.labels),
            "State": state["status"],
            "Status": _status_text(state),
            "HostConfig": {"NetworkMode": "host"},
            "NetworkSettings": {"Networks": {}},
            "Mounts": [],
        }

    def inspection(self) -> dict[str, Any]:
        """As in `GET /containers/ID/json`."""
        state = self.state()
        status = state["status"]
        host = {**(self.body.get("HostConfig") or {}), "NetworkMode": "host"}
        return {
            "Id": self.id,
            "Name": f"/{self.name}",
            "Created": self.container["created_at"],
            "Path": self.container["command"][0],
            "Args": self.container["command"][1:],
            "Image": PROCESS_IMAGE_ID,
            "RestartCount": max(int(state.get("starts", 0)) - 1, 0),
            "LogPath": str(self.folder / "log"),
            "State": {
                "Status": status,
                "Running": status in ("running", "paused"),
                "Paused": status == "paused",
                "Restarting": status == "restarting",
                "OOMKilled": False,
                "Dead": False,
                "Pid": state.get("pid", 0),
                "ExitCode": state.get("exit_code", 0),
                "Error": state.get("error", ""),
                "LeftRunning": state.get("left", ""),  # the engine has no such key: nothing is left there
                "StartedAt": state.get("started_at", "0001-01-01T00:00:00Z"),
                "FinishedAt": state.get("finished_at", "0001-01-01T00:00:00Z"),
            },
            "Config": {
                **{key: value for key, value in self.body.items() if key != "HostConfig"},
                "Image": PROCESS_IMAGE,
                "Cmd": self.container["command"],
                "Env": list(self.body.get("Env") or ()),
                "StopSignal": self.container["stop_signal"],
                "StopTimeout": self.container["grace"],
                "WorkingDir": self.container["working_dir"],
            },
            "HostConfig": host,
            "Mounts": [],
            "NetworkSettings": {
                "Networks": {},
                "Ports": {
                    f"{inside}/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(outside)}]
                    for inside, outside in self._ports()
                },
            },
        }

    def _ports(self) -> list[tuple[int, int]]:
        """(port that it stands for, port on this machine), while it runs."""
        return ports_of(self.labels) if self.state()["status"] in ("running", "paused") else []


def create(folder: Path, name: str, body: Body) -> KeptProcess:
    """A new process container in `folder/processes`. Raises EngineError for an invalid signal."""
    stop_signal = signal_name(body.get("StopSignal") or "SIGTERM")
    own = folder / "processes" / secrets.token_hex(32)
    own.mkdir(mode=0o700)
    working_dir = body.get("WorkingDir") or ""
    policy = (body.get("HostConfig") or {}).get("RestartPolicy") or {}
    container = {
        "id": own.name,
        "name": name,
        "created_at": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "command": [*(body.get("Entrypoint") or ()), *(body.get("Cmd") or ())],
        "working_dir": working_dir,
        "stop_signal": stop_signal,
        "grace": body.get("StopTimeout", 10),
        "restart": policy.get("Name") or "no",
        "retries": int(policy.get("MaximumRetryCount") or 0),
        "labels": body.get("Labels") or {},
        "body": body,
    }
    write(own / "container.json", container)
    return KeptProcess(own)


def write(path: Path, value: object) -> None:
    """JSON for this user alone, whole or not at all. Raises NotFoundError once its folder was removed, and
    FileError."""
    beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(value, file)
        beside.replace(path)
    except FileNotFoundError as error:
        raise NotFoundError(f"no such process: {path.parent.name}") from error
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise file_error(error, "write", path) from error


def signal_name(text: str) -> str:
    """`TERM`, `SIGTERM` or `15` as SIGTERM. Raises EngineError."""
    with contextlib.suppress(ValueError, KeyError):
        if text.isdecimal():
            return signal.Signals(int(text)).name
        name = text.upper()
        return signal.Signals[name if name.startswith("SIG") else f"SIG{name}"].name
    raise EngineError(f"invalid signal `{text}`")


def _status_text(state: Mapping[str, Any]) -> str:
    """As Docker words it: `observing.exit_code_in` reads it."""
    if state["status"] == "exited":
        return f"Exited ({state.get('exit_code', 0)}) {_ago(state.get('finished_at', ''))} ago"
    if state["status"] == "restarting":
        return f"Restarting ({state.get('exit_code', 0)}) {_ago(state.get('finished_at', ''))} ago"
    if state["status"] == "paused":
        return f"Up {_ago(state.get('started_at', ''))} (Paused)"
    return f"Up {_ago(state.get('started_at', ''))}" if state["status"] == "running" else "Created"


def _ago(moment: str) -> str:
    return f"{int(time.time() - _seconds(moment))} seconds"


def _seconds(moment: str) -> float:
    """Seconds since the epoch of RFC 3339 text."""
    with contextlib.suppress(ValueError):
        return datetime.fromisoformat(moment.partition(".")[0].rstrip("Z") + "+00:00").timestamp()
    return time.time()
