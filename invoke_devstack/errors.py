"""All errors, as one small tree. Each has a message, a hint, a reason that code decides on, and an exit code.

Exit codes (the contract of the tasks): 1 failed, 2 wrong use, 130/143/129 interrupted by
SIGINT/SIGTERM/SIGHUP; `exec` and `run` return the command's own code through `CommandExited`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Literal

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
    reason: str = ""
    """What kind of failure it is, for code and for `--json`: decisions are made on it, never on `message`."""

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
    reason = "usage"


class DefinitionError(DevstackError):
    """An invalid Compose file; `position` says where."""

    reason = "definition"


FileReason = Literal[
    "",  # anything else
    "no-space",
    "read-only",
    "permission",
    "too-many-files",
    "missing",
    "exists",
    "kind",  # a directory, a pipe, a device where a file is needed, or the other way round
    "links",
    "name",
    "busy",
    "owner",  # replacing it would give it another owner, or part it from its other names
    "disk",
    "size",
    "changed",  # while it was read
    "silent",  # a pipe to which nobody writes
]


class FileError(DevstackError):
    """A file or directory of this machine cannot be read or written."""

    reason: FileReason = ""

    def __init__(
        self, message: str, *, hint: str = "", position: Position | None = None, reason: FileReason = ""
    ) -> None:
        super().__init__(message, hint=hint, position=position)
        self.reason = reason

    @property
    def cause(self) -> str:
        """Why, without the file's name."""
        return self.message.rpartition(": ")[2]


RefusalReason = Literal[
    "",  # anything else
    "cancelled",
    "invalid-answer",  # what answers is no engine, or broken
    "disk",  # the engine's disk is full
    "no-addresses",  # no address range left for a network
    "no-bind-source",
    "mounted",  # something is mounted where a file was to be replaced
    "mount-mismatch",  # a file mounted over a directory, or the other way round
    "port-forbidden",
    "no-command",  # the container has no such command
    "not-executable",  # it has the command, but may not execute it
    "not-frozen",  # its processes changed too fast to be paused
]
NotFoundReason = Literal["not-found", "no-image", "no-container"]
ConflictReason = Literal["conflict", "being-removed", "not-running"]
UnavailableReason = Literal[
    "not-installed",
    "not-running",
    "permission",
    "too-old",
    "unreachable",
    "refused",  # an answer, but a refusal
    "context",  # the Docker context is unusable
    "tls",  # untrusted certificate
    "needs-tls",
    "gone",  # the connection was lost
    "timeout",
]
ImageReason = Literal[
    "",
    "registry",  # unreachable
    "tls",
    "rate-limit",
    "missing",
    "denied",
    "disk",
    "platform",
    "busy",  # the registry answers with a 5xx status
    "broken",  # the transfer was cut off
]
BuildReason = Literal["build", "base-image"]
EngineReason = (
    RefusalReason
    | NotFoundReason
    | ConflictReason
    | UnavailableReason
    | ImageReason
    | BuildReason
    | Literal["port-taken", "half-started"]
)


class EngineError(DevstackError):
    """The engine refused or failed. `status` is the HTTP status, if there is one. `reason` is set where the
    engine's answer is read; each subclass narrows it, and its default is in the class."""

    reason: EngineReason = ""

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        details: Sequence[str] = (),
        status: int | None = None,
        reason: EngineReason | None = None,
    ) -> None:
        super().__init__(message, hint=hint, details=details)
        self.status = status
        if reason is not None:
            self.reason = reason


class NotFoundError(EngineError):
    """The engine has no such container, image, network or volume (HTTP 404)."""

    reason: NotFoundReason = "not-found"


class ConflictError(EngineError):
    """A name is taken, or a state does not allow the request (HTTP 409)."""

    reason: ConflictReason = "conflict"


class EngineUnavailableError(EngineError):
    """No engine answers: not installed, not started, no permission, or the connection was lost."""

    reason: UnavailableReason = "gone"


class ImageUnavailableError(EngineError):
    """An image that is not on the engine and cannot be pulled, or cannot be pushed."""

    reason: ImageReason = ""


class PortTakenError(EngineError):
    """A published port is in use. `port` is 0 where the engine does not name it."""

    reason: Literal["port-taken"] = "port-taken"

    def __init__(
        self, message: str, *, hint: str = "", status: int | None = None, host_ip: str = "", port: int = 0
    ) -> None:
        super().__init__(message, hint=hint, status=status)
        self.host_ip = host_ip
        self.port = port


class BlockedError(DevstackError):
    """Several things prevent a command from starting anything; `details` has a line for each."""

    reason = "blocked"


class HalfStartedError(EngineError):
    """The engine was killed while it started a container, and can no longer start it. `container` is its
    name, "" until the caller fills it in."""

    reason: Literal["half-started"] = "half-started"

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
    """An image build failed; `details` hold the failing step and the end of its output. `image` is the base
    image or frontend that could not be pulled (reason `base-image`)."""

    reason: BuildReason = "build"

    def __init__(self, message: str, *, hint: str = "", details: Sequence[str] = (), image: str = "") -> None:
        super().__init__(message, hint=hint, details=details, reason="base-image" if image else "build")
        self.image = image


class ServiceError(DevstackError):
    """A service did not become ready, or ended unexpectedly."""

    reason = "service"

    def __init__(self, message: str, *, service: str, hint: str = "", details: Sequence[str] = ()) -> None:
        super().__init__(message, hint=hint, details=details)
        self.service = service


class HookError(DevstackError):
    """A hook of the team's tasks.py failed."""

    reason = "hook"


class SetupError(DevstackError):
    """Something that `setup` cannot fix; the hint says what to do by hand."""

    reason = "setup"


class CommandExited(DevstackError):  # noqa: N818 - a result that is passed on, not a fault
    """A command run in a container ended with a code other than 0; ours is the same."""

    def __init__(self, code: int) -> None:
        super().__init__("")
        self.exit_code = code


class Interrupted(DevstackError):  # noqa: N818 - the user's wish, not a fault
    """A signal ended the task: exit code 128 + the signal's number. `is_done`: what there was to do was done
    all the same, so there is nothing to say about it."""

    def __init__(self, signal_number: int, *, is_done: bool = False) -> None:
        super().__init__("interrupted")
        self.is_done = is_done
        self.exit_code = 128 + signal_number


class PlanShown(Exception):  # noqa: N818 - a dry run went as asked
    """Ends a dry run: the plan was printed, and nothing is carried out."""


def together(
    problems: Sequence[DevstackError], kind: Callable[..., DevstackError], summary: str
) -> DevstackError:
    """The only problem as it is, or one error of this kind with a line for each. `summary` is its message,
    with `{count}` in it. A hint that not all share follows the first problem that has it."""
    distinct = list({(problem.message, problem.position): problem for problem in problems}.values())
    if len(distinct) == 1:
        return distinct[0]
    first = {problem.hint: problem for problem in reversed(distinct)}
    several = len(first) > 1
    lines = [_line(item, with_hint=several and first[item.hint] is item) for item in distinct]
    return kind(summary.format(count=len(distinct)), details=lines, hint="" if several else distinct[0].hint)


def blocked(problems: Sequence[DevstackError]) -> DevstackError:
    """What prevents a command from starting anything: the only problem as it is, or a BlockedError."""
    return together(
        problems, BlockedError, "{count} things are missing or in use; nothing was built or started"
    )


def _line(problem: DevstackError, *, with_hint: bool) -> str:
    text = f"{problem.message}. {problem.hint}" if with_hint and problem.hint else problem.message
    if problem.position is None:
        return text
    line = f":{problem.position.line}" if problem.position.line else ""
    return f"{problem.position.file}{line}: {text}"


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """The hint for an unknown name: the most similar of `known`, or `otherwise` where none is similar."""
    from difflib import get_close_matches

    similar = get_close_matches(name, list(known), n=1)
    return f"Did you mean `{similar[0]}`?" if similar else otherwise
