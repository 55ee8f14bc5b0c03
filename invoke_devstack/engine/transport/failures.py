"""The engine's refusals and lost connections, as our errors: what happened, the `reason`, and what to do.

Every error of `http.client`, `ssl` and `socket` ends here. The Engine API has a status and a sentence for an
error, but no code: this is the only module that looks at the words of a refusal. (Those of a registry are
read in `images/transfers.py`, those of a builder in `builds/build_log.py`.)
"""

from __future__ import annotations

import json
import re
import socket
import ssl
from collections.abc import Iterator
from http.client import HTTPException, IncompleteRead, RemoteDisconnected

from invoke_devstack.errors import (
    ConflictError,
    EngineError,
    EngineReason,
    EngineUnavailableError,
    HalfStartedError,
    NotFoundError,
    PortTakenError,
)
from invoke_devstack.late_patterns import late
from invoke_devstack.records import record

DISK_HINT = (
    "Free some space: `docker system df` shows what uses it; `invoke images.prune` removes old images."
)


_LONGEST = 2000  # characters of the engine's words that are shown


def refusal(status: int, message: str) -> EngineError:
    """The error for an answer with an HTTP status of 400 or more; `message` is the engine's own."""
    message = " ".join(message.split()) or f"the engine answered with status {status}"
    message = _LONG_ID.sub(lambda match: match[0][:12], message)
    port = _PORT_TAKEN.search(message)
    if port:
        return _port_taken(port[0], status)
    for pattern, known in _KNOWN:
        match = re.search(pattern, message, re.IGNORECASE)
        if match:
            return known.error(match, status)
    return _kind(status)(message, status=status)


_LONG_ID = late(r"\b[0-9a-f]{64}\b")


def _kind(status: int) -> type[EngineError]:
    return {404: NotFoundError, 409: ConflictError}.get(status, EngineError)


_PORT_TAKEN = late(
    r"Bind for \S+:\d+ failed: port is already allocated"
    r"|failed to bind host port.*?: address already in use"
    r"|listen (tcp|udp)\S* .*?: bind: address already in use"
    r"|Ports are not available: .*?(already|only one usage)",
    re.IGNORECASE,
)


def _port_taken(words: str, status: int) -> PortTakenError:
    address = re.search(r"(\[[0-9a-fA-F:]*\]|\d+\.\d+\.\d+\.\d+)?:(\d+)", words)
    host_ip, port = (address[1] or "", int(address[2])) if address else ("", 0)
    where = f"port {port}" if port else "a published port"
    return PortTakenError(
        f"{where} is already in use",
        hint="Stop what uses it, publish another port, or use a free one: `invoke up --ports auto`",
        status=status,
        host_ip=host_ip.strip("[]"),
        port=port,
    )


@record
class _Refusal:
    """A refusal that we recognise. `{NAME}` in `message` and `hint` is a group of the pattern that matched;
    `quoted` shows the engine's own words below. Without a `kind` the status decides."""

    reason: EngineReason
    message: str
    hint: str = ""
    kind: type[EngineError] | None = EngineError
    quoted: bool = True

    def error(self, match: re.Match[str], status: int) -> EngineError:
        message, hint = (text.format(**match.groupdict()) for text in (self.message, self.hint))
        details = (match.string,) if self.quoted else ()
        error = (self.kind or _kind(status))(message, hint=hint, details=details, status=status)
        error.reason = self.reason
        return error


_PORT_FORBIDDEN = _Refusal(
    "port-forbidden",
    "the engine is not allowed to use port {port}",
    "A rootless engine cannot use ports below 1024: publish a higher one under `ports:`.",
)
_NO_COMMAND = _Refusal(
    "no-command",
    "the container has no command `{command}`",
    "Check `command` and `entrypoint` in the Compose file, and the PATH of the image.",
)
_NO_ADDRESSES = _Refusal(
    "no-addresses",
    "the engine has no address range left for another network",
    "Remove unused networks: docker network prune",
    quoted=False,
)
_MOUNTED = _Refusal(
    "mounted",
    "{path} is mounted into the container, and cannot be replaced there",
    "Change the file on this machine that is mounted.",
)

_OTHER_KIND = "Move away what is there, or choose another target."

_KNOWN = (
    (
        r'cannot overwrite non-directory "(?P<path>[^"]+)" with directory',
        _Refusal(
            "",
            "cannot copy a directory over {path}: it is a file in the container",
            _OTHER_KIND,
            quoted=False,
        ),
    ),
    (
        r'cannot overwrite directory "(?P<path>[^"]+)" with non-directory',
        _Refusal(
            "",
            "cannot copy a file over {path}: it is a directory in the container",
            _OTHER_KIND,
            quoted=False,
        ),
    ),
    (
        r"^lstat (/\S*?/merged)?(?P<path>/.*): not a directory$",
        _Refusal("not-found", "the container has no {path}", kind=NotFoundError, quoted=False),
    ),
    (r"unlinkat (?P<path>\S+): device or resource busy", _MOUNTED),
    (r"cannot expose privileged port (?P<port>\d+)", _PORT_FORBIDDEN),
    (r"(listen|failed to bind) .*:(?P<port>\d+).*: permission denied", _PORT_FORBIDDEN),
    (r'exec: \\?"(?P<command>[^"\\]+)\\?": (executable file not found|stat .*no such file)', _NO_COMMAND),
    (r"executable file `(?P<command>[^`]+)` not found", _NO_COMMAND),
    (
        r'exec: \\?"(?P<command>[^"\\]+)\\?": permission denied',
        _Refusal(
            "not-executable",
            "`{command}` cannot be executed in the container: permission denied",
            "It is a directory, or it is not executable: chmod +x {command}",
        ),
    ),
    (
        r"all ports are allocated",
        _Refusal(
            "",
            "all ports of the range that it publishes are in use",
            "Publish a wider range under `ports:`, or run fewer containers.",
            quoted=False,
        ),
    ),
    (
        r"bind source path does not exist: (?P<path>[^\s\"']+)",
        _Refusal(
            "no-bind-source",
            "the bind mount's source {path} does not exist",
            "Create it, or fix the path under `volumes:`.",
            quoted=False,
        ),
    ),
    (
        r"error mounting .* not a directory|Are you trying to mount a directory onto a file",
        _Refusal(
            "mount-mismatch",
            "a bind mount puts a file on a directory, or a directory on a file",
            "Compare both sides of the bind mount. If the source was missing at the first start, an "
            "empty directory was created in its place: remove it and put the file there.",
        ),
    ),
    (
        r"task \S+: already exists|id already in use",
        _Refusal(
            "half-started",
            "the engine was killed while it started this container, and can no longer start it",
            "Recreate it, with the data of its volumes: `invoke up`",
            HalfStartedError,
        ),
    ),
    (
        r"unable to freeze",
        _Refusal(
            "not-frozen",
            "the container could not be paused: its processes changed too fast to be frozen",
            "Try again.",
        ),
    ),
    (r"no space left on device", _Refusal("disk", "the engine's disk is full", DISK_HINT)),
    (r"could not find an available.*IPv4 address pool|all predefined address pools", _NO_ADDRESSES),
    (
        r"no such image:? (?P<image>\S*[^\s:,.])",
        _Refusal(
            "no-image",
            "the image {image} is not on the engine",
            "`invoke pull` pulls images, `invoke build` builds them.",
            NotFoundError,
            quoted=False,
        ),
    ),
    (
        r"(?P<message>.*no such container.*)",
        _Refusal("no-container", "{message}", kind=None, quoted=False),
    ),
    (
        r"(?P<message>.*removal of container \S+ is already in progress.*)",
        _Refusal("being-removed", "{message}", kind=None, quoted=False),
    ),
    (
        # Status 409, but 500 for an exec whose container is stopped or removed before it starts.
        r"(?P<message>.*(container \S+ is not running"
        r"|can only (create exec sessions on|kill) running containers).*)",  # Podman's
        _Refusal("not-running", "{message}", kind=ConflictError, quoted=False),
    ),
    (
        r"could not find the file (?P<path>.+) in container \S+",
        _Refusal("not-found", "the container has no {path}", kind=NotFoundError, quoted=False),
    ),
    (
        r"non-shareable IPC",
        _Refusal(
            "",
            "the container whose `ipc` it uses does not share it",
            "Set `ipc: shareable` on the service that `ipc: service:…` names.",
            quoted=False,
        ),
    ),
    (
        r"HTTP request to an HTTPS server",
        _Refusal("needs-tls", "the engine requires TLS", kind=EngineUnavailableError),
    ),
)
"""By patterns, which are compiled when an engine refuses something: that takes a millisecond."""


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error and all the errors that it was raised from or carries, outermost first."""
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


def invalid(url: str, request: str, what: str) -> EngineError:
    """The error for an answer that no engine gives. `what` says what is wrong with it."""
    return EngineError(
        f"the server at {url} gave an invalid answer to `{request}`: {what}",
        hint="Check that a Docker engine answers there, and no proxy in between: `docker version`",
        reason="invalid-answer",
    )


def refusal_of(status: int, content: bytes, url: str) -> EngineError:
    """The error for an answer with this status and body, which may be the page of a proxy."""
    message = message_of(content)
    if content.lstrip().startswith(b"<"):
        message = f"the server at {url} answered with status {status} and {message}"
    return refusal(status, message)


def message_of(content: bytes) -> str:
    """The message in the body of a refusal."""
    text = content.decode("utf-8", "replace").strip()
    start = text.find("{")
    try:
        value, _ = json.JSONDecoder().raw_decode(text[start:]) if start >= 0 else (None, 0)
    except (ValueError, RecursionError):
        value = None
    told = value.get("message") if isinstance(value, dict) else None
    return _shortened(told if isinstance(told, str) else _without_markup(text))


def _without_markup(text: str) -> str:
    if not text.startswith("<"):
        return text
    title = re.search(r"<title>([^<]{1,200})", text, re.IGNORECASE)
    return f"an HTML page{f' ({title[1].strip()})' if title else ''}"


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def lost(error: BaseException, url: str, request: str = "") -> EngineError:
    """The error for a connection to the engine that was lost, or for an answer that is no HTTP."""
    for item in causes(error):
        if isinstance(item, EngineUnavailableError):
            return item
    if isinstance(error, HTTPException) and not isinstance(error, RemoteDisconnected | IncompleteRead):
        return invalid(url, request or "a stream", _shortened(str(error) or "it is not HTTP"))
    if is_timeout(error):
        return EngineUnavailableError(
            f"the engine at {url} does not answer",
            hint="It may be overloaded, or it hangs. If `docker ps` gets no answer either, restart it.",
            reason="timeout",
        )
    if any(isinstance(item, ssl.SSLError) for item in causes(error)):
        return tls_failure(error, url)
    return _gone(f"the engine at {url} closed the connection", str(error))


def cut_off(url: str, what: str) -> EngineUnavailableError:
    """The error for a stream that ends in the middle of `what`."""
    return _gone(f"the engine at {url} closed the connection in the middle of {what}")


def _gone(message: str, *details: str) -> EngineUnavailableError:
    hint = "It may have been stopped or restarted. Check it: `invoke doctor`"
    return EngineUnavailableError(message, hint=hint, details=details, reason="gone")


def tls_failure(error: BaseException, url: str) -> EngineUnavailableError:
    """The error for a TLS handshake that failed."""
    reasons = [str(item) for item in causes(error) if isinstance(item, ssl.SSLError)]
    return EngineUnavailableError(
        f"the TLS connection to the engine at {url} is not trusted",
        hint="Compare the certificates in DOCKER_CERT_PATH, or those of the context, with the engine's.",
        details=tuple(reasons[-1:]),
        reason="tls",
    )


def is_unknown_host(error: BaseException) -> bool:
    return any(isinstance(item, socket.gaierror) for item in causes(error))
