"""The life of containers: made, started, stopped, removed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast
from urllib.parse import quote

from invoke_devstack.engine.api import Api
from invoke_devstack.engine.failures import is_timeout
from invoke_devstack.errors import ConflictError, EngineError, EngineUnavailableError, NotFoundError
from invoke_devstack.planning.plan import Body

STOP_WITH_SIGNAL = (1, 42)  # `signal` of POST /containers/ID/stop and /restart


def path_of(container: str, rest: str = "") -> str:
    return f"/containers/{quote(container, safe='')}{rest}"


class Containers:
    """The part of the engine that changes containers."""

    _api: Api
    _version: tuple[int, int]

    def create_container(self, name: str, body: Body, *, platform: str = "") -> str:
        made = self._api.post("/containers/create", body, {"name": name, "platform": platform})
        return str(made["Id"])

    def start(self, container: str) -> None:
        self._api.post(path_of(container, "/start"))

    def stop(self, container: str, *, signal: str = "", grace: float = 10.0) -> None:
        """See `Engine.stop`. The engine counts the grace period in whole seconds and, before API 1.42,
        sends the container's own signal alone; otherwise it is signalled, waited for and killed here."""
        if grace == int(grace) and (not signal or self._version >= STOP_WITH_SIGNAL):
            self._post(container, "/stop", {"t": int(grace), "signal": signal})
            return
        try:
            self.kill(container, signal or self._stop_signal(container))
            self.wait(container, timeout=grace)
        except (ConflictError, TimeoutError):
            pass  # not running, or too slow
        # Always: it kills what is left, and tells the engine not to restart the container.
        self._post(container, "/stop", {"t": 0})

    def restart(self, container: str, *, signal: str = "", grace: float = 10.0) -> None:
        if grace == int(grace) and (not signal or self._version >= STOP_WITH_SIGNAL):
            self._post(container, "/restart", {"t": int(grace), "signal": signal})
            return
        self.stop(container, signal=signal, grace=grace)
        self.start(container)

    def kill(self, container: str, signal: str = "SIGKILL") -> None:
        """Raises ConflictError when it is not running."""
        self._api.post(path_of(container, "/kill"), params={"signal": signal})

    def pause(self, container: str) -> None:
        self._api.post(path_of(container, "/pause"))

    def unpause(self, container: str) -> None:
        self._api.post(path_of(container, "/unpause"))

    def rename(self, container: str, new_name: str) -> None:
        self._api.post(path_of(container, "/rename"), params={"name": new_name})

    def remove_container(self, container: str, *, volumes: bool = True, force: bool = False) -> None:
        """Raises ConflictError when it runs and not `force`."""
        try:
            self._api.delete(path_of(container), {"v": volumes, "force": force})
        except ConflictError as error:
            if "already in progress" not in error.message:
                raise
            self._await_removal(container)

    def wait(self, container: str, *, timeout: float | None = None) -> int:
        try:
            return self._wait(container, "not-running", timeout)
        except EngineUnavailableError as error:
            if timeout is not None and is_timeout(error):
                raise TimeoutError(f"{container} runs after {timeout} s") from error
            raise

    def top(self, container: str) -> Body:
        return cast(Body, self._api.get(path_of(container, "/top")))

    def changes(self, container: str) -> list[Body]:
        return self._api.get(path_of(container, "/changes")) or []

    def stats(self, container: str) -> Iterator[Body]:
        """One reading about each second, until the container is gone."""
        answer = self._api.send(
            "GET", path_of(container, "/stats"), {"stream": True}, stream=True, seconds=None
        )
        return self._api.lines(answer)

    def _wait(self, container: str, condition: str, timeout: float | None) -> int:
        seconds = None if timeout is None else max(timeout, 0.001)  # 0 is no time-out to the HTTP client
        answer = self._api.post(path_of(container, "/wait"), params={"condition": condition}, seconds=seconds)
        problem = (answer.get("Error") or {}).get("Message")
        if problem:
            raise EngineError(f"the engine lost sight of {container}: {problem}")
        return int(answer["StatusCode"])

    def _post(self, container: str, act: str, params: Mapping[str, Any]) -> None:
        """For what may take as long as the container does."""
        self._api.post(path_of(container, act), params=params, seconds=None)

    def _await_removal(self, container: str) -> None:
        try:
            self._wait(container, "removed", None)
        except NotFoundError:
            return

    def _stop_signal(self, container: str) -> str:
        config: Mapping[str, Any] = self._api.get(path_of(container, "/json"))["Config"]
        return config.get("StopSignal") or "SIGTERM"
