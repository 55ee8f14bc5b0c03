"""The short-lived container that copies between volumes, and the end of one that outlived its command."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from invoke_devstack.engine.protocol import Engine
from invoke_devstack.errors import (
    DevstackError,
    EngineError,
    EngineUnavailableError,
    Interrupted,
    NotFoundError,
)
from invoke_devstack.events import Notice
from invoke_devstack.planning import labels as label
from invoke_devstack.planning.explain import explain
from invoke_devstack.planning.explain_commands import explain_oneoff_end, explain_oneoff_start
from invoke_devstack.planning.observed import ObservedContainer
from invoke_devstack.planning.plan import Body, CreateContainer
from invoke_devstack.planning.snapshots import PROJECT, half_snapshots, helper_body, helper_mounts
from invoke_devstack.running.session import Session

COPY, RESTORE, TRANSFER = "copy", "restore", "transfer"
_POLL = 0.03  # seconds between two looks at a helper
_NO_ROOM = 28
_FIRST_IMAGES = 10  # of those that no service of the stack uses


def run(session: Session, service: str, kind: str, words: Iterable[str], binds: Mapping[str, str]) -> str:
    """Runs the script of `kind` (COPY, RESTORE) to its end and returns what it printed. `binds` are path
    -> volume. Raises DevstackError when it fails, Interrupted when a signal comes; a restore is settled
    before that: the volumes hold all of the old data or all of the new."""
    script = Path(__file__).with_name(f"{kind}.sh").read_text(encoding="utf-8")
    with _container(session, service, kind, script, tuple(words), binds, start=True) as container:
        try:
            code = _wait(session, container)
        except Interrupted:
            session.engine.remove_container(container, force=True)
            if kind == RESTORE:
                settle_restore(session, service, binds)
            raise
        output = _output(session.engine, container)
    if code:
        raise _failure(service, kind, code, output)
    return output


@contextmanager
def transfer_container(session: Session, service: str, volume: str) -> Iterator[str]:
    """A container that is never started, whose /snapshot is the volume: archives go in and out of it."""
    with _container(session, service, TRANSFER, "exit", (), {"/snapshot": volume}, start=False) as container:
        yield container


def settle_restore(session: Session, service: str, binds: Mapping[str, str]) -> None:
    """Ends a restore that was cut off: forward if its copy was complete, else back."""
    script = Path(__file__).with_name("restore.sh").read_text(encoding="utf-8")
    targets = {path: volume for path, volume in binds.items() if path.startswith("/to/")}
    keys = [path.removeprefix("/to/") for path in targets]
    with _container(session, service, RESTORE, script, ("settle", *keys), targets, start=True) as container:
        while session.engine.inspect_container(container)["State"]["Running"]:
            session.interrupt.requested.wait(_POLL)
        code = int(session.engine.inspect_container(container)["State"]["ExitCode"])
        output = _output(session.engine, container)
    if code:
        raise _failure(service, RESTORE, code, output)


def settle(session: Session, left: Iterable[ObservedContainer]) -> None:
    """Ends what helpers of killed commands were doing: a copy is given up, a restore settled."""
    for item in left:
        _settle(session, item)
    remove_half_snapshots(session)


def _settle(session: Session, item: ObservedContainer) -> None:
    kind = item.labels[label.HELPER]
    session.emit(
        Notice(
            text=f"an interrupted {'restore' if kind == RESTORE else 'snapshot'} is ended first",
            level="warning",
            service=item.service,
        )
    )
    with suppress(NotFoundError):
        session.engine.remove_container(item.id, force=True)
    if kind == RESTORE:
        settle_restore(session, item.service, helper_mounts(item.labels))


def remove_half_snapshots(session: Session) -> None:
    """Gives back the room of copies that were never completed."""
    engine = session.engine
    for name in half_snapshots(engine.list_volumes({"label": [f"{PROJECT}={session.project}"]})):
        # One that is in use belongs to a command on another machine.
        with suppress(EngineError):
            engine.remove_volume(name)


@contextmanager
def _container(
    session: Session,
    service: str,
    kind: str,
    script: str,
    words: tuple[str, ...],
    binds: Mapping[str, str],
    *,
    start: bool,
) -> Iterator[str]:
    """A helper, made from the first image that can run it, and removed at the end."""
    container = _make(session, service, kind, script, words, binds, start=start)
    try:
        yield container
    finally:
        with suppress(NotFoundError):
            session.engine.remove_container(container, force=True)


def _make(
    session: Session,
    service: str,
    kind: str,
    script: str,
    words: tuple[str, ...],
    binds: Mapping[str, str],
    *,
    start: bool,
) -> str:
    engine = session.engine
    for image in _images(session, service):
        body = helper_body(image, session.project, service, kind, script, words, binds)
        name = f"{session.project}-{service}-{kind}-{secrets.token_hex(4)}"
        container = engine.create_container(name, body)
        if not start:
            return container
        _explain(session, name, service, body)
        try:
            engine.start(container)
            return container
        except EngineUnavailableError:
            raise
        except EngineError as error:
            engine.remove_container(container, force=True)
            if not _lacks_shell(error):
                raise
    raise DevstackError(
        f"no image here has the shell that copies the data of `{service}`",
        hint="Get one that has, such as `docker pull busybox`.",
    )


def _explain(session: Session, name: str, service: str, body: Body) -> None:
    """The helper by hand: made, run to its end, removed."""
    if not session.explain:
        return
    made = CreateContainer(
        target=name, cause="its data are copied inside the engine", service=service, body=body
    )
    for step in explain(made):
        session.emit(step)
    session.emit(explain_oneoff_start(name, tty=False))
    session.emit(explain_oneoff_end(name))


def _lacks_shell(error: EngineError) -> bool:
    return "has no command" in error.message or "executable file" in error.message


def _images(session: Session, service: str) -> Iterator[str]:
    """The service's own image, those of the others, then any: most have a shell."""
    definition, engine = session.definition, session.engine
    every = {**definition.disabled_services, **definition.services}
    names = [service, *(name for name in every if name != service)]
    references = (every[name].image_name(definition.name) for name in names if name in every)
    for reference in dict.fromkeys(references):
        if engine.find_image(reference):
            yield reference
    tags = [tag for entry in engine.list_images({}) for tag in entry.get("RepoTags") or ()]
    yield from [tag for tag in tags if not tag.startswith("<none>")][:_FIRST_IMAGES]


def _wait(session: Session, container: str) -> int:
    while True:
        state = session.engine.inspect_container(container)["State"]
        if not state["Running"]:
            return int(state["ExitCode"])
        session.interrupt.pause(_POLL)


def _output(engine: Engine, container: str) -> str:
    stream = engine.logs(container)
    try:
        return b"".join(data for _, data in stream).decode("utf-8", "replace")
    finally:
        stream.close()


def _failure(service: str, kind: str, code: int, output: str) -> DevstackError:
    lines = output.splitlines()
    what = "restored" if kind == RESTORE else "copied"
    if code == _NO_ROOM or "No space left" in output:
        return DevstackError(
            f"the data of `{service}` cannot be {what}: the engine's disk has no room for it",
            details=lines[-5:],
            hint="Nothing was changed. Remove what you can spare: `invoke snapshots`, then "
            "`invoke snapshots.rm NAME`; `docker system df` shows the rest.",
        )
    return DevstackError(
        f"the data of `{service}` cannot be {what}: the copy ended with code {code}",
        details=lines[-10:],
        hint="Nothing was changed. The lines above are what `cp` said.",
    )
