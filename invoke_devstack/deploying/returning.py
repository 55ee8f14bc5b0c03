"""The way back from a deploy that failed: services, networks, configs and secrets are what they were."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from invoke_devstack.deploying import revisions
from invoke_devstack.deploying.cluster import Cluster
from invoke_devstack.deploying.revisions import Outcome, Revision
from invoke_devstack.deploying.rollout import Rollout
from invoke_devstack.errors import DevstackError, EngineError, EngineUnavailableError, ServiceError
from invoke_devstack.events import Notice
from invoke_devstack.planning.deploys.plan import differences_from, plan_deploy, used_files
from invoke_devstack.planning.deploys.target import Target
from invoke_devstack.running.interrupt import Interrupt
from invoke_devstack.running.session import Session

CONTINUE = "continue"


class Return:
    """Back to `before`, which is None where nothing was there."""

    def __init__(
        self, cluster: Cluster, session: Session, before: Target | None, revision: Revision, timeout: float
    ) -> None:
        self._cluster = cluster
        # A signal that was heard must not end the way back too.
        self._session = replace(session, interrupt=Interrupt())
        self._before = before or Target(cluster.stack, {})
        self._revision = revision
        self._timeout = timeout

    def after(self, error: DevstackError) -> DevstackError:
        """Goes back, unless the service that failed says otherwise. Returns the error to raise."""
        if isinstance(error, EngineUnavailableError):
            detail = f"{self._cluster.stack} is left half-way"
            return _with(
                error,
                detail,
                f"When it answers again, {how_to_end(self._cluster)}",
            )
        action = self._failure_action(error)
        if action in (CONTINUE, "pause"):
            revisions.end(self._cluster, self._revision, Outcome.FAILED)
            return _with(
                error,
                f"left as it is (`failure_action: {action}`)",
                f"Go back: {self._cluster.command('deploy.rollback')}",
            )
        text = f"{error.message}. Going back to what was there before."
        self._session.emit(Notice(text=text, level="warning"))
        try:
            self.go()
        except DevstackError as second:
            with suppress(EngineError):  # the manager may have gone away meanwhile
                revisions.end(self._cluster, self._revision, Outcome.FAILED)
            return _with(
                error,
                f"and the way back failed: {second.message}",
                f"See what is there: {self._cluster.command('deploy.status')}. "
                f"Try again: {self._cluster.command('deploy.rollback')}",
            )
        return _with(error, f"rolled back: {self._as_before()}", error.hint)

    def after_signal(self) -> None:
        self.go()
        self._session.emit(Notice(text=f"Rolled back: {self._as_before()}."))

    def _as_before(self) -> str:
        if not self._before.services:
            return f"{self._cluster.stack} is removed again, as before"
        return f"all services of {self._cluster.stack} are as before, verified"

    def go(self) -> None:
        """Raises DeployError if something does not run as before, or is not what it was."""
        observed = self._cluster.observe()
        known = revisions.to_come_back_to(revisions.revisions(observed))
        kept = used_files(item.target(self._cluster.stack) for item in known)
        plan = plan_deploy(self._before, observed, kept)
        rollout = Rollout(
            self._cluster, self._session, self._before, plan, timeout=self._timeout, settles=False
        )
        rollout.run()
        wrong = differences_from(self._before, self._cluster.observe())
        if wrong:
            raise ServiceError(f"not as before: {', '.join(wrong)}", service=wrong[0])
        revisions.end(self._cluster, self._revision, Outcome.ROLLED_BACK)

    def _failure_action(self, error: DevstackError) -> str:
        """What the file says for the service that failed."""
        if not isinstance(error, ServiceError) or not self._before.services:
            return ""
        service = self._session.definition.services.get(error.service)
        update = service.deploy.update_config if service and service.deploy else None
        return (update.failure_action or "") if update else ""


def how_to_end(cluster: Cluster) -> str:
    """What to do about a deploy that is half done, as part of a hint."""
    return f"go on: {cluster.command()}, or back: {cluster.command('deploy.rollback')}"


def _with(error: DevstackError, detail: str, hint: str) -> DevstackError:
    """The error with how the deploy ended."""
    message = f"{error.message}; {detail}"
    if isinstance(error, ServiceError):
        result: DevstackError = ServiceError(message, service=error.service, hint=hint, details=error.details)
    else:
        result = DevstackError(message, hint=hint, details=error.details)
    result.reason = error.reason or "deploy"
    result.exit_code = error.exit_code
    return result
