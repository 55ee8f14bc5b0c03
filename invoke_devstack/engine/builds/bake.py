"""A build as a file of `docker buildx bake`, which reads it from its input
(https://docs.docker.com/build/bake/reference/): every user of the machine can read a command line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from invoke_devstack.engine.builds.classic import is_remote
from invoke_devstack.planning.plan import BuildRequest

_TARGET = "default"
ENVIRONMENT = {"BUILDX_BAKE_ENTITLEMENTS_FS": "0"}
"""The paths come from the project's own files, which `docker buildx build` reads without asking too."""


def bake_arguments(request: BuildRequest, *, progress: str, metadata_file: str) -> list[str]:
    """The command line, without the program. The file comes through the input."""
    return [
        "bake",
        "--file=-",
        f"--progress={progress}",
        "--load",
        f"--metadata-file={metadata_file}",
        *(["--allow=security.insecure"] if request.privileged else []),
        _TARGET,
    ]


def bake_file(request: BuildRequest, secrets: Iterable[str], environment: Mapping[str, str]) -> str:
    """The file. `secrets` are those of the build as `--secret` takes them; arguments without a value get that
    in `environment`."""
    target = {
        "context": request.context,
        "target": request.target,
        "network": request.network,
        "shm-size": str(request.shm_size or ""),
        "platforms": request.platforms,
        "tags": [name for name in (request.tag, *request.extra_tags) if name],
        "args": {
            name: environment.get(name) if value is None else value for name, value in request.args.items()
        },
        "labels": request.labels,
        "contexts": request.additional_contexts,
        "cache-from": request.cache_from,
        "cache-to": request.cache_to,
        "secret": list(secrets),
        "ssh": request.ssh,
        "extra-hosts": dict(_host(entry) for entry in request.extra_hosts),
        "ulimits": [f"{name}={value}" for name, value in request.ulimits.items()],
        "entitlements": ["security.insecure"] if request.privileged else [],
        "no-cache": request.no_cache,
        "pull": request.pull,
        **_dockerfile(request),
    }
    return json.dumps({"target": {_TARGET: _escaped({key: value for key, value in target.items() if value})}})


def image_id(metadata: str) -> str:
    """The id of the built image, from what bake writes at its end."""
    built = json.loads(metadata)[_TARGET]
    return str(built.get("containerimage.config.digest") or built["containerimage.digest"])


def _dockerfile(request: BuildRequest) -> dict[str, str]:
    if request.dockerfile_inline:
        return {"dockerfile-inline": request.dockerfile_inline}
    if is_remote(request.context):
        return {"dockerfile": request.dockerfile}
    return {"dockerfile": str(Path(request.context) / request.dockerfile)}


def _host(entry: str) -> tuple[str, str]:
    name, _, address = entry.partition("=" if "=" in entry else ":")
    return name, address


def _escaped(value: Any) -> Any:
    """Bake would put its own variables into texts."""
    if isinstance(value, str):
        return value.replace("${", "$${").replace("%{", "%%{")
    if isinstance(value, Mapping):
        return {key: _escaped(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_escaped(item) for item in value]
    return value
