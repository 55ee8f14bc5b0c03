"""`connect()`: finds the engine, agrees on an API version, and says in plain words why there is none."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from invoke_devstack.engine.dialing import SshSocket, dialer
from invoke_devstack.engine.endpoints import Endpoint, find_endpoint
from invoke_devstack.engine.failures import causes, is_timeout, is_unknown_host, tls_failure
from invoke_devstack.errors import EngineError, EngineUnavailableError

if TYPE_CHECKING:
    from invoke_devstack.engine.api import Api
    from invoke_devstack.engine.docker_engine import DockerEngine
    from invoke_devstack.engine.silence import OnSilence

OLDEST_API = (1, 41)  # Engine 20.10
NEWEST_API = (1, 51)  # Engine 28: what is newer speaks this too
SETUP_HINT = "`invoke setup` installs and starts one; `invoke doctor` says what is there."


def connect(
    timeout: float = 10.0,
    *,
    endpoint: Endpoint | None = None,
    registry_mirror: str = "",
    patience: float | None = None,
    on_silence: OnSilence | None = None,
) -> DockerEngine:
    """The engine that the docker command would use, or the one at `endpoint`.

    `timeout` in seconds is for making one connection, and for the first answer, which `patience` gives
    more. `on_silence` is told when the engine hangs. `registry_mirror` (host[:port]) is where Docker Hub's
    images are pulled from first. Raises EngineUnavailableError;
    its `reason` tells the cases apart.
    """
    endpoint = endpoint or find_endpoint()
    from invoke_devstack.engine.api import Api
    from invoke_devstack.engine.docker_engine import DockerEngine

    api = Api(
        dialer(endpoint), endpoint.url, _spelled(OLDEST_API), dial_seconds=timeout, on_silence=on_silence
    )
    try:
        headers = ping(api, patience or timeout)
    except EngineUnavailableError as error:
        raise diagnose(error, endpoint) from error
    server = _version(headers.get("Api-Version", ""))
    if server is None:
        raise EngineUnavailableError(
            f"what answers at {endpoint.url} is no Docker engine",
            hint=f"The address comes from {endpoint.source}.",
            reason="unreachable",
        )
    if server < OLDEST_API:
        raise _too_old(headers, endpoint)
    version = min(server, NEWEST_API)
    api.version = _spelled(version)
    return DockerEngine(api, endpoint, version, headers, registry_mirror=registry_mirror)


def ping(api: Api, timeout: float) -> Mapping[str, str]:
    """The headers of `GET /_ping`: it costs the engine a tenth of what `/version` does, and names the
    API version too (https://docs.docker.com/reference/api/engine/#tag/System/operation/SystemPing)."""
    try:
        return api.send("GET", "/_ping", seconds=timeout, versioned=False).headers
    except EngineUnavailableError:
        raise
    except EngineError as error:
        raise EngineUnavailableError(
            f"the engine at {api.url} refused: {error.message}", reason="tls", status=error.status
        ) from error


def diagnose(error: EngineUnavailableError, endpoint: Endpoint) -> EngineUnavailableError:
    """Why no engine answers at `endpoint`, for a person."""
    if endpoint.scheme == "unix":
        return _diagnose_socket(error, endpoint)
    if endpoint.scheme == "npipe":
        return _unavailable(
            "Docker Desktop is not running", "Start Docker Desktop, and wait until it says so.", "not-running"
        )
    if endpoint.scheme == "ssh":
        return _diagnose_ssh(endpoint)
    return _diagnose_host(error, endpoint)


def _diagnose_socket(error: EngineUnavailableError, endpoint: Endpoint) -> EngineUnavailableError:
    numbers = {item.errno for item in causes(error) if isinstance(item, OSError)}
    path = endpoint.socket_path
    if errno.EACCES in numbers or errno.EPERM in numbers:
        return _no_permission(endpoint)
    if not numbers & {errno.ENOENT, errno.ECONNREFUSED, errno.ENOTDIR, errno.ENOTSOCK}:
        return error
    if endpoint.source != "default":
        return _unavailable(
            f"no engine answers at {path} ({endpoint.source})",
            f"Start that engine, or do without {endpoint.source}: "
            + ("unset DOCKER_HOST" if endpoint.source == "DOCKER_HOST" else "docker context use default"),
            "not-running",
        )
    if sys.platform == "darwin":
        return _unavailable(
            "no Docker engine is running",
            "Start Docker Desktop, Colima (`colima start`), OrbStack or Rancher Desktop.",
            "not-running",
        )
    if not any(shutil.which(name) for name in ("dockerd", "podman", "docker-desktop")):
        return _unavailable("no Docker engine is installed", SETUP_HINT, "not-installed")
    return _unavailable(
        "the Docker engine is installed and not running",
        "`invoke setup` starts it (by hand: sudo systemctl start docker).",
        "not-running",
    )


def _no_permission(endpoint: Endpoint) -> EngineUnavailableError:
    group = _group_of(endpoint)
    user = os.environ.get("USER") or "$USER"
    join = f"sudo usermod -aG {group} {user}" if group else "sudo invoke"
    then = ", then log in again (in this terminal at once: newgrp " + group + ")" if group else ""
    needed = f": it is for the group `{group}`" if group else ""
    return _unavailable(
        f"you may not use the engine's socket {endpoint.socket_path}{needed}",
        f"{join}{then}.",
        "permission",
    )


def _group_of(endpoint: Endpoint) -> str:
    """The group whose members may use the socket; "" where it cannot be seen or is root's."""
    if sys.platform == "win32":
        return ""
    import grp

    try:
        number = endpoint.socket_path.stat().st_gid
        return grp.getgrgid(number).gr_name if number else ""
    except PermissionError:
        return "docker"
    except (OSError, KeyError):
        return ""


def _diagnose_ssh(endpoint: Endpoint) -> EngineUnavailableError:
    """Asks once more for ssh's own complaint, which the lost connection does not carry."""
    connection = SshSocket.open(endpoint.url, 10.0)
    try:
        complaint = connection.complaint().splitlines()
    finally:
        connection.close()
    return EngineUnavailableError(
        f"no engine answers at {endpoint.url} ({endpoint.source})",
        hint=f"Try by hand: ssh {endpoint.url.removeprefix('ssh://')} docker version",
        details=complaint[-3:],
        reason="unreachable",
    )


def _diagnose_host(error: EngineUnavailableError, endpoint: Endpoint) -> EngineUnavailableError:
    where = f"{endpoint.url} ({endpoint.source})"
    if error.reason == "tls":
        wrong = "HTTPS" in error.message or "HTTP request" in error.message
        return (
            _unavailable(
                f"the engine at {where} wants TLS",
                "Set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH to the folder of ca.pem, cert.pem and key.pem.",
                "tls",
            )
            if wrong
            else tls_failure(error, endpoint.url)
        )
    if is_unknown_host(error):
        return _unavailable(
            f"the host of the engine {where} is unknown",
            "Look at its name, and at your network or VPN.",
            "unreachable",
        )
    if is_timeout(error):
        return _unavailable(
            f"the engine at {where} does not answer",
            "Look at the host, its firewall, and your network or VPN.",
            "unreachable",
        )
    return _unavailable(
        f"nothing listens at {where}",
        "Start the engine there, or unset DOCKER_HOST (docker context use default) for the local one.",
        "unreachable",
    )


def _too_old(headers: Mapping[str, str], endpoint: Endpoint) -> EngineUnavailableError:
    server = headers.get("Server", "the engine")
    return _unavailable(
        f"the engine at {endpoint.url} is too old: {server} speaks API {headers.get('Api-Version')}",
        f"invoke-devstack needs API {_spelled(OLDEST_API)}: Docker Engine 20.10 or Podman 4, or newer.",
        "too-old",
    )


def _unavailable(message: str, hint: str, reason: str) -> EngineUnavailableError:
    return EngineUnavailableError(message, hint=hint, reason=reason)


def _version(text: str) -> tuple[int, int] | None:
    major, _, minor = text.partition(".")
    return (int(major), int(minor)) if major.isdigit() and minor.isdigit() else None


def _spelled(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
