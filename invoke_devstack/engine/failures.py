"""The engine's refusals and the network's faults, as our errors: a plain sentence and what to do.

Every error of `http.client`, `ssl` and `socket` ends here.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable, Iterator

from invoke_devstack.errors import (
    ConflictError,
    EngineError,
    EngineUnavailableError,
    HalfStartedError,
    NotFoundError,
    PortTakenError,
)

DISK_HINT = (
    "Free some space: `docker system df` shows what takes it, `invoke images.prune` removes old images."
)

Make = Callable[[re.Match[str], int | None], EngineError]


def refusal(status: int, message: str) -> EngineError:
    """The error for an answer of the engine that is no success; `message` is its own word."""
    message = " ".join(message.split()) or f"the engine answered with status {status}"
    for pattern, make in _KNOWN:
        match = pattern.search(message)
        if match:
            return make(match, status)
    if status == 404:
        return NotFoundError(message, status=status)
    if status == 409:
        return ConflictError(message, status=status)
    return EngineError(message, status=status)


def _port_taken(match: re.Match[str], status: int | None) -> PortTakenError:
    address = re.search(r"(\[[0-9a-fA-F:]*\]|\d+\.\d+\.\d+\.\d+)?:(\d+)", match["where"])
    host_ip, port = (address[1] or "", int(address[2])) if address else ("", 0)
    where = f"port {port}" if port else "a published port"
    return PortTakenError(
        f"{where} is already in use",
        hint="Stop what holds it, publish another port, or let a free one be taken with `--ports auto`.",
        status=status,
        host_ip=host_ip.strip("[]"),
        port=port,
    )


def _port_forbidden(match: re.Match[str], status: int | None) -> EngineError:
    return EngineError(
        f"the engine may not bind port {match['port']}",
        hint="Ports below 1024 are for root alone on a rootless engine: publish a higher one.",
        details=(match.string,),
        status=status,
    )


def _no_command(match: re.Match[str], status: int | None) -> EngineError:
    return EngineError(
        f"the container has no command `{match['command']}`",
        hint="Look at `command` and `entrypoint` in the definition, and at what the image has on its PATH.",
        details=(match.string,),
        status=status,
    )


def _not_executable(match: re.Match[str], status: int | None) -> EngineError:
    return EngineError(
        f"`{match['command']}` cannot be executed in the container: permission denied",
        hint=f"It lacks the execute bit, or is a folder: chmod +x {match['command']}",
        details=(match.string,),
        status=status,
    )


def _no_bind_source(match: re.Match[str], status: int | None) -> EngineError:
    return EngineError(
        f"the bind mount's source {match['path']} does not exist",
        hint="Make it, or mend the path in `volumes`.",
        status=status,
    )


def _not_a_directory(match: re.Match[str], status: int | None) -> EngineError:
    return EngineError(
        "a mount puts a file over a folder, or a folder over a file",
        hint="Compare both sides of the bind mount. A source that was missing at the first start "
        "was made as an empty folder: remove that folder and put the file there.",
        details=(match.string,),
        status=status,
    )


def _disk_full(match: re.Match[str], status: int | None) -> EngineError:
    return EngineError(
        "the engine's disk is full",
        hint=DISK_HINT,
        details=(match.string,),
        status=status,
    )


def _no_addresses(match: re.Match[str], status: int | None) -> EngineError:
    return EngineError(
        "the engine has no address range left for another network",
        hint="Remove networks that nothing uses: docker network prune",
        status=status,
    )


def _no_image(match: re.Match[str], status: int | None) -> NotFoundError:
    return NotFoundError(
        f"the image {match['image'].rstrip(':,.')} is not on the engine",
        hint="`invoke pull` gets images, `invoke build` builds them.",
        status=status,
    )


def _half_started(match: re.Match[str], status: int | None) -> HalfStartedError:
    return HalfStartedError(
        "the engine was killed while it was starting this container, and cannot start it any more",
        hint="Make it anew, with the data of its volumes: `invoke up --force-recreate`.",
        details=(match.string,),
        status=status,
    )


_KNOWN: tuple[tuple[re.Pattern[str], Make], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), make)
    for pattern, make in (
        (r"(?P<where>Bind for \S+:\d+) failed: port is already allocated", _port_taken),
        (r"(?P<where>failed to bind host port.*?): address already in use", _port_taken),
        (r"(?P<where>listen (tcp|udp)\S* .*?): bind: address already in use", _port_taken),
        (r"Ports are not available: (?P<where>.*?)(already|only one usage)", _port_taken),
        (r"cannot expose privileged port (?P<port>\d+)", _port_forbidden),
        (r"(listen|failed to bind) .*:(?P<port>\d+).*: permission denied", _port_forbidden),
        (r'exec: \\?"(?P<command>[^"\\]+)\\?": (executable file not found|stat .*no such file)', _no_command),
        (r'exec: \\?"(?P<command>[^"\\]+)\\?": permission denied', _not_executable),
        (r"executable file `(?P<command>[^`]+)` not found", _no_command),
        (r"bind source path does not exist: (?P<path>[^\s\"']+)", _no_bind_source),
        (
            r"error mounting .* not a directory|Are you trying to mount a directory onto a file",
            _not_a_directory,
        ),
        (r"task \S+: already exists", _half_started),
        (r"no space left on device", _disk_full),
        (r"could not find an available.*IPv4 address pool|all predefined address pools", _no_addresses),
        (r"no such image:? (?P<image>\S+)", _no_image),
    )
)


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error and all that it was raised from or carries, outermost first."""
    seen: set[int] = set()
    pending: list[BaseException] = [error]
    while pending:
        current = pending.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        inner = (current.__cause__, current.__context__, getattr(current, "reason", None), *current.args)
        pending.extend(item for item in inner if isinstance(item, BaseException))


def is_timeout(error: BaseException) -> bool:
    """Whether the engine did not answer in time."""
    return any(isinstance(item, TimeoutError) for item in causes(error))


def lost(error: BaseException, url: str) -> EngineUnavailableError:
    """The error for a connection to the engine that failed in the middle."""
    for item in causes(error):
        if isinstance(item, EngineUnavailableError):
            return item
    if is_timeout(error):
        return EngineUnavailableError(
            f"the engine at {url} does not answer",
            hint="It may be busy or hang: `docker ps` shows whether it answers anyone; restart it if not.",
            reason="timeout",
        )
    if any(isinstance(item, ssl.SSLError) for item in causes(error)):
        return tls_failure(error, url)
    return EngineUnavailableError(
        f"the engine at {url} closed the connection",
        hint="It may have been stopped or restarted: `invoke doctor` looks at it.",
        details=(str(error),),
        reason="gone",
    )


def tls_failure(error: BaseException, url: str) -> EngineUnavailableError:
    reasons = [str(item) for item in causes(error) if isinstance(item, ssl.SSLError)]
    return EngineUnavailableError(
        f"no trusted connection to the engine at {url}",
        hint="Compare the certificates of DOCKER_CERT_PATH, or of the context, with those of the engine.",
        details=tuple(reasons[-1:]),
        reason="tls",
    )


def is_unknown_host(error: BaseException) -> bool:
    return any(isinstance(item, socket.gaierror) for item in causes(error))
