"""Where an engine may be: DOCKER_HOST, else Docker's current context, else the sockets that engines
for a developer's machine make. Nothing here talks to an engine."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from invoke_devstack.errors import EngineUnavailableError
from invoke_devstack.records import record

DEFAULT_SOCKET = "unix:///var/run/docker.sock"
WINDOWS_PIPE = "npipe:////./pipe/docker_engine"


@record
class TlsFiles:
    """Certificates for a TLS endpoint. Without `ca`, the system's authorities are trusted."""

    ca: str = ""
    cert: str = ""
    key: str = ""
    verify: bool = True


@record
class Endpoint:
    """The address of an engine. `source` says where it comes from, for messages: `DOCKER_HOST`,
    `context NAME`, or `default`."""

    url: str
    source: str = "default"
    tls: TlsFiles | None = None

    @property
    def scheme(self) -> str:
        return urlsplit(self.url).scheme

    @property
    def socket_path(self) -> Path:
        """The file of a unix socket."""
        return Path(self.url.removeprefix("unix://"))

    @property
    def is_local(self) -> bool:
        return self.scheme in ("unix", "npipe")


def find_endpoint(environment: Mapping[str, str] | None = None) -> Endpoint:
    """The endpoint to use, in the order of the docker command
    (https://docs.docker.com/engine/manage-resources/contexts/): DOCKER_HOST, DOCKER_CONTEXT, the
    current context, the default socket. Where that last one is not there, the first of the other
    known sockets that is. Raises EngineUnavailableError for a context that cannot be read."""
    environment = os.environ if environment is None else environment
    host = environment.get("DOCKER_HOST", "").strip()
    if host:
        return Endpoint(_with_scheme(host), "DOCKER_HOST", _tls_of_environment(environment))
    context = environment.get("DOCKER_CONTEXT", "").strip() or _current_context(environment)
    if context and context != "default":
        return _of_context(context, environment)
    return next((item for item in known_sockets(environment) if item.socket_path.exists()), _default())


def known_sockets(environment: Mapping[str, str]) -> Iterator[Endpoint]:
    """The sockets of Docker Engine, Docker Desktop, rootless Docker, Colima, Rancher Desktop, OrbStack
    and Podman, whether they are there or not."""
    if sys.platform == "win32":
        return
    home = Path(environment.get("HOME") or Path.home())
    runtime = Path(environment.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")
    paths = (
        Path("/var/run/docker.sock"),
        runtime / "docker.sock",
        home / ".docker/run/docker.sock",
        home / ".docker/desktop/docker.sock",
        home / ".colima/default/docker.sock",
        home / ".rd/docker.sock",
        home / ".orbstack/run/docker.sock",
        runtime / "podman/podman.sock",
        Path("/run/podman/podman.sock"),
    )
    yield from (Endpoint(f"unix://{path}") for path in paths)


def _default() -> Endpoint:
    return Endpoint(WINDOWS_PIPE if sys.platform == "win32" else DEFAULT_SOCKET)


def _with_scheme(host: str) -> str:
    if "://" in host:
        return host
    return f"unix://{host}" if host.startswith("/") else f"tcp://{host}"


def _tls_of_environment(environment: Mapping[str, str]) -> TlsFiles | None:
    """As https://docs.docker.com/engine/security/protect-access/ has it: any text in
    DOCKER_TLS_VERIFY verifies; DOCKER_CERT_PATH holds ca.pem, cert.pem and key.pem."""
    verify = bool(environment.get("DOCKER_TLS_VERIFY"))
    path = environment.get("DOCKER_CERT_PATH", "")
    if not verify and not path:
        return None
    return _tls_files(Path(path) if path else _config_folder(environment), verify=verify)


def _tls_files(folder: Path, *, verify: bool) -> TlsFiles:
    ca, cert, key = (_file(folder / name) for name in ("ca.pem", "cert.pem", "key.pem"))
    return TlsFiles(ca, cert, key, verify=verify)


def _file(path: Path) -> str:
    return str(path) if path.is_file() else ""


def _config_folder(environment: Mapping[str, str]) -> Path:
    configured = environment.get("DOCKER_CONFIG")
    return Path(configured) if configured else Path(environment.get("HOME") or Path.home()) / ".docker"


def _current_context(environment: Mapping[str, str]) -> str:
    try:
        config = json.loads((_config_folder(environment) / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return ""
    return str(config.get("currentContext") or "") if isinstance(config, dict) else ""


def _of_context(name: str, environment: Mapping[str, str]) -> Endpoint:
    """Reads the files of `docker context` by itself: the SDK finds them only beside a config.json, which
    need not be there, and takes no context whose certificates are not all three there."""
    folder = _config_folder(environment) / "contexts"
    number = hashlib.sha256(name.encode()).hexdigest()
    try:
        meta = json.loads((folder / "meta" / number / "meta.json").read_text("utf-8"))
        endpoint = meta["Endpoints"]["docker"]
        host = str(endpoint["Host"])
    except FileNotFoundError as error:
        raise _unreadable_context(name, "there is no such context") from error
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise _unreadable_context(name, f"its file is damaged ({error})") from error
    files = folder / "tls" / number / "docker"
    skip = bool(endpoint.get("SkipTLSVerify"))
    tls = _tls_files(files, verify=not skip) if files.is_dir() or skip else None
    return Endpoint(host, f"context {name}", tls if host.startswith("tcp") else None)


def _unreadable_context(name: str, reason: str) -> EngineUnavailableError:
    return EngineUnavailableError(
        f"the Docker context `{name}` cannot be used: {reason}",
        hint="`docker context ls` lists the contexts; `docker context use default` takes the local engine.",
        reason="context",
    )
