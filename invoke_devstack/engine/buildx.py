"""Builds through BuildKit: `docker buildx` as a program of its own
(https://docs.docker.com/reference/cli/docker/buildx/build/). The SDK knows no BuildKit."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from invoke_devstack.engine.build_context import context_folder, read_dockerfile
from invoke_devstack.engine.build_failures import BuildLog
from invoke_devstack.engine.buildx_progress import JsonProgress, PlainProgress
from invoke_devstack.engine.classic import is_remote
from invoke_devstack.engine.dockerfile import syntax_of, without_syntax
from invoke_devstack.engine.endpoints import Endpoint
from invoke_devstack.engine.protocol import BuildResult, Cancellation, OnProgress, Progress
from invoke_devstack.errors import BuildError
from invoke_devstack.planning.plan import BuildRequest
from invoke_devstack.secrets import masked

PLUGIN = "docker-buildx.exe" if os.name == "nt" else "docker-buildx"
_READERS: Mapping[str, type[JsonProgress | PlainProgress]] = {
    "rawjson": JsonProgress,
    "plain": PlainProgress,
}  # buildx before 0.13 has no rawjson


def find_buildx(environment: Mapping[str, str] | None = None) -> Path | None:
    """The buildx program, where the docker command looks for its plugins; it runs by itself as well,
    which saves the start of the docker command."""
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
    """Raises BuildError. Where the frontend of a `# syntax=` line cannot be pulled, the engine's own
    stands in for it: a network without a registry builds too."""
    text = ""
    if not is_remote(request.context):
        context_folder(request)
        text = read_dockerfile(request)
    environment = {**buildx_environment(endpoint), **secret_arguments(request)}
    buildx = _Buildx(plugin, environment, cancellation)
    try:
        return buildx.build(request, on_progress)
    except BuildError as error:
        frontend = syntax_of(text)
        if not frontend or f"{frontend} cannot be pulled" not in error.message:
            raise
    on_progress(Progress("", f"{frontend} is out of reach: the engine's own syntax stands in for it"))
    with tempfile.TemporaryDirectory() as folder:
        return buildx.build(_rewritten(request, text, Path(folder)), on_progress)


def buildx_arguments(request: BuildRequest, *, progress: str, id_file: str) -> list[str]:
    """The command line of a build, without the program."""
    single = {
        "--target": request.target,
        "--network": request.network,
        "--shm-size": str(request.shm_size or ""),
        "--platform": ",".join(request.platforms),
        "--allow": "security.insecure" if request.privileged else "",
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


def secret_arguments(request: BuildRequest) -> dict[str, str]:
    """The build arguments that hold a secret. buildx takes them from its environment: the words of a
    command are for every user of the machine to read."""
    return {
        name: value
        for name, value in request.args.items()
        if value is not None and masked(name, value) != value and not name.lower().endswith("_proxy")
    }


def buildx_environment(endpoint: Endpoint, environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment in which buildx finds the engine that we talk to. No attestations: with them the
    id of an image changes at each build, and its containers with it."""
    result = dict(os.environ if environment is None else environment)
    result["BUILDX_NO_DEFAULT_ATTESTATIONS"] = "1"
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
        """One run, with the progress that this buildx can give."""
        for progress in _READERS:
            log = BuildLog(request.tag, on_progress)
            with tempfile.TemporaryDirectory() as folder:
                id_file = Path(folder, "id")
                arguments = buildx_arguments(request, progress=progress, id_file=str(id_file))
                code, rest = self._run(arguments, request.dockerfile_inline, _READERS[progress](log))
                if code == 0:
                    return log.result(id_file.read_text().strip(), "buildx")
            if progress not in "".join(rest):
                break
        last = next((line for line in reversed(rest) if line.startswith("ERROR: ")), "".join(rest[-3:]))
        raise log.failure(last)

    def _run(
        self, arguments: list[str], text: str, reader: JsonProgress | PlainProgress
    ) -> tuple[int, list[str]]:
        """(exit code, the lines that are no progress: what it complains of)."""
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
            self._cancellation.calling(process.terminate),
        ):
            try:
                _give_input(process, text)
                rest.extend(line for line in _lines(process) if not reader.read(line))
            except BaseException:
                process.terminate()
                raise
        return process.returncode, rest


def _give_input(process: subprocess.Popen[str], text: str) -> None:
    assert process.stdin is not None
    try:
        process.stdin.write(text)
        process.stdin.close()
    except BrokenPipeError:
        return  # it has ended already and says why


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
    """The request with its Dockerfile, less the `# syntax=` line, in `folder`; its ignore file goes along."""
    from dataclasses import replace

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
    """https://docs.docker.com/engine/extend/cli_plugins/ and what the docker command itself does."""
    home = Path(environment.get("HOME") or Path.home())
    yield Path(environment.get("DOCKER_CONFIG") or home / ".docker") / "cli-plugins"
    yield home / ".docker/cli-plugins"
    if os.name == "nt":
        yield Path(environment.get("PROGRAMDATA", "C:/ProgramData"), "Docker/cli-plugins")
        yield Path(environment.get("PROGRAMFILES", "C:/Program Files"), "Docker/cli-plugins")
    else:
        yield from (
            Path(root, "docker/cli-plugins")
            for root in ("/usr/local/lib", "/usr/local/libexec", "/usr/lib", "/usr/libexec")
        )
        yield Path("/Applications/Docker.app/Contents/Resources/cli-plugins")
        yield Path("/opt/homebrew/lib/docker/cli-plugins")
