"""Brings a stack up: observes, plans, carries out the plan, and reports what is ready."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from invoke_devstack.engine.endpoints import client_proxies
from invoke_devstack.errors import (
    DevstackError,
    HalfStartedError,
    Interrupted,
    PortTakenError,
    ServiceError,
)
from invoke_devstack.events import Notice, UpFinished
from invoke_devstack.planning import labels
from invoke_devstack.planning.names import natural
from invoke_devstack.planning.observed import Observed
from invoke_devstack.planning.options import PlanningOptions
from invoke_devstack.planning.plan import CreateContainer, Plan, RemoveNetwork
from invoke_devstack.planning.plans.up import brought_up, plan_up, selected_services
from invoke_devstack.planning.selection import activated, is_wanted
from invoke_devstack.running.executing import half_started
from invoke_devstack.running.executing.executor import announce, execute
from invoke_devstack.running.executing.leftovers import end_doubles, end_leftovers
from invoke_devstack.running.locks import project_lock
from invoke_devstack.running.observing import (
    docker_logins,
    host_files,
    observe,
    seccomp_profiles,
    with_guests,
)
from invoke_devstack.running.options import UpOptions, UpResult
from invoke_devstack.running.ports import free_ports, tunnel
from invoke_devstack.running.readiness import announcing
from invoke_devstack.running.session import Session
from invoke_devstack.running.stack.beforehand import refuse_what_is_blocked
from invoke_devstack.running.stack.remote_binds import name_missing_binds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from invoke_devstack.definition.model import Definition, Service


def plan(session: Session, options: UpOptions) -> Plan:
    """What `bring_up` would do now, and why. Changes nothing. Raises as `plan_up` does."""
    return _plan(session, options)[0]


def bring_up(session: Session, options: UpOptions) -> UpResult:
    """Brings the services and their dependencies up. Returns when all are ready.

    Emits PlanMade, the events of the actions, ServiceReady for each container, and UpFinished. After a signal
    it starts nothing new, leaves running what runs, and raises Interrupted.
    """
    result = bring_up_untold(session, options)
    tell_finished(session, result)
    return result


def tell_finished(session: Session, result: UpResult) -> None:
    """Reports that all is up."""
    session.emit(
        UpFinished(
            project=session.project, seconds=result.seconds, changed=result.changed, services=result.services
        )
    )


def bring_up_untold(session: Session, options: UpOptions) -> UpResult:
    """`bring_up`, without the last event."""
    session.hooks.check_targets(session.definition.all_services)
    if options.tunnel:
        tunnel.check_possible(session)
    try:
        made, changed = _change(session, options)
    except Interrupted:
        raise
    except DevstackError:
        _tell_what_runs(session)
        raise
    (tunnel.open_after if options.tunnel else tunnel.tell_unreachable)(session)
    return UpResult(plan=made, changed=changed, services=chosen(session, options), seconds=session.seconds())


def _tell_what_runs(session: Session) -> None:
    """After a failure, that the rest of the stack goes on, and how to end it. Not if the engine is gone."""
    with suppress(DevstackError):
        own = {"label": (f"{labels.PROJECT}={session.project}", f"{labels.ONEOFF}=False")}
        listed = session.engine.list_containers(own, all_=False)
        running = {(item.get("Labels") or {}).get(labels.SERVICE, "") for item in listed}
        if names := ", ".join(sorted(filter(None, running), key=natural)):
            session.emit(Notice(text=f"still running: {names}; stop them with `invoke stop`"))


def carry_out_up(session: Session, options: UpOptions) -> Plan:
    """The part of `bring_up` that changes something, without its last event. Returns the plan."""
    return _change(session, options)[0]


def _change(session: Session, options: UpOptions) -> tuple[Plan, bool]:
    """The plan that was carried out, and whether there was anything to do."""
    with project_lock(session):
        made, observed = _plan(session, options)
        if end_leftovers(session, observed):
            made, observed = _plan(session, options)
        changed = False
        if made.replan:
            changed = _carry_out(session, made)
            made, observed = _plan(session, options, images_ready=True)
        if options.tunnel:
            tunnel.open_before(session, made)
        if options.start:
            _tell_unchanged(session, made, observed)
        made, started = _bring_about(session, options, made)
        return made, changed or started


def _bring_about(session: Session, options: UpOptions, made: Plan) -> tuple[Plan, bool]:
    """Carries out the plan, and again for each container at whose start the engine was killed, and where the
    engine had a network twice. Returns the plan that succeeded, and whether there was anything to do."""
    try:
        return made, _carry_out(session, made)
    except PortTakenError as error:
        if (options.ports or session.settings.ports) == "auto":
            error.hint = "Stop what uses it, or publish another port."
        raise
    except HalfStartedError as error:
        broken = half_started.settle(session, error)
        if broken in options.broken:
            raise
        options = replace(options, broken=(*options.broken, *filter(None, [broken])))
    except ServiceError:
        if not end_doubles(session.engine, session.project):
            raise
    return _bring_about(session, options, _plan(session, options, images_ready=True)[0])


def _carry_out(session: Session, made: Plan) -> bool:
    """Whether there was anything to do."""
    for text in made.notices:
        session.emit(Notice(text=text, level="warning"))
    if made.orphans:
        session.emit(Notice(text=_about_orphans(made.orphans), level="warning"))
    name_missing_binds(session, made)
    announce(session, made)
    free_ports.report_free_ports(session, made)
    make_bind_folders(session, made)
    execute(made, session)
    return bool(made.changed)


def _about_orphans(orphans: tuple[str, ...]) -> str:
    names = ", ".join(orphans)
    return f"containers of services that are not in the files: {names}; remove them with `--remove-orphans`"


def _tell_unchanged(session: Session, made: Plan, observed: Observed) -> None:
    for service in made.unchanged:
        for container in observed.of_service(service):
            announcing.unchanged(container, session)


def chosen(session: Session, options: UpOptions) -> tuple[str, ...]:
    """The services to bring up, dependencies first, without those that are wanted 0 times."""
    definition = activated(session.definition, options.services)
    left_out = options.services if options.only_dependencies else ()
    selected = selected_services(definition, options.services)
    return tuple(
        name
        for name in selected
        if (name in options.services or not options.alone)
        and name not in left_out
        and is_wanted(definition.services[name])
    )


def _plan(session: Session, options: UpOptions, *, images_ready: bool = False) -> tuple[Plan, Observed]:
    definition = activated(session.definition, options.services)
    # What runs must really run for `up` to have nothing to do, and the engine's list may be out of date.
    observed = observe(definition, session.engine, inspect=True)
    wanted = planning_options(session, options, definition, observed, images_ready=images_ready)
    if not images_ready:
        names = brought_up(selected_services(definition, options.services), wanted)
        oneoffs = options.services if options.only_dependencies else ()
        refuse_what_is_blocked(session, definition, names, observed, wanted, oneoffs=oneoffs)
    made = plan_up(definition, observed, wanted)
    if removed := [action.target for action in made if isinstance(action, RemoveNetwork)]:
        observed = with_guests(observed, session.engine, removed)
        made = plan_up(definition, observed, wanted)
    return made, observed


def planning_options(
    session: Session,
    options: UpOptions,
    definition: Definition,
    observed: Observed,
    *,
    images_ready: bool = False,
) -> PlanningOptions:
    """What the planner must know besides the definition and the engine: settings, hooks, ports."""
    settings, hooks = session.settings, session.hooks
    engine, bind = session.engine, settings.bind
    return PlanningOptions(
        services=options.services,
        dependencies="only" if options.only_dependencies else "settle" if options.alone else "up",
        build=options.build,
        no_build=options.no_build,
        pull=options.pull,
        images_ready=images_ready,
        start=options.start,
        rerun=options.rerun,
        broken=options.broken,
        force_recreate=options.force_recreate,
        recreate_dependencies=options.recreate_dependencies,
        keep_existing=options.keep_existing,
        timeout=options.timeout,
        renew_all=options.renew_all,
        remove_orphans=options.remove_orphans,
        bind=bind,
        wait_timeout=settings.wait_timeout if options.wait_timeout is None else options.wait_timeout,
        hooks=hooks.names(always=False),
        always_hooks=hooks.names(always=True),
        ports=free_ports.choose_free_ports(definition, observed, engine, bind, settings.ports, options.ports),
        environment=client_proxies(engine.endpoint.url),
        seccomp=seccomp_profiles(definition),
        host_files=host_files(definition, engine),
        logins=docker_logins(definition),
        now=datetime.now(UTC),
    )


def make_bind_folders(session: Session, plan: Plan) -> None:
    """Creates the folders that new containers mount (with `create_host_path`, the default of the short form).
    Does nothing for an engine on another machine."""
    if not session.engine.endpoint.is_local:
        return
    every = session.definition.all_services
    names = dict.fromkeys(action.service for action in plan if isinstance(action, CreateContainer))
    for name in names:
        if name in every:
            for folder in _missing(every[name]):
                # If this user may not, the engine tries, and reports its error.
                with suppress(OSError):
                    folder.mkdir(parents=True, exist_ok=True)
                    session.emit(Notice(text=f"created the folder {folder}, which it mounts", service=name))


def _missing(service: Service) -> Iterable[Path]:
    for mount in service.volumes:
        wanted = mount.type == "bind" and mount.source and mount.bind and mount.bind.create_host_path
        if wanted and not Path(mount.source or "").exists():
            yield Path(mount.source or "")
