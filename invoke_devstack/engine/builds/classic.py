"""The engine's classic builder (https://docs.docker.com/reference/api/engine/#tag/Image/operation/ImageBuild)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from invoke_devstack.engine.builds.build_log import BuildLog, build_failure
from invoke_devstack.engine.builds.context import BuildContext
from invoke_devstack.engine.cancellation import Cancellation
from invoke_devstack.engine.images.transfers import all_credentials, report
from invoke_devstack.engine.protocol import BuildResult, OnProgress
from invoke_devstack.engine.transport import shapes
from invoke_devstack.engine.transport.api import Api
from invoke_devstack.errors import BuildError, EngineError, EngineUnavailableError
from invoke_devstack.planning.plan import BuildRequest

_STEP = re.compile(r"Step (\d+)/(\d+) : (.*)", re.DOTALL)


def build_classic(
    api: Api, request: BuildRequest, on_progress: OnProgress, cancellation: Cancellation
) -> BuildResult:
    """Streams the context to the engine and follows the build. Raises BuildError."""
    context = None if is_remote(request.context) else BuildContext.of(request)
    query = urlencode(build_query(request, context.dockerfile if context else request.dockerfile))
    try:
        answer = api.send(
            "POST",
            f"/build?{query}",
            data=_until_cancelled(context.tar(), cancellation) if context else None,
            headers={"Content-Type": "application/x-tar", "X-Registry-Config": all_credentials()},
            stream=True,
            seconds=None,
        )
    except EngineUnavailableError:
        raise
    except EngineError as error:
        raise build_failure(request.tag, error.message) from error
    with cancellation.calling(answer.break_off):
        return ClassicBuild(request, on_progress).follow(api.lines(answer, shapes.PROGRESS))


def _until_cancelled(blocks: Iterator[bytes], cancellation: Cancellation) -> Iterator[bytes]:
    for block in blocks:
        if cancellation.cancelled:
            return
        yield block


def is_remote(context: str) -> bool:
    """Whether a context is a URL, which the engine fetches."""
    return "://" in context or context.startswith(("git@", "github.com/"))


def build_query(request: BuildRequest, dockerfile: str) -> list[tuple[str, str]]:
    """The query of `POST /build`; `dockerfile` is the file's name in the context."""
    names = [request.tag, *request.extra_tags]
    pairs = [("t", name) for name in names if name]
    pairs += [("extrahosts", _host(entry)) for entry in request.extra_hosts]
    single = {
        "dockerfile": dockerfile,
        "remote": request.context if is_remote(request.context) else "",
        "target": request.target,
        "platform": request.platforms[0] if request.platforms else "",
        "networkmode": request.network,
        "shmsize": str(request.shm_size or ""),
        "nocache": "1" if request.no_cache else "",
        "pull": "1" if request.pull else "",
        "rm": "1",
        "forcerm": "1",
        "buildargs": _json(request.args),
        "labels": _json(request.labels),
        "cachefrom": _json(list(request.cache_from)),
        "ulimits": _json([_ulimit(name, value) for name, value in request.ulimits.items()]),
        "isolation": request.isolation,
    }
    return pairs + [(key, value) for key, value in single.items() if value]


def _json(value: Any) -> str:
    return json.dumps(dict(value) if hasattr(value, "keys") else value) if value else ""


def _host(entry: str) -> str:
    """The API takes `name:address`; Compose also takes `name=address`."""
    return entry.replace("=", ":", 1)


def _ulimit(name: str, value: str) -> dict[str, str | int]:
    soft, _, hard = value.partition(":")
    return {"Name": name, "Soft": int(soft), "Hard": int(hard or soft)}


class ClassicBuild:
    """Reads the builder's messages."""

    def __init__(self, request: BuildRequest, on_progress: OnProgress) -> None:
        self._tag = request.tag
        self._on_progress = on_progress
        self._log = BuildLog(request.tag, on_progress)
        self._step = ""
        self._image = ""

    def follow(self, messages: Iterator[Any]) -> BuildResult:
        """Raises BuildError with the failing step's instruction and the end of its output."""
        for message in messages:
            if "error" in message:
                raise self._log.failure_in_last_step(str(message["error"]).strip())
            self._image = (message.get("aux") or {}).get("ID", self._image)
            if "stream" in message:
                self._read(str(message["stream"]))
            elif "status" in message:
                report(iter([message]), self._on_progress)
        if not self._image:
            raise BuildError(f"the build of {self._tag} produced no image")
        return self._log.result(self._image, "classic")

    def _read(self, text: str) -> None:
        step = _STEP.match(text)
        if step:
            self._step = f"{step[1]}/{step[2]}"
            self._log.expect(int(step[2]))
            self._log.plan(self._step, self._step, step[3].strip())
            self._log.begin(self._step)
        elif text.strip() == "---> Using cache":
            self._log.cached(self._step)
        elif self._step and not text.startswith(
            (" --->", "Removing intermediate container", "Successfully ")
        ):
            self._log.output(self._step, text)
