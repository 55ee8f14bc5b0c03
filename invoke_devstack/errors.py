"""What can go wrong, as one small tree. Every error carries a message, a hint, and an exit code.

Exit codes (the contract of the tasks): 1 failed, 2 wrong use, 130/143/129 interrupted by
SIGINT/SIGTERM/SIGHUP; `exec` and `run` return the command's own code through `CommandExited`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from invoke_devstack.records import record


@record
class Position:
    """A place in a file that a person wrote. Lines and columns count from 1."""

    file: Path
    line: int | None = None
    column: int | None = None
    key: str | None = None  # dotted path, such as `services.web.ports[0]`

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        return f"{place}: {self.key}" if self.key else place


class DevstackError(Exception):
    """An error that a person can act on. The console shows `error: message`, details, `hint: hint`."""

    exit_code = 1

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        position: Position | None = None,
        details: Sequence[str] = (),
    ) -> None:
        """`message` is one sentence; `details` are lines shown below it (last logs, a failed step)."""
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.position = position
        self.details = tuple(details)


class UsageError(DevstackError):
    """Wrong flags, an unknown service name, a destructive act without consent."""

    exit_code = 2


class DefinitionError(DevstackError):
    """A Compose file that cannot be read; `position` says where."""


class EngineError(DevstackError):
    """The engine refused or failed at something. `status` is the HTTP status where there is one."""

    def __init__(
        self, message: str, *, hint: str = "", details: Sequence[str] = (), status: int | None = None
    ) -> None:
        super().__init__(message, hint=hint, details=details)
        self.status = status


class NotFoundError(EngineError):
    """A container, image, network or volume that the engine does not have."""


class ConflictError(EngineError):
    """A name or state that is already taken (HTTP 409)."""


class _ReasonedError(EngineError):
    """One of several faults of a kind, told apart by the word in `reason`."""

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        details: Sequence[str] = (),
        status: int | None = None,
        reason: str = "",
    ) -> None:
        super().__init__(message, hint=hint, details=details, status=status)
        self.reason = reason


class EngineUnavailableError(_ReasonedError):
    """No engine answers: not installed, not started, no permission, or gone in the middle.

    `reason`: not-installed, not-running, permission, too-old, unreachable, context, tls, gone, timeout.
    """


class ImageUnavailableError(_ReasonedError):
    """An image that is not here and cannot be pulled (or not be pushed).

    `reason`: registry (out of reach), tls, rate-limit, missing, denied, disk, platform, broken, "".
    """


class PortTakenError(EngineError):
    """A published port that something else holds. `port` is 0 where the engine does not name it."""

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        details: Sequence[str] = (),
        status: int | None = None,
        host_ip: str = "",
        port: int = 0,
    ) -> None:
        super().__init__(message, hint=hint, details=details, status=status)
        self.host_ip = host_ip
        self.port = port


class HalfStartedError(EngineError):
    """A container that the engine was starting when it was killed, and that it cannot start any more.
    `container` is its name, "" where the engine alone has spoken yet."""

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        details: Sequence[str] = (),
        status: int | None = None,
        container: str = "",
    ) -> None:
        super().__init__(message, hint=hint, details=details, status=status)
        self.container = container


class BuildError(EngineError):
    """An image build that failed; `details` hold the failing step and the end of its output."""


class ServiceError(DevstackError):
    """A service that did not become ready, or ended otherwise than it should."""

    def __init__(self, message: str, *, service: str, hint: str = "", details: Sequence[str] = ()) -> None:
        super().__init__(message, hint=hint, details=details)
        self.service = service


class HookError(DevstackError):
    """A hook of the team's tasks.py that failed."""


class SetupError(DevstackError):
    """A machine that `setup` cannot mend; the hint says what to do by hand."""


class CommandExited(DevstackError):  # noqa: N818 - an outcome that is passed on, not a fault
    """A command run in a container ended with a code other than 0; ours is the same."""

    def __init__(self, code: int) -> None:
        super().__init__("")
        self.exit_code = code


class Interrupted(DevstackError):  # noqa: N818 - the user's wish, not a fault
    """A signal ended the task: exit code 128 + the signal's number."""

    def __init__(self, signal_number: int) -> None:
        super().__init__("interrupted")
        self.exit_code = 128 + signal_number
