"""Brings a stack up: observe, plan, carry out, and tell what is ready."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from invoke_devstack.errors import HalfStartedError
from invoke_devstack.events import Notice, UpFinished
from invoke_devstack.planning import options as planning
from invoke_devstack.planning.observed import Observed
from invoke_devstack.planning.plan import Action, CreateContainer, Plan
from invoke_devstack.planning.select import activated
from invoke_devstack.planning.up import plan_up, selected_services
from invoke_devstack.running import announcing, free_ports
from invoke_devstack.running.bind_folders import make_bind_folders
from invoke_devstack.running.executor import changes, execute, tell
from invoke_devstack.running.leftovers import remove_half_started, settle_leftovers
from invoke_devstack.running.locks import project_lock
from invoke_devstack.running.observing import client_proxies, observe, seccomp_profiles
from invoke_devstack.running.options import UpOptions, UpResult
from invoke_devstack.running.session import Session
from invoke_devstack.running.survivors import check_survivors

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition


def plan(session: Session, options: UpOptions) -> Plan:
    """What `bring_up` would do now, and why. Changes nothing. Raises what `plan_up` raises."""
    return _plan(session, options)[0]


def bring_up(session: Session, options: UpOptions) -> UpResult:
    """Brings the services (and what they depend on) up and returns when all are ready.

    Emits PlanMade, the actions' events, ServiceReady for each container and UpFinished. A signal ends
    it at once: nothing new is begun, what runs is left running, Interrupted is raised.
    """
    definition = session.definition
    session.hooks.check_targets({**definition.services, **definition.disabled_services})
    with project_lock(session):
        made, observed = _plan(session, options)
        if settle_leftovers(session, observed):
            made, observed = _plan(session, options)
        changed = False
        if made.replan:
            changed = _carry_out(session, made)
            made, observed = _plan(session, options, images_ready=True)
        _tell_not_carried_out(session)
        _tell_unchanged(session, made, observed)
        made, started = _bring_about(session, options, made)
        changed |= started
        check_survivors(session, made)
    result = UpResult(
        plan=made, changed=changed, services=chosen(session, options), seconds=session.seconds()
    )
    session.emit(
        UpFinished(project=session.project, seconds=result.seconds, changed=changed, services=result.services)
    )
    return result


def _bring_about(session: Session, options: UpOptions, made: Plan) -> tuple[Plan, bool]:
    """Carries the plan out, and once more for each container that the engine was killed at starting. Returns
    the plan that went through, and whether there was anything to do."""
    try:
        return made, _carry_out(session, made)
    except HalfStartedError as error:
        remove_half_started(session, error)
    return _bring_about(session, options, _plan(session, options, images_ready=True)[0])


def _carry_out(session: Session, made: Plan) -> bool:
    """Whether there was anything to do."""
    for text in made.notices:
        session.emit(Notice(text=text, level="warning"))
    if made.orphans:
        session.emit(Notice(text=_about_orphans(made.orphans), level="warning"))
    tell(session, made)
    free_ports.tell_stand_ins(session, made)
    make_bind_folders(session, made)
    execute(made, session)
    return bool(changes(made))


def _about_orphans(orphans: tuple[str, ...]) -> str:
    names = ", ".join(orphans)
    return f"containers of services that the files do not have: {names}; `--remove-orphans` removes them"


def _tell_not_carried_out(session: Session) -> None:
    """Names what the files ask for and no engine by itself can do."""
    if names := session.definition.not_carried_out:
        text = f"not carried out, since it belongs to a swarm or a provider: {', '.join(names)}"
        session.emit(Notice(text=text, level="warning"))


def _tell_unchanged(session: Session, made: Plan, observed: Observed) -> None:
    for service in made.unchanged:
        for container in observed.of_service(service):
            announcing.unchanged(container, session)


def chosen(session: Session, options: UpOptions) -> tuple[str, ...]:
    """The services that the command is about, dependencies first."""
    definition = activated(session.definition, options.services)
    return selected_services(definition, planning.UpOptions(services=options.services))


def _plan(session: Session, options: UpOptions, *, images_ready: bool = False) -> tuple[Plan, Observed]:
    definition = activated(session.definition, options.services)
    observed = observe(definition, session.engine)
    wanted = planning_options(session, options, definition, observed, images_ready=images_ready)
    made = plan_up(definition, observed, wanted)
    if any(_hides_values(action) for action in made):
        observed = observe(definition, session.engine, inspect=True)
        made = plan_up(definition, observed, wanted)
    return made, observed


def _hides_values(action: Action) -> bool:
    """Whether an inspection would let the cause name what was before and what comes."""
    return isinstance(action, CreateContainer) and action.cause.startswith(("environment", "command"))


def planning_options(
    session: Session,
    options: UpOptions,
    definition: Definition,
    observed: Observed,
    *,
    images_ready: bool = False,
) -> planning.UpOptions:
    """What the planner is to know beside the definition and what is observed: settings, hooks, ports."""
    settings, hooks = session.settings, session.hooks
    engine, bind = session.engine, settings.bind
    return planning.UpOptions(
        services=options.services,
        build=options.build,
        images_ready=images_ready,
        force_recreate=options.force_recreate,
        remove_orphans=options.remove_orphans,
        bind=bind,
        wait_timeout=settings.wait_timeout if options.wait_timeout is None else options.wait_timeout,
        hooks=hooks.names(always=False),
        always_hooks=hooks.names(always=True),
        ports=free_ports.stand_ins(definition, observed, engine, bind, settings.ports, options.ports),
        environment=client_proxies(),
        seccomp=seccomp_profiles(definition),
        now=datetime.now(UTC),
    )
