"""Builds with BuildKit, through the program of `docker buildx`
(https://docs.docker.com/reference/cli/docker/buildx/build/): the Docker SDK does not support BuildKit."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from invoke_devstack.definition.syntax.dockerignore import read_ignore
from invoke_devstack.engine.builds import bake
from invoke_devstack.engine.builds.build_log import BuildLog
from invoke_devstack.engine.builds.classic import is_remote
from invoke_devstack.engine.builds.context import context_folder, read_dockerfile
from invoke_devstack.engine.builds.dockerfile import syntax_of, without_syntax
from invoke_devstack.engine.cancellation import Cancellation
from invoke_devstack.engine.endpoints import Endpoint, config_folder
from invoke_devstack.engine.images.references import Reference
from invoke_devstack.engine.protocol import BuildResult, OnProgress, Progress
from invoke_devstack.errors import BuildError
from invoke_devstack.local_files.home import home_folder
from invoke_devstack.planning.plan import BuildRequest
from invoke_devstack.secrets import masked

PLUGIN = "docker-buildx.exe" if sys.platform == "win32" else "docker-buildx"


_GIT_LOGIN = re.compile(r"(?P<scheme>https?://)(?P<login>[^/@]*:[^/@]*)@(?P<rest>[^#?]*\.git(?:[#?].*)?)$")
_GIT_HEADER = "DEVSTACK_GIT_LOGIN"


def find_buildx(environment: Mapping[str, str] | None = None) -> Path | None:
    """The buildx program, from where the docker command looks for plugins. Running it directly saves the
    start of the docker command."""
    environment = os.environ if environment is None else environment
    candidates = (folder / PLUGIN for folder in _plugin_folders(environment))
    return next((path for path in candidates if os.access(path, os.X_OK)), None)


def build_with_buildx(
    plugin: Path,
    endpoint: Endpoint,
    request: BuildRequest,
    on_progress: OnProgress,
    cancellation: Cancellation,
) -> BuildResult:
    """Raises BuildError. If the frontend of a `# syntax=` line cannot be pulled, the engine's own is used, so
    that a build works without a registry."""
    text = ""
    if not is_remote(request.context):
        place = context_folder(request)
        text = read_dockerfile(request)
        read_ignore(place, None if request.dockerfile_inline else place / request.dockerfile)
    request, login = without_git_login(request)
    environment = {**buildx_environment(endpoint), **secret_arguments(request), **login}
    buildx = _Buildx(plugin, environment, cancellation)
    try:
        return buildx.build(request, on_progress)
    except BuildError as error:
        frontend = syntax_of(text)
        if not frontend or Reference.parse(frontend).identity != Reference.parse(error.image).identity:
            raise
    on_progress(Progress("", f"{frontend} cannot be pulled: using the engine's own frontend"))
    with tempfile.TemporaryDirectory() as folder:
        return buildx.build(_rewritten(request, text, Path(folder)), on_progress)


def buildx_arguments(request: BuildRequest, *, progress: str, id_file: str) -> list[str]:
    """The command line of a build, without the program."""
    single = {
        "--target": request.target,
        "--network": request.network,
        "--shm-size": str(request.shm_size or ""),
        "--platform": ",".join(request.platforms),
    }
    many: dict[str, list[str]] = {
        "--tag": [name for name in (request.tag, *request.extra_tags) if name],
        "--build-arg": [
            name if value is None or name in secret_arguments(request) else f"{name}={value}"
            for name, value in request.args.items()
        ],
        "--label": [f"{name}={value}" for name, value in request.labels.items()],
        "--build-context": [f"{name}={value}" for name, value in request.additional_contexts.items()],
        "--cache-from": list(request.cache_from),
        "--cache-to": list(request.cache_to),
        "--secret": [_secret(name, source) for name, source in request.secrets],
        "--ssh": list(request.ssh),
        "--add-host": list(request.extra_hosts),
        "--ulimit": [f"{name}={value}" for name, value in request.ulimits.items()],
        "--no-cache-filter": list(request.no_cache_filter),
        "--allow": allowed(request),
    }
    flags = {"--no-cache": request.no_cache, "--pull": request.pull}
    return [
        "build",
        f"--progress={progress}",
        "--load",
        f"--iidfile={id_file}",
        *_dockerfile_option(request),
        *(f"{option}={value}" for option, value in single.items() if value),
        *(f"{option}={value}" for option, values in many.items() for value in values),
        *(flag for flag, wanted in flags.items() if wanted),
        request.context,
    ]


def allowed(request: BuildRequest) -> list[str]:
    """The entitlements of a build; `privileged` is one of them."""
    return list(
        dict.fromkeys((*request.entitlements, *(["security.insecure"] if request.privileged else [])))
    )


def secret_arguments(request: BuildRequest) -> dict[str, str]:
    """The build arguments that hold a secret. They are passed in the environment: every user of the machine
    can read a command line."""
    return {
        name: value
        for name, value in request.args.items()
        if value is not None and masked(name, value) != value and not name.lower().endswith("_proxy")
    }


def without_git_login(request: BuildRequest) -> tuple[BuildRequest, dict[str, str]]:
    """The request with the login in the address of its Git repository taken out, and the environment that
    gives it to BuildKit (https://docs.docker.com/build/building/secrets/#git-authentication-for-remote-contexts):
    buildx keeps the addresses that it built."""
    found = _GIT_LOGIN.match(request.context)
    if not found:
        return request, {}
    login = base64.b64encode(unquote(found["login"]).encode()).decode()
    secrets = (*request.secrets, ("GIT_AUTH_HEADER", f"env:{_GIT_HEADER}"))
    context = f"{found['scheme']}{found['rest']}"
    return replace(request, context=context, secrets=secrets), {_GIT_HEADER: f"basic {login}"}


def buildx_environment(endpoint: Endpoint, environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment in which buildx finds our engine. Attestations are off: they would change an image's
    id at each build, and recreate its containers."""
    result = dict(os.environ if environment is None else environment)
    result |= {"BUILDX_NO_DEFAULT_ATTESTATIONS": "1", **bake.ENVIRONMENT}
    kind, _, context = endpoint.source.partition(" ")
    if kind == "context":
        result.pop("DOCKER_HOST", None)
        result["DOCKER_CONTEXT"] = context
    elif endpoint.source != "DOCKER_HOST":
        result.pop("DOCKER_CONTEXT", None)
        result["DOCKER_HOST"] = endpoint.url
    return result


class _Buildx:
    """Runs the program for one engine."""

    def __init__(self, plugin: Path, environment: Mapping[str, str], cancellation: Cancellation) -> None:
        self._plugin = plugin
        self._environment = environment
        self._cancellation = cancellation

    def build(self, request: BuildRequest, on_progress: OnProgress) -> BuildResult:
        """Builds with the first kind of progress that this buildx supports."""
        for progress, make_reader in _READERS.items():
            log = BuildLog(request.tag, on_progress)
            reader = make_reader(log)
            with tempfile.TemporaryDirectory() as folder:
                answer = Path(folder, "answer")
                code, rest = self._run(*self._asked(request, progress, answer), reader)
                if code == 0:
                    return log.result(_image_id(answer.read_text().strip()), "buildx")
            if reader.has_read:
                break
        last = next((line for line in reversed(rest) if line.startswith("ERROR: ")), "".join(rest[-3:]))
        raise log.failure(last)

    def _asked(self, request: BuildRequest, progress: str, answer: Path) -> tuple[list[str], str]:
        """(arguments, input). What is private goes through the input."""
        if request.private:
            secrets = [_secret(name, source) for name, source in request.secrets]
            text = bake.bake_file(request, secrets, self._environment)
            return bake.bake_arguments(request, progress=progress, metadata_file=str(answer)), text
        arguments = buildx_arguments(request, progress=progress, id_file=str(answer))
        return arguments, request.dockerfile_inline

    def _run(
        self, arguments: list[str], text: str, reader: JsonProgress | PlainProgress
    ) -> tuple[int, list[str]]:
        """(exit code, the lines that are not progress, such as errors)."""
        rest: list[str] = []
        with (
            subprocess.Popen(
                [str(self._plugin), *arguments],
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
            ) as process,
            self._cancellation.calling(process.kill),  # where the engine hangs, it would not end by itself
        ):
            try:
                _give_input(process, text)
                rest.extend(line for line in _lines(process) if not reader.read(line))
            except BaseException:
                process.kill()
                raise
        return process.returncode, rest


def _image_id(answer: str) -> str:
    return bake.image_id(answer) if answer.startswith("{") else answer


def _give_input(process: subprocess.Popen[str], text: str) -> None:
    assert process.stdin is not None
    try:
        process.stdin.write(text)
        process.stdin.close()
    except BrokenPipeError:
        return  # it has exited; its output says why


def _lines(process: subprocess.Popen[str]) -> Iterator[str]:
    assert process.stderr is not None
    return iter(process.stderr)


def _dockerfile_option(request: BuildRequest) -> list[str]:
    if request.dockerfile_inline:
        return ["--file=-"]
    if is_remote(request.context):
        return [f"--file={request.dockerfile}"]
    return [f"--file={Path(request.context) / request.dockerfile}"]


def _secret(name: str, source: str) -> str:
    kind, _, variable = source.partition(":")
    return f"id={name},env={variable}" if kind == "env" else f"id={name},src={source}"


def _rewritten(request: BuildRequest, text: str, folder: Path) -> BuildRequest:
    """The request with a copy of its Dockerfile and ignore file in `folder`, without the `# syntax=` line."""
    if request.dockerfile_inline:
        return replace(request, dockerfile_inline=without_syntax(text))
    copy = folder / "Dockerfile"
    copy.write_text(without_syntax(text), "utf-8")
    original = Path(request.context) / request.dockerfile
    ignore = original.with_name(f"{original.name}.dockerignore")
    if ignore.is_file():
        copy.with_name("Dockerfile.dockerignore").write_bytes(ignore.read_bytes())
    return replace(request, dockerfile=str(copy))


def _plugin_folders(environment: Mapping[str, str]) -> Iterator[Path]:
    """As in https://docs.docker.com/engine/extend/cli_plugins/ and the docker command."""
    home = home_folder(environment)
    yield config_folder(environment) / "cli-plugins"
    yield home / ".docker/cli-plugins"
    if sys.platform == "win32":
        yield Path(environment.get("PROGRAMDATA", "C:/ProgramData"), "Docker/cli-plugins")
        yield Path(environment.get("PROGRAMFILES", "C:/Program Files"), "Docker/cli-plugins")
    else:
        yield from (
            Path(root, "docker/cli-plugins")
            for root in ("/usr/local/lib", "/usr/local/libexec", "/usr/lib", "/usr/libexec")
        )
        yield Path("/Applications/Docker.app/Contents/Resources/cli-plugins")
        yield Path("/opt/homebrew/lib/docker/cli-plugins")


_STEP = re.compile(r"\[(?P<place>(?:\S+ )?\d+/\d+)\] (?P<instruction>.*)", re.DOTALL)
_PLAIN = re.compile(r"#(?P<key>\d+) (?P<text>.*)")


class JsonProgress:
    """Lines of `--progress=rawjson`: BuildKit's SolveStatus, whose vertices are steps."""

    def __init__(self, log: BuildLog) -> None:
        self.has_read = False
        self._log = log
        self._steps: set[str] = set()
        self._begun: set[str] = set()

    def read(self, line: str) -> bool:
        if not line.startswith("{"):
            return False
        try:
            status: Mapping[str, Any] = json.loads(line)
        except ValueError:
            return False
        self.has_read = True
        for vertex in status.get("vertexes") or ():
            self._read_vertex(vertex)
        for entry in status.get("logs") or ():
            if entry["vertex"] in self._steps:
                self._log.output(entry["vertex"], base64.b64decode(entry["data"]).decode("utf-8", "replace"))
        for entry in status.get("statuses") or ():
            if entry.get("total"):
                self._log.tell(entry["id"][:19], f"{entry.get('current', 0)} of {entry['total']} bytes")
        return True

    def _read_vertex(self, vertex: Mapping[str, Any]) -> None:
        key = vertex["digest"]
        step = _STEP.match(vertex.get("name", ""))
        if step:
            self._steps.add(key)
            self._log.plan(key, step["place"], step["instruction"])
            if vertex.get("cached"):
                self._log.cached(key)
            elif "started" in vertex and key not in self._begun:
                self._begun.add(key)
                self._log.begin(key)
        if vertex.get("error"):
            self._log.fail(key, vertex["error"], vertex.get("name", ""))


class PlainProgress:
    """Lines of `--progress=plain`: `#5 [2/4] RUN make`, `#5 0.31 output`, `#5 CACHED`, `#5 ERROR: …`."""

    def __init__(self, log: BuildLog) -> None:
        self.has_read = False
        self._log = log
        self._steps: set[str] = set()
        self._names: dict[str, str] = {}

    def read(self, line: str) -> bool:
        match = _PLAIN.match(line)
        if not match:
            return not line.strip()
        self.has_read = True
        key, text = match["key"], match["text"].rstrip()
        self._names.setdefault(key, text)
        step = _STEP.match(text)
        if step:
            self._steps.add(key)
            self._log.plan(key, step["place"], step["instruction"])
            self._log.begin(key)
        elif text.startswith("ERROR: "):
            self._log.fail(key, text.removeprefix("ERROR: "), self._names[key])
        elif key not in self._steps or text.startswith("DONE "):
            return True
        elif text == "CACHED":
            self._log.cached(key)
        else:
            self._log.output(key, re.sub(r"^\d+\.\d+ ", "", text))
        return True


_READERS: Mapping[str, type[JsonProgress | PlainProgress]] = {
    "rawjson": JsonProgress,
    "plain": PlainProgress,
}
"""By `--progress`, tried in this order: buildx before 0.13 refuses `rawjson`."""
