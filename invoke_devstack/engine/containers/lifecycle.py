"""Creates, starts, stops and removes containers."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from invoke_devstack.engine.containers.observing import is_podman
from invoke_devstack.engine.transport import shapes
from invoke_devstack.engine.transport.api import Api, path_of
from invoke_devstack.engine.transport.failures import is_timeout
from invoke_devstack.errors import ConflictError, EngineError, EngineUnavailableError, NotFoundError

if TYPE_CHECKING:
    from invoke_devstack.engine.protocol import OnWarning
    from invoke_devstack.planning.plan import Body

_GRACE = 10  # seconds, where nobody says how long: Docker's own
_FREEZES = 5  # attempts to pause
_FREEZE_AGAIN = 0.1  # seconds between two of them
STOP_WITH_SIGNAL = (1, 42)  # `signal` of POST /containers/ID/stop and /restart


class Containers:
    """The part of the engine that changes containers."""

    _api: Api
    _headers: Mapping[str, str]
    _version: tuple[int, int]

    def create_container(
        self, name: str, body: Body, *, platform: str = "", on_warning: OnWarning | None = None
    ) -> str:
        params = {"name": name, "platform": platform}
        if is_podman(self._headers):
            body = {"StopTimeout": _GRACE, **body}  # without one, Podman 4 kills at once
        made = self._api.post("/containers/create", body, params, shape=shapes.CREATED)
        if on_warning is not None:
            for text in made.get("Warnings") or ():
                on_warning(text)
        return str(made["Id"])

    def start(self, container: str) -> None:
        self._api.post(path_of(container, "/start"))

    def stop(self, container: str, *, signal: str = "", grace: float = 10.0) -> None:
        """See `Engine.stop`. The engine takes whole seconds of grace and, before API 1.42, no signal; for
        anything else we send the signal, wait, and kill."""
        if grace == int(grace) and (not signal or self._version >= STOP_WITH_SIGNAL):
            self._post(container, "/stop", {"t": int(grace), "signal": signal})
            return
        try:
            self.kill(container, signal or self._stop_signal(container))
            self.wait(container, timeout=grace)
        except (ConflictError, TimeoutError):
            pass  # not running, or too slow
        # Always: it kills what still runs, and keeps the engine from restarting the container.
        self._post(container, "/stop", {"t": 0})

    def restart(self, container: str, *, signal: str = "", grace: float = 10.0) -> None:
        if grace == int(grace) and (not signal or self._version >= STOP_WITH_SIGNAL):
            self._post(container, "/restart", {"t": int(grace), "signal": signal})
            return
        self.stop(container, signal=signal, grace=grace)
        self.start(container)

    def kill(self, container: str, signal: str = "SIGKILL") -> None:
        """Raises ConflictError if it is not running."""
        self._api.post(path_of(container, "/kill"), params={"signal": signal})

    def pause(self, container: str) -> None:
        """Several attempts: the kernel may fail to freeze processes that start others at that moment. The
        engine has undone such an attempt when it says so."""
        for _ in range(_FREEZES - 1):
            try:
                self._api.post(path_of(container, "/pause"))
                return
            except EngineError as error:
                if error.reason != "not-frozen":
                    raise
            time.sleep(_FREEZE_AGAIN)
        self._api.post(path_of(container, "/pause"))

    def unpause(self, container: str) -> None:
        self._api.post(path_of(container, "/unpause"))

    def rename(self, container: str, new_name: str) -> None:
        self._api.post(path_of(container, "/rename"), params={"name": new_name})

    def set_restart_policy(self, container: str, policy: Body) -> None:
        self._api.post(path_of(container, "/update"), {"RestartPolicy": dict(policy)})

    def remove_container(self, container: str, *, volumes: bool = True, force: bool = False) -> None:
        """Raises ConflictError if it is running, without `force`."""
        try:
            self._api.delete(path_of(container), {"v": volumes, "force": force})
        except ConflictError as error:
            if error.reason != "being-removed":
                raise
            self._await_removal(container)

    def wait(self, container: str, *, timeout: float | None = None) -> int:
        try:
            return self._wait(container, "not-running", timeout)
        except EngineUnavailableError as error:
            if timeout is not None and is_timeout(error):
                raise TimeoutError(f"{container} is still running after {timeout} s") from error
            raise

    def top(self, container: str) -> Body:
        """Each process has as many columns as there are titles, whatever the engine sends."""
        found = self._api.get(path_of(container, "/top"), shapes.TOP)
        count = len(found["Titles"])
        rows = [[*row, *[""] * count][:count] for row in found["Processes"] or ()]
        return {"Titles": found["Titles"], "Processes": rows}

    def changes(self, container: str) -> list[Body]:
        return self._api.get(path_of(container, "/changes"), shapes.CHANGES) or []

    def stats(self, container: str) -> Iterator[Body]:
        """About one sample a second, until the container is gone."""
        answer = self._api.send(
            "GET", path_of(container, "/stats"), {"stream": True}, stream=True, seconds=None
        )
        return self._api.lines(answer, shapes.SAMPLE)

    def sample(self, container: str) -> Body:
        """See `Engine.sample`."""
        body: Body = self._api.get(
            path_of(container, "/stats"), shapes.SAMPLE, {"stream": False, "one-shot": True}
        )
        return body

    def _wait(self, container: str, condition: str, timeout: float | None) -> int:
        seconds = None if timeout is None else max(timeout, 0.001)  # 0 would mean no timeout
        answer = self._api.post(
            path_of(container, "/wait"),
            params={"condition": condition},
            shape=shapes.WAITED,
            seconds=seconds,
            changes=False,
        )
        problem = (answer.get("Error") or {}).get("Message")
        if problem:
            raise EngineError(f"the engine cannot wait for {container}: {problem}")
        return int(answer["StatusCode"])

    def _post(self, container: str, act: str, params: Mapping[str, Any]) -> None:
        """For requests that take as long as the container does."""
        self._api.post(path_of(container, act), params=params, seconds=None)

    def _await_removal(self, container: str) -> None:
        try:
            self._wait(container, "removed", None)
        except NotFoundError:
            return

    def _stop_signal(self, container: str) -> str:
        config: Mapping[str, Any] = self._api.get(path_of(container, "/json"), shapes.CONTAINER)["Config"]
        return config.get("StopSignal") or "SIGTERM"
