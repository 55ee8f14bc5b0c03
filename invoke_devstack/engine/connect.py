"""`connect()`: finds the engine, agrees on an API version, or says why no engine answers."""

from __future__ import annotations

import errno
import os
import re
import shutil
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from invoke_devstack.engine.endpoints import Endpoint, find_endpoint
from invoke_devstack.engine.transport.dialing import SshSocket, dialer
from invoke_devstack.engine.transport.failures import causes, is_timeout, is_unknown_host, tls_failure
from invoke_devstack.errors import EngineError, EngineUnavailableError, UnavailableReason

if TYPE_CHECKING:
    from invoke_devstack.engine.containers.listing import Listing
    from invoke_devstack.engine.docker_engine import DockerEngine
    from invoke_devstack.engine.transport.api import Api
    from invoke_devstack.engine.transport.hang_warning import OnHang

OLDEST_API = (1, 41)  # Engine 20.10
NEWEST_API = (1, 51)  # Engine 28; newer engines support it too


def connect(
    timeout: float = 10.0,
    *,
    endpoint: Endpoint | None = None,
    registry_mirror: str = "",
    patience: float | None = None,
    on_hang: OnHang | None = None,
) -> DockerEngine:
    """The engine that the docker command would use, or the one at `endpoint`.

    `timeout` is the time for a connection, and for the first answer unless `patience` is given, both in
    seconds. `on_hang` is called if the engine hangs. `registry_mirror` (host[:port]) is tried first for
    Docker Hub's images. Raises EngineUnavailableError.
    """
    found = _reach(timeout, endpoint, patience, on_hang)
    return _engine_class()(*found, registry_mirror=registry_mirror)


def connect_to_list(patience: float, on_hang: OnHang | None = None) -> Listing:
    """The part of the same engine that lists, for which a third of the modules is enough. `patience` is the
    time for the first answer, in seconds. Raises EngineUnavailableError."""
    api, endpoint, _, _ = _reach(10.0, None, patience, on_hang)
    if sys.platform == "win32":
        from invoke_devstack.engine.containers.listing import Listing

        return Listing(api, endpoint)
    from invoke_devstack.engine.processes.listing import ListingProcesses

    return ListingProcesses(api, endpoint)


def _reach(
    timeout: float, endpoint: Endpoint | None, patience: float | None, on_hang: OnHang | None
) -> tuple[Api, Endpoint, tuple[int, int], Mapping[str, str]]:
    """The API, its address, its version, and the headers of the first answer."""
    endpoint = endpoint or find_endpoint()
    from invoke_devstack.engine.transport.api import Api

    api = Api(dialer(endpoint), endpoint.url, _spelled(OLDEST_API), dial_seconds=timeout, on_hang=on_hang)
    try:
        headers = ping(api, patience or timeout)
    except EngineUnavailableError as error:
        raise diagnose(error, endpoint) from error
    server = _version(headers.get("Api-Version", ""))
    if server is None:
        raise EngineUnavailableError(
            f"the server at {endpoint.url} is not a Docker engine",
            hint=f"The address comes from {endpoint.source}.",
            reason="unreachable",
        )
    if server < OLDEST_API:
        raise _too_old(headers, endpoint)
    version = min(server, NEWEST_API)
    api.version = _spelled(version)
    return api, endpoint, version, headers


def _engine_class() -> type[DockerEngine]:
    """The supervisor of processes does not run on Windows."""
    if sys.platform == "win32":
        from invoke_devstack.engine.docker_engine import DockerEngine

        return DockerEngine
    from invoke_devstack.engine.processes.with_processes import WithProcesses

    return WithProcesses


def ping(api: Api, timeout: float) -> Mapping[str, str]:
    """The headers of `GET /_ping`: a tenth of the cost of `/version`, with the API version (https://docs.docker.com/reference/api/engine/#tag/System/operation/SystemPing)."""
    try:
        return api.send("GET", "/_ping", seconds=timeout, versioned=False).headers
    except EngineUnavailableError:
        raise
    except EngineError as error:
        if error.reason == "invalid-answer":
            raise
        raise EngineUnavailableError(
            f"the engine at {api.url} refused: {error.message}", reason="refused", status=error.status
        ) from error


def diagnose(error: EngineUnavailableError, endpoint: Endpoint) -> EngineUnavailableError:
    """Why no engine answers at `endpoint`."""
    if endpoint.scheme == "unix":
        return _diagnose_socket(error, endpoint)
    if endpoint.scheme == "npipe":
        return _unavailable(
            "Docker Desktop is not running",
            "Start Docker Desktop, and wait until it is ready.",
            "not-running",
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
            "Start that engine, or use the local one: "
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
        return _unavailable(
            "no Docker engine is installed", "Install and start one: `invoke setup`", "not-installed"
        )
    return _unavailable(
        "the Docker engine is installed, but not running",
        "Start it: `invoke setup` (or by hand: `sudo systemctl start docker`)",
        "not-running",
    )


def _no_permission(endpoint: Endpoint) -> EngineUnavailableError:
    group = _group_of(endpoint)
    user = os.environ.get("USER") or "$USER"
    join = f"sudo usermod -aG {group} {user}" if group else "sudo invoke"
    then = ", then log in again (in this terminal at once: newgrp " + group + ")" if group else ""
    needed = f" (group `{group}`)" if group else ""
    return _unavailable(
        f"no permission for the engine's socket {endpoint.socket_path}{needed}",
        f"{join}{then}.",
        "permission",
    )


def _group_of(endpoint: Endpoint) -> str:
    """The group whose members may use the socket; "" if it is unknown or root's."""
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
    """Connects once more to get ssh's own error message, which a lost connection does not carry."""
    connection = SshSocket.open(endpoint.url, 10.0)
    try:
        complaint = connection.complaint().splitlines()
    finally:
        connection.close()
    return EngineUnavailableError(
        f"no engine answers at {endpoint.url} ({endpoint.source})",
        hint=f"Test the connection: ssh {endpoint.url.removeprefix('ssh://')} docker version",
        details=complaint[-3:],
        reason="unreachable",
    )


def _diagnose_host(error: EngineUnavailableError, endpoint: Endpoint) -> EngineUnavailableError:
    where = f"{endpoint.url} ({endpoint.source})"
    if error.reason == "needs-tls":
        return _unavailable(
            f"the engine at {where} requires TLS",
            "Use its certificates: export DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=FOLDER "
            "(which holds ca.pem, cert.pem and key.pem).",
            "needs-tls",
        )
    if error.reason == "tls":
        return tls_failure(error, endpoint.url)
    if error.reason == "refused":
        return error
    if is_unknown_host(error):
        return _unavailable(
            f"unknown host in the engine's address {where}",
            "Check its spelling, and your network or VPN.",
            "unreachable",
        )
    if is_timeout(error):
        return _unavailable(
            f"the engine at {where} does not answer",
            "Check the host, its firewall, and your network or VPN.",
            "unreachable",
        )
    return _unavailable(
        f"nothing listens at {where}",
        "Start the engine there, or use the local one: unset DOCKER_HOST; docker context use default",
        "unreachable",
    )


def _too_old(headers: Mapping[str, str], endpoint: Endpoint) -> EngineUnavailableError:
    server = headers.get("Server", "the engine")
    return _unavailable(
        f"the engine at {endpoint.url} is too old: {server} has API {headers.get('Api-Version')}",
        f"Install a newer one: API {_spelled(OLDEST_API)}, which Docker Engine 20.10 and Podman 4 have.",
        "too-old",
    )


def _unavailable(message: str, hint: str, reason: UnavailableReason) -> EngineUnavailableError:
    return EngineUnavailableError(message, hint=hint, reason=reason)


def _version(text: str) -> tuple[int, int] | None:
    match = re.fullmatch(r"([0-9]{1,4})\.([0-9]{1,4})", text)
    return (int(match[1]), int(match[2])) if match else None


def _spelled(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
