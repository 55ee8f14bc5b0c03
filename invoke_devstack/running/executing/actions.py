"""How each kind of action is executed: one function for each. Nothing is decided here."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import singledispatch
from pathlib import PurePosixPath

from invoke_devstack.engine.protocol import Engine, OnProgress, Progress
from invoke_devstack.errors import (
    ConflictError,
    EngineError,
    EngineUnavailableError,
    HalfStartedError,
    ImageUnavailableError,
    NotFoundError,
    PortTakenError,
    ServiceError,
)
from invoke_devstack.events import Notice
from invoke_devstack.planning import plan
from invoke_devstack.planning.bodies.hashes import body_with_late_values
from invoke_devstack.running.executing import convergence, due_marks, half_started, stopping
from invoke_devstack.running.execution import Execution, Risen, Skipped
from invoke_devstack.secrets import SecretValues, looks_secret


@singledispatch
def carry_out(action: plan.Action, execution: Execution) -> str | None:
    """Does `action`. Returns a result worth showing, if there is one. Raises DevstackError."""
    raise TypeError(f"no way to carry out {type(action).__name__}")


@carry_out.register(plan.PullImage)
def _pull_image(action: plan.PullImage, execution: Execution) -> str:
    def pull() -> None:
        execution.engine.pull(
            action.target,
            platform=action.platform,
            on_progress=_progress(action, execution),
            cancellation=execution.cancellation,
        )

    return _transfer(action, pull, execution)


@carry_out.register(plan.PushImage)
def _push_image(action: plan.PushImage, execution: Execution) -> str:
    def push() -> None:
        execution.engine.push(
            action.target, on_progress=_progress(action, execution), cancellation=execution.cancellation
        )

    return _transfer(action, push, execution)


def _transfer(
    action: plan.PullImage | plan.PushImage, transfer: Callable[[], None], execution: Execution
) -> str:
    """Skips an optional transfer that fails, with a warning."""
    try:
        with _cancellable(execution):
            transfer()
    except ImageUnavailableError as error:
        if not action.optional:
            raise
        text = f"{error.message}; continuing, as failures are ignored"
        execution.session.emit(Notice(text=text, level="warning", service=action.service))
        return Skipped(error.message)
    return ""


@carry_out.register(plan.BuildImage)
def _build_image(action: plan.BuildImage, execution: Execution) -> str:
    request = replace(action.build, private=_is_private(action.build, execution.session.secrets))
    with _cancellable(execution):
        built = execution.engine.build(
            request, on_progress=_progress(action, execution), cancellation=execution.cancellation
        )
    execution.built[action.target] = built
    short = built.image_id.removeprefix("sha256:")[:12]
    return f"image {short}, {built.cached_steps} of {built.steps} steps from the cache"


@carry_out.register(plan.PublishDefinition)
def _publish_definition(action: plan.PublishDefinition, execution: Execution) -> str:
    from invoke_devstack.engine.images.registry import Registry

    registry = Registry(action.target)
    for layer in action.layers:
        execution.check()
        registry.put(layer)
    return registry.put_manifest(action.manifest)


@carry_out.register(plan.CommitContainer)
def _commit_container(action: plan.CommitContainer, execution: Execution) -> str:
    image = execution.engine.commit(
        action.target,
        action.reference,
        author=action.author,
        message=action.message,
        changes=action.changes,
        pause=action.pause,
    )
    execution.made[action.target] = image
    return f"image {image.removeprefix('sha256:')[:12]}"


@contextmanager
def _cancellable(execution: Execution) -> Iterator[None]:
    """Ends with the execution, and with it the program of the builder."""
    try:
        yield
    except EngineError:
        execution.check()
        raise


def _is_private(request: plan.BuildRequest, secrets: SecretValues) -> bool:
    """Whether a secret is in it, other than in an argument that looks secret: those are never in words."""
    plain = {name: value for name, value in request.args.items() if not looks_secret(name)}
    return secrets.holds({**vars(request), "args": plain})


def _progress(action: plan.Action, execution: Execution) -> OnProgress:
    def report(progress: Progress) -> None:
        execution.check()
        execution.session.emit(progress.of(action.kind, action.target))

    return report


@carry_out.register(plan.RemoveImage)
def _remove_image(action: plan.RemoveImage, execution: Execution) -> str:
    """Two checkouts may have built the same image: what the other one uses or names is kept."""
    engine = execution.engine
    try:
        if action.only_untagged and (names := engine.inspect_image(action.target).get("RepoTags")):
            return _skip(action, f"image {action.target} was not removed: it is also {names[0]}", execution)
        engine.remove_image(action.target, force=action.force)
    except NotFoundError:
        return ""
    except ConflictError as error:
        return _skip(action, f"image {action.target} was not removed: {error.message}", execution)
    return ""


@carry_out.register(plan.CreateNetwork)
def _create_network(action: plan.CreateNetwork, execution: Execution) -> str:
    try:
        execution.engine.create_network(action.target, action.body)
    except ConflictError:
        # Another command created it meanwhile. If its labels differ, the planner refuses it next time.
        if not execution.engine.list_networks({"name": (f"^{action.target}$",)}):
            raise
        return Skipped("it is already there")
    return ""


@carry_out.register(plan.CreateVolume)
def _create_volume(action: plan.CreateVolume, execution: Execution) -> None:
    execution.engine.create_volume(action.target, action.body)


@carry_out.register(plan.RemoveNetwork)
def _remove_network(action: plan.RemoveNetwork, execution: Execution) -> str:
    why = convergence.remove_network(execution.engine, action, execution.session.project)
    return _skip(action, why, execution)


@carry_out.register(plan.RemoveVolume)
def _remove_volume(action: plan.RemoveVolume, execution: Execution) -> str:
    why = convergence.remove_volume(execution.engine, action, execution.session.project)
    return _skip(action, why, execution)


def _skip(action: plan.Action, why: str, execution: Execution) -> str:
    """Reports why the target was not removed, if it was not."""
    if not why:
        return ""
    execution.left.append(action.target)
    execution.session.emit(Notice(text=why, level="warning"))
    return Skipped(why)


@carry_out.register(plan.CreateContainer)
def _create_container(action: plan.CreateContainer, execution: Execution) -> None:
    engine = execution.engine

    def warn(text: str) -> None:
        execution.session.emit(Notice(text=text, level="warning", service=action.service))

    container_id = convergence.create(engine, _with_late_values(action, engine), warn)
    for network, endpoint in action.more_networks.items():
        engine.connect_network(network, container_id, endpoint)
    if action.files:
        engine.put_archive(container_id, "/", _archive(action.files))


def _with_late_values(action: plan.CreateContainer, engine: Engine) -> plan.CreateContainer:
    late = action.late
    if late is None:
        return action
    image = engine.find_image(late.image) if late.image else None
    ids = {name: engine.inspect_container(name)["Id"] for name in late.containers}
    image_id, paths = (image.id, image.volumes) if image else ("", ())
    body = body_with_late_values(action, image_id=image_id, image_volumes=paths, containers=ids)
    return replace(action, body=body)


def _archive(files: Iterable[plan.InjectedFile]) -> bytes:
    import tarfile

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for file in files:
            entry = tarfile.TarInfo(str(PurePosixPath(file.path)).lstrip("/"))
            entry.size, entry.mode, entry.uid, entry.gid = len(file.content), file.mode, file.uid, file.gid
            archive.addfile(entry, io.BytesIO(file.content))
    return buffer.getvalue()


@carry_out.register(plan.StartContainer)
def _start_container(action: plan.StartContainer, execution: Execution) -> None:
    service = action.service or action.target
    try:
        half_started.start(execution.session, service, action.target)
    except PortTakenError as error:
        raise _with_holder(error, execution.engine, service) from error
    except (EngineUnavailableError, HalfStartedError, NotFoundError):
        raise
    except EngineError as error:
        raise ServiceError(
            f"{execution.session.label(service, action.target)} cannot start: {error.message}",
            service=service,
            hint=error.hint,
            details=error.details,
        ) from error


def _with_holder(error: PortTakenError, engine: Engine, service: str) -> PortTakenError:
    from invoke_devstack.running.ports.addresses import with_holder

    return with_holder(error, engine, service)


@carry_out.register(plan.AwaitReady)
def _await_ready(action: plan.AwaitReady, execution: Execution) -> None:
    from invoke_devstack.running.readiness import announcing  # a `down` does without
    from invoke_devstack.running.readiness.waiting import await_ready

    try:
        result = await_ready(action, execution)
        announcing.ready(action, result, execution)
        if result.state != "done":
            container = result.inspected["Id"]
            deaths = len(execution.events.deaths_of(container))
            execution.risen.append(Risen(action, container, result.inspected, deaths))
    except ServiceError as error:
        if unless_optional(action, error, execution):
            raise


def unless_optional(
    action: plan.AwaitReady, error: ServiceError, execution: Execution
) -> ServiceError | None:
    """The error; None, with a notice, if nothing requires the service."""
    if not action.optional:
        return error
    text = f"{error.message}; continuing, because no service requires it"
    execution.session.emit(Notice(text=text, level="warning", service=error.service))
    return None


@carry_out.register(plan.RunHook)
def _run_hook(action: plan.RunHook, execution: Execution) -> str:
    called = execution.session.hooks.run(action.target)
    due_marks.forget(execution, action.mark)
    return called


@carry_out.register(plan.RunCommand)
def _run_command(action: plan.RunCommand, execution: Execution) -> None:
    result = execution.engine.exec(
        action.container,
        action.command,
        user=action.user,
        working_dir=action.working_dir,
        environment=action.environment,
        privileged=action.privileged,
    )
    if result.exit_code == 0:
        due_marks.forget(execution, action.mark)
        return
    error = ServiceError(
        f"`{' '.join(action.command)}` in {action.container} failed with exit code {result.exit_code}",
        service=action.service,
        details=tuple(result.output.decode("utf-8", "replace").splitlines()[-20:]),
        hint=f"Fix the command of this lifecycle hook under `services.{action.service}` in the Compose file.",
    )
    if not action.optional:
        raise error
    text = "; ".join((error.message, *error.details[-1:]))
    execution.session.emit(Notice(text=text, level="warning", service=action.service))


@carry_out.register(plan.RenameContainer)
def _rename_container(action: plan.RenameContainer, execution: Execution) -> None:
    execution.engine.rename(action.target, action.new_name)


@carry_out.register(plan.StopContainer)
def _stop_container(action: plan.StopContainer, execution: Execution) -> None:
    execution.session.stopping.add(action.target)
    stopping.stop(action, execution)


@carry_out.register(plan.RemoveContainer)
def _remove_container(action: plan.RemoveContainer, execution: Execution) -> None:
    convergence.remove(execution.engine, action)


@carry_out.register(plan.RestartContainer)
def _restart_container(action: plan.RestartContainer, execution: Execution) -> None:
    execution.session.stopping.add(action.target)
    try:
        execution.engine.restart(action.target, signal=action.signal, grace=action.grace)
    except HalfStartedError:  # it is stopped now
        half_started.start(execution.session, action.service or action.target, action.target)
    except PortTakenError as error:
        raise _with_holder(error, execution.engine, action.service or action.target) from error


@carry_out.register(plan.PauseContainer)
def _pause_container(action: plan.PauseContainer, execution: Execution) -> None:
    execution.engine.pause(action.target)


@carry_out.register(plan.UnpauseContainer)
def _unpause_container(action: plan.UnpauseContainer, execution: Execution) -> None:
    execution.engine.unpause(action.target)


@carry_out.register(plan.KillContainer)
def _kill_container(action: plan.KillContainer, execution: Execution) -> str:
    with suppress(NotFoundError):
        execution.engine.kill(action.target, action.signal)
    return action.signal
