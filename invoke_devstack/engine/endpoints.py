"""The address of the engine: DOCKER_HOST, or else Docker's current context, or else the sockets of the usual
engines. Nothing here connects to one."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from invoke_devstack.errors import EngineUnavailableError
from invoke_devstack.local_files.home import home_folder
from invoke_devstack.records import record

_PROXIES = {
    "httpProxy": "HTTP_PROXY",
    "httpsProxy": "HTTPS_PROXY",
    "ftpProxy": "FTP_PROXY",
    "noProxy": "NO_PROXY",
    "allProxy": "ALL_PROXY",
}


def config_folder(environment: Mapping[str, str] | None = None) -> Path:
    """DOCKER_CONFIG, or `.docker` in the home directory."""
    environment = os.environ if environment is None else environment
    configured = environment.get("DOCKER_CONFIG")
    return Path(configured) if configured else home_folder(environment) / ".docker"


def read_config(environment: Mapping[str, str] | None = None) -> Mapping[str, Any]:
    """The content of `config.json`; empty if it is missing or unreadable."""
    try:
        config = _read_json(config_folder(environment) / "config.json")
    except (OSError, ValueError):
        return {}
    return config if isinstance(config, dict) else {}


def _read_json(file: Path) -> Any:
    """Raises OSError, or ValueError for what is no JSON of a reasonable size."""
    if not file.is_file():  # a pipe would be waited for
        raise FileNotFoundError(f"{file} is not a file")
    if file.stat().st_size > _LARGEST_FILE:
        raise ValueError("it is too large")
    try:
        return json.loads(file.read_text("utf-8"))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def client_proxies(engine_url: str) -> dict[str, str]:
    """The proxy variables, in both spellings, that the configuration gives every container of an engine
    (https://docs.docker.com/engine/cli/proxy/)."""
    proxies = _object(read_config().get("proxies"))
    chosen = _object(proxies.get(engine_url) or proxies.get("default"))
    found: dict[str, str] = {}
    for key, name in _PROXIES.items():
        value = chosen.get(key)
        if value and isinstance(value, str):
            found[name] = found[name.lower()] = value
    return found


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


_LARGEST_FILE = 1 << 22  # bytes of a file of Docker's configuration
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
    """The address of an engine. `source` says where it comes from: `DOCKER_HOST`, `context NAME`, or
    `default`."""

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
        """Whether the engine runs on this machine, or in a VM of it."""
        return self.scheme in ("unix", "npipe")

    @property
    def host(self) -> str:
        """Where this machine reaches the ports that the engine publishes on all addresses."""
        return "127.0.0.1" if self.is_local else urlsplit(self.url).hostname or "127.0.0.1"


def find_endpoint(environment: Mapping[str, str] | None = None) -> Endpoint:
    """The endpoint to use, in the order of the docker command
    (https://docs.docker.com/engine/manage-resources/contexts/): DOCKER_HOST, DOCKER_CONTEXT, the
    current context, the default socket, or else the first known socket that exists. Raises
    EngineUnavailableError for a context that cannot be read."""
    environment = os.environ if environment is None else environment
    host = environment.get("DOCKER_HOST", "").strip()
    if host:
        return Endpoint(_with_scheme(host), "DOCKER_HOST", _tls_of_environment(environment))
    context = environment.get("DOCKER_CONTEXT", "").strip() or read_config(environment).get("currentContext")
    if context and not isinstance(context, str):
        raise _unreadable_context(str(context), "`currentContext` in Docker's config.json is not a name")
    if context and context != "default":
        return _of_context(context, environment)
    return next((item for item in known_sockets(environment) if item.socket_path.exists()), _default())


def context_names(environment: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """The contexts of the docker command, `default` first. What cannot be read is left out."""
    found = []
    for file in sorted((config_folder(environment) / "contexts" / "meta").glob("*/meta.json")):
        with suppress(OSError, ValueError, LookupError, TypeError):
            found.append(str(_read_json(file)["Name"]))
    return ("default", *sorted(found))


def endpoint_of_context(name: str) -> Endpoint:
    """The endpoint of a context, whatever the environment says. Raises EngineUnavailableError."""
    return find_endpoint({**os.environ, "DOCKER_HOST": "", "DOCKER_CONTEXT": name})


def known_sockets(environment: Mapping[str, str]) -> Iterator[Endpoint]:
    """The sockets of Docker Engine, Docker Desktop, rootless Docker, Colima, Rancher Desktop, OrbStack
    and Podman, whether they exist or not."""
    if sys.platform == "win32":
        return
    home = home_folder(environment)
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
    """As in https://docs.docker.com/engine/security/protect-access/: any text in DOCKER_TLS_VERIFY turns
    verification on; DOCKER_CERT_PATH holds ca.pem, cert.pem and key.pem."""
    verify = bool(environment.get("DOCKER_TLS_VERIFY"))
    path = environment.get("DOCKER_CERT_PATH", "")
    if not verify and not path:
        return None
    return _tls_files(Path(path) if path else config_folder(environment), verify=verify)


def _tls_files(folder: Path, *, verify: bool) -> TlsFiles:
    ca, cert, key = (_file(folder / name) for name in ("ca.pem", "cert.pem", "key.pem"))
    return TlsFiles(ca, cert, key, verify=verify)


def _file(path: Path) -> str:
    return str(path) if path.is_file() else ""


def _of_context(name: str, environment: Mapping[str, str]) -> Endpoint:
    """Reads the files of `docker context`. The SDK would need a config.json beside them, and rejects contexts
    without all three certificates."""
    import hashlib

    folder = config_folder(environment) / "contexts"
    number = hashlib.sha256(name.encode()).hexdigest()
    try:
        meta = _read_json(folder / "meta" / number / "meta.json")
        endpoint = meta["Endpoints"]["docker"]
        host = endpoint["Host"]
        if not isinstance(host, str):
            raise TypeError("`Host` is not text")
    except FileNotFoundError as error:
        raise _unreadable_context(name, "it does not exist") from error
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise _unreadable_context(name, f"its file is invalid ({error})") from error
    files = folder / "tls" / number / "docker"
    skip = bool(endpoint.get("SkipTLSVerify"))
    tls = _tls_files(files, verify=not skip) if files.is_dir() or skip else None
    return Endpoint(host, f"context {name}", tls if host.startswith("tcp") else None)


def _unreadable_context(name: str, reason: str) -> EngineUnavailableError:
    return EngineUnavailableError(
        f"the Docker context `{name}` is unusable: {reason}",
        hint="List the contexts: docker context ls. Use the local engine: docker context use default",
        reason="context",
    )
