"""`invoke deploy`: from the definition to a stack that runs on the cluster, or back to what was there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from invoke_devstack.deploying import revisions
from invoke_devstack.deploying.cluster import Cluster
from invoke_devstack.deploying.contents import contents
from invoke_devstack.deploying.images import build_and_push, images_of, pins
from invoke_devstack.deploying.lock import stack_lock
from invoke_devstack.deploying.returning import Return, how_to_end
from invoke_devstack.deploying.revisions import Outcome, Revision
from invoke_devstack.deploying.rollout import MONITOR, Rollout
from invoke_devstack.errors import DevstackError, Interrupted, PlanShown
from invoke_devstack.events import DeployFinished, Document, Notice, PlanMade
from invoke_devstack.planning.deploys.checks import check_cluster
from invoke_devstack.planning.deploys.commands import deploy_commands
from invoke_devstack.planning.deploys.image_checks import check_local_images, check_platforms
from invoke_devstack.planning.deploys.observed import ObservedStack
from invoke_devstack.planning.deploys.plan import plan_deploy, used_files
from invoke_devstack.planning.deploys.service_spec import ImagePin
from invoke_devstack.planning.deploys.target import FileKind, Target, target_as_observed, target_of
from invoke_devstack.planning.plan import Plan
from invoke_devstack.planning.preflight.findings import Finding, Level, grouped, refusal
from invoke_devstack.planning.preflight.swarm import preflight
from invoke_devstack.planning.preflight.translate import in_deploy_form
from invoke_devstack.records import record
from invoke_devstack.running.session import Session


@record
class DeployOptions:
    """`confirm` asks whether to carry the plan out, and raises if not. `asks_to_return` is called after a
    signal: whether to go back. Times are seconds."""

    confirm: Callable[[Plan], None]
    asks_to_return: Callable[[], bool] = lambda: False
    timeout: float = 300.0
    monitor: float = MONITOR
    lock_patience: float | None = None
    dry: bool = False


def deploy(cluster: Cluster, session: Session, options: DeployOptions) -> None:
    """Brings the stack to what the session's definition says.

    Raises PreflightError for what a swarm cannot do, DeployError for a service that does not run (the stack
    is then what it was), and what building and pushing raise.
    """
    cluster.check_manager()
    definition = session.definition
    findings = preflight(definition, cluster.engine.version)
    refuse(findings)
    translated = in_deploy_form(definition)
    found = contents(translated)
    session = replace(session, definition=translated)
    about_cluster = check_cluster(translated, cluster.observe())
    refuse(about_cluster)
    tell_findings(session, (*findings, *about_cluster))
    if options.dry:
        target = _target(cluster, session, found, _pins_as_they_are(cluster, session))
        show(session, _plan(cluster, target, cluster.observe()), _builds(session))
    with stack_lock(cluster, session, patience=options.lock_patience):
        build_and_push(session)
        images = pins(cluster, session)
        carry_out(cluster, session, options, lambda: _target(cluster, session, found, images), "deploy")


def refuse(findings: tuple[Finding, ...]) -> None:
    """Raises PreflightError if there are errors among them."""
    error = refusal(findings)
    if error is not None:
        raise error


def tell_findings(session: Session, findings: tuple[Finding, ...]) -> None:
    """Tells what will be different."""
    for text in grouped(findings, Level.WARNING):
        session.emit(Notice(text=text, level="warning"))
    for text in grouped(findings, Level.INFO):
        session.emit(Notice(text=text))


def _target(
    cluster: Cluster,
    session: Session,
    found: Mapping[tuple[FileKind, str], bytes],
    images: Mapping[str, ImagePin],
) -> Target:
    observed = cluster.observe()
    target = target_of(session.definition, observed, found, images, cluster.swarm.holds)
    refuse(
        (
            *check_platforms(session.definition, target, observed),
            *check_local_images(session.definition, target, images, observed),
        )
    )
    return target


def _pins_as_they_are(cluster: Cluster, session: Session) -> dict[str, ImagePin]:
    """Without building: what is built is taken to be what it was."""
    try:
        return pins(cluster, session)
    except DevstackError:
        running = {
            str(item["Spec"]["Labels"].get("com.docker.stack.image")): item["Spec"]["TaskTemplate"][
                "ContainerSpec"
            ]
            for item in cluster.observe().services.values()
        }
        return {
            image: ImagePin(str(running[image]["Image"]) if image in running else image)
            for image in images_of(session.definition)
        }


def _builds(session: Session) -> tuple[str, ...]:
    lines: list[str] = []
    for service in session.definition.services.values():
        if service.build is not None:
            image = service.image_name(session.definition.name)
            lines += [f"build {image}  (deploy)", f"push {image}  (deploy)"]
    return tuple(lines)


def show(session: Session, plan: Plan, builds: tuple[str, ...] = ()) -> None:
    """Prints the plan as the answer of a dry run, and ends it."""
    explained = [step for action in plan for step in deploy_commands(action)] if session.explain else []
    lines = [*builds, *plan.lines(), *(step.command for step in explained)]
    session.emit(Document(text="\n".join(lines) or "nothing to do", data=lines))
    raise PlanShown


def _plan(cluster: Cluster, target: Target, observed: ObservedStack) -> Plan:
    kept = used_files(
        item.target(cluster.stack) for item in revisions.to_come_back_to(revisions.revisions(observed))
    )
    return plan_deploy(target, observed, kept)


def carry_out(
    cluster: Cluster, session: Session, options: DeployOptions, wish: Callable[[], Target], about: str
) -> None:
    """Plans, asks, and brings the stack to its target; or back to what it was. Under the stack's lock."""
    target, observed = wish(), cluster.observe()
    plan = _plan(cluster, target, observed)
    known = revisions.revisions(observed)
    unfinished = next((item for item in known if item.outcome is Outcome.PENDING), None)
    session.emit(PlanMade(project=cluster.stack, services=tuple(target.services), lines=plan.lines()))
    if not len(plan) and unfinished is None:
        Rollout(cluster, session, target, plan, timeout=options.timeout, monitor=options.monitor).run()
        _finished(session, cluster, target, changed=False, revision=revisions.current(known))
        return
    if len(plan):
        options.confirm(plan)
    before = _before(cluster, observed, unfinished)
    revision = revisions.begin(cluster, observed, target, before, about)
    for item in known:
        if item.outcome is Outcome.PENDING:
            cluster.swarm.remove("configs", item.found["ID"])
    with session.interrupt.graceful():
        _roll_out(
            cluster,
            session,
            options,
            target,
            plan,
            Return(cluster, session, before, revision, options.timeout),
        )
    revisions.end(cluster, revision, Outcome.DONE)
    _forget_outdated(cluster)
    _finished(session, cluster, target, changed=True, revision=revision)


def _roll_out(
    cluster: Cluster, session: Session, options: DeployOptions, target: Target, plan: Plan, going_back: Return
) -> None:
    try:
        Rollout(cluster, session, target, plan, timeout=options.timeout, monitor=options.monitor).run()
    except Interrupted:
        if options.asks_to_return():
            going_back.after_signal()
        else:
            text = f"{cluster.stack} is left half-way; {how_to_end(cluster)}"
            session.emit(Notice(text=text, level="warning"))
        raise session.interrupt.error(is_done=True) from None
    except DevstackError as error:
        raise going_back.after(error) from error


def _before(cluster: Cluster, observed: ObservedStack, unfinished: Revision | None) -> Target | None:
    """What to go back to: not the half of a deploy that was killed, but what was there before it."""
    if unfinished is not None:
        return unfinished.before(cluster.stack)
    last = revisions.current(revisions.revisions(observed))
    needs = last.target(cluster.stack).needs if last else {}
    return None if observed.is_empty else target_as_observed(observed, needs)


def _forget_outdated(cluster: Cluster) -> None:
    for item in revisions.outdated(revisions.revisions(cluster.observe())):
        cluster.swarm.remove("configs", item.found["ID"])


def _finished(
    session: Session, cluster: Cluster, target: Target, *, changed: bool, revision: Revision | None
) -> None:
    session.emit(
        DeployFinished(
            stack=cluster.stack,
            seconds=session.seconds(),
            changed=changed,
            services=tuple(target.services),
            revision=revision.number if revision else 0,
        )
    )
