"""The short-lived container that copies between volumes, or ends processes that the engine has forgotten."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from invoke_devstack.engine.protocol import Engine
from invoke_devstack.errors import (
    ConflictError,
    DevstackError,
    EngineError,
    EngineUnavailableError,
    NotFoundError,
)
from invoke_devstack.planning.causes import Cause, CauseKind
from invoke_devstack.planning.explaining.docker_commands import docker_commands
from invoke_devstack.planning.explaining.task_commands import explain_oneoff_end, explain_oneoff_start
from invoke_devstack.planning.plan import Body, CreateContainer
from invoke_devstack.planning.plans.snapshots import (
    PROJECT,
    Snapshot,
    copy_container_body,
    incomplete_snapshots,
)
from invoke_devstack.running.session import Session

COPY, RESTORE, TRANSFER, END = "copy", "restore", "transfer", "end"
_COPYING = "copy the data"
_PURPOSES = {RESTORE: "restore the data", END: "end the processes"}
_POLL = 0.03  # seconds
_LATE = 10.0  # seconds; a busy engine may have the output of a container only after its end, or lose it
_DAMAGED, _FAILED, _NO_SPACE = 26, 27, 28  # exit codes of the scripts; the old data is in place
_OTHER_IMAGES = 10  # at most so many images that no service of the stack uses are tried


class CopyError(DevstackError):
    """The copy failed. `undone`: the data is as before."""

    reason = "copy"
    undone = False

    def unchanged(self) -> CopyError:
        """The same error, which says that the data is as before."""
        self.hint = f"Nothing was changed. {self.hint}".rstrip()
        return self


@dataclass(frozen=True, slots=True)
class _Work:
    """What a copy container does. `mounts` are path -> volume, with `:ro` if it is only read."""

    service: str
    kind: str
    script: str
    arguments: tuple[str, ...]
    mounts: Mapping[str, str]
    answer: str = ""
    """How the last line of its output begins, if the output matters."""
    all_processes: bool = False
    """It sees those of the whole machine."""


def copy(session: Session, service: str, mounts: Mapping[str, str]) -> str:
    """Copies /from into /to and returns the script's output. `mounts` are path -> volume. Raises CopyError,
    Interrupted after a signal."""
    try:
        work = _Work(service, COPY, _script(COPY), (), mounts, answer="entries ")
        return _run(session, work, session.interrupt.requested)
    except CopyError as error:
        raise error.unchanged() from error


def restore(session: Session, snapshot: Snapshot, volumes: Mapping[str, str], mark: str) -> None:
    """Replaces the content of `volumes` (key -> name) with the snapshot. Raises CopyError; unless it is
    `undone`, and after every other error, the data is incomplete until `finish` has succeeded."""
    mounts = {"/from": f"{snapshot.data_volume}:ro", **_targets(volumes, mark)}
    arguments = ("restore", str(snapshot.entries), *volumes)
    work = _Work(snapshot.service, RESTORE, _script(RESTORE), arguments, mounts)
    _run(session, work, session.interrupt.requested)


def finish(session: Session, service: str, volumes: Mapping[str, str], mark: str) -> str:
    """Ends an interrupted restore: completes it if all data had been copied, otherwise undoes it. Returns
    which data is in place: `old`, `new`, `none` (nothing was left of the restore). Raises CopyError, and
    Interrupted after a signal, or if one came before, after a second one."""
    interrupt = session.interrupt
    signalled = interrupt.forced if interrupt.requested.is_set() else interrupt.requested
    arguments = ("finish", *volumes)
    work = _Work(service, RESTORE, _script(RESTORE), arguments, _targets(volumes, mark), answer="result ")
    return _run(session, work, signalled).splitlines()[-1].removeprefix("result ")


def end_processes(session: Session, service: str, container: str) -> int:
    """Ends what runs for a container, given by its whole id, although the engine takes it for stopped, and
    returns how many processes there were. They get SIGTERM, and 10 s later SIGKILL. Raises CopyError."""
    work = _Work(service, END, _script(END), (container,), {}, answer="ended ", all_processes=True)
    return int(_run(session, work, session.interrupt.requested).split()[-1])


def _targets(volumes: Mapping[str, str], mark: str) -> dict[str, str]:
    """With the mark among them, `docker volume prune` leaves it alone."""
    return {"/mark": f"{mark}:ro", **{f"/to/{key}": name for key, name in volumes.items()}}


def _run(session: Session, work: _Work, signalled: threading.Event) -> str:
    with _removed_at_end(session, _start(session, work)) as container:
        code = _wait(session, container, signalled)
        output = _output(session, container)
        late = time.monotonic() + _LATE
        while not code and not _has_answer(work, output):
            if time.monotonic() > late:
                raise CopyError(f"{_cannot(work)}: the engine lost the output of the container that did it")
            if signalled.wait(_POLL):
                raise session.interrupt.error()
            output = _output(session, container)
    if code:
        raise _failure(work, code, output)
    return output


def _has_answer(work: _Work, output: str) -> bool:
    lines = output.splitlines()
    return not work.answer or bool(lines and lines[-1].startswith(work.answer))


@contextmanager
def transfer_container(session: Session, service: str, volume: str) -> Iterator[str]:
    """A container that is never started. Archives are read from and written to its /snapshot, the volume."""
    work = _Work(service, TRANSFER, "exit", (), {"/snapshot": volume})
    with _removed_at_end(session, _create(session, work, start=False)) as container:
        yield container


def remove(session: Session, container: str) -> None:
    with suppress(NotFoundError):
        session.engine.remove_container(container, force=True)


def kill(session: Session, container: str) -> None:
    """Ends what it does, but keeps it."""
    with suppress(NotFoundError, ConflictError):
        session.engine.kill(container)
        _wait(session, container, session.interrupt.forced)


def remove_incomplete_snapshots(session: Session) -> tuple[str, ...]:
    """Removes copies that were never completed, and returns their names."""
    engine = session.engine
    entries = engine.list_volumes({"label": [f"{PROJECT}={session.project}"]})
    return tuple(name for name in incomplete_snapshots(entries) if _is_removed(engine, name))


def _is_removed(engine: Engine, volume: str) -> bool:
    try:
        engine.remove_volume(volume)
    except EngineError:
        return False  # somebody's container uses it
    return True


def _script(kind: str) -> str:
    return Path(__file__).with_name(f"{kind}.sh").read_text(encoding="utf-8")


@contextmanager
def _removed_at_end(session: Session, container: str) -> Iterator[str]:
    try:
        yield container
    finally:
        remove(session, container)


def _start(session: Session, work: _Work) -> str:
    """Creates and starts a copy container. If it cannot, that is a CopyError: nothing was changed."""
    try:
        return _create(session, work, start=True)
    except EngineUnavailableError:
        raise  # it may have started
    except EngineError as error:
        raise _not_started(error.message, error.hint, error.details) from error


def _not_started(message: str, hint: str, details: tuple[str, ...] = ()) -> CopyError:
    error = CopyError(message, hint=hint, details=details)
    error.undone = True
    return error


def _create(session: Session, work: _Work, *, start: bool) -> str:
    """A copy container of the first image that can run it."""
    engine = session.engine
    for image in _images(session, work.service):
        body = copy_container_body(
            image, session.project, work.service, work.kind, work.script, work.arguments, work.mounts
        )
        if work.all_processes:
            body["HostConfig"] |= {"PidMode": "host", "UsernsMode": "host"}
        name = f"{session.project}-{work.service}-{work.kind}-{secrets.token_hex(4)}"
        container = engine.create_container(name, body)
        if not start:
            return container
        _explain(session, name, work.service, body)
        if _has_started(engine, container):
            return container
    purpose = _PURPOSES.get(work.kind, _COPYING)
    raise _not_started(
        f"no local image has the shell needed to {purpose} of `{work.service}`",
        "Pull one that has: `docker pull busybox`.",
    )


def _has_started(engine: Engine, container: str) -> bool:
    """False if its image has no shell; the container is removed then. Raises EngineError."""
    try:
        engine.start(container)
    except EngineUnavailableError:
        raise
    except EngineError as error:
        engine.remove_container(container, force=True)
        if error.reason != "no-command":
            raise
        return False
    return True


def _explain(session: Session, name: str, service: str, body: Body) -> None:
    if not session.explain:
        return
    cause = Cause(CauseKind.COMMAND, "its data is copied inside the engine")
    for step in docker_commands(CreateContainer(target=name, cause=cause, service=service, body=body)):
        session.emit(step)
    session.emit(explain_oneoff_start(name, tty=False))
    session.emit(explain_oneoff_end(name))


def _images(session: Session, service: str) -> Iterator[str]:
    """The service's own image, those of the others, then any: most have a shell."""
    definition, engine = session.definition, session.engine
    services = definition.all_services
    names = [service, *(name for name in services if name != service)]
    references = (services[name].image_name(definition.name) for name in names if name in services)
    for reference in dict.fromkeys(references):
        if engine.find_image(reference):
            yield reference
    tags = [tag for entry in engine.list_images({}) for tag in entry.get("RepoTags") or ()]
    yield from [tag for tag in tags if not tag.startswith("<none>")][:_OTHER_IMAGES]


def _wait(session: Session, container: str, signalled: threading.Event) -> int:
    """Its exit code. Raises Interrupted when `signalled` is set."""
    while (code := _exit_code(session.engine, container)) is None:
        if signalled.wait(_POLL):
            raise session.interrupt.error()
    return code


def _exit_code(engine: Engine, container: str) -> int | None:
    """None while it runs."""
    state = engine.inspect_container(container)["State"]
    return None if state["Running"] else int(state["ExitCode"])


def _output(session: Session, container: str) -> str:
    """The output of a container that has ended."""
    stream = session.engine.logs(container)
    try:
        return b"".join(data for _, data in stream).decode("utf-8", "replace")
    finally:
        stream.close()


def _cannot(work: _Work) -> str:
    return f"cannot {_PURPOSES.get(work.kind, _COPYING)} of `{work.service}`"


def _failure(work: _Work, code: int, output: str) -> CopyError:
    what = _cannot(work)
    lines = [line for line in output.splitlines() if not line.startswith("result ")]
    # `cp` exits with 1 for everything; only its output shows that the disk is full.
    if code == _NO_SPACE or "No space left" in output:
        error = CopyError(
            f"{what}: no space left on the engine's disk",
            details=lines[-5:],
            hint="Free some space: `invoke snapshots`, then `invoke snapshots.rm NAME`; "
            "`docker system df` shows the rest.",
        )
    elif code == _DAMAGED:
        error = CopyError(f"{what}: the snapshot is damaged", details=lines[-5:])
    else:
        hint = "The lines above are its output." if lines else ""
        error = CopyError(f"{what}: the copy exited with code {code}", details=lines[-10:], hint=hint)
    error.undone = code in (_DAMAGED, _FAILED, _NO_SPACE)
    return error
