"""How each kind of action is carried out: one small function a kind. Nothing is decided here."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import PurePosixPath

from invoke_devstack.engine.protocol import Engine, OnProgress, Progress
from invoke_devstack.errors import (
    ConflictError,
    EngineError,
    EngineUnavailableError,
    HalfStartedError,
    NotFoundError,
    PortTakenError,
    ServiceError,
)
from invoke_devstack.events import ActionProgress, Notice
from invoke_devstack.planning.plan import (
    Action,
    AwaitReady,
    BuildImage,
    CreateContainer,
    CreateNetwork,
    CreateVolume,
    InjectedFile,
    KillContainer,
    PauseContainer,
    PullImage,
    PushImage,
    RemoveContainer,
    RemoveImage,
    RemoveNetwork,
    RemoveVolume,
    RenameContainer,
    RestartContainer,
    RunCommand,
    RunHook,
    StartContainer,
    StopContainer,
    UnpauseContainer,
)
from invoke_devstack.planning.settle import settled
from invoke_devstack.running import announcing, ports, races, stopping
from invoke_devstack.running.execution import Execution
from invoke_devstack.running.readiness import await_ready


def carry_out(action: Action, execution: Execution) -> str:
    """Does `action` and returns a result worth a word, mostly none. Raises DevstackError."""
    match action:
        case PullImage() | PushImage() | BuildImage() | RemoveImage():
            return _on_image(action, execution)
        case CreateNetwork() | RemoveNetwork() | CreateVolume() | RemoveVolume():
            return _on_network_or_volume(action, execution)
        case CreateContainer():
            _create(action, execution)
        case StartContainer():
            _start(action, execution)
        case AwaitReady():
            _await(action, execution)
        case RunHook():
            execution.session.hooks.run(action.target)
        case RunCommand():
            _run_command(action, execution)
        case StopContainer():
            stopping.stop(action, execution)
        case RemoveContainer():
            races.remove(execution.engine, action)
        case KillContainer():
            _unless_gone(lambda: execution.engine.kill(action.target, action.signal))
            return action.signal
        case _:
            _on_container(action, execution)
    return ""


def _await(action: AwaitReady, execution: Execution) -> None:
    try:
        announcing.ready(action, await_ready(action, execution), execution)
    except ServiceError as error:
        if not action.optional:
            raise
        text = f"{error.message}; what waits for it can do without"
        execution.session.emit(Notice(text=text, level="warning", service=error.service))


def _on_image(action: PullImage | PushImage | BuildImage | RemoveImage, execution: Execution) -> str:
    engine = execution.engine
    match action:
        case PullImage():
            engine.pull(action.target, platform=action.platform, on_progress=_progress(action, execution))
        case PushImage():
            engine.push(action.target, on_progress=_progress(action, execution))
        case BuildImage():
            built = engine.build(action.build, on_progress=_progress(action, execution))
            execution.built[action.target] = built
            short = built.image_id.removeprefix("sha256:")[:12]
            return f"image {short}, {built.cached_steps} of {built.steps} steps from the cache"
        case RemoveImage():
            return _remove_image(action, engine)
    return ""


def _remove_image(action: RemoveImage, engine: Engine) -> str:
    """Two checkouts may have built the very same image: what the other one uses or names stays."""
    try:
        if action.only_untagged and (names := engine.inspect_image(action.target).get("RepoTags")):
            return f"stays: it is {names[0]} too"
        engine.remove_image(action.target, force=action.force)
    except NotFoundError:
        return ""
    except ConflictError as error:
        return f"stays: {error.message}"
    return ""


def _progress(action: Action, execution: Execution) -> OnProgress:
    def report(progress: Progress) -> None:
        execution.check()
        execution.session.emit(
            ActionProgress(
                action=action.kind,
                target=action.target,
                item=progress.item,
                text=progress.text,
                done=progress.done,
                total=progress.total,
                unit=progress.unit,
            )
        )

    return report


def _on_network_or_volume(
    action: CreateNetwork | RemoveNetwork | CreateVolume | RemoveVolume, execution: Execution
) -> str:
    match action:
        case CreateNetwork():
            _create_network(action, execution)
            return ""
        case CreateVolume():
            execution.engine.create_volume(action.target, action.body)
            return ""
        case RemoveNetwork():
            left = races.remove_network(execution.engine, action)
        case RemoveVolume():
            left = races.remove_volume(execution.engine, action)
    if left:
        execution.left.append(action.target)
        execution.session.emit(Notice(text=left, level="warning"))
    return left


def _create_network(action: CreateNetwork, execution: Execution) -> None:
    try:
        execution.engine.create_network(action.target, action.body)
    except ConflictError:
        # Another command made it meanwhile. One with other labels is the planner's to refuse.
        if not execution.engine.list_networks({"name": (f"^{action.target}$",)}):
            raise


def _create(action: CreateContainer, execution: Execution) -> None:
    container_id = races.create(execution.engine, _settle(action, execution.engine))
    for network, endpoint in action.more_networks.items():
        execution.engine.connect_network(network, container_id, endpoint)
    if action.files:
        execution.engine.put_archive(container_id, "/", _archive(action.files))


def _settle(action: CreateContainer, engine: Engine) -> CreateContainer:
    """The action with what is known only now in its body."""
    late = action.late
    if late is None:
        return action
    image = engine.find_image(late.image) if late.image else None
    ids = {name: engine.inspect_container(name)["Id"] for name in late.containers}
    return replace(action, body=settled(action, image_id=image.id if image else "", containers=ids))


def _archive(files: Iterable[InjectedFile]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for file in files:
            entry = tarfile.TarInfo(str(PurePosixPath(file.path)).lstrip("/"))
            entry.size, entry.mode, entry.uid, entry.gid = len(file.content), file.mode, file.uid, file.gid
            archive.addfile(entry, io.BytesIO(file.content))
    return buffer.getvalue()


def _start(action: StartContainer, execution: Execution) -> None:
    service = action.service or action.target
    try:
        execution.engine.start(action.target)
    except PortTakenError as error:
        raise ports.with_holder(error, execution.engine, service) from error
    except HalfStartedError as error:
        raise HalfStartedError(
            f"{service} cannot start: {error.message}",
            hint=error.hint,
            details=error.details,
            status=error.status,
            container=action.target,
        ) from error
    except (EngineUnavailableError, NotFoundError):
        raise
    except EngineError as error:
        raise ServiceError(
            f"{service} cannot start: {error.message}",
            service=service,
            hint=error.hint,
            details=error.details,
        ) from error


def _run_command(action: RunCommand, execution: Execution) -> None:
    result = execution.engine.exec(
        action.container,
        action.command,
        user=action.user,
        working_dir=action.working_dir,
        environment=action.environment,
        privileged=action.privileged,
    )
    if result.exit_code == 0:
        return
    error = ServiceError(
        f"`{' '.join(action.command)}` in {action.container} ended with code {result.exit_code}",
        service=action.service,
        details=tuple(result.output.decode("utf-8", "replace").splitlines()[-20:]),
        hint="It is a lifecycle hook of the service's definition: mend the command there.",
    )
    if not action.optional:
        raise error
    text = "; ".join((error.message, *error.details[-1:]))
    execution.session.emit(Notice(text=text, level="warning", service=action.service))


def _on_container(action: Action, execution: Execution) -> None:
    engine = execution.engine
    match action:
        case RenameContainer():
            engine.rename(action.target, action.new_name)
        case RestartContainer():
            engine.restart(action.target, signal=action.signal, grace=action.grace)
        case PauseContainer():
            engine.pause(action.target)
        case UnpauseContainer():
            engine.unpause(action.target)
        case _:
            raise TypeError(f"no way to carry out {type(action).__name__}")


def _unless_gone(act: Callable[[], object]) -> None:
    try:
        act()
    except NotFoundError:
        return
